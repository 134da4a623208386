/*-------------------------------------------------------------------------
 *
 * script.h
 *	  A cursor over a script: its statements, meta-commands and inline data.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_SCRIPT_H
#define RDS_SCRIPT_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "compat.h"
#include "source.h"
#include "variables.h"

/*
 * A place in a script.  Lines and columns count from 1; a column is a
 * character, whatever its width, and a tab is one character.
 */
typedef struct RdsPosition
{
	Size offset; /* in bytes, from the source's first */
	int line;
	int column;
} RdsPosition;

/*
 * A stretch of the cursor's text, up to the next one: the source's own text
 * from the origin on; or a variable's value, all of it at the place where the
 * script refers to the variable.
 */
typedef struct RdsStretch
{
	Size start; /* in the text */
	RdsPosition origin;
	List *values; /* names: of the variable, and those in whose values it stands */
} RdsStretch;

typedef enum RdsItem
{
	RDS_END,
	RDS_STATEMENT,   /* at its end: a semicolon, or the script's */
	RDS_META_COMMAND /* at a backslash; a statement may have begun before it */
} RdsItem;

/* Lines of inline data, as far as they have been read. */
typedef struct RdsData
{
	bool open;
	RdsPosition first; /* of all of them */
	RdsPosition read;  /* behind what has been read; a line's start, or the end */
	bool in_line;      /* … or rather within a line */
	bool ended;
	const uint64 *line; /* the line that COPY is at, counted from 1; NULL: unknown */
} RdsData;

typedef struct RdsCursor
{
	RdsSource *source;
	RdsVariables *variables; /* NULL: none, and no meta-commands */
	int encoding;            /* of the source's bytes */

	/* the statement that the cursor is at, or that has begun */
	int ordinal;       /* counts from 1; 0 before the first */
	Size start;        /* its first token, in the text */
	Size end;          /* behind its last, without the semicolon */
	Size counted_from; /* what the parser's error positions count from */
	Size stop;         /* behind its semicolon, or where else it ends */
	Size next;         /* where the cursor goes on */
	bool begun;        /* it has a token, and no end yet */
	bool unsure;       /* it refers to a variable whose value is not known yet */
	bool is_copy;      /* it begins with COPY … */
	bool from_stdin;   /* … and looks like COPY … FROM stdin */
	RdsData data;
	Size no_batch_before; /* in the source: batch.c has tried in vain */

	/* what has been read, from the item's beginning on, ending in a NUL */
	StringInfoData text;
	RdsStretch *stretches;
	int stretch_count;
	int stretch_room;
	Size read; /* how far, in the source's bytes */
	bool all_read;
	StringInfoData raw; /* the same lines in the source's encoding, if that is another */
	RdsPosition raw_start;

	/* the scanner's, and nobody else's */
	core_yyscan_t scanner; /* NULL: to be begun anew */
	core_yy_extra_type extra;
	Size scanned_from; /* where in the text its own begins */
	bool scanning;
	Size error_at;         /* where in the text an error has been located */
	MemoryContext context; /* the cursor's own */
	MemoryContext scanned; /* what the scanner allocates … */
	MemoryContext tokens;  /* … for tokens */
} RdsCursor;

extern RdsCursor *rds_cursor_open(RdsSource *source, RdsVariables *variables);
extern RdsItem rds_cursor_next(RdsCursor *cursor);
extern RdsItem rds_cursor_next_command(RdsCursor *cursor);
extern char *rds_cursor_text(const RdsCursor *cursor, Size *length);
extern const char *rds_cursor_line(RdsCursor *cursor, Size *length);
extern void rds_cursor_skip(RdsCursor *cursor, Size length);
extern void rds_cursor_end_statement(RdsCursor *cursor);
extern void rds_cursor_forget_statement(RdsCursor *cursor);
extern void rds_cursor_finish(RdsCursor *cursor);
extern RdsPosition rds_cursor_position(const RdsCursor *cursor);
extern bool rds_cursor_locate(RdsCursor *cursor, int errpos, RdsPosition *position, const char **token,
							  const char **variable);
extern pg_crc32c rds_cursor_close(RdsCursor *cursor);

/* Inline data: from the line behind a COPY statement's on. */
extern void rds_cursor_begin_data(RdsCursor *cursor);
extern Size rds_cursor_read_data(RdsCursor *cursor, char *buffer, Size size);
extern void rds_cursor_end_data(RdsCursor *cursor);

#endif /* RDS_SCRIPT_H */

/*-------------------------------------------------------------------------
 *
 * script.h
 *	  A cursor over a script's statements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_SCRIPT_H
#define RDS_SCRIPT_H

#include "compat.h"

/*
 * A place in a script.  Lines and columns count from 1; a column is a
 * character, whatever its width, and a tab is one character.
 */
typedef struct RdsPosition
{
	Size offset; /* in bytes, from the body's first */
	int line;
	int column;
} RdsPosition;

typedef struct RdsCursor
{
	const char *body; /* NUL-terminated, in the database's encoding */
	Size length;

	/* the statement that the cursor is at */
	int ordinal;       /* counts from 1; 0 before the first */
	RdsPosition start; /* its first token */
	Size size;         /* in bytes, without the semicolon */
	bool scanning;     /* the scanner is at work: start is not known */

	/* the scanner's, and nobody else's */
	core_yyscan_t scanner;
	core_yy_extra_type extra;
	RdsPosition reached;  /* how far lines have been counted */
	MemoryContext tokens; /* what the scanner allocates for tokens */
} RdsCursor;

extern RdsCursor *rds_cursor_open(const char *body, Size length);
extern bool rds_cursor_next(RdsCursor *cursor);
extern char *rds_cursor_text(const RdsCursor *cursor);
extern void rds_cursor_close(RdsCursor *cursor);

extern void rds_position_start(RdsPosition *position);
extern void rds_position_advance(RdsPosition *position, const char *body, Size offset);

#endif /* RDS_SCRIPT_H */

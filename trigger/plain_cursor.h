/*-------------------------------------------------------------------------
 *
 * plain_cursor.h
 *	  A cursor over a script: its statements, meta-commands and inline data,
 *	  found by psql's own lexer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_CURSOR_H
#define PLAIN_CURSOR_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "plain_span.h"
#include "plain_variables.h"

typedef enum Item
{
	ITEM_END,
	ITEM_STATEMENT, /* at its end: a semicolon, or the script's */
	ITEM_COMMAND    /* behind a backslash; a statement may have begun before it */
} Item;

struct PsqlScanStateData;

typedef struct Cursor
{
	const char *text; /* of the script, without a byte-order mark */
	size_t length;
	const Variables *variables; /* NULL: a backslash and a colon are what they are for the server */
	PGconn *connection;         /* for quoting */
	bool standard_strings;      /* to be kept up to date by the caller */
	int encoding;               /* and so is this: the client's */

	struct PsqlScanStateData *lexer;
	struct PQExpBufferData *output; /* the statement, or what there is of it */
	SpanList spans;                 /* what is where in it */
	bool feeding;                   /* the lexer has a piece of the text */
	bool fed_strings;               /* with this setting */
	size_t piece;
	size_t piece_end;
	size_t offset; /* of what the lexer has not had */
	size_t cut;    /* 0, or where the text goes on with … */
	size_t resume; /* … this: inline data is in between */
	bool inactive; /* in a branch that is not taken */
	bool failed;   /* a value could not be quoted */
	bool unsure;   /* while checking: the statement depends on what is not known yet */
	bool open;     /* the lexer is within a quote, a comment, parentheses or a body */
	bool begun;    /* the output is of a statement that goes on */
	size_t from;   /* the statement that the cursor is at, in the output … */
	size_t to;     /* … up to here: more than one where "\;" is in it */
	size_t whole;  /* end of the last of them */
	long ordinal;  /* counts from 1 */
} Cursor;

/* "cursor" has text, length, variables, connection and the two settings. */
extern bool cursor_open(Cursor *cursor, Error *error);
extern void cursor_close(Cursor *cursor);

/*
 * Moves to the next item.  In a branch that is not taken no statement is found.
 * An error has its place in "offset".
 */
extern bool cursor_next(Cursor *cursor, bool inactive, Item *item, size_t *offset, Error *error);

/* Is this the last of the statements that the output has? */
extern bool cursor_is_last(const Cursor *cursor);

/* What follows the cursor on its line, after a backslash. */
extern size_t cursor_line_end(const Cursor *cursor);

/* Goes on there, behind a meta-command. */
extern void cursor_skip(Cursor *cursor, size_t offset);

/* Makes what has begun before a meta-command a statement; false: nothing has. */
extern bool cursor_end_statement(Cursor *cursor);
extern void cursor_forget_statement(Cursor *cursor);

/* Ends the script here. */
extern void cursor_finish(Cursor *cursor);

/* What a branch of an \if leaves out again. */
typedef struct CursorMark
{
	size_t length;
	int paren_depth;
	int begin_depth;
} CursorMark;

extern void cursor_mark(const Cursor *cursor, CursorMark *mark);
extern void cursor_discard(Cursor *cursor, const CursorMark *mark);

/*
 * The inline data of the COPY statement that the cursor is at: the lines behind
 * the one in which the statement ends, up to "\.".  The cursor goes on behind
 * it, after what follows the statement on its own line.
 */
extern bool cursor_take_data(Cursor *cursor, size_t *start, size_t *length, Error *error);

#endif /* PLAIN_CURSOR_H */

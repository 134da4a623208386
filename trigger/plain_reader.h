/*-------------------------------------------------------------------------
 *
 * plain_reader.h
 *	  A script as psql reads it: with its meta-commands carried out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_READER_H
#define PLAIN_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "bundle.h"
#include "error.h"
#include "plain_cursor.h"
#include "plain_token.h"
#include "query.h"

/* What is to be done with a statement. */
typedef enum How
{
	HOW_SEND, /* run it */
	HOW_GSET, /* … and make variables of the row that it returns */
	HOW_GEXEC /* … and run what it returns */
} How;

typedef struct Step
{
	How how;
	bool unsure; /* while checking: whether it is run, or what it says, is not known yet */
	const char *text;
	size_t length;
	long ordinal; /* in its file */
} Step;

/* A branch of an \if. */
typedef enum Branch
{
	BRANCH_TAKEN,   /* this one is */
	BRANCH_WAITING, /* none so far */
	BRANCH_DONE,    /* an earlier one, or the whole \if is in a branch that is not taken */
	BRANCH_PERHAPS  /* while checking: it depends on what is not known yet */
} Branch;

typedef struct If
{
	Branch branch;
	bool in_else;
	size_t offset; /* of the \if */
	CursorMark mark;
	struct If *outer;
} If;

/* A file that is being read. */
typedef struct Frame
{
	const Script *script;
	Cursor cursor;
	If *ifs;        /* the innermost first */
	size_t command; /* offset of the meta-command that is being carried out */
	struct Frame *parent;
} Frame;

/* Starts with session, bundle, checking, outside, length and guard; "mentioned" is to be one for each script of the bundle, or NULL. */
typedef struct Reader
{
	const Session *session;
	const Bundle *bundle;
	bool checking;       /* nothing is run */
	bool outside;        /* the script is run outside of a transaction */
	size_t length;       /* how much of its body is read; 0: all */
	struct Guard *guard; /* of the data; NULL: none */
	bool *mentioned;     /* those that an \i or \ir names, even where it is not reached */

	Frame *frame; /* the innermost */
	Variables *variables;
	char *restricted; /* the key of \restrict */
	How how;          /* of the last statement that the cursor has … */
	char *prefix;     /* … and for HOW_GSET */
	bool standard_strings;
	bool first_strings; /* as the script found it */
	bool found_cycle;
	size_t *included; /* of the bundle, in the order in which they are first read */
	size_t included_count;
} Reader;

/* "variables" is the option's. */
extern bool reader_open(Reader *reader, const Script *script, const json_t *variables, Error *error);
extern void reader_close(Reader *reader);

/* Moves to the next step; "more" is false where the script ends. */
extern bool reader_next(Reader *reader, Step *step, bool *more, Error *error);

/* Places an error: in the statement of a step, or anywhere in the file that is being read. */
extern void reader_place(const Reader *reader, size_t offset, long ordinal, Error *error);
extern void reader_place_step(const Reader *reader, const Step *step, size_t offset, Error *error);

/* A cursor over a step's tokens. */
extern void reader_tokens(const Reader *reader, const Step *step, TokenCursor *cursor);

/* For the meta-commands. */
extern bool reader_include(Reader *reader, const char *path, bool relative, Error *error);
extern bool reader_is_unsure(const Reader *reader);
extern bool reader_is_active(const Reader *reader);

#endif /* PLAIN_READER_H */

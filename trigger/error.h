/*-------------------------------------------------------------------------
 *
 * error.h
 *	  What went wrong, with all that is known of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ERROR_H
#define ERROR_H

#include <stdbool.h>

/* The kinds of failure that a caller of the Lambda can tell apart. */
#define ERROR_CONFIGURATION "Rdsinit.Configuration"
#define ERROR_EVENT "Rdsinit.Event"
#define ERROR_BUNDLE "Rdsinit.Bundle"
#define ERROR_SECRET "Rdsinit.Secret"
#define ERROR_CONNECTION "Rdsinit.Connection"
#define ERROR_DATABASE "Rdsinit.Database"
#define ERROR_SCRIPT "Rdsinit.Script"
#define ERROR_TIMEOUT "Rdsinit.Timeout"
#define ERROR_TARGETS "Rdsinit.Targets"
#define ERROR_RESPONSE "Rdsinit.Response"
#define ERROR_INTERNAL "Rdsinit.Internal"

/* Starts as ERROR_NONE; error_free() brings it back there. */
typedef struct Error
{
	const char *type; /* one of the above; NULL: no error */
	char *message;    /* without the place */
	char *detail;
	char *hint;
	char sqlstate[6]; /* "": not known, and so on below */
	bool is_undone;   /* the connection was lost, and what was not committed is rolled back for sure */
	char *file;
	long line;      /* from 1; 0: not known */
	long column;    /* in characters, from 1 */
	long statement; /* from 1 */
} Error;

#define ERROR_NONE \
	{ \
		0 \
	}

/* Replaces whatever the error held.  Returns false, for the caller to return. */
extern bool error_set(Error *error, const char *type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
extern bool error_out_of_memory(Error *error);

/* Type, message and hint of another. */
extern void error_copy(Error *error, const Error *from);

/* These add to an error that is set; the first two replace what was there. */
extern void error_reword(Error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
extern void error_hint(Error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
extern void error_detail(Error *error, const char *detail);
extern void error_sqlstate(Error *error, const char *sqlstate);
extern void error_place(Error *error, const char *file, long line, long column, long statement);

extern bool error_has_sqlstate(const Error *error, const char *sqlstate);
extern void error_free(Error *error);

#endif /* ERROR_H */

/*-------------------------------------------------------------------------
 *
 * plain_argument.h
 *	  The arguments of psql's meta-commands.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_ARGUMENT_H
#define PLAIN_ARGUMENT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "plain_variables.h"

/* Starts with at and end: behind the backslash, and the line's end. */
typedef struct Arguments
{
	const char *at;
	const char *end;
	const Variables *variables;
	PGconn *connection; /* for quoting */
	bool inactive;      /* references are left as they stand */
	bool unsure;        /* an argument depends on what is not known yet */
} Arguments;

/* The command's own name, to be freed; NULL: out of memory. */
extern char *argument_name(Arguments *arguments);

/* The next argument, to be freed; NULL where there is none. */
extern bool argument_next(Arguments *arguments, char **argument, Error *error);

/* Takes away double quotes around a part of an argument, and halves doubled ones. */
extern void argument_strip_quotes(char *argument);

/* Passes over what is left, as psql does, and over two backslashes, after which SQL goes on. */
extern bool argument_end(Arguments *arguments, Error *error);

#endif /* PLAIN_ARGUMENT_H */

/*-------------------------------------------------------------------------
 *
 * plain_split.h
 *	  A script's statements, found by psql's own lexer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_SPLIT_H
#define PLAIN_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "text.h"

typedef struct Statement
{
	size_t offset; /* of its first token, in the script */
	size_t length;
	Position position;
	long ordinal;          /* counts from 1, and counts BEGIN and COMMIT */
	bool standard_strings; /* it means what it means with this setting */
} Statement;

/* Those to be run: without BEGIN and COMMIT, and without empty ones. */
typedef struct StatementList
{
	Statement *statements;
	size_t count;
	size_t room;
	bool has_taken_out; /* BEGIN or COMMIT */
} StatementList;

/*
 * Splits a whole script and checks it.  "text" is without a byte-order mark;
 * "name" is for the error.  "standard_strings" is the setting that the script
 * begins with; where the script sets it, that counts from there on.
 */
extern bool split_script(const char *name, const char *text, size_t length, bool standard_strings,
						 StatementList *list, Error *error);
extern void split_free(StatementList *list);

#endif /* PLAIN_SPLIT_H */

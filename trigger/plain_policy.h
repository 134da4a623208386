/*-------------------------------------------------------------------------
 *
 * plain_policy.h
 *	  Which statements a script may hold: as the extension's policy.c says,
 *	  as far as that can be told without the server's grammar.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_POLICY_H
#define PLAIN_POLICY_H

#include <stdbool.h>

#include "error.h"
#include "plain_token.h"

typedef enum Verdict
{
	VERDICT_RUN,
	VERDICT_TAKEN_OUT, /* BEGIN or COMMIT: all is one transaction anyway */
	VERDICT_EMPTY      /* nothing but comments */
} Verdict;

/* The cursor is at the statement's start; false where the statement is refused. */
extern bool policy_check(TokenCursor cursor, Verdict *verdict, Error *error);

/* Is it COPY … FROM STDIN, behind which inline data follows? */
extern bool policy_is_copy_from_stdin(TokenCursor cursor);

/*
 * Where the statement sets standard_conforming_strings, which decides how the
 * text after it is to be read, gives the new value.
 */
extern void policy_follow_strings(TokenCursor cursor, bool *standard_strings);

#endif /* PLAIN_POLICY_H */

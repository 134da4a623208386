/*-------------------------------------------------------------------------
 *
 * plain_result.h
 *	  What a statement of a script has come to, and what is made of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_RESULT_H
#define PLAIN_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "plain_token.h"
#include "plain_variables.h"
#include "query.h"

typedef struct Counts
{
	int64_t statements;
	int64_t rows;  /* that they have written */
	bool is_stale; /* what has been run since the session was capped can have changed its limits */
} Counts;

extern void result_add(const PGresult *result, Counts *counts);

/*
 * Before each statement of a transaction: one that may wait for a strong lock finds
 * the session's limits as they should be, whatever functions have set meanwhile.
 */
extern bool result_prepare(const Session *session, TokenCursor cursor, Counts *counts, Error *error);

/* After each statement of a transaction: counts it, and sees to what it may have done to the session. */
extern bool result_count(const Session *session, const PGresult *result, Counts *counts, Error *error);

/* For \gset: a variable for each column of the row, which must be the only one. */
extern bool result_gset(const PGresult *result, const char *prefix, Variables *variables, Error *error);

/* For \gexec: each field is a text of statements, which are run. */
extern bool result_gexec(const Session *session, const PGresult *result, Counts *counts, Error *error);

#endif /* PLAIN_RESULT_H */

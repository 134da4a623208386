/*-------------------------------------------------------------------------
 *
 * outcome.h
 *	  What an invocation has come to so far.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct ScriptOutcome
{
	char *name;
	char *outcome;  /* "applied", "unchanged" or "baseline" */
	char *checksum; /* NULL: not known */
	int64_t statements;
	int64_t rows;
	int64_t duration; /* in microseconds */
} ScriptOutcome;

typedef struct Outcome
{
	const char *mode; /* "extension" or "plain"; NULL: not decided */
	char *reason;     /* why plain */
	char *database;
	bool database_created;
	int64_t started; /* on clock_now(); 0: no work was begun */
	int retries;     /* how often it was all tried again, since a lock was not to be had */
	bool is_partial; /* after a failure: what is in "scripts" is committed, and perhaps more */
	char *plan;      /* its steps as JSON, or its text; NULL: there was none */
	ScriptOutcome *scripts;
	size_t count;
	size_t room;
} Outcome;

/* Copies the strings. */
extern bool outcome_add(Outcome *outcome, const ScriptOutcome *script, Error *error);
extern bool outcome_plain(Outcome *outcome, Error *error, const char *reason, ...)
	__attribute__((format(printf, 3, 4)));
/* Keeps the first so many scripts. */
extern void outcome_truncate(Outcome *outcome, size_t count);
extern void outcome_free(Outcome *outcome);

#endif /* OUTCOME_H */

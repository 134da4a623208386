/*-------------------------------------------------------------------------
 *
 * plain_run.h
 *	  One script's statements, run one after the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_RUN_H
#define PLAIN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "plain_split.h"
#include "query.h"

/* Counts the rows that the statements write.  "text" is what the list was made from. */
extern bool run_statements(const Session *session, const char *name, const char *text, const StatementList *list,
						   int64_t *rows, Error *error);

/* The session's standard_conforming_strings. */
extern bool run_standard_strings(const Session *session);

#endif /* PLAIN_RUN_H */

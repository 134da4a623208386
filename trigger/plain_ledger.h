/*-------------------------------------------------------------------------
 *
 * plain_ledger.h
 *	  What the ledger of the plain mode says was applied.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_LEDGER_H
#define PLAIN_LEDGER_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "error.h"
#include "query.h"
#include "shared/pending.h"

/* Its texts are the result's. */
typedef struct Ledger
{
	RdsAppliedVersion *versions;
	size_t version_count;
	const char *baseline; /* the highest; NULL: none */
	bool is_new;          /* this transaction has made it: there is nothing in it */
	PGresult *result;
} Ledger;

/* Reads the versions, and gives the candidates that have none their last checksums. */
extern bool ledger_read(const Session *session, RdsCandidate *candidates, size_t count, Ledger *ledger, Error *error);
extern void ledger_free(Ledger *ledger);

/*
 * Takes a baseline into the ledger, if the database can have it.  "is_new" says
 * that its row is still to be written.
 */
extern bool ledger_set_baseline(Ledger *ledger, const char *version, bool *is_new, Error *error);

#endif /* PLAIN_LEDGER_H */

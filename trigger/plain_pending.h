/*-------------------------------------------------------------------------
 *
 * plain_pending.h
 *	  Which scripts of a bundle are to be applied, and in which order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_PENDING_H
#define PLAIN_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "bundle.h"
#include "error.h"
#include "plain_ledger.h"
#include "plain_work.h"
#include "query.h"
#include "request.h"

typedef struct Pending
{
	Work *works; /* one for each script of the bundle */
	size_t work_count;
	RdsPending decided; /* its items are those works that are no parts, in order */
	Ledger ledger;
	bool has_new_baseline; /* its row is still to be written */
} Pending;

/* "pending" is all zero, but for what is known of the ledger; it is freed in any case. */
extern bool pending_find(const Session *session, const Bundle *bundle, const Request *request, Pending *pending, Error *error);
extern void pending_free(Pending *pending);

/* An item's work, and whether it is to be run. */
extern const Work *pending_work(const RdsCandidate *item);
extern bool pending_is_due(const RdsCandidate *item);

/* Is there one to be run outside of a transaction? */
extern bool pending_leaves_transaction(const Pending *pending);

#endif /* PLAIN_PENDING_H */

/*-------------------------------------------------------------------------
 *
 * plain_outside.h
 *	  A script run outside of a transaction, statement by statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_OUTSIDE_H
#define PLAIN_OUTSIDE_H

#include <stdbool.h>

#include "bundle.h"
#include "error.h"
#include "plain_guard.h"
#include "plain_result.h"
#include "plain_work.h"
#include "query.h"
#include "request.h"

/*
 * Goes on where an earlier run has ended.  No transaction is open, before or
 * after; "keeper" keeps the ledger locked.  The counts are of all statements,
 * those of earlier runs among them.
 */
extern bool outside_run(const Session *session, const Session *keeper, Guard *guard, const Bundle *bundle, const Request *request,
						const Work *work, Counts *counts, Error *error);

#endif /* PLAIN_OUTSIDE_H */

/*-------------------------------------------------------------------------
 *
 * plain.h
 *	  A bundle applied by us, statement by statement, in one transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>

#include "bundle.h"
#include "error.h"
#include "outcome.h"
#include "query.h"
#include "request.h"

/* Needs nothing of the server but PostgreSQL 11. */
extern bool plain_apply(const Session *session, const Bundle *bundle, const Request *request,
						Outcome *outcome, Error *error);

#endif /* PLAIN_H */

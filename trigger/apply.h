/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  A bundle applied to the database, in one way or the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef APPLY_H
#define APPLY_H

#include <stdbool.h>

#include "bundle.h"
#include "config.h"
#include "error.h"
#include "outcome.h"
#include "query.h"
#include "request.h"

/*
 * Decides between the extension and the plain way, and goes it.  The outcome
 * gets the mode, and after success the scripts.
 */
extern bool apply_bundle(const Session *session, const Bundle *bundle, Mode mode, const Request *request,
						 Outcome *outcome, Error *error);

#endif /* APPLY_H */

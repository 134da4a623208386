/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  A bundle applied by the extension, in one call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EXTENSION_H
#define EXTENSION_H

#include <stdbool.h>

#include "bundle.h"
#include "error.h"
#include "outcome.h"
#include "query.h"
#include "request.h"

/* Calls rdsinit.deploy; the extension is there. */
extern bool extension_apply(const Session *session, const Bundle *bundle, const Request *request,
							Outcome *outcome, Error *error);

/*
 * Does the request ask for a baseline that has not been said yet?  A function
 * that is called for the second time with what the environment says must not
 * complain.
 */
extern bool extension_needs_baseline(const Session *session, const Request *request);
extern bool extension_baseline(const Session *session, const Request *request, Error *error);

/*
 * Runs a command with names, scripts and options as its three parameters.  An
 * error has its place in the bundle; the result is the caller's to PQclear.
 */
extern bool extension_call(const Session *session, const char *command, const Bundle *bundle, const Request *request,
						   PGresult **result, Error *error);

#endif /* EXTENSION_H */

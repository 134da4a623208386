/*-------------------------------------------------------------------------
 *
 * invocation.h
 *	  One deployment to one database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INVOCATION_H
#define INVOCATION_H

#include <stdbool.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "http.h"
#include "outcome.h"
#include "request.h"

/*
 * Reads bundle and secret, connects, and applies the bundle, or plans it.  The
 * outcome says how far it came, after a failure too.
 */
extern bool invocation_deploy(Http *http, const Config *config, const Request *request, const Deadline *deadline,
							  Outcome *outcome, Error *error);

#endif /* INVOCATION_H */

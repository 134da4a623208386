/*-------------------------------------------------------------------------
 *
 * extension_plan.h
 *	  A bundle planned by the extension: run, and rolled back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EXTENSION_PLAN_H
#define EXTENSION_PLAN_H

#include <stdbool.h>

#include "bundle.h"
#include "error.h"
#include "outcome.h"
#include "query.h"
#include "request.h"

/* The outcome gets the plan, in the form that the request asks for; the extension is there. */
extern bool extension_plan(const Session *session, const Bundle *bundle, const Request *request,
						   Outcome *outcome, Error *error);

#endif /* EXTENSION_PLAN_H */

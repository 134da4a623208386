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

#endif /* EXTENSION_H */

/*-------------------------------------------------------------------------
 *
 * dispatch.h
 *	  One invocation, from the event to the answer that its sender waits for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stddef.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "http.h"

/*
 * Always gives an answer, to be freed.  "error_type" becomes NULL for success.
 * "config_error" is what config_read() found, if anything: it is kept for
 * here, since a Lambda that dies while it starts leaves its caller waiting.
 */
extern char *dispatch(Http *http, const Config *config, const Error *config_error,
					  const char *event, size_t event_length, const Deadline *deadline,
					  const char **error_type);

#endif /* DISPATCH_H */

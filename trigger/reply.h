/*-------------------------------------------------------------------------
 *
 * reply.h
 *	  The JSON that an invocation is answered with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdint.h>

#include "error.h"
#include "outcome.h"

/*
 * The answer as a string to be freed, also when memory is out.  "duration" is
 * the invocation's so far, in milliseconds.
 */
extern char *reply_success(const Outcome *outcome, int64_t duration);
extern char *reply_failure(const Outcome *outcome, const Error *error);

/* Logs the same in short. */
extern void reply_log_success(const Outcome *outcome, int64_t duration);
extern void reply_log_failure(const Outcome *outcome, const Error *error);

#endif /* REPLY_H */

/*-------------------------------------------------------------------------
 *
 * metrics.h
 *	  An invocation's numbers, in CloudWatch's embedded metric format.
 *
 *-------------------------------------------------------------------------
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

#include "error.h"
#include "outcome.h"

/* Logs them: of what was applied, in "duration" milliseconds.  Outside of Lambda nothing. */
extern void metrics_log(const Outcome *outcome, const Error *error, int64_t duration);

#endif /* METRICS_H */

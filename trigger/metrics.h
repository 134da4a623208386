/*-------------------------------------------------------------------------
 *
 * metrics.h
 *	  An invocation's numbers, in CloudWatch's embedded metric format.
 *
 *-------------------------------------------------------------------------
 */
#ifndef METRICS_H
#define METRICS_H

#include "error.h"
#include "outcome.h"

/* Logs them, of what was applied; NULL: there was no error.  Outside of Lambda nothing. */
extern void metrics_log(const Outcome *outcome, const Error *error);

#endif /* METRICS_H */

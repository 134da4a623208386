/*-------------------------------------------------------------------------
 *
 * failover.h
 *	  A deployment that a failover has cut off, done again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FAILOVER_H
#define FAILOVER_H

#include <stdbool.h>

#include "connection.h"
#include "deadline.h"
#include "error.h"
#include "outcome.h"

typedef struct Failover
{
	Backoff backoff;
} Failover;

extern Failover failover_begin(void);

/*
 * After a failure: is all of it to be done again?  Only where the error says that
 * nothing can have been committed.  The outcome is then as it was before, and the
 * target such that only a writable server will do.
 */
extern bool failover_again(Failover *failover, Target *target, const Deadline *deadline, Outcome *outcome,
						   const Error *error);

#endif /* FAILOVER_H */

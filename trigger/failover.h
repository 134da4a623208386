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
#include "query.h"

typedef struct Failover
{
	Backoff backoff;
	Error cut;               /* what cut it off; its type is NULL: nothing yet */
	char server_started[32]; /* the server that it was cut off on */
} Failover;

/* To be given to failover_end(). */
extern Failover failover_begin(void);
extern void failover_end(Failover *failover);

/*
 * With a connection open: false, and the error that cut it off, where the same
 * server is there as before, though it had said that it ends the session.  Then
 * an administrator has ended ours alone (pg_terminate_backend), who would have to
 * do it again and again.
 */
extern bool failover_check(Failover *failover, const Session *session, Error *error);

/*
 * After a failure: is all of it to be done again?  Only where the error says that
 * nothing can have been committed.  The outcome is then as it was before, the
 * target such that only a writable server will do, and the error is taken away.
 */
extern bool failover_again(Failover *failover, Target *target, const Deadline *deadline, Outcome *outcome,
						   Error *error);

#endif /* FAILOVER_H */

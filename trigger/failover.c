/*-------------------------------------------------------------------------
 *
 * failover.c
 *	  A deployment that a failover has cut off, done again.
 *
 * A server that is shut down, or from which we hear no more, has rolled back
 * what was not committed.  Where COMMIT was not sent, that is all of it, and the
 * server that takes over is asked instead.
 *
 *-------------------------------------------------------------------------
 */
#include "failover.h"

#include <stdlib.h>

#include "log.h"

#define FIRST_PAUSE 200
#define LONGEST_PAUSE 2000

Failover
failover_begin(void)
{
	Failover failover = {{LONGEST_PAUSE, FIRST_PAUSE}};

	return failover;
}

bool
failover_again(Failover *failover, Target *target, const Deadline *deadline, Outcome *outcome, const Error *error)
{
	if (!error->is_undone || outcome->is_partial || outcome->count > 0 || !backoff_pause(&failover->backoff, deadline))
		return false;

	log_line(LEVEL_WARN, NULL, "%s; nothing has been committed, and all of it is done again", error->message);
	target->only_writable = true;
	outcome->mode = NULL;
	free(outcome->reason);
	outcome->reason = NULL;
	return true;
}

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
#include <string.h>

#include "log.h"

#define FIRST_PAUSE 200
#define LONGEST_PAUSE 2000

Failover
failover_begin(void)
{
	Failover failover = {{LONGEST_PAUSE, FIRST_PAUSE}, ERROR_NONE, ""};

	return failover;
}

void
failover_end(Failover *failover)
{
	error_free(&failover->cut);
}

bool
failover_check(Failover *failover, const Session *session, Error *error)
{
	if (!error_has_sqlstate(&failover->cut, "57P01") || failover->server_started[0] == '\0' ||
		strcmp(failover->server_started, session->server_started) != 0)
	{
		memcpy(failover->server_started, session->server_started, sizeof(failover->server_started));
		return true;
	}
	error_free(error);
	*error = failover->cut;
	error->is_undone = false;
	if (error->hint == NULL)
		error_hint(error, "An administrator has ended the session. Nothing has been committed.");
	memset(&failover->cut, 0, sizeof(failover->cut));
	return false;
}

bool
failover_again(Failover *failover, Target *target, const Deadline *deadline, Outcome *outcome, Error *error)
{
	if (!error->is_undone || outcome->is_partial || outcome->count > 0 || !backoff_pause(&failover->backoff, deadline))
		return false;

	log_line(LEVEL_WARN, NULL, "%s; nothing has been committed, and all of it is to be done again", error->message);
	target->only_writable = true;
	outcome->mode = NULL;
	free(outcome->reason);
	outcome->reason = NULL;
	error_free(&failover->cut);
	failover->cut = *error;
	memset(error, 0, sizeof(*error));
	return true;
}

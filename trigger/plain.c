/*-------------------------------------------------------------------------
 *
 * plain.c
 *	  A bundle applied by us, statement by statement.
 *
 * Under the ledger's lock it is decided what is pending; every pending script
 * is split and checked before the first statement of any of them runs.  All of
 * it is one transaction, but for scripts that ask for none: what comes before
 * such a script is committed.  Where a lock is not to be had, it is all done again
 * from there.
 *
 *-------------------------------------------------------------------------
 */
#include "plain.h"

#include <stdlib.h>
#include <string.h>

#include "observer.h"
#include "plain_course.h"
#include "plain_history.h"
#include "plain_pending.h"
#include "plain_retry.h"
#include "plain_run.h"
#include "plain_session.h"
#include "plain_turn.h"

/* How often to begin again after somebody else was quicker to create the ledger. */
#define MOST_RACES 5

/* Between attempts to get the ledger's lock. */
#define FIRST_PAUSE 50
#define LONGEST_PAUSE 500

/* Why it could not be done, where it can be done all the same. */
typedef enum Obstacle
{
	OBSTACLE_NONE,
	OBSTACLE_RACE, /* somebody else has created the ledger */
	OBSTACLE_TURN, /* somebody else has the lock */
	OBSTACLE_KEEP, /* the lock is needed for more than a transaction */
	OBSTACLE_LOCK, /* a lock of another kind was not to be had */
	OBSTACLE_LOSS  /* what was lost has to be looked at, and is back again */
} Obstacle;

static bool apply(Course *course, Obstacle *obstacle, Error *error);
static bool open_ledger(const Course *course, bool *is_new, Obstacle *obstacle, Error *error);
static bool refuse_pooler(const Pending *pending, Error *error);
static bool check(const Course *course, const Work *work, Error *error);

bool
plain_apply(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	Course course = {0};
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	Retry retry;
	Obstacle obstacle;
	int races = 0;
	bool again;
	bool ok;

	if (PQserverVersion(session->connection) < 110000)
		return error_set(error, ERROR_DATABASE, "the server's version, %s, is older than PostgreSQL 11",
						 PQparameterStatus(session->connection, "server_version"));

	course.session = session;
	course.bundle = bundle;
	course.request = request;
	course.outcome = outcome;
	course.guard.allow = request->allow_data_loss;
	retry_begin(&retry, session, request);
	observer_watch_locks(session->observer, request->lock_timeout);
	do
	{
		error_free(error);
		ok = apply(&course, &obstacle, error);
		if (!ok)
		{
			query_rollback(session);
			course_keep_committed(&course);
		}
		again = (obstacle == OBSTACLE_RACE && ++races <= MOST_RACES && !deadline_passed(session->deadline)) ||
				(obstacle == OBSTACLE_TURN && backoff_pause(&backoff, &retry.limit)) ||
				(obstacle == OBSTACLE_KEEP && turn_keep(session, &retry.limit, &course.keeper, error)) ||
				(obstacle == OBSTACLE_LOCK && retry_pause(&retry, session, error)) ||
				(obstacle == OBSTACLE_LOSS && retry_at_once(session, error));
	} while (again);

	turn_end(&course.keeper);
	if (!ok && turn_is_taken(error))
		turn_explain(session, error);
	if (!ok && error->type != NULL && strcmp(error->type, ERROR_TIMEOUT) == 0)
		retry_explain_timeout(session, error);
	outcome->retries = retry.attempts - 1;
	retry_end(&retry);
	return course_end(&course, ok);
}

static bool
apply(Course *course, Obstacle *obstacle, Error *error)
{
	Pending pending = {0};
	size_t i;
	bool ok;

	*obstacle = OBSTACLE_NONE;
	outcome_truncate(course->outcome, 0);
	ok = course_begin(course, error) &&
		 open_ledger(course, &pending.ledger.is_new, obstacle, error) &&
		 pending_find(course->session, course->bundle, course->request, &pending, error);

	if (ok && pending_leaves_transaction(&pending) && course->keeper.connection == NULL)
	{
		/* The ledger has to be there for the second connection, which locks it. */
		if (!course->session->is_pooled ? course_commit(course, error) : refuse_pooler(&pending, error))
			*obstacle = OBSTACLE_KEEP;
		ok = false;
	}
	for (i = 0; ok && i < pending.decided.item_count; i++)
	{
		if (pending_is_due(&pending.decided.items[i]))
			ok = check(course, pending_work(&pending.decided.items[i]), error);
	}
	ok = ok && course_run(course, &pending, error);
	if (!ok && *obstacle == OBSTACLE_NONE && course->guard.is_suspicious)
		*obstacle = OBSTACLE_LOSS;
	else if (!ok && *obstacle == OBSTACLE_NONE && retry_is_lock_error(error))
		*obstacle = OBSTACLE_LOCK;

	pending_free(&pending);
	return ok;
}

static bool
open_ledger(const Course *course, bool *is_new, Obstacle *obstacle, Error *error)
{
	bool raced;

	if (!history_open(course->session, is_new, &raced, error))
	{
		if (raced)
			*obstacle = OBSTACLE_RACE;
		return false;
	}
	if (course->keeper.connection != NULL || turn_take(course->session, error))
		return true;
	if (turn_is_taken(error))
		*obstacle = OBSTACLE_TURN;
	return false;
}

/* Its statements would be run in any session of the pool, and without the settings of those before. */
static bool
refuse_pooler(const Pending *pending, Error *error)
{
	const char *name = "";
	size_t i;

	for (i = 0; i < pending->decided.item_count; i++)
	{
		const Work *work = pending_work(&pending->decided.items[i]);

		if (pending_is_due(&pending->decided.items[i]) && work->no_transaction)
			name = work->script->name;
	}
	error_set(error, ERROR_DATABASE, "\"%s\" asks for no transaction, which needs a session of its own, but there is a pooler"
									 " before the server",
			  name);
	error_hint(error, "Set DB_HOST and DB_PORT to the server's own, past the pooler; or install the extension rdsinit,"
					  " which runs such scripts within the server.");
	return false;
}

static bool
check(const Course *course, const Work *work, Error *error)
{
	Reader reader = {0};
	bool ok;

	reader.session = course->session;
	reader.bundle = course->bundle;
	reader.outside = work->no_transaction;
	reader.length = work_length(work);
	ok = run_check(&reader, work->script, course->request->variables, error);
	reader_close(&reader);
	return ok;
}

/*-------------------------------------------------------------------------
 *
 * plain_course.c
 *	  The course of a bundle: its transactions, and what is between them.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_course.h"

#include <stdlib.h>
#include <string.h>

#include "observer.h"
#include "plain_history.h"
#include "plain_outside.h"
#include "plain_run.h"
#include "plain_session.h"
#include "plain_turn.h"

static const ScriptOutcome *find_earlier(const Course *course, const char *name);
static bool pass(Course *course, const RdsCandidate *item, Error *error);
static bool run_inside(Course *course, const Work *work, Error *error);
static bool check_losses(Course *course, const Work *work, Error *error);
static bool fire_deferred(Course *course, Error *error);
static bool run_outside(Course *course, const Work *work, Error *error);
static bool finish(Course *course, const Work *work, const char *outcome, const Counts *counts, int64_t started,
				   Error *error);
static bool insert_baseline(const Course *course, const char *version, Error *error);
static bool add_outcome(const Course *course, const Work *work, const char *outcome, const Counts *counts,
						int64_t duration, Error *error);
static size_t count_applied(const Course *course, const ScriptOutcome **only);
static bool explain_commit(const Course *course, Error *error);

bool
course_begin(Course *course, Error *error)
{
	PGresult *result = NULL;

	guard_end(&course->guard);
	course->guard.is_suspicious = false;
	course->is_open = session_begin_for_us(course->session, &result, error);
	if (course->is_open)
		observer_backend(course->session->observer, query_field(result, 0, "pid"));
	PQclear(result);
	return course->is_open;
}

bool
course_commit(Course *course, Error *error)
{
	if (!fire_deferred(course, error) || !guard_settle(&course->guard, error) ||
		!turn_check(&course->keeper, error))
		return false;
	course->is_open = false;
	guard_end(&course->guard);
	if (!session_leave(course->session, error) || !query_commit(course->session, error))
		return explain_commit(course, error);
	course->committed = course->outcome->count;
	return true;
}

bool
course_run(Course *course, const Pending *pending, Error *error)
{
	size_t i;

	if (pending->has_new_baseline && !insert_baseline(course, pending->ledger.baseline, error))
		return false;

	for (i = 0; i < pending->decided.item_count; i++)
	{
		const RdsCandidate *item = &pending->decided.items[i];
		const Work *work = pending_work(item);
		bool leaves = pending_is_due(item) && work->no_transaction;

		if (item->state == RDS_STATE_UNDO)
			continue;
		if (leaves && course->is_open && !course_commit(course, error))
			return false;
		if (!leaves && !course->is_open && !course_begin(course, error))
			return false;
		if (leaves && !run_outside(course, work, error))
			return false;
		if (!leaves && !(pending_is_due(item) ? run_inside(course, work, error) : pass(course, item, error)))
			return false;
	}
	return !course->is_open || course_commit(course, error);
}

/* Where memory is out, it is only not told. */
void
course_keep_committed(Course *course)
{
	Error ignored = ERROR_NONE;
	size_t i;

	for (i = 0; i < course->committed; i++)
	{
		const ScriptOutcome *script = &course->outcome->scripts[i];

		if (find_earlier(course, script->name) == NULL)
			(void) outcome_add(&course->earlier, script, &ignored);
	}
	course->committed = 0;
	error_free(&ignored);
}

bool
course_end(Course *course, bool ok)
{
	Error ignored = ERROR_NONE;
	size_t i;

	if (!ok)
	{
		outcome_truncate(course->outcome, 0);
		for (i = 0; i < course->earlier.count; i++)
			(void) outcome_add(course->outcome, &course->earlier.scripts[i], &ignored);
	}
	guard_free(&course->guard);
	outcome_free(&course->earlier);
	error_free(&ignored);
	return ok;
}

static const ScriptOutcome *
find_earlier(const Course *course, const char *name)
{
	size_t i;

	for (i = 0; i < course->earlier.count; i++)
	{
		if (strcmp(course->earlier.scripts[i].name, name) == 0)
			return &course->earlier.scripts[i];
	}
	return NULL;
}

/* Not run: what has changed, where that is allowed, is from now on what was applied. */
static bool
pass(Course *course, const RdsCandidate *item, Error *error)
{
	const Work *work = pending_work(item);
	const ScriptOutcome *earlier = find_earlier(course, work->script->name);
	Counts none = {0};

	if (earlier != NULL)
		return outcome_add(course->outcome, earlier, error);
	if (item->state == RDS_STATE_CHANGED)
		return finish(course, work, "adopted", &none, clock_now_microseconds(), error);
	return add_outcome(course, work, item->state == RDS_STATE_UNCHANGED ? "unchanged" : "baseline", &none, 0, error);
}

static bool
run_inside(Course *course, const Work *work, Error *error)
{
	Reader reader = {0};
	Counts counts = {0};
	int64_t started = clock_now_microseconds();
	bool ok;

	reader.session = course->session;
	reader.bundle = course->bundle;
	reader.length = work_length(work);
	reader.guard = &course->guard;
	ok = (guard_has_begun(&course->guard) || guard_begin(&course->guard, course->session, error)) &&
		 session_for_script(course->session, error) &&
		 run_script(&reader, work->script, course->request->variables, &counts, error);
	reader_close(&reader);

	return ok && session_for_us(course->session, error) &&
		   check_losses(course, work, error) &&
		   finish(course, work, "applied", &counts, started, error);
}

/* What no statement's words have shown; which of them it was cannot be told. */
static bool
check_losses(Course *course, const Work *work, Error *error)
{
	Error place = ERROR_NONE;
	bool ok;

	error_place(&place, work->script->name, 0, 0, 0);
	ok = guard_check(&course->guard, course->session, &place, error);
	error_free(&place);
	return ok;
}

/*
 * Deferred triggers run as in a session of their own, with the names that it finds;
 * what they have lost no script's end has shown.
 */
static bool
fire_deferred(Course *course, Error *error)
{
	const ScriptOutcome *only;
	Error place = ERROR_NONE;
	bool ok;

	if (count_applied(course, &only) == 0)
		return true;
	if (!session_fire_deferred_anew(course->session, error))
		return explain_commit(course, error);
	if (only != NULL)
		error_place(&place, only->name, 0, 0, 0);
	ok = session_for_us(course->session, error) && guard_check(&course->guard, course->session, &place, error);
	error_free(&place);
	return ok;
}

/* What the script has left in the session is not the next one's. */
static bool
run_outside(Course *course, const Work *work, Error *error)
{
	Counts counts = {0};
	int64_t started = clock_now_microseconds();

	course->outcome->is_partial = true;
	return outside_run(course->session, &course->keeper, &course->guard, course->bundle, course->request, work, &counts, error) &&
		   query_run(course->session, "DISCARD ALL", NULL, error) &&
		   course_begin(course, error) &&
		   finish(course, work, "applied", &counts, started, error) &&
		   course_commit(course, error);
}

/* Writes the script's row, and answers for it. */
static bool
finish(Course *course, const Work *work, const char *outcome, const Counts *counts, int64_t started, Error *error)
{
	HistoryRow row = {0};
	char *undo = NULL;
	char *lost = NULL;
	bool ok;

	row.name = work->script->name;
	row.version = work->version;
	row.outcome = outcome;
	row.checksum = work->checksum;
	row.statements = counts->statements;
	row.rows = counts->rows;
	row.duration = clock_now_microseconds() - started;
	ok = work_undo(work, &row.undo_name, &undo, error) &&
		 guard_lost(&course->guard, course->session, &lost, error);
	row.undo = undo;
	row.lost = lost;
	ok = ok && history_insert(course->session, &row, error) &&
		 add_outcome(course, work, strcmp(outcome, "adopted") == 0 ? "baseline" : outcome, counts, row.duration, error);
	free(lost);
	free(undo);
	return ok;
}

static bool
insert_baseline(const Course *course, const char *version, Error *error)
{
	HistoryRow row = {0};

	row.name = "(baseline)";
	row.version = version;
	row.outcome = "baseline";
	return history_insert(course->session, &row, error);
}

static bool
add_outcome(const Course *course, const Work *work, const char *outcome, const Counts *counts, int64_t duration,
			Error *error)
{
	ScriptOutcome script = {0};

	script.name = work->script->name;
	script.outcome = (char *) outcome;
	script.checksum = (char *) work->checksum;
	script.statements = counts->statements;
	script.rows = counts->rows;
	script.duration = duration;
	return outcome_add(course->outcome, &script, error);
}

/* The scripts that the transaction has applied; "only" is NULL where there is not just one. */
static size_t
count_applied(const Course *course, const ScriptOutcome **only)
{
	size_t applied = 0;
	size_t i;

	*only = NULL;
	for (i = course->committed; i < course->outcome->count; i++)
	{
		if (strcmp(course->outcome->scripts[i].outcome, "applied") == 0)
			*only = applied++ == 0 ? &course->outcome->scripts[i] : NULL;
	}
	return applied;
}

/* What fails only now is a deferred constraint; of which script, only one can tell. */
static bool
explain_commit(const Course *course, Error *error)
{
	const ScriptOutcome *only;
	Variables *variables;

	(void) count_applied(course, &only);
	if (strcmp(error->type, ERROR_DATABASE) == 0)
	{
		error->type = ERROR_SCRIPT;
		if (only != NULL)
			error_place(error, only->name, 0, 0, 0);
	}

	/* What it says of a row can be a variable's value. */
	variables = variables_make();
	if (variables == NULL || !variables_set_all(variables, course->request->variables, error))
		error_out_of_memory(error);
	else
		variables_conceal_error(variables, error);
	variables_free(variables);
	return false;
}

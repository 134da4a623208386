/*-------------------------------------------------------------------------
 *
 * plain.c
 *	  A bundle applied by us, statement by statement, in one transaction.
 *
 * Under the ledger's lock it is decided what is pending; every pending script
 * is split and checked before the first statement of any of them runs.
 *
 *-------------------------------------------------------------------------
 */
#include "plain.h"

#include <stdlib.h>
#include <string.h>

#include "plain_history.h"
#include "plain_pending.h"
#include "plain_run.h"
#include "plain_session.h"

/* How often to begin again after somebody else was quicker to create the ledger. */
#define MOST_RACES 5

static bool apply(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome,
				  bool *raced, Error *error);
static bool check(const Session *session, const Bundle *bundle, const Request *request, const Work *work, Error *error);
static bool run(const Session *session, const Bundle *bundle, const Request *request, const Work *work,
				Outcome *outcome, Error *error);
static bool commit(const Session *session, const Request *request, const Outcome *outcome, Error *error);

bool
plain_apply(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	int races = 0;
	bool raced;
	bool ok;

	if (PQserverVersion(session->connection) < 110000)
		return error_set(error, ERROR_DATABASE, "the server's version, %s, is older than PostgreSQL 11",
						 PQparameterStatus(session->connection, "server_version"));

	do
	{
		outcome_forget_scripts(outcome);
		ok = apply(session, bundle, request, outcome, &raced, error);
		if (!ok)
			query_rollback(session);
	} while (!ok && raced && ++races <= MOST_RACES && !deadline_passed(session->deadline));

	if (!ok && error->file == NULL && error_has_sqlstate(error, "55P03"))
		history_explain_lock(session, error);
	return ok;
}

static bool
apply(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, bool *raced, Error *error)
{
	Work *works = calloc(bundle->count, sizeof(*works));
	bool ok;
	size_t i;

	*raced = false;
	if (works == NULL)
		return error_out_of_memory(error);

	ok = query_run(session, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, error) &&
		 session_for_us(session, error) &&
		 history_open(session, raced, error) &&
		 pending_find(session, bundle, request, works, error);

	for (i = 0; ok && i < bundle->count; i++)
		ok = check(session, bundle, request, &works[i], error);
	for (i = 0; ok && i < bundle->count; i++)
		ok = run(session, bundle, request, &works[i], outcome, error);
	ok = ok && commit(session, request, outcome, error);

	pending_free(works, bundle->count);
	return ok;
}

static bool
check(const Session *session, const Bundle *bundle, const Request *request, const Work *work, Error *error)
{
	Reader reader = {0};
	bool ok = true;

	reader.session = session;
	reader.bundle = bundle;
	if (work->pending)
		ok = run_check(&reader, work->script, request->variables, error);
	reader_close(&reader);
	return ok;
}

static bool
run(const Session *session, const Bundle *bundle, const Request *request, const Work *work,
	Outcome *outcome, Error *error)
{
	ScriptOutcome script = {0};
	Reader reader = {0};
	Counts counts = {0};
	int64_t started = clock_now_microseconds();
	bool ok;

	script.name = work->script->name;
	script.outcome = (char *) (work->pending ? "applied" : "unchanged");
	script.checksum = (char *) work->checksum;
	if (work->is_part)
		return true;
	if (!work->pending)
		return outcome_add(outcome, &script, error);

	reader.session = session;
	reader.bundle = bundle;
	ok = session_for_script(session, error) &&
		 run_script(&reader, work->script, request->variables, &counts, error);
	reader_close(&reader);
	script.statements = counts.statements;
	script.rows = counts.rows;
	script.duration = clock_now_microseconds() - started;

	return ok && session_for_us(session, error) &&
		   history_insert(session, &script, error) &&
		   outcome_add(outcome, &script, error);
}

/* What fails only now is a deferred constraint; of which script, only one can tell. */
static bool
commit(const Session *session, const Request *request, const Outcome *outcome, Error *error)
{
	Variables *variables;
	const ScriptOutcome *only = NULL;
	size_t applied = 0;
	size_t i;

	for (i = 0; i < outcome->count; i++)
	{
		if (strcmp(outcome->scripts[i].outcome, "applied") == 0)
		{
			only = &outcome->scripts[i];
			applied++;
		}
	}

	if (query_commit(session, error))
		return true;
	if (strcmp(error->type, ERROR_DATABASE) == 0)
	{
		error->type = ERROR_SCRIPT;
		if (applied == 1)
			error_place(error, only->name, 0, 0, 0);
	}

	/* What it says of a row can be a variable's value. */
	variables = variables_make();
	if (variables == NULL || !variables_set_all(variables, request->variables, error))
		error_out_of_memory(error);
	else
		variables_conceal_error(variables, error);
	variables_free(variables);
	return false;
}

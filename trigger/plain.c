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

#include "log.h"
#include "plain_history.h"
#include "plain_run.h"
#include "plain_session.h"
#include "plain_split.h"
#include "text.h"

/* How often to begin again after somebody else was quicker to create the ledger. */
#define MOST_RACES 5

/* A script as it goes through the transaction. */
typedef struct Work
{
	const Script *script;
	const char *text; /* its body without a byte-order mark */
	size_t length;
	char checksum[CHECKSUM_LENGTH + 1];
	bool pending;
	StatementList list;
} Work;

static bool apply(const Session *session, const Bundle *bundle, bool force, Outcome *outcome, bool *raced, Error *error);
static bool find_pending(const Session *session, Work *work, const Script *script, bool force, Error *error);
static bool check(Work *work, bool standard_strings, Error *error);
static bool run(const Session *session, const Work *work, Outcome *outcome, Error *error);
static bool commit(const Session *session, const Outcome *outcome, Error *error);

bool
plain_apply(const Session *session, const Bundle *bundle, bool force, Outcome *outcome, Error *error)
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
		ok = apply(session, bundle, force, outcome, &raced, error);
		if (!ok)
			query_rollback(session);
	} while (!ok && raced && ++races <= MOST_RACES && !deadline_passed(session->deadline));

	if (!ok && error->file == NULL && error_has_sqlstate(error, "55P03"))
		history_explain_lock(session, error);
	return ok;
}

static bool
apply(const Session *session, const Bundle *bundle, bool force, Outcome *outcome, bool *raced, Error *error)
{
	Work *works = calloc(bundle->count, sizeof(*works));
	bool standard_strings;
	bool ok;
	size_t i;

	*raced = false;
	if (works == NULL)
		return error_out_of_memory(error);

	ok = query_run(session, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, error) &&
		 session_for_us(session, error) &&
		 history_open(session, raced, error);
	standard_strings = run_standard_strings(session);

	for (i = 0; ok && i < bundle->count; i++)
		ok = find_pending(session, &works[i], &bundle->scripts[i], force, error);
	for (i = 0; ok && i < bundle->count; i++)
		ok = check(&works[i], standard_strings, error);
	for (i = 0; ok && i < bundle->count; i++)
		ok = run(session, &works[i], outcome, error);
	ok = ok && commit(session, outcome, error);

	for (i = 0; i < bundle->count; i++)
		split_free(&works[i].list);
	free(works);
	return ok;
}

static bool
find_pending(const Session *session, Work *work, const Script *script, bool force, Error *error)
{
	bool unchanged = false;
	bool has_mark = strncmp(script->body, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0;
	size_t skip = has_mark ? strlen(BYTE_ORDER_MARK) : 0;

	work->script = script;
	work->text = script->body + skip;
	work->length = script->length - skip;
	if (!history_find(session, script, work->checksum, &unchanged, error))
		return false;
	work->pending = force || !unchanged;
	return true;
}

static bool
check(Work *work, bool standard_strings, Error *error)
{
	if (!work->pending)
		return true;
	if (!split_script(work->script->name, work->text, work->length, standard_strings, &work->list, error))
		return false;
	if (work->list.has_taken_out)
		log_line(LEVEL_INFO, NULL, "%s: BEGIN and COMMIT are taken out: all of a bundle is one transaction",
				 work->script->name);
	return true;
}

static bool
run(const Session *session, const Work *work, Outcome *outcome, Error *error)
{
	ScriptOutcome script = {0};
	int64_t started = clock_now_microseconds();

	script.name = work->script->name;
	script.outcome = (char *) (work->pending ? "applied" : "unchanged");
	script.checksum = (char *) work->checksum;
	if (!work->pending)
		return outcome_add(outcome, &script, error);

	if (!session_for_script(session, error) ||
		!run_statements(session, script.name, work->text, &work->list, &script.rows, error))
		return false;
	script.statements = (int64_t) work->list.count;
	script.duration = clock_now_microseconds() - started;

	return session_for_us(session, error) &&
		   history_insert(session, &script, error) &&
		   outcome_add(outcome, &script, error);
}

/* What fails only now is a deferred constraint; of which script, only one can tell. */
static bool
commit(const Session *session, const Outcome *outcome, Error *error)
{
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
	return false;
}

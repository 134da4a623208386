/*-------------------------------------------------------------------------
 *
 * plain_outside.c
 *	  A script run outside of a transaction, statement by statement.
 *
 * A statement that a transaction can hold is run in one, together with the row
 * that says so: how it ended is always known.  Of the others "started" is
 * committed before, and how it ended after.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_outside.h"

#include <stdlib.h>
#include <string.h>

#include "observer.h"
#include "plain_history.h"
#include "plain_index.h"
#include "plain_kind.h"
#include "plain_retry.h"
#include "plain_run.h"
#include "plain_run_error.h"
#include "plain_session.h"
#include "plain_turn.h"

/* The last row of each statement since the script as a whole had one. */
#define RECORDED_QUERY \
	"SELECT DISTINCT ON (h.statement) h.statement, h.outcome, h.checksum, h.rows FROM rdsinit_plain.history AS h" \
	" WHERE h.name OPERATOR(pg_catalog.=) $1 AND h.statement IS NOT NULL" \
	" AND h.id OPERATOR(pg_catalog.>) coalesce((SELECT pg_catalog.max(s.id) FROM rdsinit_plain.history AS s" \
	"  WHERE s.name OPERATOR(pg_catalog.=) $1 AND s.statement IS NULL), 0)" \
	" ORDER BY h.statement, h.id DESC"

/* What became of a statement in earlier runs. */
typedef enum Before
{
	BEFORE_NOTHING,
	BEFORE_DONE,
	BEFORE_STARTED, /* how it ended is not known */
	BEFORE_FAILED
} Before;

typedef struct Outside
{
	const Session *session;
	const Session *keeper;
	Guard *guard;
	const Request *request;
	const Work *work;
	Reader reader;
	PGresult *recorded;

	/* the statement that it is at */
	Step step;
	long ordinal;
	Kind kind;
	Before before;
	int row; /* of what is recorded */
	char checksum[CHECKSUM_LENGTH + 1];
	Counts counts; /* its own */
	int64_t started;
} Outside;

static bool next_statement(Outside *outside, bool *more, Error *error);
static bool look(Outside *outside, Error *error);
static bool look_back(Outside *outside, Error *error);
static bool check_database(const Outside *outside, Error *error);
static void pass_over(Outside *outside);
static bool prepare(Outside *outside, const char **taken_for, Error *error);
static bool ask(const Outside *outside, const char **taken_for, Error *error);
static bool run(Outside *outside, Error *error);
static bool run_setting(Outside *outside, Error *error);
static bool run_inside(Outside *outside, Error *error);
static bool fire_deferred(const Session *session, Error *error);
static bool check_losses(Outside *outside, Error *error);
static bool run_outside(Outside *outside, Error *error);
static bool send_outside(Outside *outside, Error *error);
static bool send(Outside *outside, PGTransactionStatusType status, Error *error);
static bool insert(const Outside *outside, const Session *session, const char *outcome, Error *error);
static bool record(const Outside *outside, const Session *session, const char *outcome, Error *error);
static void record_failure(const Outside *outside);
static TokenCursor tokens_of(const Outside *outside);

bool
outside_run(const Session *session, const Session *keeper, Guard *guard, const Bundle *bundle, const Request *request,
			const Work *work, Counts *counts, Error *error)
{
	Outside outside = {0};
	Parameter name = {work->script->name, 0};
	bool more = true;
	bool ok;

	outside.session = session;
	outside.keeper = keeper;
	outside.guard = guard;
	outside.request = request;
	outside.work = work;
	outside.reader.session = session;
	outside.reader.bundle = bundle;
	outside.reader.outside = true;
	outside.reader.length = work_length(work);

	ok = query_run_parameters(session, RECORDED_QUERY, 1, &name, &outside.recorded, error) &&
		 session_for_script_outside(session, error) &&
		 reader_open(&outside.reader, work->script, request->variables, error);
	while (ok && more)
	{
		memset(&outside.counts, 0, sizeof(outside.counts));
		ok = next_statement(&outside, &more, error);
		counts->statements += outside.counts.statements;
		counts->rows += outside.counts.rows;
	}
	if (!ok)
		variables_conceal_error(outside.reader.variables, error);
	reader_close(&outside.reader);
	PQclear(outside.recorded);
	return ok;
}

static bool
next_statement(Outside *outside, bool *more, Error *error)
{
	Verdict verdict;
	bool ok;

	if (!reader_next(&outside->reader, &outside->step, more, error))
		return false;
	if (!*more)
		return true;
	if (!run_judge(&outside->reader, &outside->step, &verdict, error))
		return false;
	if (verdict == VERDICT_EMPTY)
		return true;
	if (!run_check_outside(&outside->reader, &outside->step, verdict, error))
		return false;

	ok = look(outside, error) && check_database(outside, error);
	if (ok && outside->kind == KIND_SETTING)
		ok = run_setting(outside, error);
	else if (ok && outside->before == BEFORE_DONE)
		pass_over(outside);
	else if (ok)
		ok = run(outside, error);

	if (!ok && error->file == NULL)
	{
		TokenCursor cursor = tokens_of(outside);
		Token token = {0};

		(void) token_next(&cursor, &token);
		reader_place_step(&outside->reader, &outside->step, token.offset, error);
	}
	return ok;
}

/* What the statement is, without its semicolon, and the comments and spaces around it. */
static bool
look(Outside *outside, Error *error)
{
	TokenCursor cursor = tokens_of(outside);
	TokenCursor start = cursor;
	Token token = {0};
	size_t end = 0;
	size_t from;

	(void) token_next(&start, &token);
	from = token.offset;
	do
	{
		if (!token_has_text(&start, &token, ";"))
			end = token.offset + token.length;
	} while (token_next(&start, &token));

	outside->ordinal++;
	outside->kind = kind_of(cursor);
	outside->started = clock_now_microseconds();
	return checksum_text(cursor.text + from, end - from, outside->checksum, error) && look_back(outside, error);
}

static bool
look_back(Outside *outside, Error *error)
{
	const PGresult *recorded = outside->recorded;
	const char *outcome;
	int row;

	outside->before = BEFORE_NOTHING;
	for (row = 0; row < PQntuples(recorded); row++)
	{
		if (strtol(query_field(recorded, row, "statement"), NULL, 10) == outside->ordinal)
			break;
	}
	if (row == PQntuples(recorded))
		return true;

	outside->row = row;
	outcome = query_field(recorded, row, "outcome");
	if (strcmp(outcome, "started") == 0)
		outside->before = BEFORE_STARTED;
	else if (strcmp(outcome, "failed") == 0)
		outside->before = BEFORE_FAILED;
	else
		outside->before = BEFORE_DONE;

	if (outside->before != BEFORE_DONE || outside->request->allow_changed ||
		strcmp(query_field(recorded, row, "checksum"), outside->checksum) == 0)
		return true;
	error_set(error, ERROR_SCRIPT, "statement %ld of script \"%s\" has changed since it was done",
			  outside->ordinal, outside->work->script->name);
	error_sqlstate(error, "55000");
	error_hint(error, "Take the change back; or have it taken for done, as it is now, with the option \"allow_changed\".");
	return false;
}

/* What another database holds cannot be looked at. */
static bool
check_database(const Outside *outside, Error *error)
{
	char name[64];

	kind_name(tokens_of(outside), name, sizeof(name));
	if (outside->guard->allow || outside->before == BEFORE_DONE || strcmp(name, "DROP DATABASE") != 0)
		return true;
	error_set(error, ERROR_SCRIPT, "could not prove that the database is empty, which this statement would drop");
	error_sqlstate(error, "55000");
	error_hint(error, HINT_ALLOW_DATA_LOSS);
	return false;
}

static void
pass_over(Outside *outside)
{
	outside->counts.statements = 1;
	outside->counts.rows = strtoll(query_field(outside->recorded, outside->row, "rows"), NULL, 10);
}

/*
 * Before a statement is run: finds out whether there is still something to be
 * done.  "taken_for" is the outcome where there is not, else NULL.
 */
static bool
prepare(Outside *outside, const char **taken_for, Error *error)
{
	TokenCursor cursor = tokens_of(outside);
	bool is_done = false;
	bool ok = true;

	*taken_for = NULL;
	if (outside->kind == KIND_CREATE_INDEX && outside->before == BEFORE_NOTHING)
		return index_check(outside->session, cursor, error);
	if (outside->kind == KIND_CREATE_INDEX)
		ok = index_recover(outside->session, cursor, &is_done, error);
	else if (outside->kind == KIND_DROP_INDEX && outside->before == BEFORE_STARTED)
		ok = index_is_gone(outside->session, cursor, &is_done, error);
	else if (outside->before != BEFORE_NOTHING && outside->kind == KIND_REINDEX)
		return index_clear(outside->session, cursor, error);
	else if (outside->before == BEFORE_STARTED && !kind_is_repeatable(cursor))
		return ask(outside, taken_for, error);
	if (is_done)
		*taken_for = "done";
	return ok;
}

/* How the statement ended is not known, and nothing shows it: the caller must say. */
static bool
ask(const Outside *outside, const char **taken_for, Error *error)
{
	char name[64];

	if (outside->request->resume == RESUME_SKIP)
		*taken_for = "skipped";
	if (outside->request->resume != RESUME_ASK)
		return true;

	kind_name(tokens_of(outside), name, sizeof(name));
	error_set(error, ERROR_SCRIPT, "statement %ld, %s, was started by an earlier call, and how it ended is not known",
			  outside->ordinal, name);
	error_sqlstate(error, "55000");
	error_hint(error, "Look whether it has been done. Then use the option \"resume\": \"skip\" if it has, \"again\" if it has not.");
	return false;
}

static bool
run(Outside *outside, Error *error)
{
	const char *taken_for;
	bool ok;

	if (!prepare(outside, &taken_for, error))
		return false;
	if (taken_for != NULL)
	{
		outside->counts.statements = 1;
		return record(outside, outside->session, taken_for, error);
	}

	if (outside->kind == KIND_INSIDE && outside->before != BEFORE_STARTED)
	{
		ok = run_inside(outside, error);

		/* It is one that no transaction can hold, or a procedure that ends them itself. */
		if (!ok && (error_has_sqlstate(error, "25001") || error_has_sqlstate(error, "2D000")))
		{
			error_free(error);
			return run_outside(outside, error);
		}
		/* Without a lock, or a proof, it was rolled back, and is tried again. */
		if (!ok && !retry_is_lock_error(error) && !outside->guard->is_suspicious)
			record_failure(outside);
	}
	else
		ok = run_outside(outside, error);
	return ok;
}

/*
 * Without a row: the database does not keep what it sets, and it is run each
 * time.  What it sets may be the time that a statement has.  How long the others
 * wait for locks is seen to for each of them.
 */
static bool
run_setting(Outside *outside, Error *error)
{
	return send(outside, PQTRANS_IDLE, error) && session_cap_patiently(outside->session, error);
}

static bool
run_inside(Outside *outside, Error *error)
{
	const Session *session = outside->session;
	bool ok = query_begin(session, error) &&
			  session_cap(session, error) &&
			  guard_begin(outside->guard, session, error) &&
			  send(outside, PQTRANS_INTRANS, error) &&
			  fire_deferred(session, error) &&
			  insert(outside, session, "done", error) &&
			  check_losses(outside, error) &&
			  turn_check(outside->keeper, error) &&
			  query_commit(session, error);

	guard_end(outside->guard);
	if (!ok)
		query_rollback(session);
	return ok;
}

/* As the statement itself: with the script's settings, and of its making. */
static bool
fire_deferred(const Session *session, Error *error)
{
	bool ok = session_fire_deferred(session, error);

	if (!ok && strcmp(error->type, ERROR_DATABASE) == 0)
		error->type = ERROR_SCRIPT;
	return ok;
}

/* After insert(): with our own settings. */
static bool
check_losses(Outside *outside, Error *error)
{
	RunPlace at = {&outside->reader, &outside->step};
	Error place = ERROR_NONE;
	bool ok;

	run_tell_place(&at, &place);
	ok = guard_check(outside->guard, outside->session, &place, error) && guard_settle(outside->guard, error);
	error_free(&place);
	return ok;
}

/* Once it is done it is recorded, even if the lock has been lost meanwhile. */
static bool
run_outside(Outside *outside, Error *error)
{
	const Session *session = outside->session;

	if (!turn_check(outside->keeper, error) ||
		!record(outside, session, "started", error))
		return false;
	if (!send_outside(outside, error))
	{
		record_failure(outside);
		return false;
	}
	return record(outside, session, "done", error) && turn_check(outside->keeper, error);
}

/*
 * What is done concurrently waits for every older snapshot, and nobody who reads
 * or writes waits behind it: it may wait for as long as there is time.
 */
static bool
send_outside(Outside *outside, Error *error)
{
	const Session *session = outside->session;
	char *before = NULL;
	bool ok;

	if (kind_is_concurrent(tokens_of(outside)))
		return session_cap_patiently(session, error) && send(outside, PQTRANS_IDLE, error);
	ok = session_cap_while_waiting(session, &before, error) &&
		 send(outside, PQTRANS_IDLE, error) &&
		 session_restore_lock_timeout(session, before, error);
	free(before);
	return ok;
}

/* Runs the statement, after which the transaction's status must be this. */
static bool
send(Outside *outside, PGTransactionStatusType status, Error *error)
{
	const Step *step = &outside->step;
	RunPlace at = {&outside->reader, step};
	char *sql = strndup(step->text, step->length);
	PGresult *result = NULL;
	bool ok = sql != NULL || error_out_of_memory(error);

	memset(&outside->counts, 0, sizeof(outside->counts));
	run_observe(&at);
	if (ok && !query_run_statement(outside->session, sql, NULL, false, &result, error))
	{
		ok = false;
		run_explain_error(&outside->reader, step, result, NULL, error);
	}
	observer_at(outside->session->observer, NULL, NULL);
	if (ok && PQtransactionStatus(outside->session->connection) != status)
		ok = error_set(error, ERROR_INTERNAL, "the statement left a transaction in another state than it found");
	if (ok)
		result_add(result, &outside->counts);
	PQclear(result);
	free(sql);
	return ok;
}

/* Within a transaction, which is not used for anything else after it. */
static bool
insert(const Outside *outside, const Session *session, const char *outcome, Error *error)
{
	HistoryRow row = {0};
	char *lost = NULL;
	bool ok;

	row.name = outside->work->script->name;
	row.version = outside->work->version;
	row.statement = outside->ordinal;
	row.outcome = outcome;
	row.checksum = outside->checksum;
	row.statements = outside->counts.statements;
	row.rows = outside->counts.rows;
	row.duration = clock_now_microseconds() - outside->started;
	ok = session_for_us_meanwhile(session, error) && guard_lost(outside->guard, session, &lost, error);
	row.lost = lost;
	ok = ok && history_insert(session, &row, error);
	free(lost);
	return ok;
}

static bool
record(const Outside *outside, const Session *session, const char *outcome, Error *error)
{
	bool ok = query_begin(session, error) &&
			  insert(outside, session, outcome, error) &&
			  query_commit(session, error);

	if (!ok)
		query_rollback(session);
	return ok;
}

/* There is an error already; this only tries to leave a trace of it. */
static void
record_failure(const Outside *outside)
{
	Deadline soon;
	Session still = query_still(outside->session, &soon);
	Error ignored = ERROR_NONE;

	if (!deadline_passed(outside->session->deadline))
		still = *outside->session;
	still.observer = NULL; /* what it has seen is still to be told */
	if (PQstatus(still.connection) != CONNECTION_OK || PQtransactionStatus(still.connection) != PQTRANS_IDLE)
		return;
	(void) record(outside, &still, "failed", &ignored);
	error_free(&ignored);
}

/* A cursor over the statement's tokens. */
static TokenCursor
tokens_of(const Outside *outside)
{
	TokenCursor cursor;

	reader_tokens(&outside->reader, &outside->step, &cursor);
	return cursor;
}

/*-------------------------------------------------------------------------
 *
 * query.c
 *	  One query, under the deadline.
 *
 * At the deadline the query is cancelled, which leaves the server's own error,
 * with the place in the script.  A little later the server stops by itself
 * (statement_timeout, which the callers set), should the cancel request not get
 * through; and where that has no effect either the connection is given up.
 *
 *-------------------------------------------------------------------------
 */
#include "query.h"

#include <string.h>

#include "cancel.h"
#include "connection.h"
#include "observer.h"

/* How much of COPY's data is handed to libpq at a time. */
#define COPY_PIECE ((size_t) 64 * 1024)

static bool run(const Session *session, bool sent, const CopyData *data, PGresult **result, Error *error);
static bool cancel(const Session *session, PGresult **result);
static bool collect(const Session *session, int64_t until, const CopyData *data, PGresult **result);
static bool wait_for_answer(const Session *session, int64_t until);
static bool send_copy(const Session *session, int64_t until, const CopyData *data);
static bool end_copy(const Session *session, int64_t until, const char *reason);
static bool drop_copy(const Session *session, int64_t until);
static bool flush(PGconn *connection, int64_t until);
static void keep(PGresult **result, PGresult *next);
static bool judge(const Session *session, const PGresult *result, Error *error);
static bool judge_server_error(const Session *session, const PGresult *result, Error *error);
static bool libpq_failed(const Session *session, Error *error);

bool
query_run(const Session *session, const char *sql, PGresult **result, Error *error)
{
	return run(session, PQsendQuery(session->connection, sql) == 1, NULL, result, error);
}

bool
query_run_parameters(const Session *session, const char *sql, int count, const Parameter *parameters,
					 PGresult **result, Error *error)
{
	const char *values[MOST_PARAMETERS];
	int lengths[MOST_PARAMETERS];
	int formats[MOST_PARAMETERS];
	int i;

	if (count > MOST_PARAMETERS)
		return error_set(error, ERROR_INTERNAL, "a query has %d parameters", count);
	for (i = 0; i < count; i++)
	{
		values[i] = parameters[i].value;
		lengths[i] = (int) parameters[i].length;
		formats[i] = parameters[i].length > 0;
	}
	return run(session,
			   PQsendQueryParams(session->connection, sql, count, NULL, values, lengths, formats, 0) == 1,
			   NULL, result, error);
}

/*
 * By the extended protocol, although there are no parameters: there the server
 * refuses a second statement.  By the simple one, a COMMIT that hides behind
 * what psql's lexer takes for one statement would be run.
 */
bool
query_run_statement(const Session *session, const char *sql, const CopyData *data, bool keep_rows,
					PGresult **result, Error *error)
{
	bool sent = PQsendQueryParams(session->connection, sql, 0, NULL, NULL, NULL, NULL, 0) == 1 &&
				(keep_rows || PQsetSingleRowMode(session->connection) == 1);

	return run(session, sent, data, result, error);
}

/* In one message: what a script has set for an idle transaction may be over before a second one is there. */
bool
query_begin(const Session *session, Error *error)
{
	return query_run(session, QUERY_BEGIN " SET LOCAL idle_in_transaction_session_timeout = 0", NULL, error);
}

bool
query_commit(const Session *session, Error *error)
{
	PGresult *result = NULL;
	bool ok = query_run(session, "COMMIT", &result, error);

	/* An aborted transaction answers COMMIT with ROLLBACK, and no error. */
	if (ok && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		ok = error_set(error, ERROR_INTERNAL, "COMMIT was answered with %s", PQcmdStatus(result));
	else if (!ok && (error->sqlstate[0] == '\0' || PQstatus(session->connection) == CONNECTION_BAD))
	{
		error->is_undone = false;
		error_reword(error, "the outcome of COMMIT is unknown: %s", error->message);
		error_hint(error, "Run it again, which is safe: what was committed is not applied a second time.");
	}
	PQclear(result);
	return ok;
}

Session
query_still(const Session *session, Deadline *soon)
{
	Session still = *session;

	*soon = deadline_after(0);
	soon->work += session->deadline->grace;
	still.deadline = soon;
	still.observer = NULL;
	return still;
}

void
query_rollback(const Session *session)
{
	Deadline soon;
	Session still = query_still(session, &soon);
	Error ignored = ERROR_NONE;

	if (PQstatus(session->connection) != CONNECTION_OK ||
		PQtransactionStatus(session->connection) == PQTRANS_IDLE ||
		PQtransactionStatus(session->connection) == PQTRANS_ACTIVE)
		return;
	/* In one message, and so in the same session: these are what a rollback leaves. */
	query_run(&still, session->is_pooled ? "ROLLBACK; DEALLOCATE ALL; SELECT pg_catalog.pg_advisory_unlock_all()" : "ROLLBACK",
			  NULL, &ignored);
	error_free(&ignored);
}

const char *
query_field(const PGresult *result, int row, const char *column)
{
	return PQgetvalue(result, row, PQfnumber(result, column));
}

bool
query_field_is_true(const PGresult *result, int row, const char *column)
{
	return strcmp(query_field(result, row, column), "t") == 0;
}

static bool
run(const Session *session, bool sent, const CopyData *data, PGresult **result, Error *error)
{
	PGresult *last = NULL;
	bool answered;
	bool ok;

	observer_query(session->observer);
	if (!sent)
		ok = libpq_failed(session, error);
	else
	{
		answered = collect(session, session->deadline->work, data, &last);
		if (!answered)
			answered = cancel(session, &last);

		/* An answer is one, however late: COMMIT's above all. */
		if (answered)
			ok = judge(session, last, error);
		else
			ok = error_set(error, ERROR_TIMEOUT, "the deadline was reached");
	}

	if (result != NULL)
		*result = last;
	else
		PQclear(last);
	return ok;
}

/* Cancels the query, and waits for what comes of that. */
static bool
cancel(const Session *session, PGresult **result)
{
	int64_t grace = session->deadline->grace;
	int64_t second_line = session->deadline->work + DEADLINE_SECOND_LINE(grace);

	cancel_query(session->connection, grace);
	if (second_line < clock_now())
		second_line = clock_now();
	(void) end_copy(session, second_line, "the deadline was reached");
	return collect(session, second_line + grace, NULL, result);
}

/* Sends what has not been sent, and waits for all results: false after the time. */
static bool
collect(const Session *session, int64_t until, const CopyData *data, PGresult **result)
{
	PGconn *connection = session->connection;
	ExecStatusType status;
	PGresult *next;

	if (!flush(connection, until))
		return false;

	for (;;)
	{
		while (PQisBusy(connection))
		{
			if (!wait_for_answer(session, until))
				return false;
			/* Where the connection is lost, PQgetResult says so. */
			if (PQconsumeInput(connection) == 0)
				break;
		}
		next = PQgetResult(connection);
		if (next == NULL)
			return true;
		status = PQresultStatus(next);
		keep(result, next);

		/* Without an end to COPY no more results come. */
		if (status == PGRES_COPY_IN && !send_copy(session, until, data))
			return false;
		if (status == PGRES_COPY_OUT && !drop_copy(session, until))
			return false;
		if (PQstatus(connection) == CONNECTION_BAD)
			return true;
	}
}

/* Meanwhile the observer may look what takes so long. */
static bool
wait_for_answer(const Session *session, int64_t until)
{
	for (;;)
	{
		int64_t remaining = until - clock_now();
		int64_t due = observer_due(session->observer);

		if (remaining <= 0)
			return false;
		if (connection_wait(session->connection, false, due < remaining ? due : remaining))
			return true;
		if (due < remaining)
			observer_look(session->observer);
	}
}

/* A server that has found an error in the data reads the rest, and drops it. */
static bool
send_copy(const Session *session, int64_t until, const CopyData *data)
{
	PGconn *connection = session->connection;
	size_t sent = 0;

	if (data == NULL)
		return end_copy(session, until, "there is no inline data");

	while (sent < data->length)
	{
		size_t piece = data->length - sent < COPY_PIECE ? data->length - sent : COPY_PIECE;
		int taken = PQputCopyData(connection, data->bytes + sent, (int) piece);

		if (taken < 0)
			break; /* PQgetResult says why */
		if (taken > 0)
			sent += piece;
		if (!flush(connection, until))
			return false;
	}
	return end_copy(session, until, NULL);
}

/* Nothing where no data is being sent. */
static bool
end_copy(const Session *session, int64_t until, const char *reason)
{
	int ended;

	while ((ended = PQputCopyEnd(session->connection, reason)) == 0)
	{
		if (!flush(session->connection, until))
			return false;
	}
	return ended < 0 || flush(session->connection, until);
}

static bool
drop_copy(const Session *session, int64_t until)
{
	PGconn *connection = session->connection;
	char *row = NULL;
	int length;

	while ((length = PQgetCopyData(connection, &row, 1)) >= 0)
	{
		int64_t remaining = until - clock_now();

		PQfreemem(row);
		row = NULL;
		if (remaining <= 0 || (length == 0 && !connection_wait(connection, false, remaining)))
			return false;
		if (length == 0 && PQconsumeInput(connection) == 0)
			break;
	}
	return true;
}

/* A bundle does not fit into the socket's buffer, and its sending can block. */
static bool
flush(PGconn *connection, int64_t until)
{
	int left;

	while ((left = PQflush(connection)) == 1)
	{
		int64_t remaining = until - clock_now();

		if (remaining <= 0 || !connection_wait(connection, true, remaining))
			return false;
		/* Read as well: a server that cannot write its notices stops reading. */
		if (PQconsumeInput(connection) == 0)
			break;
	}
	return true;
}

/* The last result is kept, but the first error, and no row of a statement. */
static void
keep(PGresult **result, PGresult *next)
{
	if (PQresultStatus(*result) == PGRES_FATAL_ERROR && *result != NULL)
		PQclear(next);
	else
	{
		PQclear(*result);
		*result = next;
	}
}

static bool
judge(const Session *session, const PGresult *result, Error *error)
{
	/* PQresultStatus takes NULL for an error, as it is here. */
	switch (PQresultStatus(result))
	{
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_EMPTY_QUERY:
			return true;
		case PGRES_FATAL_ERROR:
			if (result != NULL && PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)
				return judge_server_error(session, result, error);
			return libpq_failed(session, error);
		default:
			return error_set(error, ERROR_INTERNAL, "the server answered with %s",
							 PQresStatus(PQresultStatus(result)));
	}
}

static bool
judge_server_error(const Session *session, const PGresult *result, Error *error)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	/* 57014 before the deadline is somebody's own doing, or the script's. */
	if (strcmp(sqlstate, "57014") == 0 && deadline_remaining(session->deadline) < 50)
		error_set(error, ERROR_TIMEOUT, "the deadline was reached");
	else
	{
		error_set(error, ERROR_DATABASE, "%s", message != NULL ? message : "an error without a message");
		error_detail(error, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
		if (hint != NULL)
			error_hint(error, "%s", hint);
	}
	error_sqlstate(error, sqlstate);
	/* admin_shutdown, crash_shutdown: of the server, or of this session alone */
	error->is_undone = strcmp(sqlstate, "57P01") == 0 || strcmp(sqlstate, "57P02") == 0;
	return false;
}

static bool
libpq_failed(const Session *session, Error *error)
{
	const char *message = PQerrorMessage(session->connection);
	int length = (int) strcspn(message, "\n");

	/* libpq goes on for more lines with what this may mean. */
	if (PQstatus(session->connection) == CONNECTION_BAD)
	{
		error_set(error, ERROR_CONNECTION, "the connection was lost: %.*s", length, message);
		error->is_undone = true;
		return false;
	}
	return error_set(error, ERROR_INTERNAL, "libpq: %.*s", length, message);
}

/*-------------------------------------------------------------------------
 *
 * plain_turn.c
 *	  One at a time in a database: the lock of the plain mode's ledger.
 *
 * It is asked for again and again, never waited for.  Who waits in the server
 * can hold a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot:
 * the two would wait for each other, and the server would not see it.
 *
 * A run of several transactions has the lock kept on a second connection, which
 * is idle in a transaction without a snapshot.  Where that connection is lost
 * the next commit is not made; where the other is, this one is closed.
 *
 * What is locked is a view.  A table would be among those that VACUUM, ANALYZE
 * and REINDEX DATABASE visit, which then waited for ourselves; an advisory lock
 * can be held by anybody.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"

#define FIRST_PAUSE 50
#define LONGEST_PAUSE 500

#define LOCK_COMMAND "LOCK TABLE rdsinit_plain.turn IN SHARE ROW EXCLUSIVE MODE NOWAIT"
#define LOCK_ERROR "could not lock the ledger rdsinit_plain.history: "

/* Nobody is to end the transaction for being idle. */
#define KEEP_COMMANDS \
	"BEGIN ISOLATION LEVEL READ COMMITTED;" \
	" SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0"
#define KEEP_COMMAND_17 "SET LOCAL transaction_timeout = 0"

/* The lock itself may not be in sight: its view, not committed, is not either. */
#define HOLDER_QUERY \
	"SELECT a.pid, a.usename, a.application_name FROM pg_catalog.pg_stat_activity AS a" \
	" WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()" \
	" AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND a.xact_start IS NOT NULL" \
	" AND (a.application_name OPERATOR(pg_catalog.=) 'rdsinit' OR a.pid IN (" \
	"  SELECT l.pid FROM pg_catalog.pg_locks AS l" \
	"  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation" \
	"  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	"  WHERE l.granted AND n.nspname OPERATOR(pg_catalog.=) 'rdsinit_plain'" \
	"  AND c.relname OPERATOR(pg_catalog.=) 'turn'))" \
	" ORDER BY a.xact_start LIMIT 1"

static bool keep(const Session *keeper, Error *error);

bool
turn_take(const Session *session, Error *error)
{
	if (query_run(session, LOCK_COMMAND, NULL, error))
		return true;
	error_reword(error, LOCK_ERROR "%s", error->message);
	return false;
}

bool
turn_is_taken(const Error *error)
{
	return error_has_sqlstate(error, "55P03") && error->message != NULL &&
		   strncmp(error->message, LOCK_ERROR, strlen(LOCK_ERROR)) == 0;
}

bool
turn_keep(const Session *session, const Deadline *limit, Session *keeper, Error *error)
{
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	bool ok;

	if (!database_open_another(session, keeper, error))
	{
		error_reword(error, "could not open a second connection, which keeps the ledger locked: %s", error->message);
		return false;
	}
	while (!(ok = keep(keeper, error)) && turn_is_taken(error))
	{
		query_rollback(keeper);
		if (!backoff_pause(&backoff, limit))
			break;
		error_free(error);
	}
	return ok;
}

bool
turn_check(const Session *keeper, Error *error)
{
	PGconn *connection = keeper->connection;

	if (connection == NULL)
		return true;
	/* Twice: first comes what the server says of the end, then the end. */
	if (PQconsumeInput(connection) == 1 && PQisBusy(connection) == 0 && PQconsumeInput(connection) == 1 &&
		PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_INTRANS)
		return true;
	error_set(error, ERROR_CONNECTION, "the connection that kept the ledger locked was lost");
	error_hint(error, "Invoke again: rdsinit_plain.history has what was done, and it goes on from there.");
	return false;
}

void
turn_end(Session *keeper)
{
	PQfinish(keeper->connection);
	keeper->connection = NULL;
}

void
turn_explain(const Session *session, Error *error)
{
	PGresult *result = NULL;
	Deadline soon;
	Session still = query_still(session, &soon);
	Error ignored = ERROR_NONE;
	char *detail = NULL;

	if (query_run(&still, HOLDER_QUERY, &result, &ignored) && PQntuples(result) == 1 &&
		asprintf(&detail, "The process with PID %s of role \"%s\" (application \"%s\") was in a transaction all the while.",
				 query_field(result, 0, "pid"), query_field(result, 0, "usename"),
				 query_field(result, 0, "application_name")) >= 0)
	{
		error_detail(error, detail);
		free(detail);
	}
	error_hint(error, "Only one bundle at a time is applied to a database: invoke again when the other has ended.");
	PQclear(result);
	error_free(&ignored);
}

static bool
keep(const Session *keeper, Error *error)
{
	return query_run(keeper, KEEP_COMMANDS, NULL, error) &&
		   (PQserverVersion(keeper->connection) < 170000 || query_run(keeper, KEEP_COMMAND_17, NULL, error)) &&
		   turn_take(keeper, error);
}

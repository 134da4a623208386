/*-------------------------------------------------------------------------
 *
 * plain_session.c
 *	  The session's settings: ours, and those that a script finds.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_session.h"

#include <stdio.h>
#include <string.h>

/*
 * The first two, in this order: the second brings back a role that ALTER ROLE
 * … SET role gives the session, which the first has taken away.
 */
#define RESET_SESSION \
	"RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"

/*
 * What a script has lowered stays lowered.  Runs under the script's search_path,
 * so that every name is qualified.
 */
#define CAP(name, limit) \
	"pg_catalog.set_config('" name "', CASE WHEN t." name " OPERATOR(pg_catalog.>) '0'" \
	" AND t." name " OPERATOR(pg_catalog.<) (" limit " OPERATOR(pg_catalog.||) 'ms')::pg_catalog.interval" \
	" THEN pg_catalog.current_setting('" name "') ELSE " limit " END, $3::pg_catalog.bool)"
#define CAP_COLUMNS \
	CAP("statement_timeout", "$1") \
	", " CAP("lock_timeout", "$2")
#define CAP_FROM \
	" FROM (SELECT pg_catalog.current_setting('statement_timeout')::pg_catalog.interval AS statement_timeout," \
	"  pg_catalog.current_setting('lock_timeout')::pg_catalog.interval AS lock_timeout) AS t"
#define CAP_QUERY "SELECT " CAP_COLUMNS CAP_FROM
#define CAP_AND_WATCH_QUERY \
	"SELECT pg_catalog.set_config('client_connection_check_interval', '1s', $3::pg_catalog.bool), " CAP_COLUMNS CAP_FROM

/*
 * Should the trigger be gone, the server is to notice that, instead of working on
 * for nobody and holding locks: within a second where the connection has been
 * closed, within half a minute where nobody was left to close it.
 */
#define KEEPALIVE(how) \
	"SET " how "tcp_keepalives_idle = 10; SET " how "tcp_keepalives_interval = 5; SET " how "tcp_keepalives_count = 3"

static bool cap(const Session *session, bool is_local, long long lock_timeout, Error *error);
static const char *watch_command(const Session *session, bool is_local);
static long long statement_timeout(const Session *session);
static long long lock_timeout(const Session *session);

bool
session_for_us(const Session *session, Error *error)
{
	char commands[768];

	snprintf(commands, sizeof(commands),
			 RESET_SESSION "; %s; SET LOCAL search_path = pg_catalog, pg_temp;"
						   " SET LOCAL statement_timeout = %lld; SET LOCAL lock_timeout = %lld",
			 watch_command(session, true), statement_timeout(session), lock_timeout(session));
	return query_run(session, commands, NULL, error);
}

bool
session_for_script(const Session *session, Error *error)
{
	char commands[512];

	snprintf(commands, sizeof(commands), RESET_SESSION "; %s", watch_command(session, true));
	return query_run(session, commands, NULL, error) && session_cap(session, error);
}

/* A role's own settings for transactions do not matter to a script. */
bool
session_for_script_outside(const Session *session, Error *error)
{
	char commands[512];

	snprintf(commands, sizeof(commands),
			 RESET_SESSION "; %s; SET default_transaction_isolation = 'read committed';"
						   " SET default_transaction_read_only = off; SET statement_timeout = %lld",
			 watch_command(session, false), statement_timeout(session));
	return query_run(session, commands, NULL, error);
}

bool
session_for_us_meanwhile(const Session *session, Error *error)
{
	char commands[512];

	snprintf(commands, sizeof(commands),
			 "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO DEFAULT;"
			 " SET LOCAL client_encoding TO DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp;"
			 " SET LOCAL statement_timeout = %lld; SET LOCAL lock_timeout = %lld",
			 statement_timeout(session), lock_timeout(session));
	return query_run(session, commands, NULL, error);
}

/* What is locked meanwhile is given back as well. */
bool
session_begin_aside(const Session *session, Error *error)
{
	return query_run(session, "SAVEPOINT rdsinit_aside", NULL, error) && session_for_us_meanwhile(session, error);
}

bool
session_end_aside(const Session *session, Error *error)
{
	return query_run(session, "ROLLBACK TO SAVEPOINT rdsinit_aside; RELEASE SAVEPOINT rdsinit_aside", NULL, error);
}

bool
session_cap(const Session *session, Error *error)
{
	bool is_local = PQtransactionStatus(session->connection) == PQTRANS_INTRANS;

	return cap(session, is_local, lock_timeout(session), error);
}

bool
session_cap_patiently(const Session *session, Error *error)
{
	return cap(session, false, statement_timeout(session), error);
}

bool
session_cap_while_waiting(const Session *session, char **before, Error *error)
{
	PGresult *result = NULL;
	bool ok = query_run(session, "SELECT pg_catalog.current_setting('lock_timeout') AS before", &result, error);

	*before = ok ? strdup(query_field(result, 0, "before")) : NULL;
	PQclear(result);
	if (ok && *before == NULL)
		ok = error_out_of_memory(error);
	return ok && session_cap(session, error);
}

bool
session_restore_lock_timeout(const Session *session, const char *before, Error *error)
{
	Parameter parameter = {before, 0};

	return query_run_parameters(session, "SELECT pg_catalog.set_config('lock_timeout', $1, false)", 1, &parameter, NULL, error);
}

/* What deferred triggers do in COMMIT nobody could look at; and a table that has any to be fired cannot be dropped. */
bool
session_fire_deferred(const Session *session, Error *error)
{
	return query_run(session, "SET CONSTRAINTS ALL IMMEDIATE", NULL, error);
}

bool
session_leave(const Session *session, Error *error)
{
	return !session->is_pooled ||
		   query_run(session,
					 "CLOSE ALL; DEALLOCATE ALL; UNLISTEN *;"
					 " SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP",
					 NULL, error);
}

bool
session_standard_strings(const Session *session)
{
	const char *setting = PQparameterStatus(session->connection, "standard_conforming_strings");

	return setting == NULL || strcmp(setting, "on") == 0;
}

static bool
cap(const Session *session, bool is_local, long long most, Error *error)
{
	char statement[32];
	char lock[32];
	Parameter parameters[3] = {{statement, 0}, {lock, 0}, {is_local ? "true" : "false", 0}};

	snprintf(statement, sizeof(statement), "%lld", statement_timeout(session));
	snprintf(lock, sizeof(lock), "%lld", most);
	return query_run_parameters(session, session->is_watched ? CAP_AND_WATCH_QUERY : CAP_QUERY, 3, parameters, NULL, error);
}

/* Nothing is watched where the server does not know how. */
static const char *
watch_command(const Session *session, bool is_local)
{
	if (is_local)
		return session->is_watched ? KEEPALIVE("LOCAL ") "; SET LOCAL " QUERY_WATCH : KEEPALIVE("LOCAL ");
	return session->is_watched ? KEEPALIVE("") "; SET " QUERY_WATCH : KEEPALIVE("");
}

/* Later than the client cancels by itself: the second line.  0 would be no limit at all. */
static long long
statement_timeout(const Session *session)
{
	const Deadline *deadline = session->deadline;

	return (long long) (deadline_remaining(deadline) + DEADLINE_SECOND_LINE(deadline->grace)) + 1;
}

/* A lock that cannot be had is to be the error, not the end of time. */
static long long
lock_timeout(const Session *session)
{
	long long left = (long long) (deadline_remaining(session->deadline) - session->deadline->grace);

	if (left < 1)
		left = 1;
	return session->lock_timeout > 0 && session->lock_timeout < left ? (long long) session->lock_timeout : left;
}

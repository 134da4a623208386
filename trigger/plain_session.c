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
#define CAP(name) \
	"pg_catalog.set_config('" name "', CASE WHEN t." name " OPERATOR(pg_catalog.>) '0'" \
	" AND t." name " OPERATOR(pg_catalog.<) '%lldms'::pg_catalog.interval" \
	" THEN pg_catalog.current_setting('" name "') ELSE '%lld' END, %s)"
#define CAP_FROM \
	" FROM (SELECT pg_catalog.current_setting('statement_timeout')::pg_catalog.interval AS statement_timeout," \
	"  pg_catalog.current_setting('lock_timeout')::pg_catalog.interval AS lock_timeout) AS t"
#define CAP_COMMAND "SELECT %s" CAP("statement_timeout") ", " CAP("lock_timeout") CAP_FROM
#define CAP_WATCH(is_local) "pg_catalog.set_config('client_connection_check_interval', '1s', " is_local "), "

/*
 * Should the trigger be gone, the server is to notice that, instead of working on
 * for nobody and holding locks: within a second where the connection has been
 * closed, within half a minute where nobody was left to close it.
 */
#define KEEPALIVE(how) \
	"SET " how "tcp_keepalives_idle = 10; SET " how "tcp_keepalives_interval = 5; SET " how "tcp_keepalives_count = 3"

#define FIRE_COMMAND "SET CONSTRAINTS ALL IMMEDIATE"

/* Long enough for each of the messages that are put together here. */
#define COMMANDS_SIZE 2048

static bool run_for_us(const Session *session, const char *before, const char *after, PGresult **result, Error *error);
static bool run_for_script(const Session *session, const char *after, Error *error);
static bool run_for_us_meanwhile(const Session *session, const char *before, Error *error);
static bool cap(const Session *session, bool is_local, long long most, Error *error);
static void write_cap(const Session *session, bool is_local, long long most, char *command, size_t size);
static const char *watch_command(const Session *session, bool is_local);
static long long statement_timeout(const Session *session);
static long long lock_timeout(const Session *session);

bool
session_for_us(const Session *session, Error *error)
{
	return run_for_us(session, "", "", NULL, error);
}

bool
session_begin_for_us(const Session *session, PGresult **process, Error *error)
{
	return run_for_us(session, QUERY_BEGIN " ",
					  "; SELECT pg_catalog.pg_backend_pid() AS pid", process, error);
}

bool
session_for_script(const Session *session, Error *error)
{
	return run_for_script(session, "", error);
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
	return run_for_us_meanwhile(session, "", error);
}

/* What is locked meanwhile is given back as well. */
bool
session_begin_aside(const Session *session, Error *error)
{
	return run_for_us_meanwhile(session, "SAVEPOINT rdsinit_aside; ", error);
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
	return query_run(session, FIRE_COMMAND, NULL, error);
}

bool
session_fire_deferred_anew(const Session *session, Error *error)
{
	return run_for_script(session, "; " FIRE_COMMAND, error);
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
run_for_us(const Session *session, const char *before, const char *after, PGresult **result, Error *error)
{
	char commands[COMMANDS_SIZE];

	snprintf(commands, sizeof(commands),
			 "%s" RESET_SESSION "; %s; SET LOCAL search_path = pg_catalog, pg_temp;"
			 " SET LOCAL statement_timeout = %lld; SET LOCAL lock_timeout = %lld%s",
			 before, watch_command(session, true), statement_timeout(session), lock_timeout(session), after);
	return query_run(session, commands, result, error);
}

static bool
run_for_script(const Session *session, const char *after, Error *error)
{
	char command[COMMANDS_SIZE / 2];
	char commands[COMMANDS_SIZE];

	write_cap(session, true, lock_timeout(session), command, sizeof(command));
	snprintf(commands, sizeof(commands), RESET_SESSION "; %s; %s%s", watch_command(session, true), command, after);
	return query_run(session, commands, NULL, error);
}

static bool
run_for_us_meanwhile(const Session *session, const char *before, Error *error)
{
	char commands[COMMANDS_SIZE];

	snprintf(commands, sizeof(commands),
			 "%sSET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO DEFAULT;"
			 " SET LOCAL client_encoding TO DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp;"
			 " SET LOCAL statement_timeout = %lld; SET LOCAL lock_timeout = %lld",
			 before, statement_timeout(session), lock_timeout(session));
	return query_run(session, commands, NULL, error);
}

static bool
cap(const Session *session, bool is_local, long long most, Error *error)
{
	char command[COMMANDS_SIZE / 2];

	write_cap(session, is_local, most, command, sizeof(command));
	return query_run(session, command, NULL, error);
}

static void
write_cap(const Session *session, bool is_local, long long most, char *command, size_t size)
{
	long long longest = statement_timeout(session);
	const char *watch = is_local ? CAP_WATCH("true") : CAP_WATCH("false");
	const char *local = is_local ? "true" : "false";

	snprintf(command, size, CAP_COMMAND, session->is_watched ? watch : "", longest, longest, local, most, most, local);
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

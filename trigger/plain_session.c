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
 * Runs under the script's search_path, so that every name is qualified.
 */
#define KEEP_TIMEOUT_QUERY \
	"SELECT pg_catalog.set_config('statement_timeout', $1, $2::pg_catalog.bool) FROM pg_catalog.pg_settings AS s" \
	" WHERE s.name OPERATOR(pg_catalog.=) 'statement_timeout'" \
	" AND (s.setting::pg_catalog.int8 OPERATOR(pg_catalog.=) 0" \
	"  OR s.setting::pg_catalog.int8 OPERATOR(pg_catalog.>) $1::pg_catalog.int8)"

static const char *watch_command(const Session *session);
static long long statement_timeout(const Session *session);

bool
session_for_us(const Session *session, Error *error)
{
	char commands[512];
	long long timeout = statement_timeout(session);
	long long lock_timeout = timeout - session->deadline->grace;

	/* A lock that cannot be had is to be the error, not the end of time. */
	snprintf(commands, sizeof(commands),
			 RESET_SESSION "; %s; SET LOCAL search_path = pg_catalog, pg_temp;"
						   " SET LOCAL statement_timeout = %lld; SET LOCAL lock_timeout = %lld",
			 watch_command(session), timeout, lock_timeout > 1 ? lock_timeout : 1);
	return query_run(session, commands, NULL, error);
}

bool
session_for_script(const Session *session, Error *error)
{
	char commands[256];

	snprintf(commands, sizeof(commands), RESET_SESSION "; %s; SET LOCAL statement_timeout = %lld",
			 watch_command(session), statement_timeout(session));
	return query_run(session, commands, NULL, error);
}

/* A role's own settings for transactions do not matter to a script. */
bool
session_for_script_outside(const Session *session, Error *error)
{
	char commands[512];

	snprintf(commands, sizeof(commands),
			 RESET_SESSION "; %s; SET default_transaction_isolation = 'read committed';"
						   " SET default_transaction_read_only = off; SET statement_timeout = %lld",
			 watch_command(session), statement_timeout(session));
	return query_run(session, commands, NULL, error);
}

bool
session_for_us_meanwhile(const Session *session, Error *error)
{
	char commands[512];
	long long timeout = statement_timeout(session);

	snprintf(commands, sizeof(commands),
			 "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO DEFAULT;"
			 " SET LOCAL client_encoding TO DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp;"
			 " SET LOCAL statement_timeout = %lld; SET LOCAL lock_timeout = %lld",
			 timeout, timeout);
	return query_run(session, commands, NULL, error);
}

bool
session_keep_timeout(const Session *session, Error *error)
{
	char timeout[32];
	bool is_local = PQtransactionStatus(session->connection) == PQTRANS_INTRANS;
	Parameter parameters[2] = {{timeout, 0}, {is_local ? "true" : "false", 0}};

	snprintf(timeout, sizeof(timeout), "%lld", statement_timeout(session));
	return query_run_parameters(session, KEEP_TIMEOUT_QUERY, 2, parameters, NULL, error);
}

/* Deferred constraints first: a table that has any to be checked cannot be dropped. */
bool
session_leave(const Session *session, Error *error)
{
	return !session->is_pooled ||
		   query_run(session,
					 "SET CONSTRAINTS ALL IMMEDIATE; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *;"
					 " SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP",
					 NULL, error);
}

bool
session_standard_strings(const Session *session)
{
	const char *setting = PQparameterStatus(session->connection, "standard_conforming_strings");

	return setting == NULL || strcmp(setting, "on") == 0;
}

/* Nothing where the server does not know how. */
static const char *
watch_command(const Session *session)
{
	if (!session->is_watched)
		return "";
	return session->is_pooled ? QUERY_WATCH_LOCAL : QUERY_WATCH;
}

/* 0 would be no limit at all. */
static long long
statement_timeout(const Session *session)
{
	return (long long) deadline_remaining(session->deadline) + 1;
}

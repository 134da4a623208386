/*-------------------------------------------------------------------------
 *
 * database.c
 *	  A connection to the database, which is created when it is missing.
 *
 *-------------------------------------------------------------------------
 */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "notice.h"
#include "query.h"

#define FIRST_PAUSE 200
#define LONGEST_PAUSE 3000

#define PID_QUERY \
	"SELECT pg_catalog.pg_backend_pid() AS pid," \
	" pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) AS started"
#define WATCH_QUERY \
	PID_QUERY ", pg_catalog.set_config('client_connection_check_interval', '1s'," \
			  " pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) %d)"

static bool connect_patiently(const Target *target, const char *name, bool must_exist, const Deadline *deadline,
							  PGconn **connection, Error *error);
static bool create(const Target *target, const char *name, const char *admin_name,
				   const Deadline *deadline, bool *created, Error *error);
static bool run_create(const Session *session, const char *name, bool *created, Error *error);
static bool create_command(PGconn *connection, const char *name, char **command, Error *error);
static void watch(Session *session);
static void explain(const char *name, Error *error);

bool
database_open(const Target *target, const char *name, const char *admin_name,
			  const Deadline *deadline, Session *session, bool *created, Error *error)
{
	bool ok;

	session->connection = NULL;
	session->deadline = deadline;
	session->target = target;
	session->database = name;
	ok = connect_patiently(target, name, false, deadline, &session->connection, error);
	if (!ok && admin_name != NULL && error_has_sqlstate(error, "3D000"))
		ok = create(target, name, admin_name, deadline, created, error) &&
			 connect_patiently(target, name, true, deadline, &session->connection, error);
	if (ok)
		watch(session);
	else
		explain(name, error);
	return ok;
}

bool
database_open_another(const Session *session, Session *another, Error *error)
{
	*another = *session;
	another->connection = NULL;
	another->observer = NULL;
	return connect_patiently(session->target, session->database, true, session->deadline, &another->connection, error);
}

void
database_close(Session *session)
{
	PQfinish(session->connection);
	session->connection = NULL;
	notice_log_rest();
}

/*
 * "must_exist": the database has just been created, and a standby among the
 * hosts that does not know it yet will soon.
 */
static bool
connect_patiently(const Target *target, const char *name, bool must_exist, const Deadline *deadline,
				  PGconn **connection, Error *error)
{
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	int64_t started = clock_now();
	bool transient;
	int attempts;

	for (attempts = 1;; attempts++)
	{
		if (connection_open(target, name, deadline, connection, &transient, error))
		{
			error_free(error);
			notice_log(*connection);
			if (PQsetnonblocking(*connection, 1) == 0)
				return true;
			PQfinish(*connection);
			*connection = NULL;
			return error_out_of_memory(error);
		}
		if (login_renew(target->login, error, deadline))
			continue;
		if (!transient && !(must_exist && error_has_sqlstate(error, "3D000")))
			return false;
		if (!backoff_pause(&backoff, deadline))
		{
			error_reword(error, "could not connect to the server within %.1f s (%d attempts): %s",
						 (double) (clock_now() - started) / 1000, attempts, error->message);
			return false;
		}
		/* Once: a database that wakes up for half a minute needs no more lines. */
		if (attempts == 1)
			log_line(LEVEL_WARN, NULL, "%s; trying again until the deadline nears", error->message);
	}
}

static bool
create(const Target *target, const char *name, const char *admin_name,
	   const Deadline *deadline, bool *created, Error *error)
{
	PGconn *connection = NULL;
	Session session = {0};
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	bool ok;

	if (!connect_patiently(target, admin_name, false, deadline, &connection, error))
	{
		error_reword(error, "to create database \"%s\", which does not exist: %s", name, error->message);
		return false;
	}

	session.connection = connection;
	session.deadline = deadline;
	do
		ok = run_create(&session, name, created, error);
	while (!ok && error_has_sqlstate(error, "55006") && backoff_pause(&backoff, deadline));

	if (*created)
		log_line(LEVEL_INFO, NULL, "created database \"%s\"", name);
	PQfinish(connection);
	return ok;
}

/* Somebody else who is quicker to create it is as good. */
static bool
run_create(const Session *session, const char *name, bool *created, Error *error)
{
	char *command = NULL;
	bool ok = false;

	if (!create_command(session->connection, name, &command, error))
		return false;
	ok = query_run(session, command, NULL, error);
	*created = ok;
	if (!ok && (error_has_sqlstate(error, "42P04") || error_has_sqlstate(error, "23505")))
	{
		error_free(error);
		ok = true;
	}
	if (!ok)
		error_reword(error, "could not create database \"%s\": %s", name, error->message);
	if (!ok && error_has_sqlstate(error, "42501"))
		error_hint(error, "Create it beforehand, or ALTER ROLE … CREATEDB.");
	free(command);
	return ok;
}

static bool
create_command(PGconn *connection, const char *name, char **command, Error *error)
{
	char *identifier = PQescapeIdentifier(connection, name, strlen(name));
	bool ok;

	if (identifier == NULL)
		return error_set(error, ERROR_DATABASE, "\"%s\" is no name for a database", name);
	ok = asprintf(command, "CREATE DATABASE %s", identifier) >= 0;
	PQfreemem(identifier);
	if (!ok)
		*command = NULL;
	return ok || error_out_of_memory(error);
}

/*
 * A pooler gives a key for cancelling of its own making, which does not name the
 * server's process.  A session that is not ours alone keeps no setting of ours; in
 * one that is, we are watched outside of transactions, too, as in a CALL.
 *
 * Servers before PostgreSQL 14, and some platforms, do not know the setting.
 */
static void
watch(Session *session)
{
	Error ignored = ERROR_NONE;
	PGresult *result = NULL;
	char query[sizeof(WATCH_QUERY) + 24];

	snprintf(query, sizeof(query), WATCH_QUERY, PQbackendPID(session->connection));
	session->is_watched = query_run(session, query, &result, &ignored);
	if (!session->is_watched)
	{
		PQclear(result);
		error_free(&ignored);
		result = NULL;
		(void) query_run(session, PID_QUERY, &result, &ignored);
	}
	session->is_pooled = PQntuples(result) == 1 &&
						 strtol(query_field(result, 0, "pid"), NULL, 10) != PQbackendPID(session->connection);
	snprintf(session->server_started, sizeof(session->server_started), "%s",
			 PQntuples(result) == 1 ? query_field(result, 0, "started") : "");
	PQclear(result);
	error_free(&ignored);
}

/* A server's refusal of a database is not the connection's fault. */
static void
explain(const char *name, Error *error)
{
	if (strcmp(error->type, ERROR_CONNECTION) != 0)
		return;
	if (error_has_sqlstate(error, "3D000"))
		error->type = ERROR_DATABASE;
	else if (error_has_sqlstate(error, "42501"))
		error_hint(error, "Run: GRANT CONNECT ON DATABASE \"%s\" TO the role that is used.", name);
}

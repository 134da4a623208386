/*-------------------------------------------------------------------------
 *
 * connection.c
 *	  One attempt to connect to a database server.
 *
 *-------------------------------------------------------------------------
 */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection_error.h"
#include "resolve.h"
#include "tls_probe.h"

/*
 * How long one address may take to let us in.  A database that is waking up
 * can take its time; where there is another address to try, less is given.
 */
#define ADDRESS_TIMEOUT 15000
#define NEXT_ADDRESS_TIMEOUT 5000

/* How long to look for why a certificate was refused. */
#define PROBE_TIMEOUT 2000

/* What one attempt at one address needs to know. */
typedef struct Attempt
{
	const Target *target;
	const char *database;
	const char *host;
	const char *address; /* NULL: the host is a directory of sockets */
	bool only_writable;
	int64_t timeout;
} Attempt;

static bool try_host(Attempt *attempt, bool is_last, const Deadline *deadline, PGconn **connection,
					 bool *transient, Error *error);
static bool try_address(const Attempt *attempt, const Deadline *deadline, PGconn **connection,
						bool *transient, Error *error);
static void explain(const Attempt *attempt, int64_t remaining, Error *error);
static void explain_certificate(const Attempt *attempt, int64_t remaining, Error *error);
static PGconn *start(const Attempt *attempt, const char *password);
static bool finish(PGconn *connection, const Deadline *deadline);

bool
connection_forget_environment(Error *error)
{
	char **entry = environ;

	while (*entry != NULL)
	{
		char *name;
		bool removed;

		if (strncmp(*entry, "PG", 2) != 0)
		{
			entry++;
			continue;
		}
		name = strndup(*entry, strcspn(*entry, "="));
		removed = name != NULL && unsetenv(name) == 0;
		free(name);
		if (!removed)
			return error_out_of_memory(error);
		entry = environ;
	}
	return true;
}

bool
connection_open(const Target *target, const char *database, const Deadline *deadline,
				PGconn **connection, bool *transient, Error *error)
{
	Attempt attempt = {0};
	char *hosts = strdup(target->host);
	char *rest = hosts;
	bool any_transient = false;
	bool ok = false;

	if (hosts == NULL)
		return error_out_of_memory(error);

	attempt.target = target;
	attempt.database = database;
	attempt.only_writable = target->only_writable || strchr(target->host, ',') != NULL;
	*transient = false;
	error_set(error, ERROR_CONFIGURATION, "DB_HOST holds no host name: \"%s\"", target->host);

	while (!ok && rest != NULL)
	{
		attempt.host = strsep(&rest, ", ");
		if (attempt.host[0] == '\0')
			continue;
		ok = try_host(&attempt, rest == NULL, deadline, connection, transient, error);
		any_transient = any_transient || *transient;

		/* A server that knows us not, or not the database, speaks for all. */
		if (!ok && !*transient && error->sqlstate[0] != '\0')
		{
			any_transient = false;
			rest = NULL;
		}
	}
	*transient = any_transient;

	free(hosts);
	return ok;
}

bool
connection_wait(PGconn *connection, bool to_write, int64_t timeout)
{
	int64_t until = clock_now() + timeout;
	struct pollfd socket = {PQsocket(connection), to_write ? POLLIN | POLLOUT : POLLIN, 0};
	int ready;

	do
	{
		int64_t remaining = until - clock_now();

		ready = poll(&socket, 1, remaining > 0 ? (int) remaining : 0);
	} while (ready < 0 && errno == EINTR);

	/* An error of the socket is for libpq to find. */
	return ready != 0;
}

static bool
try_host(Attempt *attempt, bool is_last, const Deadline *deadline, PGconn **connection,
		 bool *transient, Error *error)
{
	Addresses addresses;
	const char *problem;
	size_t i;

	*transient = true;
	if (attempt->host[0] == '/' || attempt->host[0] == '@')
	{
		attempt->address = NULL;
		attempt->timeout = is_last ? ADDRESS_TIMEOUT : NEXT_ADDRESS_TIMEOUT;
		return try_address(attempt, deadline, connection, transient, error);
	}

	problem = resolve_host(attempt->host, deadline, &addresses);
	if (problem != NULL)
		return error_set(error, ERROR_CONNECTION, "could not translate host name \"%s\" to an address: %s",
						 attempt->host, problem);

	for (i = 0; i < addresses.count; i++)
	{
		bool is_last_address = is_last && i + 1 == addresses.count;

		attempt->address = addresses.text[i];
		attempt->timeout = is_last_address ? ADDRESS_TIMEOUT : NEXT_ADDRESS_TIMEOUT;
		if (try_address(attempt, deadline, connection, transient, error))
			return true;

		/* A server that has answered answers for the host's other addresses. */
		if (error->sqlstate[0] != '\0')
			break;
	}
	return false;
}

static bool
try_address(const Attempt *attempt, const Deadline *deadline, PGconn **connection, bool *transient, Error *error)
{
	PGconn *candidate = NULL;
	int64_t started = clock_now();
	Deadline limit = {started + attempt->timeout, 0};
	char *password = NULL;

	if (limit.work > deadline->work)
		limit.work = deadline->work;

	*transient = false;
	if (!login_password(attempt->target->login, attempt->host, attempt->target->port, &password, error))
		return false;
	candidate = start(attempt, password);
	free(password);
	if (candidate == NULL)
		return error_out_of_memory(error);
	if (finish(candidate, &limit))
	{
		const char *standby = PQparameterStatus(candidate, "in_hot_standby");

		if (standby == NULL || strcmp(standby, "on") != 0)
		{
			*connection = candidate;
			return true;
		}
		PQfinish(candidate);
		error_set(error, ERROR_CONNECTION, "the server at \"%s\", port %s, is a standby, which can only be read",
				  attempt->host, attempt->target->port);
		error_sqlstate(error, "25006");
		error_hint(error, "Set DB_HOST to the primary (of a cluster: the writer endpoint), or to all servers,"
						  " separated by commas.");
		return false;
	}

	if (PQstatus(candidate) == CONNECTION_BAD)
		*transient = connection_error(PQerrorMessage(candidate), error);
	else
	{
		*transient = true;
		error_set(error, ERROR_CONNECTION, "no answer within %.1f s", (double) (clock_now() - started) / 1000);
	}
	PQfinish(candidate);
	explain(attempt, deadline_remaining(deadline), error);
	return false;
}

/* What the server itself says needs no introduction. */
static void
explain(const Attempt *attempt, int64_t remaining, Error *error)
{
	const Target *target = attempt->target;

	if (error->message == NULL)
		return;
	if (strstr(error->message, "certificate verify failed") != NULL)
		explain_certificate(attempt, remaining, error);
	else if (error->sqlstate[0] == '\0' && target->sslrootcert != NULL &&
			 strstr(error->message, "root certificate file") != NULL)
		error_reword(error, "no certificates could be read from the CA file (%s): %s", target->sslrootcert_names, error->message);

	if (error->sqlstate[0] == '\0')
		error_reword(error, "connection to \"%s\" (%s), port %s, failed: %s", attempt->host,
					 attempt->address != NULL ? attempt->address : "socket", target->port, error->message);
	else if (error_has_sqlstate(error, "28P01"))
		error_hint(error, "The server does not know this password for role \"%s\":"
						  " compare it with the secret's, or the secret's with the role's.",
				   login_user(target->login));
	if (error->sqlstate[0] != '\0' && target->login->config->auth == AUTH_IAM &&
		(error_has_sqlstate(error, "28P01") || error_has_sqlstate(error, "28000")))
		error_hint(error, "For IAM database authentication: switch it on at the instance, GRANT rds_iam TO \"%s\", and allow"
						  " the function's role rds-db:connect for that user; DB_HOST must be the endpoint's own name.",
				   login_user(target->login));
}

/* libpq does not say why, so we look ourselves. */
static void
explain_certificate(const Attempt *attempt, int64_t remaining, Error *error)
{
	int64_t time = remaining < PROBE_TIMEOUT ? remaining / 2 : PROBE_TIMEOUT;
	char *reason = NULL;

	if (attempt->address != NULL && attempt->target->sslrootcert != NULL && time > 0)
		reason = tls_probe(attempt->address, attempt->target->port, attempt->target->sslrootcert, time);
	if (reason != NULL && strstr(reason, "has expired") != NULL)
		error_hint(error, "Renew the server's certificate; or the CA's, in the CA file (%s), where it is that one.",
				   attempt->target->sslrootcert_names);
	else if (reason != NULL && strstr(reason, "not yet valid") != NULL)
		error_hint(error, "Compare the clocks here and where the certificate was made.");
	error_reword(error, "%s: %s; verified against the CA file (%s)", error->message,
				 reason != NULL ? reason : "no reason is known", attempt->target->sslrootcert_names);
	free(reason);
}

/*
 * libpq takes a setting that is missing or empty from its own environment
 * (which connection_forget_environment has emptied) or its defaults.  What
 * cannot be turned off here is what it finds in ~/.postgresql: certificates
 * and keys that the program's own user has put there.
 */
static PGconn *
start(const Attempt *attempt, const char *password)
{
	const Target *target = attempt->target;
	const char *keywords[] = {
		"host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslrootcert",
		"gssencmode", "target_session_attrs", "application_name", "client_encoding",
		"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", NULL};
	const char *values[] = {
		attempt->host, attempt->address != NULL ? attempt->address : "", target->port, attempt->database,
		login_user(target->login), password, target->sslmode, target->sslrootcert != NULL ? target->sslrootcert : "",
		"disable", attempt->only_writable ? "read-write" : "any", "rdsinit", "UTF8",
		"1", "10", "5", "3", NULL};
	PGconn *connection = PQconnectStartParams(keywords, values, 0);

	/* So that a refusal comes with its SQLSTATE: see connection_error.c. */
	if (connection != NULL)
		PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
	return connection;
}

static bool
finish(PGconn *connection, const Deadline *deadline)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	if (PQstatus(connection) == CONNECTION_BAD)
		return false;
	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
	{
		int64_t remaining = deadline_remaining(deadline);

		if (remaining == 0 || !connection_wait(connection, status == PGRES_POLLING_WRITING, remaining))
			return false;
		status = PQconnectPoll(connection);
	}
	return status == PGRES_POLLING_OK;
}

/*-------------------------------------------------------------------------
 *
 * invocation.c
 *	  One deployment to one database.
 *
 *-------------------------------------------------------------------------
 */
#include "invocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "bundle.h"
#include "bundle_checksum.h"
#include "database.h"
#include "failover.h"
#include "job.h"
#include "login.h"
#include "observer.h"

/* The server would cut a longer name, and find another database or none. */
#define LONGEST_NAME 63

static bool check_plan(const Config *config, const Request *request, Error *error);
static bool run_on_target(const Config *config, Target *target, const char *database, const Bundle *bundle,
						  const Request *request, const Deadline *deadline, Outcome *outcome, Error *error);
static bool find_target(const Config *config, Login *login, Target *target, const char **database, Error *error);
static bool check_complete(const Config *config, const Target *target, const char *database, Error *error);
static const char *first_of(const char *a, const char *b);

/* What is here is looked at before anybody else is asked. */
bool
invocation_deploy(Http *http, const Config *config, const Request *request, const Deadline *deadline,
				  Outcome *outcome, Error *error)
{
	Bundle bundle = {0};
	Login login = {0};
	Target target = {0};
	const char *database = NULL;
	bool ok = false;

	outcome->started = clock_now();
	if (deadline_passed(deadline))
	{
		error_set(error, ERROR_TIMEOUT, "the deadline had passed before work could begin");
		goto done;
	}
	if (!check_plan(config, request, error) ||
		!bundle_read(config->bundle, config->directory, &bundle, error) ||
		!bundle_check_checksum(&bundle, request->bundle_checksum, error))
		goto done;
	if (!login_open(http, config, deadline, &login, error) ||
		!find_target(config, &login, &target, &database, error))
		goto done;

	outcome->database = strdup(database);
	if (outcome->database == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}
	ok = run_on_target(config, &target, database, &bundle, request, deadline, outcome, error);

done:
	login_close(&login);
	bundle_free(&bundle);
	return ok;
}

static bool
check_plan(const Config *config, const Request *request, Error *error)
{
	if (request->plan == PLAN_NONE || config->mode != MODE_PLAIN)
		return true;
	error_set(error, ERROR_CONFIGURATION, "there is no plan where RDSINIT_MODE is plain: planning is the extension's");
	error_hint(error, "Use RDSINIT_MODE=auto with a database that has the extension rdsinit.");
	return false;
}

static bool
run_on_target(const Config *config, Target *target, const char *database, const Bundle *bundle,
			  const Request *request, const Deadline *deadline, Outcome *outcome, Error *error)
{
	Session session = {0};
	Failover failover = failover_begin();
	bool ok;

	do
	{
		Observer observer = {0};

		session.lock_timeout = request->lock_timeout;
		observer.interval = config->progress_interval;
		ok = database_open(target, database, request->plan == PLAN_NONE ? config->admin_database : NULL, deadline,
						   &session, &outcome->database_created, error) &&
			 failover_check(&failover, &session, error);
		if (ok)
		{
			observer_begin(&observer, &session);
			ok = apply_bundle(&session, bundle, config->mode, request, outcome, error);
		}
		observer_end(&observer);
		database_close(&session);
	} while (!ok && failover_again(&failover, target, deadline, outcome, error));
	failover_end(&failover);
	if (!ok && request->plan != PLAN_NONE && error_has_sqlstate(error, "3D000"))
		error_hint(error, "A plan creates no database: deploy once, or run CREATE DATABASE and CREATE EXTENSION rdsinit in it.");
	return ok;
}

/* What the environment or the event says goes before what the secret says. */
static bool
find_target(const Config *config, Login *login, Target *target, const char **database, Error *error)
{
	const Secret *secret = &login->secret;
	const Config *environment = config->environment != NULL ? config->environment : config;

	target->host = first_of(config->host, first_of(secret->host, environment->host));
	target->port = first_of(config->port, first_of(secret->port, first_of(environment->port, "5432")));
	target->login = login;
	target->sslmode = config->sslmode;
	target->sslrootcert = config->sslrootcert;
	target->sslrootcert_names = config->sslrootcert_names;
	*database = first_of(config->database, first_of(secret->database, environment->database));

	if (!check_complete(config, target, *database, error) ||
		!job_check_listed(config, secret->host, secret->port, error))
		return false;
	if (strlen(*database) > LONGEST_NAME)
		return error_set(error, ERROR_CONFIGURATION, "the database's name, \"%s\", is longer than %d bytes",
						 *database, LONGEST_NAME);
	return true;
}

/* The environment alone need not be complete where an event may say the rest. */
static bool
check_complete(const Config *config, const Target *target, const char *database, Error *error)
{
	const char *missing[3];
	char *text = NULL;
	size_t length = 0;
	size_t count = 0;
	size_t i;
	FILE *list;

	if (target->host == NULL)
		missing[count++] = "DB_HOST (host)";
	if (database == NULL)
		missing[count++] = "DB_NAME (dbname)";
	if (!login_is_complete(target->login))
		missing[count++] = "DB_SECRET_NAME (or DB_USER and DB_PASSWORD)";
	if (count == 0)
		return true;

	list = open_memstream(&text, &length);
	if (list == NULL)
		return error_out_of_memory(error);
	for (i = 0; i < count; i++)
		fprintf(list, "%s%s", i == 0 ? "" : ", ", missing[i]);
	fclose(list);
	if (config->secret_name != NULL)
		error_set(error, ERROR_CONFIGURATION, "not set in the environment, nor in secret \"%s\": %s", config->secret_name, text);
	else
		error_set(error, ERROR_CONFIGURATION, "not set in the environment, nor said in the event: %s", text);
	free(text);
	return false;
}

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

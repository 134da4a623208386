/*-------------------------------------------------------------------------
 *
 * invocation.c
 *	  One invocation, from the event to the answer.
 *
 *-------------------------------------------------------------------------
 */
#include "invocation.h"

#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "bundle.h"
#include "database.h"
#include "event.h"
#include "metrics.h"
#include "observer.h"
#include "outcome.h"
#include "reply.h"
#include "secret.h"

/* The server would cut a longer name, and find another database or none. */
#define LONGEST_NAME 63

static bool run(Http *http, const Config *config, const char *event, size_t event_length,
				const Deadline *deadline, Outcome *outcome, Error *error);
static bool run_on_target(const Config *config, const Target *target, const char *database, const Bundle *bundle,
						  const Request *request, const Deadline *deadline, Outcome *outcome, Error *error);
static bool find_target(const Config *config, const Secret *secret, Target *target, const char **database, Error *error);
static const char *first_of(const char *a, const char *b);

char *
invocation_run(Http *http, const Config *config, const Error *config_error,
			   const char *event, size_t event_length, const Deadline *deadline,
			   const char **error_type)
{
	Outcome outcome = {0};
	Error error = ERROR_NONE;
	int64_t started = clock_now();
	char *answer;

	*error_type = NULL;
	if (config_error->type != NULL)
	{
		*error_type = config_error->type;
		reply_log_failure(&outcome, config_error);
		metrics_log(&outcome, config_error, clock_now() - started);
		return reply_failure(&outcome, config_error);
	}

	if (run(http, config, event, event_length, deadline, &outcome, &error))
	{
		reply_log_success(&outcome, clock_now() - started);
		answer = reply_success(&outcome, clock_now() - started);
	}
	else
	{
		*error_type = error.type;
		reply_log_failure(&outcome, &error);
		answer = reply_failure(&outcome, &error);
	}

	metrics_log(&outcome, &error, clock_now() - started);

	error_free(&error);
	outcome_free(&outcome);
	return answer;
}

/* What is here is looked at before anybody else is asked. */
static bool
run(Http *http, const Config *config, const char *event, size_t event_length,
	const Deadline *deadline, Outcome *outcome, Error *error)
{
	Request request = {0};
	Bundle bundle = {0};
	Secret secret = {0};
	Target target = {0};
	const char *database = NULL;
	bool ok = false;

	if (deadline_passed(deadline))
	{
		error_set(error, ERROR_TIMEOUT, "the deadline had passed before work could begin");
		goto done;
	}
	if (!request_copy(&config->request, &request, error) ||
		!event_read(event, event_length, &request, error) ||
		!bundle_read(config->bundle, config->directory, &bundle, error))
		goto done;
	if (config->secret_name != NULL && !secret_read(http, config, deadline, &secret, error))
		goto done;
	if (!find_target(config, &secret, &target, &database, error))
		goto done;

	outcome->database = strdup(database);
	if (outcome->database == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}
	ok = run_on_target(config, &target, database, &bundle, &request, deadline, outcome, error);

done:
	request_free(&request);
	secret_free(&secret);
	bundle_free(&bundle);
	return ok;
}

static bool
run_on_target(const Config *config, const Target *target, const char *database, const Bundle *bundle,
			  const Request *request, const Deadline *deadline, Outcome *outcome, Error *error)
{
	Session session = {0};
	Observer observer = {0};
	bool ok;

	session.lock_timeout = request->lock_timeout;
	observer.interval = config->progress_interval;

	ok = database_open(target, database, config->admin_database, deadline, &session,
					   &outcome->database_created, error);
	if (ok)
	{
		observer_begin(&observer, &session);
		ok = apply_bundle(&session, bundle, config->mode, request, outcome, error);
	}
	observer_end(&observer);
	database_close(&session);
	return ok;
}

/* What the environment says goes before what the secret says. */
static bool
find_target(const Config *config, const Secret *secret, Target *target, const char **database, Error *error)
{
	target->host = first_of(config->host, secret->host);
	target->port = first_of(config->port, first_of(secret->port, "5432"));
	target->user = first_of(config->user, secret->username);
	target->password = first_of(config->password, secret->password);
	target->sslmode = config->sslmode;
	target->sslrootcert = config->sslrootcert;
	*database = first_of(config->database, secret->database);

	if (target->host == NULL || *database == NULL)
		return error_set(error, ERROR_CONFIGURATION, "not set in the environment, nor in secret \"%s\": %s%s%s",
						 config->secret_name,
						 target->host == NULL ? "DB_HOST (host)" : "",
						 target->host == NULL && *database == NULL ? ", " : "",
						 *database == NULL ? "DB_NAME (dbname)" : "");
	if (strlen(*database) > LONGEST_NAME)
		return error_set(error, ERROR_CONFIGURATION, "the database's name, \"%s\", is longer than %d bytes",
						 *database, LONGEST_NAME);
	return true;
}

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

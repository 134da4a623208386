/*-------------------------------------------------------------------------
 *
 * job.c
 *	  One database's work: what an event says of it, on top of the environment.
 *
 *-------------------------------------------------------------------------
 */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws.h"

#define DEFAULT_PORT "5432"

/* What Secrets Manager appends to a secret's name in its ARN: a hyphen and six characters. */
#define ARN_SUFFIX_LENGTH 7

static bool take_place(const Config *environment, Job *job, Error *error);
static bool check_aws(const Config *config, const char *secret, Error *error);
static bool is_own_secret(const Config *environment, const char *secret);
static bool is_arn_of(const char *arn, const char *name);
static bool is_elsewhere(const char *given, const char *own);
static bool find_bundle(const Config *environment, const char *name, char **path, Error *error);
static bool lists(const char *listed, const char *host, size_t length);

bool
job_read(const Config *environment, const json_t *keys, bool is_resource, Job *job, Error *error)
{
	const char *key;

	memset(job, 0, sizeof(*job));
	job->config = *environment;
	if (!request_copy(&environment->request, &job->keys.request, error) ||
		!event_keys_read(keys, is_resource, &job->keys, error))
		return false;

	key = event_keys_place(&job->keys.place);
	if (key == NULL)
		return true;
	if (environment->event_targets)
		return take_place(environment, job, error);

	error_set(error, ERROR_EVENT, "%s \"%s\" says which target is meant, which RDSINIT_EVENT_TARGETS does not allow",
			  is_resource ? "the resource's" : "the event's", key);
	error_hint(error, "Set RDSINIT_EVENT_TARGETS=allow in the function's environment,"
					  " if whoever may invoke it may also choose the database.");
	return false;
}

void
job_free(Job *job)
{
	request_free(&job->keys.request);
	free(job->bundle);
	memset(job, 0, sizeof(*job));
}

bool
job_check_listed(const Config *config, const char *host, const char *port, Error *error)
{
	const char *at = config->host;

	if (!config->must_be_listed)
		return true;

	while (at != NULL && *at != '\0')
	{
		size_t length = strcspn(at, ", ");

		if (length > 0 && (host == NULL || !lists(host, at, length)) &&
			(config->environment->host == NULL || !lists(config->environment->host, at, length)))
		{
			error_set(error, ERROR_EVENT, "host \"%.*s\" is the event's, but secret \"%s\" is not, and does not list it",
					  (int) length, at, config->secret_name);
			error_hint(error, "Name the host's own secret as \"secret\" in the event, or write the host into the secret's \"host\".");
			return false;
		}
		at += length + strspn(at + length, ", ");
	}

	if (config->port == NULL || strcmp(config->port, port != NULL ? port : DEFAULT_PORT) == 0 ||
		!is_elsewhere(config->port, config->environment->port))
		return true;
	error_set(error, ERROR_EVENT, "port %s is the event's, but secret \"%s\" is not, and does not list it",
			  config->port, config->secret_name);
	error_hint(error, "Name the server's own secret as \"secret\" in the event, or write the port into the secret's \"port\".");
	return false;
}

/* What is not said comes from the secret, and from the environment after that. */
static bool
take_place(const Config *environment, Job *job, Error *error)
{
	Config *config = &job->config;
	const Place *place = &job->keys.place;
	bool is_foreign = is_elsewhere(place->host, environment->host) || is_elsewhere(place->port, environment->port);

	config->environment = environment;
	if (place->secret != NULL && !is_own_secret(environment, place->secret))
	{
		if (!check_aws(environment, place->secret, error))
			return false;
		config->secret_name = place->secret;
		/* It brings a password; a token would be for the environment's server. */
		config->auth = AUTH_PASSWORD;
		config->user = config->password = NULL;
		config->host = config->port = config->database = NULL;
	}
	else if (is_foreign && environment->secret_name == NULL)
	{
		error_set(error, ERROR_EVENT, "the event's \"%s\" comes without a \"secret\"", place->host != NULL ? "host" : "port");
		error_hint(error, "A host from an event is never given the environment's password: name the host's own secret.");
		return false;
	}
	else
		config->must_be_listed = is_foreign;

	if (place->host != NULL)
		config->host = place->host;
	if (place->port != NULL)
		config->port = place->port;
	if (place->database != NULL)
		config->database = place->database;
	if (place->bundle == NULL)
		return true;
	if (!find_bundle(environment, place->bundle, &job->bundle, error))
		return false;
	config->bundle = job->bundle;
	return true;
}

/*
 * What config_read() asks for where the secret is the environment's.  An ARN says
 * which Region's host is sent the request, and with it the session token.
 */
static bool
check_aws(const Config *config, const char *secret, Error *error)
{
	const char *missing = NULL;

	if (aws_is_arn(secret) && !aws_is_secret_arn(secret))
	{
		error_set(error, ERROR_EVENT, "the event's \"secret\" is an ARN, but not one of Secrets Manager: \"%s\"", secret);
		error_hint(error, "Give the secret's name, or its ARN: " AWS_SECRET_ARN_EXPECTED ".");
		return false;
	}
	if (config->access_key_id == NULL)
		missing = "AWS_ACCESS_KEY_ID";
	else if (config->secret_access_key == NULL)
		missing = "AWS_SECRET_ACCESS_KEY";
	else if (config->region == NULL && !aws_is_arn(secret))
		missing = "AWS_REGION";
	return missing == NULL ||
		   error_set(error, ERROR_CONFIGURATION, "not set in the environment: %s, which the event's secret needs", missing);
}

/* The environment's secret is not brought along by who repeats its name, whichever of its names. */
static bool
is_own_secret(const Config *environment, const char *secret)
{
	const char *own = environment->secret_name;

	return own != NULL &&
		   (strcmp(own, secret) == 0 || is_arn_of(own, secret) || is_arn_of(secret, own) ||
			(aws_is_arn(own) && aws_is_arn(secret) &&
			 (is_arn_of(own, strrchr(secret, ':') + 1) || is_arn_of(secret, strrchr(own, ':') + 1))));
}

/* An ARN ends in the secret's name, whole, or without its suffix. */
static bool
is_arn_of(const char *arn, const char *name)
{
	size_t length = strlen(name);
	const char *last;

	if (!aws_is_arn(arn))
		return false;
	last = strrchr(arn, ':') + 1;
	return strncmp(last, name, length) == 0 &&
		   (last[length] == '\0' || (last[length] == '-' && strlen(last + length) == ARN_SUFFIX_LENGTH));
}

static bool
is_elsewhere(const char *given, const char *own)
{
	return given != NULL && (own == NULL || strcasecmp(given, own) != 0);
}

/* What is not packaged with the program was reviewed by nobody. */
static bool
find_bundle(const Config *environment, const char *name, char **path, Error *error)
{
	size_t length = strlen(environment->directory);
	char *resolved;
	bool inside;

	if (asprintf(path, "%s/%s", environment->directory, name) < 0)
	{
		*path = NULL;
		return error_out_of_memory(error);
	}
	resolved = realpath(*path, NULL);
	inside = resolved != NULL && strncmp(resolved, environment->directory, length) == 0 && resolved[length] == '/';
	free(resolved);
	if (inside && name[0] != '/')
		return true;
	error_set(error, ERROR_EVENT, "there is no bundle \"%s\" packaged with the program", name);
	error_hint(error, "An event's \"bundle\" is a file or directory below the program's own, said relative to it.");
	return false;
}

static bool
lists(const char *listed, const char *host, size_t length)
{
	while (*listed != '\0')
	{
		size_t listed_length = strcspn(listed, ", ");

		if (listed_length == length && strncasecmp(listed, host, length) == 0)
			return true;
		listed += listed_length + strspn(listed + listed_length, ", ");
	}
	return false;
}

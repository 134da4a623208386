/*-------------------------------------------------------------------------
 *
 * secret.c
 *	  The database's credentials, from AWS Secrets Manager.
 *
 *-------------------------------------------------------------------------
 */
#include "secret.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "log.h"
#include "runtime.h"
#include "secret_cache.h"
#include "secret_refusal.h"

#define SERVICE "secretsmanager"

#define ATTEMPT_TIMEOUT 5000
#define MOST_ATTEMPTS 8
#define FIRST_PAUSE 100
#define LONGEST_PAUSE 5000

static bool attempt(Http *http, const Config *config, const char *url, const char *region, const char *body,
					const Deadline *deadline, HttpResponse *response, bool *transient, Error *error);
static char *url_of(const Config *config, const char *region);
static char *request_body(const char *secret_name, const char *stage);

bool
secret_read(Http *http, const Config *config, SecretSource source, const Deadline *deadline,
			Secret *secret, Error *error)
{
	HttpResponse response = {0};
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	int64_t started = clock_now();
	char *region = aws_region_of_arn(config->secret_name, config->region);
	char *url = region != NULL ? url_of(config, region) : NULL;
	char *body = request_body(config->secret_name, source == SECRET_PENDING ? "AWSPENDING" : NULL);
	bool transient = false;
	int attempts;
	bool ok = false;

	if (source == SECRET_CACHED && secret_cache_read(http, config, deadline, secret))
	{
		ok = true;
		goto done;
	}
	if (region == NULL || url == NULL || body == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}

	for (attempts = 1;; attempts++)
	{
		ok = attempt(http, config, url, region, body, deadline, &response, &transient, error);
		if (ok || !transient)
			break;
		if (attempts == MOST_ATTEMPTS || !backoff_pause(&backoff, deadline))
		{
			error_reword(error, "%s (%d attempts in %.1f s)", error->message, attempts,
						 (double) (clock_now() - started) / 1000);
			break;
		}
		log_line(LEVEL_WARN, NULL, "%s; trying again", error->message);
	}
	if (ok)
	{
		error_free(error);
		ok = secret_parse(config->secret_name, &response, secret, error);
	}

done:
	http_response_free(&response);
	free(body);
	free(url);
	free(region);
	return ok;
}

static bool
attempt(Http *http, const Config *config, const char *url, const char *region, const char *body,
		const Deadline *deadline, HttpResponse *response, bool *transient, Error *error)
{
	const char *headers[] = {
		"Content-Type: application/x-amz-json-1.1",
		"X-Amz-Target: secretsmanager.GetSecretValue",
		NULL, NULL};
	Signer signer = {region, SERVICE, config->access_key_id, config->secret_access_key};
	HttpRequest request = {0};
	int64_t remaining = deadline_remaining(deadline);
	char *token = NULL;
	char *trace = NULL;
	bool ok = false;

	*transient = false;
	if (!runtime_trace_header(&trace))
	{
		error_out_of_memory(error);
		goto done;
	}
	if (config->session_token != NULL)
	{
		if (asprintf(&token, "X-Amz-Security-Token: %s", config->session_token) < 0)
		{
			token = NULL;
			error_out_of_memory(error);
			goto done;
		}
		headers[2] = token;
	}

	request.url = url;
	request.headers = headers;
	request.body = body;
	request.signer = &signer;
	request.unsigned_header = trace;
	request.response_limit = SECRET_LONGEST_RESPONSE;
	request.timeout = remaining < ATTEMPT_TIMEOUT ? remaining + 1 : ATTEMPT_TIMEOUT;

	if (!http_send(http, &request, response, transient, error))
	{
		error->type = ERROR_SECRET;
		error_reword(error, "could not read secret \"%s\": %s", config->secret_name, error->message);
		goto done;
	}
	ok = response->status == 200 || secret_refused(config->secret_name, response, transient, error);

done:
	if (!ok)
		http_response_free(response);
	free(trace);
	free(token);
	return ok;
}

static char *
url_of(const Config *config, const char *region)
{
	char *url = NULL;

	if (config->endpoint == NULL)
		return aws_url(SERVICE, region);
	if (asprintf(&url, "%s%s", config->endpoint, config->endpoint[strlen(config->endpoint) - 1] == '/' ? "" : "/") < 0)
		return NULL;
	return url;
}

static char *
request_body(const char *secret_name, const char *stage)
{
	json_t *json = json_object();
	char *body;

	json_object_set_new(json, "SecretId", json_string(secret_name));
	if (stage != NULL)
		json_object_set_new(json, "VersionStage", json_string(stage));
	body = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	return body;
}

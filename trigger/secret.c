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

#include "log.h"

/* A secret's value has at most 64 kB; JSON's escapes can make six of one. */
#define LONGEST_RESPONSE (1024 * 1024)
#define ATTEMPT_TIMEOUT 5000
#define MOST_ATTEMPTS 8
#define FIRST_PAUSE 100
#define LONGEST_PAUSE 5000

static bool attempt(Http *http, const Config *config, const char *url, const char *region, const char *body,
					const Deadline *deadline, HttpResponse *response, bool *transient, Error *error);
static bool explain_refusal(const Config *config, const HttpResponse *response, bool *transient, Error *error);
static bool is_throttling(const char *code);
static bool parse_response(const Config *config, const HttpResponse *response, Secret *secret, Error *error);
static bool parse_value(const char *name, const char *value, Secret *secret, Error *error);
static bool take_text(const char *secret_name, const json_t *object, const char *key, char **text, Error *error);
static bool take_port(const char *secret_name, const json_t *object, char **port, Error *error);
static char *region_of(const Config *config);
static char *url_of(const Config *config, const char *region);
static char *request_body(const char *secret_name);
static void wipe(char *text);

bool
secret_read(Http *http, const Config *config, const Deadline *deadline, Secret *secret, Error *error)
{
	HttpResponse response = {0};
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	int64_t started = clock_now();
	char *region = region_of(config);
	char *url = region != NULL ? url_of(config, region) : NULL;
	char *body = request_body(config->secret_name);
	bool transient = false;
	int attempts;
	bool ok = false;

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
		ok = parse_response(config, &response, secret, error);
	}

done:
	http_response_free(&response);
	free(body);
	free(url);
	free(region);
	return ok;
}

void
secret_free(Secret *secret)
{
	wipe(secret->username);
	wipe(secret->password);
	wipe(secret->host);
	wipe(secret->port);
	wipe(secret->database);
	memset(secret, 0, sizeof(*secret));
}

static bool
attempt(Http *http, const Config *config, const char *url, const char *region, const char *body,
		const Deadline *deadline, HttpResponse *response, bool *transient, Error *error)
{
	const char *headers[] = {
		"Content-Type: application/x-amz-json-1.1",
		"X-Amz-Target: secretsmanager.GetSecretValue",
		NULL, NULL};
	HttpSignature signature = {region, "secretsmanager", config->access_key_id, config->secret_access_key};
	HttpRequest request = {0};
	int64_t remaining = deadline_remaining(deadline);
	char *token = NULL;
	bool ok = false;

	*transient = false;
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
	request.signature = &signature;
	request.response_limit = LONGEST_RESPONSE;
	request.timeout = remaining < ATTEMPT_TIMEOUT ? remaining + 1 : ATTEMPT_TIMEOUT;

	if (!http_send(http, &request, response, transient, error))
	{
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": %s", config->secret_name, error->message);
		goto done;
	}
	ok = response->status == 200 || explain_refusal(config, response, transient, error);

done:
	if (!ok)
		http_response_free(response);
	free(token);
	return ok;
}

/*
 * AWS's own code and message.  Only the message's first line: for a wrong
 * signature the rest repeats the request, session token included.
 */
static bool
explain_refusal(const Config *config, const HttpResponse *response, bool *transient, Error *error)
{
	json_t *json = json_loadb(response->body, response->length, 0, NULL);
	const char *code = json_string_value(json_object_get(json, "__type"));
	const char *message = json_string_value(json_object_get(json, "message"));

	if (message == NULL)
		message = json_string_value(json_object_get(json, "Message"));
	if (code != NULL && strchr(code, '#') != NULL)
		code = strchr(code, '#') + 1;

	*transient = response->status >= 500 || response->status == 429 || (code != NULL && is_throttling(code));

	if (code == NULL)
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": Secrets Manager answered HTTP %ld",
				  config->secret_name, response->status);
	else if (message == NULL)
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": %s", config->secret_name, code);
	else
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": %s: %.*s", config->secret_name, code,
				  (int) strcspn(message, "\r\n"), message);
	if (code != NULL && strcmp(code, "AccessDeniedException") == 0)
		error_hint(error, "The function's role needs secretsmanager:GetSecretValue on the secret,"
						  " and kms:Decrypt where the secret has a key of its own.");

	json_decref(json);
	return false;
}

static bool
is_throttling(const char *code)
{
	static const char *const codes[] = {
		"ThrottlingException", "Throttling", "ThrottledException", "RequestThrottledException",
		"RequestThrottled", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException",
		"BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete", "TransactionInProgressException",
		"InternalServiceError", "InternalServiceErrorException", "InternalFailure", "ServiceUnavailable",
		"ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException"};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

static bool
parse_response(const Config *config, const HttpResponse *response, Secret *secret, Error *error)
{
	json_t *json = json_loadb(response->body, response->length, 0, NULL);
	const char *value = json_string_value(json_object_get(json, "SecretString"));
	bool ok = false;

	if (json == NULL)
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": the response is not valid JSON", config->secret_name);
	else if (value == NULL)
		error_set(error, ERROR_SECRET, "secret \"%s\" has no SecretString: it is binary, or has no value yet", config->secret_name);
	else
		ok = parse_value(config->secret_name, value, secret, error);
	json_decref(json);
	return ok;
}

/* jansson's messages quote what they stumble over, so they are not passed on. */
static bool
parse_value(const char *name, const char *value, Secret *secret, Error *error)
{
	json_t *json = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	bool ok = false;

	if (json == NULL)
		error_set(error, ERROR_SECRET, "secret \"%s\" is not valid JSON", name);
	else if (!json_is_object(json))
		error_set(error, ERROR_SECRET, "secret \"%s\" is not a JSON object", name);
	else
		ok = take_text(name, json, "username", &secret->username, error) &&
			 take_text(name, json, "password", &secret->password, error) &&
			 take_text(name, json, "host", &secret->host, error) &&
			 take_text(name, json, "dbname", &secret->database, error) &&
			 take_port(name, json, &secret->port, error);

	if (ok && (secret->username == NULL || secret->password == NULL))
		ok = error_set(error, ERROR_SECRET, "secret \"%s\" has no \"%s\"", name,
					   secret->username == NULL ? "username" : "password");
	json_decref(json);
	return ok;
}

/* An empty string stands for none, as it does in the environment. */
static bool
take_text(const char *secret_name, const json_t *object, const char *key, char **text, Error *error)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return error_set(error, ERROR_SECRET, "\"%s\" of secret \"%s\" is not a string", key, secret_name);
	if (json_string_length(value) == 0)
		return true;
	*text = strdup(json_string_value(value));
	return *text != NULL || error_out_of_memory(error);
}

/* RDS writes the port as a number, people often as a string. */
static bool
take_port(const char *secret_name, const json_t *object, char **port, Error *error)
{
	const json_t *value = json_object_get(object, "port");

	if (json_is_integer(value))
	{
		if (asprintf(port, "%lld", (long long) json_integer_value(value)) < 0)
		{
			*port = NULL;
			return error_out_of_memory(error);
		}
	}
	else if (json_is_string(value) && !take_text(secret_name, object, "port", port, error))
		return false;
	else if (value != NULL && !json_is_string(value) && !json_is_null(value))
		return error_set(error, ERROR_SECRET, "\"port\" of secret \"%s\" is neither a number nor a string", secret_name);

	if (*port != NULL && !config_is_port(*port))
		return error_set(error, ERROR_SECRET, "\"port\" of secret \"%s\" is not a number from 1 to 65535", secret_name);
	return true;
}

/* A secret named by its ARN is asked for where it is. */
static char *
region_of(const Config *config)
{
	const char *name = config->secret_name;
	const char *region = config->region;
	size_t length = region != NULL ? strlen(region) : 0;
	int colons;

	if (strncmp(name, "arn:", 4) == 0)
	{
		const char *field = name;

		for (colons = 0; colons < 3 && field != NULL; colons++)
		{
			field = strchr(field, ':');
			if (field != NULL)
				field++;
		}
		if (field != NULL && strcspn(field, ":") > 0)
		{
			region = field;
			length = strcspn(field, ":");
		}
	}
	return strndup(region != NULL ? region : "", length);
}

static char *
url_of(const Config *config, const char *region)
{
	char *url = NULL;
	int length;

	if (config->endpoint != NULL)
		length = asprintf(&url, "%s%s", config->endpoint,
						  config->endpoint[strlen(config->endpoint) - 1] == '/' ? "" : "/");
	else
		length = asprintf(&url, "https://secretsmanager.%s.amazonaws.com%s/", region,
						  strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	return length < 0 ? NULL : url;
}

static char *
request_body(const char *secret_name)
{
	json_t *json = json_object();
	char *body;

	json_object_set_new(json, "SecretId", json_string(secret_name));
	body = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	return body;
}

static void
wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

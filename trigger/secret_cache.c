/*-------------------------------------------------------------------------
 *
 * secret_cache.c
 *	  The cache of AWS's Parameters and Secrets Lambda extension.
 *
 * It listens on this machine, and hands a secret to whoever shows the session
 * token that the function's role has.  That token is shown only where
 * PARAMETERS_SECRETS_EXTENSION_HTTP_PORT says that the extension is there: what
 * else listens on its usual port is not known.
 *
 *-------------------------------------------------------------------------
 */
#include "secret_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "log.h"

/* From the cache it takes a millisecond or two; else the extension asks Secrets Manager itself. */
#define TIMEOUT 3000

static bool serves(const Config *config);
static bool ask(Http *http, const Config *config, const char *url, const char *token, const Deadline *deadline,
				Secret *secret, Error *error);
static char *url_of(const Config *config);

bool
secret_cache_read(Http *http, const Config *config, const Deadline *deadline, Secret *secret)
{
	Error error = ERROR_NONE;
	char *url = NULL;
	char *token = NULL;
	bool ok = false;

	if (!serves(config))
		return false;
	url = url_of(config);
	if (asprintf(&token, "X-Aws-Parameters-Secrets-Token: %s", config->session_token) < 0)
		token = NULL;
	if (url == NULL || token == NULL)
		error_out_of_memory(&error);
	else
		ok = ask(http, config, url, token, deadline, secret, &error);
	if (!ok)
	{
		secret_free(secret);
		log_line(LEVEL_WARN, NULL, "the Parameters and Secrets extension does not serve: %s; asking Secrets Manager itself",
				 error.message != NULL ? error.message : "out of memory");
	}

	error_free(&error);
	free(token);
	free(url);
	return ok;
}

/* It asks in the function's own Region only, and without a session token there is nothing to show. */
static bool
serves(const Config *config)
{
	char *region = aws_region_of_arn(config->secret_name, config->region);
	bool same = region != NULL && (config->region == NULL || strcmp(region, config->region) == 0);

	free(region);
	return same && config->cache_port != NULL && config->session_token != NULL;
}

static bool
ask(Http *http, const Config *config, const char *url, const char *token, const Deadline *deadline,
	Secret *secret, Error *error)
{
	const char *headers[] = {token, NULL};
	HttpRequest request = {0};
	HttpResponse response = {0};
	int64_t remaining = deadline_remaining(deadline);
	bool transient;
	bool ok;

	request.url = url;
	request.headers = headers;
	request.response_limit = SECRET_LONGEST_RESPONSE;
	request.timeout = remaining < TIMEOUT ? remaining + 1 : TIMEOUT;
	request.direct = true;
	if (!http_send(http, &request, &response, &transient, error))
		return false;
	if (response.status == 200)
		ok = secret_parse(config->secret_name, &response, secret, error);
	else
		ok = error_set(error, ERROR_SECRET, "it answered HTTP %ld", response.status);
	http_response_free(&response);
	return ok;
}

static char *
url_of(const Config *config)
{
	char *name = http_escape(config->secret_name);
	char *url = NULL;

	if (name == NULL ||
		asprintf(&url, "http://localhost:%s/secretsmanager/get?secretId=%s", config->cache_port, name) < 0)
		url = NULL;
	free(name);
	return url;
}

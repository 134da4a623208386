/*-------------------------------------------------------------------------
 *
 * resource_put.c
 *	  The PUT to a custom resource's ResponseURL.
 *
 *-------------------------------------------------------------------------
 */
#include "resource_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define ATTEMPT_TIMEOUT 5000
#define FIRST_PAUSE 200
#define LONGEST_PAUSE 1000

/* S3 says in less what is wrong. */
#define LONGEST_RESPONSE (64 * 1024)

/* A refusal, unlike a fault, seldom passes; a clock that is set right, a policy that takes effect. */
#define MOST_REFUSALS 5

static bool attempt(Http *http, const HttpRequest *request, bool *refused, Error *error);
static int code_of(const char *body, const char **code);

bool
resource_put(Http *http, const char *url, const char *body, const Deadline *deadline, Error *error)
{
	/* A header without a value, as CloudFormation has signed the URL for. */
	const char *headers[] = {"Content-Type;", NULL};
	HttpUrl parts;
	HttpRequest request = {0};
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	int refusals = 0;
	int attempts = 0;
	bool ok;

	/* event_parse() has read it before: it is one. */
	if (!http_url_read(url, &parts))
	{
		http_url_free(&parts);
		return error_out_of_memory(error);
	}
	request.url = url;
	request.name = parts.origin;
	/* The signature, which is in the query, covers both as they are written: libcurl would write them in a form of its own. */
	request.target = parts.target;
	/* What listens on this machine is not behind a proxy. */
	request.direct = parts.is_loopback;
	request.headers = headers;
	request.body = body;
	request.is_put = true;
	request.response_limit = LONGEST_RESPONSE;
	for (;;)
	{
		int64_t remaining = deadline_remaining(deadline);
		bool refused = false;

		attempts++;
		request.timeout = remaining < ATTEMPT_TIMEOUT ? remaining + 1 : ATTEMPT_TIMEOUT;
		ok = attempt(http, &request, &refused, error);
		if (ok)
		{
			error_free(error);
			break;
		}
		refusals += refused;
		if (refusals == MOST_REFUSALS || !backoff_pause(&backoff, deadline))
		{
			error->type = ERROR_RESPONSE;
			error_reword(error, "CloudFormation could not be answered (%d attempt%s): %s", attempts,
						 attempts == 1 ? "" : "s", error->message);
			if (error->hint == NULL)
				error_hint(error, "A function in a VPC without a way out needs an S3 gateway endpoint,"
								  " whose policy lets it put objects into CloudFormation's bucket.");
			break;
		}
		log_line(LEVEL_WARN, NULL, "%s; trying again", error->message);
	}
	http_url_free(&parts);
	return ok;
}

static bool
attempt(Http *http, const HttpRequest *request, bool *refused, Error *error)
{
	HttpResponse response = {0};
	const char *code;
	bool transient;
	bool ok;

	if (!http_send(http, request, &response, &transient, error))
	{
		*refused = !transient;
		return false;
	}
	ok = response.status >= 200 && response.status < 300;
	if (!ok)
	{
		int length = code_of(response.body, &code);

		*refused = response.status < 500 && response.status != 408 && response.status != 429;
		error_set(error, ERROR_RESPONSE, "%s answered HTTP %ld%s%.*s", request->name, response.status,
				  length > 0 ? ", " : "", length, code);
	}
	http_response_free(&response);
	return ok;
}

/* What S3 writes between <Code> and </Code>: a word. */
static int
code_of(const char *body, const char **code)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *tag = strstr(body, "<Code>");

	*code = tag != NULL ? tag + strlen("<Code>") : "";
	return (int) strspn(*code, letters);
}

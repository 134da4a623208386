/*-------------------------------------------------------------------------
 *
 * runtime.c
 *	  AWS Lambda's Runtime API: invocations in, answers out.
 *
 *-------------------------------------------------------------------------
 */
#include "runtime.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "reply.h"

/* Lambda's events are at most 6 MB long. */
#define LONGEST_EVENT (8 * 1024 * 1024)
#define LONGEST_REPLY (64 * 1024)

/* For the Runtime API, which is on this machine, to take an answer. */
#define ANSWER_TIMEOUT 2000
#define ANSWER_ATTEMPTS_FOR 10000
#define TRACE_VARIABLE "_X_AMZN_TRACE_ID"
#define LONGEST_TRACE 1024
#define TRACE_HEADER "X-Amzn-Trace-Id: "

#define FIRST_PAUSE 50
#define LONGEST_PAUSE 1000

static bool invocation_url(const char *address, const char *request_id, const char *what, char **url, Error *error);
static bool read_request_id(Http *http, Invocation *invocation, Error *error);
static bool read_invocation(Http *http, HttpResponse *response, Invocation *invocation, Error *error);
static bool is_request_id(const char *text);
static bool post(Http *http, const char *url, const char *error_type, const char *payload, Error *error);
static bool attempt(Http *http, const HttpRequest *request, bool *transient, Error *error);

bool
runtime_next(Http *http, const char *address, Invocation *invocation, Error *error)
{
	HttpRequest request = {0};
	HttpResponse response = {0};
	char *url = NULL;
	bool transient;
	bool ok = false;

	if (!invocation_url(address, NULL, "next", &url, error))
		return false;
	request.url = url;
	request.response_limit = LONGEST_EVENT;
	request.direct = true;

	if (!http_send(http, &request, &response, &transient, error))
	{
		/* It may have been cut off within the event: whose that is was said before. */
		Error ignored = ERROR_NONE;

		(void) read_request_id(http, invocation, &ignored);
		error_free(&ignored);
		goto done;
	}
	if (response.status != 200)
	{
		error_set(error, ERROR_INTERNAL, "the Runtime API answered %ld to a request for the next invocation",
				  response.status);
		goto done;
	}
	ok = read_request_id(http, invocation, error) && read_invocation(http, &response, invocation, error);

done:
	http_response_free(&response);
	free(url);
	return ok;
}

/*
 * An invocation without an answer is one that its caller waits for until it
 * times out: an answer that does not get through is sent again.
 */
bool
runtime_answer(Http *http, const char *address, const Invocation *invocation,
			   const char *error_type, const char *payload, Error *error)
{
	char *url = NULL;
	bool ok = invocation_url(address, invocation->request_id, error_type != NULL ? "error" : "response", &url, error) &&
			  post(http, url, error_type, payload, error);

	free(url);
	return ok;
}

bool
runtime_fail(Http *http, const char *address, const Invocation *invocation, const Error *problem, Error *error)
{
	Outcome none = {0};
	char *payload = reply_text(reply_failure(&none, problem, REPLY_LIMIT));
	bool ok = payload != NULL ? runtime_answer(http, address, invocation, problem->type, payload, error)
							  : error_out_of_memory(error);

	free(payload);
	return ok;
}

/* Nobody is left to be told that this has failed. */
void
runtime_fail_start(Http *http, const char *address, const Error *problem)
{
	Error ignored = ERROR_NONE;
	Outcome none = {0};
	char *payload = reply_text(reply_failure(&none, problem, REPLY_LIMIT));
	char *url = NULL;

	if (payload != NULL && asprintf(&url, "http://%s/2018-06-01/runtime/init/error", address) >= 0)
	{
		(void) post(http, url, problem->type, payload, &ignored);
		free(url);
	}
	free(payload);
	error_free(&ignored);
}

void
invocation_free(Invocation *invocation)
{
	free(invocation->request_id);
	free(invocation->trace_id);
	free(invocation->event);
	memset(invocation, 0, sizeof(*invocation));
}

static bool
invocation_url(const char *address, const char *request_id, const char *what, char **url, Error *error)
{
	if (asprintf(url, "http://%s/2018-06-01/runtime/invocation/%s%s%s", address,
				 request_id != NULL ? request_id : "", request_id != NULL ? "/" : "", what) < 0)
	{
		*url = NULL;
		return error_out_of_memory(error);
	}
	return true;
}

static bool
read_request_id(Http *http, Invocation *invocation, Error *error)
{
	const char *request_id = http_response_header(http, "Lambda-Runtime-Aws-Request-Id");

	if (request_id == NULL || !is_request_id(request_id))
		return error_set(error, ERROR_INTERNAL, "the Runtime API gave no valid Lambda-Runtime-Aws-Request-Id");
	invocation->request_id = strdup(request_id);
	return invocation->request_id != NULL || error_out_of_memory(error);
}

/* Takes the response's body over as the event. */
static bool
read_invocation(Http *http, HttpResponse *response, Invocation *invocation, Error *error)
{
	const char *deadline = http_response_header(http, "Lambda-Runtime-Deadline-Ms");
	const char *trace_id = http_response_header(http, "Lambda-Runtime-Trace-Id");
	char *end = NULL;

	errno = 0;
	invocation->deadline = deadline != NULL ? strtoll(deadline, &end, 10) : 0;
	if (end == NULL || end == deadline || *end != '\0' || errno != 0 || invocation->deadline <= 0)
		return error_set(error, ERROR_INTERNAL, "the Runtime API gave no valid Lambda-Runtime-Deadline-Ms");

	if (trace_id != NULL && trace_id[0] != '\0')
		invocation->trace_id = strdup(trace_id);
	if (trace_id != NULL && trace_id[0] != '\0' && invocation->trace_id == NULL)
		return error_out_of_memory(error);

	invocation->event = response->body;
	invocation->event_length = response->length;
	response->body = NULL;
	response->length = 0;
	return true;
}

/*
 * As the Runtime API asks for: what makes calls for us finds it there.  In memory
 * of our own: setenv() keeps every value that there ever was.
 */
bool
runtime_trace(const Invocation *invocation)
{
	static char entry[sizeof(TRACE_VARIABLE) + LONGEST_TRACE];

	(void) unsetenv(TRACE_VARIABLE);
	if (invocation->trace_id == NULL)
		return true;
	if (strlen(invocation->trace_id) >= LONGEST_TRACE)
		return false;
	snprintf(entry, sizeof(entry), TRACE_VARIABLE "=%s", invocation->trace_id);
	return putenv(entry) == 0;
}

/* As AWS's own libraries do it in a function, and with the same characters as they are. */
bool
runtime_trace_header(char **header)
{
	static const char plain[] = "-._~=;:+&[]{}\"',";
	const char *function = getenv("AWS_LAMBDA_FUNCTION_NAME");
	const char *trace = getenv(TRACE_VARIABLE);
	char *end;

	*header = NULL;
	if (function == NULL || trace == NULL || trace[0] == '\0')
		return true;
	*header = malloc(sizeof(TRACE_HEADER) + 3 * strlen(trace));
	if (*header == NULL)
		return false;
	end = stpcpy(*header, TRACE_HEADER);
	for (; *trace != '\0'; trace++)
		end += sprintf(end, isalnum((unsigned char) *trace) || strchr(plain, *trace) != NULL ? "%c" : "%%%02X", (unsigned char) *trace);
	return true;
}

/* It becomes part of a URL. */
static bool
is_request_id(const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
	{
		if (!isalnum((unsigned char) *c) && *c != '-')
			return false;
	}
	return c > text && c - text <= 128;
}

static bool
post(Http *http, const char *url, const char *error_type, const char *payload, Error *error)
{
	const char *headers[] = {"Content-Type: application/json", NULL, NULL};
	HttpRequest request = {0};
	Deadline deadline = deadline_after(ANSWER_ATTEMPTS_FOR);
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	char *type_header = NULL;
	bool transient = false;
	bool ok;

	if (error_type != NULL)
	{
		if (asprintf(&type_header, "Lambda-Runtime-Function-Error-Type: %s", error_type) < 0)
			return error_out_of_memory(error);
		headers[1] = type_header;
	}
	request.url = url;
	request.headers = headers;
	request.body = payload;
	request.response_limit = LONGEST_REPLY;
	request.timeout = ANSWER_TIMEOUT;
	request.direct = true;

	do
		ok = attempt(http, &request, &transient, error);
	while (!ok && transient && backoff_pause(&backoff, &deadline));

	free(type_header);
	return ok;
}

static bool
attempt(Http *http, const HttpRequest *request, bool *transient, Error *error)
{
	HttpResponse response = {0};
	bool ok;

	if (!http_send(http, request, &response, transient, error))
		return false;
	ok = response.status >= 200 && response.status < 300;
	*transient = response.status >= 500;
	if (!ok)
		error_set(error, ERROR_INTERNAL, "the Runtime API answered %ld to %s", response.status, request->url);
	http_response_free(&response);
	return ok;
}

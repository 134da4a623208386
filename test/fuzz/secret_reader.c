/*-------------------------------------------------------------------------
 *
 * secret_reader.c
 *	  Reads what Secrets Manager and the Parameters and Secrets extension's
 *	  cache answer, and does nothing else.
 *
 * The first byte says how the rest is to be taken: 's' as the secret's value
 * within an answer that is right, 'r' as the body of a refusal, anything else
 * as the body of an answer.
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config.h" /* config_is_port */
#include "reader.h"
#include "secret_refusal.h"
#include "secret_value.h"

#define NAME "prod/db"

/* Longer than all that is said of a secret without saying what is in it. */
#define LONGEST_MESSAGE 120

static const char *read_answer(const char *body, size_t length);
static const char *read_refusal(const char *body, size_t length);
static char *answer_with(const char *value, size_t length);
static void check_error(bool ok, const Error *error);

const char *
read_input(const char *text, size_t length)
{
	const char *word;
	char *body;
	char kind = length > 0 ? text[0] : '\0';

	if (length > 0)
	{
		text++;
		length--;
	}
	if (kind == 'r')
		return read_refusal(text, length);
	if (kind != 's')
		return read_answer(text, length);

	body = answer_with(text, length);
	if (body == NULL)
		return "unsaid"; /* no JSON string can hold it */
	word = read_answer(body, strlen(body));
	free(body);
	return word;
}

static const char *
read_answer(const char *body, size_t length)
{
	/* As http.c gives it: with an end, within what was allocated. */
	HttpResponse response = {200, malloc(length + 1), length};
	Secret secret = {0};
	Error error = ERROR_NONE;
	bool ok;

	if (response.body == NULL)
		abort();
	memcpy(response.body, body, length);
	response.body[length] = '\0';

	ok = secret_parse(NAME, &response, &secret, &error);
	check_error(ok, &error);
	if (!ok && strlen(error.message) > LONGEST_MESSAGE)
		abort();
	if (ok && (secret.username == NULL || secret.username[0] == '\0' || secret.password == NULL || secret.password[0] == '\0'))
		abort();
	if (ok && secret.port != NULL && !config_is_port(secret.port))
		abort();

	secret_free(&secret);
	error_free(&error);
	free(response.body);
	return ok ? "secret" : "unfit";
}

static const char *
read_refusal(const char *body, size_t length)
{
	HttpResponse response = {400, malloc(length + 1), length};
	Error error = ERROR_NONE;
	bool transient = false;

	if (response.body == NULL)
		abort();
	memcpy(response.body, body, length);
	response.body[length] = '\0';

	check_error(secret_refused(NAME, &response, &transient, &error), &error);
	if (strpbrk(error.message, "\r\n") != NULL)
		abort();
	error_free(&error);
	free(response.body);
	return transient ? "again" : "refused";
}

static char *
answer_with(const char *value, size_t length)
{
	json_t *json = json_pack("{s: s, s: s%}", "Name", NAME, "SecretString", value, length);
	char *body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return body;
}

static void
check_error(bool ok, const Error *error)
{
	if (ok != (error->type == NULL) || (!ok && strcmp(error->type, ERROR_SECRET) != 0))
		abort();
}

/*-------------------------------------------------------------------------
 *
 * custom_resource.c
 *	  What a custom resource's request is answered with.
 *
 *-------------------------------------------------------------------------
 */
#include "custom_resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "shorten.h"
#include "text.h"

/* CloudFormation's own limits, in bytes. */
#define LONGEST_BODY 4096
#define LONGEST_PHYSICAL_ID 1024

#define ELLIPSIS "\xE2\x80\xA6"

static bool copy_text(const Event *event, const char *key, json_t *answer, Error *error);
static char *shorten(json_t *answer, size_t length);
static void cut_reason(json_t *answer, size_t length);
static void set_reason(json_t *answer, const char *text, size_t length);
static void append(FILE *text, const char *label, const char *value);

ResourceRequest
custom_resource_request(const Event *event)
{
	const char *type = event_text(event, "RequestType");

	if (type != NULL && strcmp(type, "Create") == 0)
		return RESOURCE_CREATE;
	if (type != NULL && strcmp(type, "Update") == 0)
		return RESOURCE_UPDATE;
	if (type != NULL && strcmp(type, "Delete") == 0)
		return RESOURCE_DELETE;
	return RESOURCE_UNKNOWN;
}

const json_t *
custom_resource_properties(const Event *event, Error *error)
{
	const json_t *properties = json_object_get(event->json, "ResourceProperties");

	if (custom_resource_request(event) == RESOURCE_UNKNOWN)
		error_set(error, ERROR_EVENT, "the event's RequestType is none of Create, Update and Delete");
	else if (!json_is_object(properties))
		error_set(error, ERROR_EVENT, "the event's ResourceProperties are not a JSON object");
	else
		return properties;
	return NULL;
}

/* A new one is the same however often a Create is delivered. */
json_t *
custom_resource_id(const Event *event, Error *error)
{
	const char *own = event_text(event, "PhysicalResourceId");
	const char *stack = event_text(event, "StackId");
	const char *resource = event_text(event, "LogicalResourceId");
	char checksum[CHECKSUM_LENGTH + 1];
	char *text = NULL;
	json_t *id = NULL;
	bool ok;

	if (custom_resource_request(event) != RESOURCE_CREATE && own != NULL && own[0] != '\0' && strlen(own) <= LONGEST_PHYSICAL_ID)
		return json_string(own);
	if (asprintf(&text, "%s\n%s", stack != NULL ? stack : "", resource != NULL ? resource : "") < 0)
	{
		error_out_of_memory(error);
		return NULL;
	}
	ok = checksum_text(text, strlen(text), checksum, error);
	free(text);
	if (ok && (id = json_pack("s+%", "rdsinit-", checksum, (size_t) 32)) == NULL)
		error_out_of_memory(error);
	return id;
}

json_t *
custom_resource_data(const Outcome *outcome)
{
	json_t *data = json_object();
	char number[32];
	size_t applied = 0;
	size_t i;

	for (i = 0; i < outcome->count; i++)
		applied += strcmp(outcome->scripts[i].outcome, "applied") == 0;

	json_object_set_new(data, "Database", text_json(outcome->database));
	json_object_set_new(data, "DatabaseCreated", json_string(outcome->database_created ? "true" : "false"));
	json_object_set_new(data, "Mode", text_json(outcome->mode));
	snprintf(number, sizeof(number), "%zu", outcome->count);
	json_object_set_new(data, "Scripts", json_string(number));
	snprintf(number, sizeof(number), "%zu", applied);
	json_object_set_new(data, "Applied", json_string(number));
	return data;
}

/* The message comes first, since a long text is cut at its end. */
json_t *
custom_resource_reason(const Error *error)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	json_t *reason;

	if (stream == NULL)
		return json_string("out of memory");
	if (error->file != NULL && error->line > 0)
		fprintf(stream, "%s:%ld:%ld: ", error->file, error->line, error->column);
	else if (error->file != NULL)
		fprintf(stream, "%s: ", error->file);
	append(stream, "", error->message != NULL ? error->message : "out of memory");
	if (error->sqlstate[0] != '\0')
		fprintf(stream, " (SQLSTATE %s)", error->sqlstate);
	append(stream, " DETAIL: ", error->detail);
	append(stream, " HINT: ", error->hint);
	append(stream, " See the function's log stream ", getenv("AWS_LAMBDA_LOG_STREAM_NAME"));

	reason = fclose(stream) == 0 ? json_stringn(text, length) : NULL;
	free(text);
	return reason != NULL ? reason : json_string("out of memory");
}

char *
custom_resource_body(const Event *event, bool succeeded, const json_t *reason, const json_t *data, Error *error)
{
	json_t *answer = json_object();
	json_t *id = custom_resource_id(event, error);
	char *body = NULL;

	if (answer == NULL || id == NULL ||
		json_object_set_new(answer, "Status", json_string(succeeded ? "SUCCESS" : "FAILED")) != 0 ||
		json_object_set(answer, "PhysicalResourceId", id) != 0)
		error_out_of_memory(error);
	else if (copy_text(event, "StackId", answer, error) && copy_text(event, "RequestId", answer, error) &&
			 copy_text(event, "LogicalResourceId", answer, error))
	{
		if (reason != NULL)
			json_object_set(answer, "Reason", (json_t *) reason);
		else if (!succeeded)
			json_object_set_new(answer, "Reason", json_string("out of memory"));
		if (data != NULL)
			json_object_set(answer, "Data", (json_t *) data);
		body = shorten(answer, LONGEST_BODY);
		if (body == NULL)
			error_set(error, ERROR_RESPONSE, "the answer to CloudFormation would be longer than %d bytes", LONGEST_BODY);
	}
	json_decref(id);
	json_decref(answer);
	return body;
}

static bool
copy_text(const Event *event, const char *key, json_t *answer, Error *error)
{
	json_t *value = json_object_get(event->json, key);

	if (!json_is_string(value) || json_string_length(value) == 0)
		return error_set(error, ERROR_EVENT, "the event has no %s, by which CloudFormation would know the answer", key);
	return json_object_set(answer, key, value) == 0 || error_out_of_memory(error);
}

/* First the data are left out, then the reason is cut.  NULL: that is not enough. */
static char *
shorten(json_t *answer, size_t length)
{
	const json_t *reason = json_object_get(answer, "Reason");

	if (shorten_length(answer) > length)
		json_object_del(answer, "Data");
	if (shorten_length(answer) > length && reason != NULL)
		cut_reason(answer, length);
	return shorten_length(answer) <= length ? json_dumps(answer, JSON_COMPACT) : NULL;
}

/* The longest that there is room for: how long a character is depends on whether it is escaped. */
static void
cut_reason(json_t *answer, size_t length)
{
	json_t *whole = json_incref(json_object_get(answer, "Reason"));
	const char *text = json_string_value(whole);
	size_t fits = 0;
	size_t too_long = strlen(text);

	while (too_long - fits > 1)
	{
		size_t middle = fits + (too_long - fits) / 2;

		set_reason(answer, text, middle);
		if (shorten_length(answer) <= length)
			fits = middle;
		else
			too_long = middle;
	}
	set_reason(answer, text, fits);
	json_decref(whole);
}

/* So many bytes of a text, without what they have of a character that they cut. */
static void
set_reason(json_t *answer, const char *text, size_t length)
{
	json_object_set_new(answer, "Reason", json_pack("s%+", text, text_valid_length(text, length), ELLIPSIS));
}

/* What is not known is left out; what is no UTF-8, replaced. */
static void
append(FILE *text, const char *label, const char *value)
{
	json_t *clean = value != NULL ? text_json(value) : NULL;

	if (json_is_string(clean))
		fprintf(text, "%s%s", label, json_string_value(clean));
	json_decref(clean);
}

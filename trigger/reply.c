/*-------------------------------------------------------------------------
 *
 * reply.c
 *	  The JSON that an invocation is answered with.
 *
 *-------------------------------------------------------------------------
 */
#include "reply.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "text.h"

/* Lambda takes no answer of more than 6 MB. */
#define LONGEST_REPLY (5 * 1024 * 1024)

static json_t *scripts_json(const Outcome *outcome);
static json_t *failure_json(const Outcome *outcome, const Error *error);
static char *message_with_place(const Error *error);
static void set_text(json_t *object, const char *key, const char *value);
static void set_number(json_t *object, const char *key, long value);
static char *dump(json_t *json);

char *
reply_success(const Outcome *outcome, int64_t duration)
{
	json_t *reply = json_object();
	char *text;

	json_object_set_new(reply, "statusCode", json_integer(200));
	json_object_set_new(reply, "body", json_string("RDS schema initialization successful!"));
	set_text(reply, "mode", outcome->mode);
	set_text(reply, "reason", outcome->reason);
	set_text(reply, "database", outcome->database);
	json_object_set_new(reply, "databaseCreated", json_boolean(outcome->database_created));
	json_object_set_new(reply, "scripts", scripts_json(outcome));
	json_object_set_new(reply, "durationMs", json_integer(duration));

	text = dump(reply);
	if (strlen(text) > LONGEST_REPLY)
	{
		free(text);
		json_object_del(reply, "scripts");
		json_object_set_new(reply, "scriptsOmitted", json_integer((json_int_t) outcome->count));
		text = dump(reply);
	}
	json_decref(reply);
	return text;
}

char *
reply_failure(const Outcome *outcome, const Error *error)
{
	json_t *reply = failure_json(outcome, error);
	const char *message = json_string_value(json_object_get(reply, "errorMessage"));
	char *body = NULL;
	char *text;

	json_object_set_new(reply, "statusCode", json_integer(500));
	if (asprintf(&body, "RDS schema initialization failed. Error: %s", message) >= 0)
	{
		/* Its parts have been cut already. */
		json_object_set_new(reply, "body", json_string(body));
		free(body);
	}

	text = dump(reply);
	json_decref(reply);
	return text;
}

void
reply_log_success(const Outcome *outcome, int64_t duration)
{
	json_t *fields = json_object();
	size_t applied = 0;
	size_t unchanged = 0;
	size_t i;

	for (i = 0; i < outcome->count; i++)
	{
		applied += strcmp(outcome->scripts[i].outcome, "applied") == 0;
		unchanged += strcmp(outcome->scripts[i].outcome, "unchanged") == 0;
	}

	set_text(fields, "mode", outcome->mode);
	set_text(fields, "reason", outcome->reason);
	set_text(fields, "database", outcome->database);
	json_object_set_new(fields, "applied", json_integer((json_int_t) applied));
	json_object_set_new(fields, "unchanged", json_integer((json_int_t) unchanged));
	if (applied + unchanged < outcome->count)
		json_object_set_new(fields, "baseline", json_integer((json_int_t) (outcome->count - applied - unchanged)));
	json_object_set_new(fields, "durationMs", json_integer(duration));
	log_line(LEVEL_INFO, fields, "schema initialization successful");
}

void
reply_log_failure(const Outcome *outcome, const Error *error)
{
	json_t *fields = failure_json(outcome, error);
	const char *message = json_string_value(json_object_get(fields, "errorMessage"));
	char *copy = message != NULL ? strdup(message) : NULL;

	json_object_del(fields, "errorMessage");
	log_line(LEVEL_ERROR, fields, "%s", copy != NULL ? copy : "out of memory");
	free(copy);
}

static json_t *
scripts_json(const Outcome *outcome)
{
	json_t *scripts = json_array();
	size_t i;

	for (i = 0; i < outcome->count; i++)
	{
		const ScriptOutcome *script = &outcome->scripts[i];
		json_t *entry = json_object();

		set_text(entry, "name", script->name);
		set_text(entry, "outcome", script->outcome);
		json_object_set_new(entry, "statements", json_integer(script->statements));
		json_object_set_new(entry, "rows", json_integer(script->rows));
		json_object_set_new(entry, "durationMs", json_integer((script->duration + 500) / 1000));
		set_text(entry, "checksum", script->checksum);
		json_array_append_new(scripts, entry);
	}
	return scripts;
}

static json_t *
failure_json(const Outcome *outcome, const Error *error)
{
	json_t *failure = json_object();
	char *message = message_with_place(error);

	set_text(failure, "errorType", error->type);
	set_text(failure, "errorMessage", message != NULL ? message : "out of memory");
	if (error->sqlstate[0] != '\0')
		set_text(failure, "sqlstate", error->sqlstate);
	set_text(failure, "file", error->file);
	set_number(failure, "line", error->line);
	set_number(failure, "column", error->column);
	set_number(failure, "statement", error->statement);
	set_text(failure, "detail", error->detail);
	set_text(failure, "hint", error->hint);
	set_text(failure, "mode", outcome->mode);
	set_text(failure, "database", outcome->database);
	if (outcome->is_partial)
		json_object_set_new(failure, "scripts", scripts_json(outcome));

	free(message);
	return failure;
}

/* "schema.sql:17:52: message", as far as the place is known. */
static char *
message_with_place(const Error *error)
{
	const char *message = error->message != NULL ? error->message : "out of memory";
	char *text = NULL;
	int length;

	if (error->file == NULL)
		return strdup(message);
	if (error->line == 0)
		length = asprintf(&text, "%s: %s", error->file, message);
	else
		length = asprintf(&text, "%s:%ld:%ld: %s", error->file, error->line, error->column, message);
	return length < 0 ? NULL : text;
}

/* What is not known is left out. */
static void
set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, text_json(value));
}

static void
set_number(json_t *object, const char *key, long value)
{
	if (value > 0)
		json_object_set_new(object, key, json_integer(value));
}

/* An invocation must be answered: without memory, by what needs none to make. */
static char *
dump(json_t *json)
{
	static char fallback[] =
		"{\"errorType\":\"" ERROR_INTERNAL "\",\"errorMessage\":\"out of memory\",\"statusCode\":500,"
		"\"body\":\"RDS schema initialization failed. Error: out of memory\"}";
	char *text = json_dumps(json, JSON_COMPACT);

	return text != NULL ? text : strdup(fallback);
}

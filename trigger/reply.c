/*-------------------------------------------------------------------------
 *
 * reply.c
 *	  The JSON that an invocation is answered with.
 *
 *-------------------------------------------------------------------------
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "shorten.h"
#include "text.h"

/* For the keys that say that a list was cut. */
#define ROOM_FOR_TRUNCATED 100

static void add_plan(json_t *reply, const char *plan, size_t limit);
static json_t *count_warnings(const json_t *steps);
static int rank_step(const json_t *step);
static int severity_of(const json_t *warning);
static int rank_script(const json_t *script);
static void add_retries(json_t *object, const Outcome *outcome);
static json_t *scripts_json(const Outcome *outcome);
static json_t *failure_json(const Outcome *outcome, const Error *error);
static char *message_with_place(const Error *error);
static void set_text(json_t *object, const char *key, const char *value);
static void set_number(json_t *object, const char *key, long value);

/* From the least to the worst: a place in it is a rank. */
static const char *const severities[] = {"low", "medium", "high"};

#define SEVERITY_COUNT ((int) (sizeof(severities) / sizeof(severities[0])))

json_t *
reply_success(const Outcome *outcome, int64_t duration, size_t limit)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "statusCode", json_integer(200));
	json_object_set_new(reply, "body",
						json_string(outcome->plan != NULL
										? "RDS schema plan successful: all was rolled back, nothing was changed."
										: REPLY_SUCCESS));
	set_text(reply, "mode", outcome->mode);
	set_text(reply, "reason", outcome->reason);
	set_text(reply, "database", outcome->database);
	json_object_set_new(reply, "durationMs", json_integer(duration));
	add_retries(reply, outcome);
	if (outcome->plan != NULL)
		add_plan(reply, outcome->plan, limit);
	else
	{
		json_object_set_new(reply, "databaseCreated", json_boolean(outcome->database_created));
		reply_add_list(reply, "scripts", scripts_json(outcome), limit, rank_script);
	}
	return reply;
}

json_t *
reply_failure(const Outcome *outcome, const Error *error, size_t limit)
{
	json_t *reply = failure_json(outcome, error);
	const char *message = json_string_value(json_object_get(reply, "errorMessage"));
	char *body = NULL;

	json_object_set_new(reply, "statusCode", json_integer(500));
	if (asprintf(&body, "RDS schema initialization failed. Error: %s", message) >= 0)
	{
		/* Its parts have been cut already. */
		json_object_set_new(reply, "body", json_string(body));
		free(body);
	}
	if (outcome->is_partial)
		reply_add_list(reply, "scripts", scripts_json(outcome), limit, rank_script);
	return reply;
}

char *
reply_text(json_t *reply)
{
	static char fallback[] =
		"{\"errorType\":\"" ERROR_INTERNAL "\",\"errorMessage\":\"out of memory\",\"statusCode\":500,"
		"\"body\":\"RDS schema initialization failed. Error: out of memory\"}";
	char *text = json_dumps(reply, JSON_COMPACT);

	json_decref(reply);
	return text != NULL ? text : strdup(fallback);
}

void
reply_add_list(json_t *reply, const char *key, json_t *list, size_t limit, ShortenRank rank)
{
	size_t used = shorten_length(reply) + ROOM_FOR_TRUNCATED;
	size_t count = json_array_size(list);

	if (shorten_list(list, limit > used ? limit - used : 0, rank))
	{
		json_object_set_new(reply, "truncated", json_true());
		json_object_set_new(reply, "omitted", json_integer((json_int_t) (count - json_array_size(list))));
	}
	json_object_set_new(reply, key, list);
}

static void
add_plan(json_t *reply, const char *plan, size_t limit)
{
	json_t *steps = json_loads(plan, 0, NULL);

	json_object_set_new(reply, "statements", json_integer((json_int_t) json_array_size(steps)));
	json_object_set_new(reply, "warnings", count_warnings(steps));
	reply_add_list(reply, "plan", steps, limit, rank_step);
}

/* How many of each severity, whatever of the steps has no room. */
static json_t *
count_warnings(const json_t *steps)
{
	json_t *counts = json_object();
	json_int_t numbers[SEVERITY_COUNT] = {0};
	json_t *step;
	json_t *warning;
	size_t i;
	size_t j;
	int rank;

	json_array_foreach(steps, i, step)
	{
		json_array_foreach(json_object_get(step, "warnings"), j, warning)
		{
			rank = severity_of(warning);
			if (rank > 0)
				numbers[rank - 1]++;
		}
	}
	for (rank = SEVERITY_COUNT; rank > 0; rank--)
		json_object_set_new(counts, severities[rank - 1], json_integer(numbers[rank - 1]));
	return counts;
}

/* A step is worth its worst warning. */
static int
rank_step(const json_t *step)
{
	const json_t *warning;
	int worst = 0;
	size_t i;

	json_array_foreach(json_object_get(step, "warnings"), i, warning)
	{
		int rank = severity_of(warning);

		if (rank > worst)
			worst = rank;
	}
	return worst;
}

/* From 1; 0 for none of them. */
static int
severity_of(const json_t *warning)
{
	const char *severity = json_string_value(json_object_get(warning, "severity"));
	int i;

	for (i = 0; severity != NULL && i < SEVERITY_COUNT; i++)
	{
		if (strcmp(severity, severities[i]) == 0)
			return i + 1;
	}
	return 0;
}

/* What was done is worth more than what was there already. */
static int
rank_script(const json_t *script)
{
	const char *outcome = json_string_value(json_object_get(script, "outcome"));

	return outcome != NULL && strcmp(outcome, "applied") == 0;
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
	add_retries(fields, outcome);
	log_line(LEVEL_INFO, fields, outcome->plan != NULL ? "schema plan successful" : "schema initialization successful");
	metrics_log(outcome, NULL);
}

void
reply_log_failure(const Outcome *outcome, const Error *error)
{
	json_t *fields = failure_json(outcome, error);
	const char *message = json_string_value(json_object_get(fields, "errorMessage"));
	char *copy = message != NULL ? strdup(message) : NULL;

	if (outcome->is_partial)
		json_object_set_new(fields, "scripts", scripts_json(outcome));
	json_object_del(fields, "errorMessage");
	log_line(LEVEL_ERROR, fields, "%s", copy != NULL ? copy : "out of memory");
	metrics_log(outcome, error);
	free(copy);
}

/* Where all went well at once there is nothing to tell. */
static void
add_retries(json_t *object, const Outcome *outcome)
{
	if (outcome->retries > 0)
		json_object_set_new(object, "retries", json_integer(outcome->retries));
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
	add_retries(failure, outcome);
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

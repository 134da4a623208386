/*-------------------------------------------------------------------------
 *
 * extension.c
 *	  A bundle applied by the extension, in one call.
 *
 *-------------------------------------------------------------------------
 */
#include "extension.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "extension_report.h"
#include "shared/sections.h"

/* Outside of any transaction block: it commits by itself where a script needs that. */
#define DEPLOY_COMMAND \
	"CALL rdsinit.deploy($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.jsonb)"

#define HAS_BASELINE_QUERY \
	"SELECT EXISTS (SELECT FROM rdsinit.history WHERE outcome OPERATOR(pg_catalog.=) 'baseline'" \
	" AND version OPERATOR(pg_catalog.=) $1) AS has"
#define BASELINE_QUERY \
	"SELECT outcome FROM rdsinit.baseline($1)"

static bool call(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error);
static const char *name_of(const void *elements, size_t number, size_t *length);
static const char *body_of(const void *elements, size_t number, size_t *length);
static bool make_options(const Session *session, const Bundle *bundle, const Request *request, char **options, Error *error);
static json_t *milliseconds(int64_t time);
static json_t *names_without_transaction(const Bundle *bundle);
static bool leaves_transaction(const Bundle *bundle);
static void find_place(const Bundle *bundle, const PGresult *result, Error *error);
static bool is_place(const char *line, const char *name, long *numbers);

bool
extension_apply(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	bool is_known;
	int64_t last = 0;

	if (!bundle_check_encoding(bundle, error) ||
		(extension_needs_baseline(session, request) && !extension_baseline(session, request, error)))
		return false;

	/* Who may call need not be allowed to read the history. */
	is_known = leaves_transaction(bundle) && report_last_row(session, &last, error);
	error_free(error);
	if (call(session, bundle, request, outcome, error))
		return true;
	if (is_known)
		report_committed(session, last, outcome);
	return false;
}

bool
extension_needs_baseline(const Session *session, const Request *request)
{
	Parameter parameter = {request->baseline, 0};
	PGresult *result = NULL;
	Error ignored = ERROR_NONE;
	bool has;

	if (request->baseline == NULL)
		return false;
	has = query_run_parameters(session, HAS_BASELINE_QUERY, 1, &parameter, &result, &ignored) &&
		  query_field_is_true(result, 0, "has");
	PQclear(result);
	error_free(&ignored);
	return !has;
}

bool
extension_baseline(const Session *session, const Request *request, Error *error)
{
	Parameter parameter = {request->baseline, 0};

	return query_run_parameters(session, BASELINE_QUERY, 1, &parameter, NULL, error);
}

static bool
call(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	PGresult *result = NULL;
	bool ok = extension_call(session, DEPLOY_COMMAND, bundle, request, &result, error);

	/* The server that says it ends the session for a shutdown has rolled back; one that has crashed, who knows. */
	error->is_undone = !ok && error_has_sqlstate(error, "57P01") && !leaves_transaction(bundle);
	if (ok)
		ok = report_take(result, outcome, error);
	else if ((error->sqlstate[0] == '\0' || error_has_sqlstate(error, "57P02")) &&
			 PQstatus(session->connection) == CONNECTION_BAD)
	{
		error_reword(error, "the outcome of rdsinit.deploy is unknown: %s", error->message);
		error_hint(error, "Run it again, which is safe: what was committed is not applied a second time.");
	}
	PQclear(result);
	return ok;
}

bool
extension_call(const Session *session, const char *command, const Bundle *bundle, const Request *request,
			   PGresult **result, Error *error)
{
	Array names = {0};
	Array bodies = {0};
	char *options = NULL;
	bool ok = false;

	if (!array_make(bundle->scripts, bundle->count, name_of, &names, error) ||
		!array_make(bundle->scripts, bundle->count, body_of, &bodies, error) ||
		!make_options(session, bundle, request, &options, error))
		goto done;
	else
	{
		Parameter parameters[3] = {{names.bytes, names.length}, {bodies.bytes, bodies.length}, {options, 0}};

		ok = query_run_parameters(session, command, 3, parameters, result, error);
	}
	if (!ok)
		find_place(bundle, *result, error);

done:
	free(options);
	free(bodies.bytes);
	free(names.bytes);
	return ok;
}

static const char *
name_of(const void *elements, size_t number, size_t *length)
{
	const Script *script = (const Script *) elements + number;

	*length = strlen(script->name);
	return script->name;
}

static const char *
body_of(const void *elements, size_t number, size_t *length)
{
	const Script *script = (const Script *) elements + number;

	*length = script->length;
	return script->body;
}

/*
 * The server stops by itself soon after the deadline; to wait for a lock or for
 * another call is of use only as long as there is time to tell.  What is not asked for is left out.
 */
static bool
make_options(const Session *session, const Bundle *bundle, const Request *request, char **options, Error *error)
{
	int64_t remaining = deadline_remaining(session->deadline);
	int64_t longest = remaining - session->deadline->grace;
	json_t *names = names_without_transaction(bundle);
	json_t *json = json_object();

	json_object_set_new(json, "timeout", milliseconds(remaining + DEADLINE_SECOND_LINE(session->deadline->grace)));
	if (request->retry_for < longest)
		longest = request->retry_for;
	json_object_set_new(json, "retry_for", milliseconds(longest));
	json_object_set_new(json, "lock_timeout", json_integer(request->lock_timeout));
	if (request->force)
		json_object_set_new(json, "force", json_true());
	if (request->out_of_order)
		json_object_set_new(json, "out_of_order", json_true());
	if (request->allow_changed)
		json_object_set_new(json, "allow_changed", json_true());
	if (request->allow_data_loss)
		json_object_set_new(json, "allow_data_loss", json_true());
	if (request->allow_missing || bundle->is_file)
		json_object_set_new(json, "allow_missing", json_true());
	if (request->resume != RESUME_ASK)
		json_object_set_new(json, "resume", json_string(request->resume == RESUME_SKIP ? "skip" : "again"));
	if (json_array_size(names) > 0)
		json_object_set(json, "no_transaction", names);
	if (json_object_size(request->variables) > 0)
		json_object_set(json, "variables", request->variables);
	*options = json_dumps(json, JSON_COMPACT);
	json_decref(names);
	json_decref(json);
	return *options != NULL || error_out_of_memory(error);
}

/* 0 would be no limit at all. */
static json_t *
milliseconds(int64_t time)
{
	char text[32];

	snprintf(text, sizeof(text), "%lldms", (long long) (time > 1 ? time : 1));
	return json_string(text);
}

static json_t *
names_without_transaction(const Bundle *bundle)
{
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < bundle->count; i++)
	{
		if (bundle->scripts[i].no_transaction)
			json_array_append_new(names, json_string(bundle->scripts[i].name));
	}
	return names;
}

/* Can part of the bundle be committed, though the call fails? */
static bool
leaves_transaction(const Bundle *bundle)
{
	RdsSections sections = {0};
	bool leaves = false;
	size_t i;

	for (i = 0; i < bundle->count && !leaves; i++)
	{
		rds_sections_begin(&sections);
		rds_sections_text(&sections, bundle->scripts[i].body, bundle->scripts[i].length);
		leaves = sections.no_transaction || bundle->scripts[i].no_transaction;
	}
	return leaves;
}

/*
 * The extension says in one line of the error's context where in the bundle it
 * was; the last such line is its own, those before can be anybody's.
 */
static void
find_place(const Bundle *bundle, const PGresult *result, Error *error)
{
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	const char *line;

	for (line = context; line != NULL; line = strchr(line, '\n'))
	{
		long numbers[3];
		size_t i;

		line += *line == '\n';
		for (i = 0; i < bundle->count; i++)
		{
			if (!is_place(line, bundle->scripts[i].name, numbers))
				continue;
			error_place(error, bundle->scripts[i].name, numbers[0], numbers[1], numbers[2]);
			if (strcmp(error->type, ERROR_DATABASE) == 0)
				error->type = ERROR_SCRIPT;
		}
	}
}

/* "NAME", "NAME:LINE:COLUMN" or "NAME:LINE:COLUMN: statement N", and nothing more. */
static bool
is_place(const char *line, const char *name, long *numbers)
{
	size_t name_length = strlen(name);
	const char *rest = line + name_length;
	int length = 0;

	numbers[0] = numbers[1] = numbers[2] = 0;
	if (strncmp(line, name, name_length) != 0)
		return false;
	if (sscanf(rest, ":%9ld:%9ld%n", &numbers[0], &numbers[1], &length) == 2)
	{
		rest += length;
		length = 0;
		if (sscanf(rest, ": statement %9ld%n", &numbers[2], &length) == 1)
			rest += length;
	}
	return *rest == '\0' || *rest == '\n';
}

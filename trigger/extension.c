/*-------------------------------------------------------------------------
 *
 * extension.c
 *	  A bundle applied by the extension, in one call.
 *
 *-------------------------------------------------------------------------
 */
#include "extension.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The type that the elements of the parameters have; it will never change. */
#define TEXT_OID 25

#define APPLY_QUERY \
	"SELECT name, outcome, statements, rows, checksum," \
	" (pg_catalog.date_part('epoch', duration) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8 AS microseconds" \
	" FROM rdsinit.apply_bundle($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.jsonb)"

/* A text[] in the binary format, which needs no escapes and no second copy. */
typedef struct Array
{
	char *bytes;
	size_t length;
} Array;

static bool begin(const Session *session, Error *error);
static bool call(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error);
static bool make_array(const Bundle *bundle, bool names, Array *array, Error *error);
static void append_number(Array *array, size_t number);
static void append_bytes(Array *array, const char *bytes, size_t length);
static bool make_options(const Session *session, const Request *request, char **options, Error *error);
static bool take_outcomes(const PGresult *result, Outcome *outcome, Error *error);
static void find_place(const Bundle *bundle, const PGresult *result, Error *error);
static bool is_place(const char *line, const char *name, long *numbers);

bool
extension_apply(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	bool ok = bundle_check_encoding(bundle, error) &&
			  begin(session, error) &&
			  call(session, bundle, request, outcome, error) &&
			  query_commit(session, error);

	if (!ok)
		query_rollback(session);
	return ok;
}

/*
 * The server stops by itself at the deadline.  A role's own settings for
 * transactions do not matter here.
 */
static bool
begin(const Session *session, Error *error)
{
	char timeout[32];
	Parameter parameter = {timeout, 0};

	/* 0 would be no limit at all. */
	snprintf(timeout, sizeof(timeout), "%lld", (long long) deadline_remaining(session->deadline) + 1);
	return query_run(session, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, error) &&
		   query_run_parameters(session, "SELECT pg_catalog.set_config('statement_timeout', $1, true)",
								1, &parameter, NULL, error);
}

static bool
call(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	Array names = {0};
	Array bodies = {0};
	char *options = NULL;
	PGresult *result = NULL;
	bool ok = false;

	if (!make_array(bundle, true, &names, error) || !make_array(bundle, false, &bodies, error) ||
		!make_options(session, request, &options, error))
		goto done;
	else
	{
		Parameter parameters[3] = {{names.bytes, names.length}, {bodies.bytes, bodies.length}, {options, 0}};

		ok = query_run_parameters(session, APPLY_QUERY, 3, parameters, &result, error);
	}
	if (ok)
		ok = take_outcomes(result, outcome, error);
	else
		find_place(bundle, result, error);

done:
	PQclear(result);
	free(options);
	free(bodies.bytes);
	free(names.bytes);
	return ok;
}

/* One dimension, no NULL among the elements, the first has index 1. */
static bool
make_array(const Bundle *bundle, bool names, Array *array, Error *error)
{
	size_t size = 5 * sizeof(uint32_t);
	size_t i;

	for (i = 0; i < bundle->count; i++)
		size += sizeof(uint32_t) + (names ? strlen(bundle->scripts[i].name) : bundle->scripts[i].length);
	array->bytes = malloc(size);
	if (array->bytes == NULL)
		return error_out_of_memory(error);

	append_number(array, 1);
	append_number(array, 0);
	append_number(array, TEXT_OID);
	append_number(array, bundle->count);
	append_number(array, 1);
	for (i = 0; i < bundle->count; i++)
	{
		const Script *script = &bundle->scripts[i];
		size_t length = names ? strlen(script->name) : script->length;

		append_number(array, length);
		append_bytes(array, names ? script->name : script->body, length);
	}
	return true;
}

static void
append_number(Array *array, size_t number)
{
	uint32_t big_endian = htonl((uint32_t) number);

	append_bytes(array, (const char *) &big_endian, sizeof(big_endian));
}

static void
append_bytes(Array *array, const char *bytes, size_t length)
{
	memcpy(array->bytes + array->length, bytes, length);
	array->length += length;
}

/* To wait for another call is of use only as long as there is time to tell. */
static bool
make_options(const Session *session, const Request *request, char **options, Error *error)
{
	int64_t remaining = deadline_remaining(session->deadline);
	int64_t retry_for = remaining - session->deadline->grace;

	char text[32];
	json_t *json;

	snprintf(text, sizeof(text), "%lldms", (long long) (retry_for > 1 ? retry_for : 1));
	json = json_pack("{s:s}", "retry_for", text);
	if (request->force)
		json_object_set_new(json, "force", json_true());
	/* Where there are none, the server need not know the option. */
	if (json_object_size(request->variables) > 0)
		json_object_set(json, "variables", request->variables);
	*options = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return *options != NULL || error_out_of_memory(error);
}

static bool
take_outcomes(const PGresult *result, Outcome *outcome, Error *error)
{
	int row;

	for (row = 0; row < PQntuples(result); row++)
	{
		ScriptOutcome script = {
			PQgetvalue(result, row, PQfnumber(result, "name")),
			PQgetvalue(result, row, PQfnumber(result, "outcome")),
			PQgetvalue(result, row, PQfnumber(result, "checksum")),
			strtoll(query_field(result, row, "statements"), NULL, 10),
			strtoll(query_field(result, row, "rows"), NULL, 10),
			strtoll(query_field(result, row, "microseconds"), NULL, 10)};

		if (!outcome_add(outcome, &script, error))
			return false;
	}
	return true;
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

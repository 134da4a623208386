/*-------------------------------------------------------------------------
 *
 * extension_report.c
 *	  What a call of rdsinit.deploy has come to.
 *
 *-------------------------------------------------------------------------
 */
#include "extension_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define LAST_QUERY \
	"SELECT coalesce(pg_catalog.max(id), 0) AS last FROM rdsinit.history"

/* In the form of a report; and whether there is anything at all. */
#define COMMITTED_QUERY \
	"SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', name, 'outcome', outcome," \
	"  'statements', statements, 'rows', rows, 'checksum', checksum," \
	"  'microseconds', (pg_catalog.date_part('epoch', duration) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8)" \
	"  ORDER BY id) FILTER (WHERE statement IS NULL), '[]') AS report, pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS any" \
	" FROM rdsinit.history WHERE id OPERATOR(pg_catalog.>) $1::pg_catalog.int8"

static bool take(const json_t *report, Outcome *outcome, Error *error);

bool
report_take(const PGresult *result, Outcome *outcome, Error *error)
{
	json_t *report = NULL;
	bool ok;

	if (PQntuples(result) == 1 && PQfnumber(result, "report") >= 0)
		report = json_loads(query_field(result, 0, "report"), 0, NULL);
	if (!json_is_array(report))
		ok = error_set(error, ERROR_INTERNAL, "rdsinit.deploy gave no report");
	else
		ok = take(report, outcome, error);
	json_decref(report);
	return ok;
}

bool
report_last_row(const Session *session, int64_t *id, Error *error)
{
	PGresult *result = NULL;
	bool ok = query_run(session, LAST_QUERY, &result, error);

	if (ok)
		*id = strtoll(query_field(result, 0, "last"), NULL, 10);
	PQclear(result);
	return ok;
}

/* There is an error already: where nothing can be found out, nothing is said. */
void
report_committed(const Session *session, int64_t last, Outcome *outcome)
{
	Deadline soon;
	Session still = query_still(session, &soon);
	char number[24];
	Parameter parameter = {number, 0};
	PGresult *result = NULL;
	Error ignored = ERROR_NONE;

	snprintf(number, sizeof(number), "%" PRId64, last);
	if (query_run_parameters(&still, COMMITTED_QUERY, 1, &parameter, &result, &ignored) &&
		report_take(result, outcome, &ignored))
		outcome->is_partial = query_field_is_true(result, 0, "any");
	PQclear(result);
	error_free(&ignored);
}

static bool
take(const json_t *report, Outcome *outcome, Error *error)
{
	size_t i;
	json_t *entry;

	json_array_foreach(report, i, entry)
	{
		ScriptOutcome script = {0};

		script.name = (char *) json_string_value(json_object_get(entry, "name"));
		script.outcome = (char *) json_string_value(json_object_get(entry, "outcome"));
		script.checksum = (char *) json_string_value(json_object_get(entry, "checksum"));
		script.statements = json_integer_value(json_object_get(entry, "statements"));
		script.rows = json_integer_value(json_object_get(entry, "rows"));
		script.duration = json_integer_value(json_object_get(entry, "microseconds"));
		outcome->retries += (int) json_integer_value(json_object_get(entry, "retries"));
		if (script.name == NULL || script.outcome == NULL)
			return error_set(error, ERROR_INTERNAL, "the report of rdsinit.deploy is not understood");
		if (!outcome_add(outcome, &script, error))
			return false;
	}
	return true;
}

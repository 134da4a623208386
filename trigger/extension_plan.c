/*-------------------------------------------------------------------------
 *
 * extension_plan.c
 *	  A bundle planned by the extension: run, and rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "extension_plan.h"

#include <string.h>

#include "extension.h"

#define ARGUMENTS "($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.jsonb)"

#define STEPS_QUERY \
	"SELECT coalesce(pg_catalog.json_agg(p), '[]') AS plan FROM rdsinit.plan_bundle" ARGUMENTS " AS p"
#define TEXT_QUERY \
	"SELECT rdsinit.plan_bundle_text" ARGUMENTS " AS plan"

static bool run(const Session *session, const Bundle *bundle, const Request *request, PGresult **result, Error *error);

bool
extension_plan(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	PGresult *result = NULL;
	bool ok = run(session, bundle, request, &result, error);

	query_rollback(session);
	if (ok)
	{
		outcome->plan = strdup(query_field(result, 0, "plan"));
		ok = outcome->plan != NULL || error_out_of_memory(error);
	}
	PQclear(result);
	return ok;
}

/*
 * In a transaction of its own, although the extension rolls back what it has
 * run: a baseline, which the scripts' plan depends on, must not stay either.
 */
static bool
run(const Session *session, const Bundle *bundle, const Request *request, PGresult **result, Error *error)
{
	bool needs_baseline = extension_needs_baseline(session, request);

	return bundle_check_encoding(bundle, error) &&
		   query_begin(session, error) &&
		   (!needs_baseline || extension_baseline(session, request, error)) &&
		   extension_call(session, request->plan == PLAN_TEXT ? TEXT_QUERY : STEPS_QUERY, bundle, request, result, error);
}

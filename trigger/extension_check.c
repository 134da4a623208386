/*-------------------------------------------------------------------------
 *
 * extension_check.c
 *	  May this role call the database's extension, and should it?
 *
 *-------------------------------------------------------------------------
 */
#include "extension_check.h"

#include "plain_history.h"

#define TRUSTED LEDGER_OWNER_IS_TRUSTED("e.extowner")

/* Only a routine that is the extension's counts, whoever else made one. */
#define CHECK_QUERY \
	"SELECT pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE')" \
	" AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AS allowed, current_user AS role," \
	" pg_catalog.pg_get_userbyid(e.extowner) AS owner," \
	" " TRUSTED " AS trusted" \
	" FROM pg_catalog.pg_extension AS e" \
	" JOIN pg_catalog.pg_roles AS me ON me.rolname OPERATOR(pg_catalog.=) current_user" \
	" JOIN pg_catalog.pg_depend AS d ON d.refobjid OPERATOR(pg_catalog.=) e.oid" \
	"  AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass" \
	"  AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass" \
	"  AND d.deptype OPERATOR(pg_catalog.=) 'e'" \
	" JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) d.objid" \
	" WHERE e.extname OPERATOR(pg_catalog.=) 'rdsinit'" \
	"  AND p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure($1)::pg_catalog.oid"

/*
 * Of an extension that this role has just created nothing else is open: it is the
 * owner.  The whole query takes the server nearly as long as the example's scripts do.
 */
#define OWN_QUERY \
	"SELECT pg_catalog.has_function_privilege(pg_catalog.to_regprocedure($1)::pg_catalog.oid, 'EXECUTE')" \
	" AS allowed"

/* Types are named in full where they are looked up, whatever "text" means on the search_path. */
#define BUNDLE(schema) schema "text[]," schema "text[]," schema "jsonb"
#define DEPLOY(schema) "rdsinit.deploy(" BUNDLE(schema) "," schema "jsonb)"
#define PLAN(schema) "rdsinit.plan_bundle(" BUNDLE(schema) ")"
#define PLAN_TEXT(schema) "rdsinit.plan_bundle_text(" BUNDLE(schema) ")"

typedef struct RoutineNames
{
	const char *kind;
	const char *shown;
	const char *looked_up;
} RoutineNames;

static const RoutineNames routines[] = {
	[ROUTINE_DEPLOY] = {"PROCEDURE", DEPLOY(""), DEPLOY("pg_catalog.")},
	[ROUTINE_PLAN] = {"FUNCTION", PLAN(""), PLAN("pg_catalog.")},
	[ROUTINE_PLAN_TEXT] = {"FUNCTION", PLAN_TEXT(""), PLAN_TEXT("pg_catalog.")},
};

static bool ask(const Session *session, const char *query, const RoutineNames *routine, PGresult **result, Error *error);
static bool judge(const PGresult *result, const RoutineNames *routine, Error *error);

bool
extension_check(const Session *session, Routine routine, bool is_own, Error *error)
{
	const RoutineNames *names = &routines[routine];
	PGresult *result = NULL;
	bool ok;

	if (is_own)
	{
		bool may_call;

		ok = ask(session, OWN_QUERY, names, &result, error);
		may_call = ok && query_field_is_true(result, 0, "allowed");
		PQclear(result);
		if (!ok || may_call)
			return ok;
		result = NULL;
	}
	ok = ask(session, CHECK_QUERY, names, &result, error) && judge(result, names, error);
	PQclear(result);
	return ok;
}

static bool
ask(const Session *session, const char *query, const RoutineNames *routine, PGresult **result, Error *error)
{
	Parameter parameter = {routine->looked_up, 0};

	return query_run_parameters(session, query, 1, &parameter, result, error);
}

static bool
judge(const PGresult *result, const RoutineNames *routine, Error *error)
{
	if (PQntuples(result) == 0)
	{
		error_set(error, ERROR_DATABASE, "the database's extension rdsinit does not have what this program calls");
		error_hint(error, "Run ALTER EXTENSION rdsinit UPDATE, with version " RDSINIT_VERSION " of it installed on the server.");
		return false;
	}
	if (!query_field_is_true(result, 0, "trusted"))
	{
		error_set(error, ERROR_DATABASE, "the extension rdsinit belongs to role \"%s\", who has not this role's rights",
				  query_field(result, 0, "owner"));
		error_sqlstate(error, "42501");
		error_hint(error, "That role may drop it at any time, and put functions of its own into its place, which would run with this"
						  " role's rights. Drop it, which loses its history, and create it as role \"%s\"; or let that role deploy.",
				   query_field(result, 0, "role"));
		return false;
	}
	if (!query_field_is_true(result, 0, "allowed"))
	{
		error_set(error, ERROR_DATABASE, "role \"%s\" may not use the extension rdsinit", query_field(result, 0, "role"));
		error_sqlstate(error, "42501");
		error_hint(error, "As the database's owner, run: GRANT EXECUTE ON %s %s TO \"%s\";",
				   routine->kind, routine->shown, query_field(result, 0, "role"));
		return false;
	}
	return true;
}

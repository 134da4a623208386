/*-------------------------------------------------------------------------
 *
 * plain_proof.c
 *	  A proof that tables and columns, which a script would drop, are empty.
 *
 * As the extension's guard: a table is looked at until a row is found, but never
 * at more than so many pages; what could not be proved empty counts as full.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 8 MiB, of a table that seems to be empty. */
#define MOST_PAGES "1000"

/* No row where somebody else has dropped it meanwhile.  A generated value can be generated again. */
#define GENERATED "a.attgenerated OPERATOR(pg_catalog.<>) ''"
#define NAME_QUERY(generated) \
	"SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'" \
	" OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname) AS name," \
	" pg_catalog.quote_ident(a.attname) AS column_name, a.attname AS plain_column_name," \
	" CASE WHEN $2::pg_catalog.int2 OPERATOR(pg_catalog.=) 0 THEN false" \
	"  ELSE coalesce(a.attisdropped OR " generated ", true) END AS nothing" \
	" FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	" LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid" \
	"  AND a.attnum OPERATOR(pg_catalog.=) $2::pg_catalog.int2" \
	" WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"

static bool find(const Session *session, const Suspect *suspect, PGresult **found, Error *error);
static bool run(const Session *session, const Suspect *suspect, const PGresult *found, char *sql, PGresult **result, Error *error);
static bool look(const Session *session, const Suspect *suspect, const PGresult *found, Error *error);
static bool refuse(const Suspect *suspect, const PGresult *found, bool is_known, Error *error);

bool
proof_lock(const Session *session, const Suspect *suspects, size_t count, Error *error)
{
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < count; i++)
	{
		PGresult *found = NULL;
		char *sql = NULL;

		ok = find(session, &suspects[i], &found, error);
		if (ok && PQntuples(found) > 0)
		{
			if (asprintf(&sql, "LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE", query_field(found, 0, "name")) < 0)
				sql = NULL;
			ok = run(session, &suspects[i], found, sql, NULL, error);
		}
		PQclear(found);
	}
	return ok;
}

bool
proof_look(const Session *session, const Suspect *suspects, size_t count, Error *error)
{
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < count; i++)
	{
		PGresult *found = NULL;

		ok = find(session, &suspects[i], &found, error) &&
			 (PQntuples(found) == 0 || query_field_is_true(found, 0, "nothing") || look(session, &suspects[i], found, error));
		PQclear(found);
	}
	return ok;
}

static bool
find(const Session *session, const Suspect *suspect, PGresult **found, Error *error)
{
	char relation[16];
	char column[16];
	Parameter parameters[2] = {{relation, 0}, {column, 0}};

	snprintf(relation, sizeof(relation), "%u", suspect->relation);
	snprintf(column, sizeof(column), "%d", suspect->column);
	return query_run_parameters(session, PQserverVersion(session->connection) >= 120000 ? NAME_QUERY(GENERATED) : NAME_QUERY("false"),
								2, parameters, found, error);
}

/* Frees the command.  Who may not look at a table does not learn that it is empty. */
static bool
run(const Session *session, const Suspect *suspect, const PGresult *found, char *sql, PGresult **result, Error *error)
{
	bool ok = sql != NULL ? query_run(session, sql, result, error) : error_out_of_memory(error);

	free(sql);
	if (!ok && error_has_sqlstate(error, "42501"))
	{
		char *reason = strdup(error->message != NULL ? error->message : "");

		refuse(suspect, found, false, error);
		error_detail(error, reason);
		free(reason);
	}
	return ok;
}

/* Row security would hide rows: turned off, it is an error instead. */
static bool
look(const Session *session, const Suspect *suspect, const PGresult *found, Error *error)
{
	const char *name = query_field(found, 0, "name");
	const char *column = query_field(found, 0, "column_name");
	PGresult *result = NULL;
	char *sql = NULL;
	bool ok;

	if (asprintf(&sql, "SET LOCAL row_security = off;"
					   " SELECT EXISTS (SELECT FROM ONLY %s WHERE ctid < '(" MOST_PAGES ",0)'%s%s%s) AS has,"
					   " pg_relation_size(%u) > " MOST_PAGES " * current_setting('block_size')::int8 AS more",
				 name, suspect->column > 0 ? " AND " : "", suspect->column > 0 ? column : "",
				 suspect->column > 0 ? " IS DISTINCT FROM NULL" : "", suspect->relation) < 0)
		sql = NULL;
	ok = run(session, suspect, found, sql, &result, error);
	if (ok && query_field_is_true(result, 0, "has"))
		ok = refuse(suspect, found, true, error);
	else if (ok && query_field_is_true(result, 0, "more"))
		ok = refuse(suspect, found, false, error);
	PQclear(result);
	return ok;
}

/* In the extension's words. */
static bool
refuse(const Suspect *suspect, const PGresult *found, bool is_known, Error *error)
{
	const Error *place = &suspect->place;
	const char *who = place->line > 0 ? "this statement" : "this script";
	bool is_column = suspect->column > 0;
	char *what = NULL;

	if (asprintf(&what, is_column ? "column \"%2$s\" of table %1$s" : "table %1$s", query_field(found, 0, "name"),
				 query_field(found, 0, "plain_column_name")) < 0)
		return error_out_of_memory(error);
	if (is_known)
		error_set(error, ERROR_SCRIPT, "%s has %s, and %s would %s it", what, is_column ? "values" : "rows", who, suspect->verb);
	else
		error_set(error, ERROR_SCRIPT, "could not prove that %s is empty, which %s would %s", what, who, suspect->verb);
	error_sqlstate(error, "55000");
	error_hint(error, HINT_ALLOW_DATA_LOSS);
	if (place->file != NULL)
		error_place(error, place->file, place->line, place->column, place->statement);
	free(what);
	return false;
}

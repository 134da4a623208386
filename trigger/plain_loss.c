/*-------------------------------------------------------------------------
 *
 * plain_loss.c
 *	  What allow_data_loss has let go in plain mode, for the history.
 *
 * As for the guard, what a transaction has dropped or emptied is what it holds
 * locked in ACCESS EXCLUSIVE mode, compared with a list made at its start; what the
 * transaction itself has made is not in it.  The rows are those that the server
 * reckons with: when it is known what is lost, it can no longer be counted.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_loss.h"

#include <stdlib.h>
#include <string.h>

/* Temporary tables are nobody else's, and the server's own are not to be dropped. */
#define BEFORE_QUERY \
	"SELECT coalesce(json_agg(json_build_object('oid', c.oid::int8, 'file', c.relfilenode::int8," \
	"  'name', quote_ident(n.nspname) || '.' || quote_ident(c.relname)," \
	"  'rows', nullif(greatest(c.reltuples::int8, pg_stat_get_live_tuples(c.oid), 0), 0)," \
	"  'columns', (SELECT coalesce(json_object_agg(a.attnum, a.attname), '{}') FROM pg_attribute AS a" \
	"   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)))::text, '[]') AS tables" \
	" FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace" \
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384"

/* A rewrite gives a table another file as well, but not an empty one. */
#define AFTER_QUERY \
	"WITH held AS (SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'" \
	"  AND mode = 'AccessExclusiveLock' AND granted" \
	"  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))," \
	" looked AS (SELECT t.*, held.relation IS NOT NULL AS is_held," \
	"   held.relation IS NOT NULL AND c.oid IS NULL AS gone," \
	"   held.relation IS NOT NULL AND c.relfilenode::int8 <> t.file AND pg_relation_size(c.oid) = 0 AS emptied," \
	"   CASE WHEN held.relation IS NOT NULL THEN coalesce(c.relfilenode::int8, t.file) ELSE t.file END AS new_file" \
	"  FROM json_to_recordset($1::json) AS t(oid int8, file int8, name text, rows int8, columns jsonb)" \
	"  LEFT JOIN held ON held.relation::int8 = t.oid LEFT JOIN pg_class AS c ON c.oid = held.relation)," \
	" columns AS (SELECT l.oid, l.name, l.rows, k.key, k.value FROM looked AS l CROSS JOIN jsonb_each_text(l.columns) AS k" \
	"  WHERE l.is_held AND NOT l.gone AND EXISTS (SELECT FROM pg_attribute AS a" \
	"   WHERE a.attrelid = l.oid::oid AND a.attnum = k.key::int2 AND a.attisdropped))," \
	" lost AS (SELECT name, NULL AS column_name, rows FROM looked WHERE gone OR emptied" \
	"  UNION ALL SELECT name, value, rows FROM columns)" \
	" SELECT (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('table', name, 'column', column_name, 'rows', rows))" \
	"   ORDER BY name, column_name) FROM lost) AS lost," \
	"  (SELECT coalesce(json_agg(json_build_object('oid', oid, 'file', new_file, 'name', name," \
	"    'rows', CASE WHEN emptied THEN NULL ELSE rows END," \
	"    'columns', columns - ARRAY(SELECT k.key FROM columns AS k WHERE k.oid = looked.oid)))::text, '[]')" \
	"   FROM looked WHERE NOT gone) AS tables"

static bool keep(Losses *losses, const PGresult *result, Error *error);

bool
loss_begin(Losses *losses, const Session *session, Error *error)
{
	PGresult *result = NULL;
	bool ok = query_run(session, BEFORE_QUERY, &result, error) && keep(losses, result, error);

	PQclear(result);
	return ok;
}

bool
loss_take(Losses *losses, const Session *session, char **lost, Error *error)
{
	Parameter parameter = {losses->tables, 0};
	PGresult *result = NULL;
	bool ok;

	*lost = NULL;
	if (losses->tables == NULL)
		return true;
	ok = query_run_parameters(session, AFTER_QUERY, 1, &parameter, &result, error) && keep(losses, result, error);
	if (ok && query_field(result, 0, "lost")[0] != '\0')
	{
		*lost = strdup(query_field(result, 0, "lost"));
		ok = *lost != NULL || error_out_of_memory(error);
	}
	PQclear(result);
	return ok;
}

void
loss_end(Losses *losses)
{
	free(losses->tables);
	losses->tables = NULL;
}

static bool
keep(Losses *losses, const PGresult *result, Error *error)
{
	loss_end(losses);
	losses->tables = strdup(query_field(result, 0, "tables"));
	return losses->tables != NULL || error_out_of_memory(error);
}

/*-------------------------------------------------------------------------
 *
 * rights.c
 *	  What others have been given in the extension's schema while it was installed.
 *
 * Whoever may create there could make functions that others take for ours.
 * Default privileges and event triggers, which may be older than the thought of
 * installing this, give such rights without a word.
 *
 * The install script creates the function, calls it, and drops it again.  In C, it
 * needs no PL/pgSQL: a database may have none, and where it has, loading it would take
 * as long as a sixth of CREATE EXTENSION does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_default_acl.h"
#include "catalog/pg_event_trigger.h"
#include "executor/spi.h"

#include "compat.h"
#include "definition.h"

/*
 * A REVOKE for each object and each role that has any right; functions' for PUBLIC,
 * too, as the script grants those anew.  The script's search_path is pg_catalog.
 */
static const char given[] =
	"SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', o.kind, o.name,"
	" CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)"
	" FROM (SELECT 'SCHEMA', n.nspname::pg_catalog.text, n.nspowner, n.nspacl"
	" FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'rdsinit'"
	" UNION ALL"
	" SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::pg_catalog.regclass::pg_catalog.text,"
	" c.relowner, c.relacl"
	" FROM pg_catalog.pg_class AS c"
	" WHERE c.relnamespace = 'rdsinit'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v', 'S')"
	" UNION ALL"
	" SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::pg_catalog.text, p.proowner, p.proacl"
	" FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'rdsinit'::pg_catalog.regnamespace"
	" UNION ALL"
	" SELECT 'TYPE', t.oid::pg_catalog.regtype::pg_catalog.text, t.typowner, t.typacl"
	" FROM pg_catalog.pg_type AS t WHERE t.typnamespace = 'rdsinit'::pg_catalog.regnamespace"
	") AS o (kind, name, owner, privileges)"
	" CROSS JOIN LATERAL pg_catalog.aclexplode(o.privileges) AS a"
	" WHERE a.grantee <> o.owner AND NOT (o.kind IN ('SCHEMA', 'TYPE') AND a.grantee = 0)";

static void run(const char *query, int expected);

RDS_SQL_FUNCTION(rdsinit_take_back_rights);

/*
 * rdsinit.take_back_rights() returns void
 *
 * Usually nobody has been given any, and then nothing more is looked at.
 */
Datum
rdsinit_take_back_rights(PG_FUNCTION_ARGS)
{
	SPITupleTable *commands;
	uint64 count;

	if (rds_catalog_is_empty(DefaultAclRelationId) && rds_catalog_is_empty(EventTriggerRelationId))
		PG_RETURN_VOID();

	SPI_connect();
	run(given, SPI_OK_SELECT);
	commands = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		run(SPI_getvalue(commands->vals[i], commands->tupdesc, 1), SPI_OK_UTILITY);
	SPI_finish();
	PG_RETURN_VOID();
}

static void
run(const char *query, int expected)
{
	int result = SPI_execute(query, false, 0);

	if (result != expected)
		elog(ERROR, "could not take back rights by \"%s\": %s", query, SPI_result_code_string(result));
}

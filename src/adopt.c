/*-------------------------------------------------------------------------
 *
 * adopt.c
 *	  The history of another tool, taken over: what that has applied is not
 *	  applied again.
 *
 * The tool is told by the columns of its table, which is read with the caller's
 * rights.  Nothing is known of the bodies that it has applied: whatever the
 * bundle has for such a version is taken for it.  The fallback's own table has
 * our columns, and is copied as it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "adopt.h"
#include "history.h"
#include "keep.h"
#include "trust.h"
#include "turn.h"

/*
 * A tool: the columns that tell its table, and the query of what it has
 * applied, as version, name, outcome and what of our own rows; %s is the table.
 * A row of which "failed" is true is in the way.
 */
typedef struct Tool
{
	const char *name;
	const char *columns[6];
	const char *query;
} Tool;

#define FALLBACK "rdsinit's fallback"
#define OWN_COLUMNS \
	"statement::pg_catalog.int4, checksum, statements::pg_catalog.int8, rows::pg_catalog.int8," \
	" (pg_catalog.date_part('epoch', duration) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8, undo_name, undo, false"
#define OWN_QUERY(lost) "SELECT version, name, outcome, " OWN_COLUMNS ", " lost " FROM %s ORDER BY id"
#define NO_COLUMNS "NULL::pg_catalog.int4, NULL::pg_catalog.text, 0::pg_catalog.int8, 0::pg_catalog.int8, 0::pg_catalog.int8," \
				   " NULL::pg_catalog.text, NULL::pg_catalog.text"

/* diesel leaves the hyphens out: 2026-01-01-120000-0001 is 202601011200000001. */
#define DIESEL_VERSION \
	"CASE WHEN pg_catalog.length(version::pg_catalog.text) > 14" \
	" THEN pg_catalog.concat_ws('-', pg_catalog.substr(version::pg_catalog.text, 1, 4), pg_catalog.substr(version::pg_catalog.text, 5, 2)," \
	" pg_catalog.substr(version::pg_catalog.text, 7, 2), pg_catalog.substr(version::pg_catalog.text, 9, 6), pg_catalog.substr(version::pg_catalog.text, 15)) ELSE version::pg_catalog.text END"

static const Tool tools[] = {
	{FALLBACK,
	 {"rdsinit_version", "applied_by", "undo_name", "statement", "lost"},
	 OWN_QUERY("lost::pg_catalog.text")},
	/* as it was before it had that column */
	{FALLBACK,
	 {"rdsinit_version", "applied_by", "undo_name", "statement"},
	 OWN_QUERY("NULL::pg_catalog.text")},
	{"Flyway",
	 {"installed_rank", "version", "script", "success", "type"},
	 "SELECT version, script, CASE WHEN type::pg_catalog.text ~ 'BASELINE' THEN 'baseline' ELSE 'adopted' END, " NO_COLUMNS
	 ", NOT success FROM %s AS f WHERE version IS NOT NULL AND NOT type::pg_catalog.text ~ '^UNDO'"
	 " AND NOT EXISTS (SELECT FROM %s AS u WHERE u.version = f.version AND u.type::pg_catalog.text ~ '^UNDO'"
	 " AND u.installed_rank > f.installed_rank) ORDER BY installed_rank"},
	{"golang-migrate",
	 {"version", "dirty"},
	 "SELECT version::pg_catalog.text, version::pg_catalog.text, 'baseline', " NO_COLUMNS ", dirty FROM %s"},
	{"goose",
	 {"version_id", "is_applied", "tstamp"},
	 "SELECT version_id::pg_catalog.text, version_id::pg_catalog.text, 'adopted', " NO_COLUMNS ", false"
	 " FROM (SELECT DISTINCT ON (version_id) version_id, is_applied FROM %s ORDER BY version_id, id DESC) AS g"
	 " WHERE is_applied AND version_id <> 0 ORDER BY version_id"},
	{"prisma",
	 {"migration_name", "finished_at", "rolled_back_at", "applied_steps_count"},
	 "SELECT pg_catalog.substring(migration_name, '^[0-9]+'), migration_name || '/migration.sql', 'adopted', " NO_COLUMNS
	 ", finished_at IS NULL FROM %s WHERE rolled_back_at IS NULL ORDER BY started_at"},
	/* of 2026-01-01-120000-0002 it has the digits alone */
	{"diesel",
	 {"version", "run_on"},
	 "SELECT " DIESEL_VERSION ", version::pg_catalog.text, 'adopted', " NO_COLUMNS ", false FROM %s ORDER BY 2"},
	{"dbmate",
	 {"version"},
	 "SELECT version::pg_catalog.text, version::pg_catalog.text, 'adopted', " NO_COLUMNS ", false FROM %s ORDER BY version"},
};

static void check_table(Oid table);
static const Tool *recognize(Oid table);
static bool has_columns(Oid table, const Tool *tool);
static void take_rows(const Tool *tool, Oid table, const char *name, const RdsLedger *ledger, RdsFiles *files);
static void check_plan(SPIPlanPtr plan, Oid table);
static void take_row(const Tool *tool, bool with_undo, HeapTuple tuple, TupleDesc descriptor, const RdsLedger *ledger, RdsFiles *files);
static char *field(HeapTuple tuple, TupleDesc descriptor, int column);
static int64 number(HeapTuple tuple, TupleDesc descriptor, int column);
static void refuse_second(const RdsLedger *ledger);
static bool is_fallback(Oid table);

/*
 * rds_adopt
 *		Takes over the history that another tool has in a table.
 *
 * Raises an error for a table of no tool that is known, for a migration that
 * failed in it, and where our history has versions already.
 */
void
rds_adopt(Oid table, RdsFiles *files)
{
	/* another role's table may have policies, or be a view by now: what they call is not run */
	static const char *const settings[][2] = {{"search_path", "pg_catalog, pg_temp"},
											  {"row_security", "off"},
											  {"restrict_nonsystem_relation_kind", "view, foreign-table"}};
	const Tool *tool;
	char *name;
	RdsLedger *ledger;
	int nest_level;

	rds_turn_take(files->options);
	LockRelationOid(table, AccessShareLock);
	check_table(table);
	tool = recognize(table);
	name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
	ledger = rds_history_open_to_write();
	rds_history_check_snapshot(ledger);
	refuse_second(ledger);

	nest_level = NewGUCNestLevel();
	for (int i = 0; i < lengthof(settings); i++)
	{
		/* the last one came with a minor release */
		if (GetConfigOption(settings[i][0], true, false) != NULL)
			(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	SPI_connect();
	take_rows(tool, table, name, ledger, files);
	if (is_fallback(table) &&
		SPI_execute("ALTER TABLE rdsinit_plain.history RENAME TO history_adopted", false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not rename the fallback's history");
	SPI_finish();
	AtEOXact_GUC(false, nest_level);
	rds_history_close(ledger);
	rds_keep_first();
}

/*
 * The table can be anybody's, and who calls can be a superuser: to read it must
 * not run what its owner has written.  A view's functions would be, and casts
 * from a type of his own.
 */
static void
check_table(Oid table)
{
	Relation relation = try_relation_open(table, NoLock);
	TupleDesc descriptor;

	if (relation == NULL || relation->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", relation != NULL ? RelationGetRelationName(relation) : "")));
	descriptor = RelationGetDescr(relation);
	for (int i = 0; i < descriptor->natts; i++)
	{
		const Form_pg_attribute column = TupleDescAttr(descriptor, i);

		if (!column->attisdropped && column->atttypid >= FirstNormalObjectId)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("column \"%s\" of table \"%s\" has type %s, which is not one of the server's own",
							NameStr(column->attname), RelationGetRelationName(relation), format_type_be(column->atttypid)),
					 errhint("No tool that is known here makes such a table. Say with rdsinit.baseline which version the database has.")));
	}
	relation_close(relation, NoLock);

	if (is_fallback(table) && !rds_trust_owner_of_history(table))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("table \"%s\" belongs to role \"%s\", who is neither you, nor the database's owner, nor a superuser",
						get_rel_name(table), rds_owner_name(table)),
				 errdetail("Anybody who may create a schema could have made it, and said there what was applied."),
				 errhint("Find out who made it; then drop it, or give it to the database's owner.")));
}

static const Tool *
recognize(Oid table)
{
	for (int i = 0; i < lengthof(tools); i++)
	{
		if (has_columns(table, &tools[i]))
			return &tools[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("table \"%s\" is no history of a tool that is known here", get_rel_name(table)),
			 errdetail("Known are those of Flyway, golang-migrate, dbmate, goose, diesel and prisma, and of rdsinit's own fallback."),
			 errhint("Say with rdsinit.baseline which version the database has.")));
}

static bool
has_columns(Oid table, const Tool *tool)
{
	for (int i = 0; i < lengthof(tool->columns) && tool->columns[i] != NULL; i++)
	{
		if (get_attnum(table, tool->columns[i]) == InvalidAttrNumber)
			return false;
	}
	return true;
}

/* What was applied here, and there before, could not be told apart. */
static void
refuse_second(const RdsLedger *ledger)
{
	ListCell *cell;

	foreach(cell, rds_history_versions(ledger, false))
	{
		const RdsLedgerVersion *there = lfirst(cell);

		if (there->applied || there->is_baseline)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the history has versions already"),
					 errdetail("Its script \"%s\" has version %s.", there->name, there->version),
					 errhint("Take over another tool's history before anything else is applied.")));
	}
}

static void
take_rows(const Tool *tool, Oid table, const char *name, const RdsLedger *ledger, RdsFiles *files)
{
	/* they would be run with the rights of whoever calls rdsinit.undo */
	bool with_undo = rds_trust_owner_with_rights(table);
	SPIPlanPtr plan = SPI_prepare(psprintf(tool->query, name, name), 0, NULL);

	if (plan == NULL)
		elog(ERROR, "could not prepare to read the history of %s", tool->name);
	check_plan(plan, table);
	if (SPI_execute_plan(plan, NULL, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the history of %s", tool->name);
	for (uint64 i = 0; i < SPI_processed; i++)
		take_row(tool, with_undo, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, ledger, files);
	if (!with_undo && is_fallback(table))
		ereport(NOTICE,
				(errmsg("the scripts that take versions back are not taken over"),
				 errdetail("Table \"%s\" belongs to role \"%s\", who has less rights than you.", get_rel_name(table), rds_owner_name(table))));
}

/* The name could lead to another table by now, since nobody can lock a schema's name. */
static void
check_plan(SPIPlanPtr plan, Oid table)
{
	ListCell *cell;

	foreach(cell, SPI_plan_get_plan_sources(plan))
	{
		ListCell *relation;

		foreach(relation, ((const CachedPlanSource *) lfirst(cell))->relationOids)
		{
			if (lfirst_oid(relation) != table)
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_IN_USE),
						 errmsg("the table was replaced by another one meanwhile")));
		}
	}
}

static void
take_row(const Tool *tool, bool with_undo, HeapTuple tuple, TupleDesc descriptor, const RdsLedger *ledger, RdsFiles *files)
{
	char *failed = field(tuple, descriptor, 11);
	char *version = field(tuple, descriptor, 1);
	MemoryContext oldcontext = MemoryContextSwitchTo(files->context);
	RdsScript *script = palloc0(sizeof(RdsScript));
	RdsRow row = {0};

	row.name = field(tuple, descriptor, 2);
	row.outcome = field(tuple, descriptor, 3);
	if (row.name == NULL || row.outcome == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the history of %s has a row without a name or an outcome", tool->name)));
	if (version != NULL && strcmp(tool->name, FALLBACK) != 0)
	{
		if (!rds_version_is_valid(version))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("%s has a migration of version \"%s\", which is not of numbers", tool->name, version)));
		script->version = palloc(strlen(version) + 1);
		rds_version_canonical(version, strlen(version), script->version);
	}
	else
		script->version = version != NULL ? pstrdup(version) : NULL;
	if (failed != NULL && failed[0] == 't')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the migration \"%s\" of %s did not succeed", row.name, tool->name),
				 errhint("Repair that first, by the tool's own means.")));

	row.version = script->version;
	row.statement = (int) number(tuple, descriptor, 4);
	row.checksum = field(tuple, descriptor, 5);
	row.statements = number(tuple, descriptor, 6);
	row.rows = number(tuple, descriptor, 7);
	row.duration = number(tuple, descriptor, 8);
	row.undo_name = with_undo ? field(tuple, descriptor, 9) : NULL;
	row.undo = with_undo ? field(tuple, descriptor, 10) : NULL;
	/* the fallback's alone */
	row.lost = descriptor->natts > 11 ? field(tuple, descriptor, 12) : NULL;
	if (strcmp(row.outcome, RDS_OUTCOME_BASELINE) == 0)
		row.name = RDS_BASELINE_NAME;
	rds_history_insert(ledger, &row);

	if (row.statement == 0)
	{
		script->name = row.name;
		script->outcome = row.outcome;
		script->statements = row.statements;
		script->rows = row.rows;
		script->duration = row.duration;
		if (row.checksum != NULL)
			strlcpy(script->checksum, row.checksum, sizeof(script->checksum));
		files->ordered = lappend(files->ordered, script);
	}
	MemoryContextSwitchTo(oldcontext);
}

/* In the current memory context; NULL for null. */
static char *
field(HeapTuple tuple, TupleDesc descriptor, int column)
{
	return SPI_getvalue(tuple, descriptor, column);
}

static int64
number(HeapTuple tuple, TupleDesc descriptor, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(tuple, descriptor, column, &isnull);

	if (isnull)
		return 0;
	return SPI_gettypeid(descriptor, column) == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

static bool
is_fallback(Oid table)
{
	Oid schema = get_namespace_oid("rdsinit_plain", true);

	return OidIsValid(schema) && get_relname_relid("history", schema) == table;
}

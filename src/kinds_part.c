/*-------------------------------------------------------------------------
 *
 * kinds_part.c
 *	  How what belongs to a relation or a domain is read from the catalog:
 *	  constraints, triggers, policies, rules, statistics.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "rewrite/rewriteSupport.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"
#include "kinds.h"
#include "kinds_relation.h"

#define JOIN_RELATION(relation) " JOIN pg_class AS c ON c.oid = " relation " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
#define NAME_ON(name) "concat(quote_ident(" name "), ' on ', quote_ident(n.nspname), '.', quote_ident(c.relname))"
#define ON_RELATION RDS_OWN " AND c.relpersistence <> 't'" RDS_NO_MEMBER(RelationRelationId, "c.oid")

static bool name_constraint(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool name_trigger(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool name_rule(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool name_on_relation(RdsObject *object, const char *name, Oid relation, Snapshot snapshot);
static bool name_on_type(RdsObject *object, const char *name, Oid type, Snapshot snapshot);
static void define_constraint(StringInfo out, HeapTuple row);
static void append_index(StringInfo out, Oid index);
static bool all_triggers_enabled(Oid constraint);
static void define_trigger(StringInfo out, HeapTuple row);
static void define_rule(StringInfo out, HeapTuple row);
static void append_enabled(StringInfo out, char enabled);

/* clang-format off */
const RdsObjectKind rds_kinds_of_parts[] = {
	{.catalog = ConstraintRelationId, .name = name_constraint, .define = define_constraint},
	{.catalog = TriggerRelationId, .name = name_trigger, .define = define_trigger},
	{.catalog = RewriteRelationId, .name = name_rule, .define = define_rule},

	{.catalog = PolicyRelationId,
	 .kind = "'policy'",
	 .identity = NAME_ON("x.polname"),
	 .definition = "'POLICY AS ', CASE WHEN x.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,"
	 " ' FOR ', CASE x.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,"
	 " ' TO ', (SELECT string_agg(r.name, ', ' ORDER BY r.name COLLATE \"C\")"
	 " FROM (SELECT CASE WHEN o = 0 THEN 'PUBLIC' ELSE " RDS_ROLE("o") " END AS name FROM unnest(x.polroles) AS o) AS r),"
	 " E'\\nUSING (' || pg_get_expr(x.polqual, x.polrelid) || ')', E'\\nWITH CHECK (' || pg_get_expr(x.polwithcheck, x.polrelid) || ')'",
	 .from = "pg_policy AS x" JOIN_RELATION("x.polrelid"),
	 .condition = ON_RELATION},

	{.catalog = StatisticExtRelationId,
	 .kind = "'statistics object'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.stxname"),
	 .definition = "pg_get_statisticsobjdef(x.oid), E'\\nSTATISTICS ' || nullif(x.stxstattarget, -1)",
	 .from = "pg_statistic_ext AS x JOIN pg_namespace AS n ON n.oid = x.stxnamespace",
	 .condition = RDS_OWN RDS_NOT_TEMPORARY RDS_NO_MEMBER(RelationRelationId, "x.stxrelid")},

	{0}};
/* clang-format on */

/* Those of partitions' foreign keys are parts of their parents'. */
static bool
name_constraint(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(row);

	if (constraint->oid < FirstNormalObjectId || constraint->contype == CONSTRAINT_TRIGGER ||
		(constraint->contype == CONSTRAINT_FOREIGN && OidIsValid(constraint->conparentid)))
		return false;
	object->kind = OidIsValid(constraint->contypid) ? "domain constraint" : "constraint";
	return OidIsValid(constraint->contypid)
			   ? name_on_type(object, NameStr(constraint->conname), constraint->contypid, snapshot)
			   : name_on_relation(object, NameStr(constraint->conname), constraint->conrelid, snapshot);
}

static bool
name_trigger(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(row);

	if (trigger->oid < FirstNormalObjectId || trigger->tgisinternal)
		return false;
	object->kind = "trigger";
	return name_on_relation(object, NameStr(trigger->tgname), trigger->tgrelid, snapshot);
}

/* What a view is is a rule, too. */
static bool
name_rule(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_rewrite rule = (Form_pg_rewrite) GETSTRUCT(row);

	if (rule->oid < FirstNormalObjectId || strcmp(NameStr(rule->rulename), ViewSelectRuleName) == 0)
		return false;
	object->kind = "rule";
	return name_on_relation(object, NameStr(rule->rulename), rule->ev_class, snapshot);
}

static bool
name_on_relation(RdsObject *object, const char *name, Oid relation, Snapshot snapshot)
{
	HeapTuple row;
	char *on = rds_relation_name(relation, snapshot, &row);

	if (on == NULL || ((Form_pg_class) GETSTRUCT(row))->relpersistence == RELPERSISTENCE_TEMP)
		return false;
	if (snapshot == NULL && rds_is_of_extension(RelationRelationId, relation))
		return false;
	object->identity = psprintf("%s on %s", quote_identifier(name), on);
	return true;
}

static bool
name_on_type(RdsObject *object, const char *name, Oid type, Snapshot snapshot)
{
	HeapTuple row = rds_catalog_row_of(TypeRelationId, type, snapshot);
	Form_pg_type form;
	char *on;

	if (!HeapTupleIsValid(row))
		return false;
	form = (Form_pg_type) GETSTRUCT(row);
	on = rds_qualified_name(form->typnamespace, NameStr(form->typname), snapshot);
	if (on == NULL || rds_is_temporary_schema(form->typnamespace, snapshot) ||
		(snapshot == NULL && rds_is_of_extension(TypeRelationId, type)))
		return false;
	object->identity = psprintf("%s on %s", quote_identifier(name), on);
	return true;
}

static void
define_constraint(StringInfo out, HeapTuple row)
{
	const Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(row);

	rds_append_constraint(out, row);
	if (constraint->contype == CONSTRAINT_FOREIGN)
	{
		if (!all_triggers_enabled(constraint->oid))
			appendStringInfoString(out, "\nNOT ALL TRIGGERS ENABLED");
	}
	else if (OidIsValid(constraint->conindid))
		append_index(out, constraint->conindid);
}

static void
append_index(StringInfo out, Oid index)
{
	rds_append_index_state(out, index);
	if (rds_may_have_settings(index))
	{
		HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(index));

		if (HeapTupleIsValid(row))
		{
			rds_append_reloptions(out, "\nWITH ", row);
			ReleaseSysCache(row);
		}
	}
	rds_append_comment(out, RelationRelationId, index);
}

static bool
all_triggers_enabled(Oid constraint)
{
	Relation catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	bool all = true;

	ScanKeyInit(&key, Anum_pg_trigger_tgconstraint, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(constraint));
	scan = systable_beginscan(catalog, TriggerConstraintIndexId, true, NULL, 1, &key);
	while (all && HeapTupleIsValid(row = systable_getnext(scan)))
		all = ((Form_pg_trigger) GETSTRUCT(row))->tgenabled == TRIGGER_FIRES_ON_ORIGIN;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return all;
}

static void
define_trigger(StringInfo out, HeapTuple row)
{
	const Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(row);

	rds_append_result(out, "", pg_get_triggerdef, ObjectIdGetDatum(trigger->oid), (Datum) 0, "");
	append_enabled(out, trigger->tgenabled);
}

static void
define_rule(StringInfo out, HeapTuple row)
{
	const Form_pg_rewrite rule = (Form_pg_rewrite) GETSTRUCT(row);

	rds_append_result(out, "", pg_get_ruledef, ObjectIdGetDatum(rule->oid), (Datum) 0, "");
	append_enabled(out, rule->ev_enabled);
}

/* Of a trigger, or of a rule. */
static void
append_enabled(StringInfo out, char enabled)
{
	if (enabled == TRIGGER_DISABLED)
		appendStringInfoString(out, "\nDISABLE");
	else if (enabled == TRIGGER_FIRES_ALWAYS)
		appendStringInfoString(out, "\nENABLE ALWAYS");
	else if (enabled == TRIGGER_FIRES_ON_REPLICA)
		appendStringInfoString(out, "\nENABLE REPLICA");
}

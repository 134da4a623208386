/*-------------------------------------------------------------------------
 *
 * kinds_relation.c
 *	  How tables, views, sequences and indexes are read from the catalog.
 *
 * An index that a constraint has made is a part of that constraint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_sequence.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"
#include "kinds.h"
#include "kinds_relation.h"

static bool name_relation(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool is_of_constraint(Oid index);
static void define_relation(StringInfo out, HeapTuple row);
static void define_table(StringInfo out, HeapTuple row);
static void append_method(StringInfo out, Oid method);
static void append_parents(StringInfo out, const char *before, Oid relation);
static void append_foreign(StringInfo out, Oid relation);
static void append_view(StringInfo out, HeapTuple row);
static bool has_own_names(const Query *query, TupleDesc columns);
static void append_row_security(StringInfo out, const Form_pg_class class);
static void append_storage(StringInfo out, HeapTuple row);
static void define_sequence(StringInfo out, HeapTuple row);
static void append_owning_column(StringInfo out, Oid sequence);
static void define_index(StringInfo out, HeapTuple row);

const RdsObjectKind rds_kinds_of_relations[] = {
	{.catalog = RelationRelationId, .name = name_relation, .define = define_relation},
	{0}};

static bool
name_relation(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);
	Oid member = class->oid;

	if (class->oid < FirstNormalObjectId || class->relpersistence == RELPERSISTENCE_TEMP)
		return false;
	switch (class->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			object->kind = "table";
			break;
		case RELKIND_FOREIGN_TABLE:
			object->kind = "foreign table";
			break;
		case RELKIND_VIEW:
			object->kind = "view";
			break;
		case RELKIND_MATVIEW:
			object->kind = "materialized view";
			break;
		case RELKIND_SEQUENCE:
			object->kind = "sequence";
			break;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			object->kind = "index";
			if (class->relnamespace == PG_TOAST_NAMESPACE)
				return false;
			if (snapshot == NULL)
			{
				if (is_of_constraint(class->oid))
					return false;
				member = IndexGetRelation(class->oid, true);
			}
			break;
		default:
			return false;
	}
	if (snapshot == NULL && rds_is_of_extension(RelationRelationId, member))
		return false;
	object->identity = rds_qualified_name(class->relnamespace, NameStr(class->relname), snapshot);
	return object->identity != NULL;
}

/* Only these can be: to look for the constraint takes time. */
static bool
is_of_constraint(Oid index)
{
	HeapTuple row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool may_be;

	if (!HeapTupleIsValid(row))
		return false;
	may_be = ((Form_pg_index) GETSTRUCT(row))->indisunique || ((Form_pg_index) GETSTRUCT(row))->indisexclusion;
	ReleaseSysCache(row);
	return may_be && OidIsValid(rds_constraint_of(index));
}

static void
define_relation(StringInfo out, HeapTuple row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);

	switch (class->relkind)
	{
		case RELKIND_SEQUENCE:
			define_sequence(out, row);
			break;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			define_index(out, row);
			break;
		default:
			define_table(out, row);
			break;
	}
}

/* A table, or what has columns as a table has. */
static void
define_table(StringInfo out, HeapTuple row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);
	bool is_foreign = class->relkind == RELKIND_FOREIGN_TABLE;
	bool is_view = class->relkind == RELKIND_VIEW || class->relkind == RELKIND_MATVIEW;

	if (class->relpersistence == RELPERSISTENCE_UNLOGGED)
		appendStringInfoString(out, "UNLOGGED ");
	appendStringInfoString(out, is_foreign ? "FOREIGN TABLE" : class->relkind == RELKIND_VIEW ? "VIEW"
														   : is_view                          ? "MATERIALIZED VIEW"
																							  : "TABLE");
	if (OidIsValid(class->reloftype))
		appendStringInfo(out, " OF %s", format_type_be(class->reloftype));
	appendStringInfoString(out, " (");
	rds_append_columns(out, class->oid);
	appendStringInfoString(out, "\n)");
	if (!is_view)
		append_parents(out, class->relispartition ? "\nPARTITION OF " : "\nINHERITS ", class->oid);
	if (class->relispartition)
	{
		bool isnull;
		Datum bound = SysCacheGetAttr(RELOID, row, Anum_pg_class_relpartbound, &isnull);

		if (!isnull)
			rds_append_result(out, " ", pg_get_expr, bound, ObjectIdGetDatum(class->oid), "");
	}
	if (class->relkind == RELKIND_PARTITIONED_TABLE)
		rds_append_result(out, "\nPARTITION BY ", pg_get_partkeydef, ObjectIdGetDatum(class->oid), (Datum) 0, "");
	if (OidIsValid(class->relam) && class->relam != HEAP_TABLE_AM_OID)
		append_method(out, class->relam);
	if (is_foreign)
		append_foreign(out, class->oid);
	append_storage(out, row);
	append_row_security(out, class);
	if (is_view)
		append_view(out, row);
}

/* Unless somebody else has just dropped it, with the table. */
static void
append_method(StringInfo out, Oid method)
{
	const char *name = get_am_name(method);

	if (name != NULL)
		appendStringInfo(out, "\nUSING %s", quote_identifier(name));
}

/* In the order in which they were named. */
static void
append_parents(StringInfo out, const char *before, Oid relation)
{
	Relation catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;

	if (!rds_may_have_parents(relation))
		return;
	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		HeapTuple parent;
		char *name = rds_relation_name(((Form_pg_inherits) GETSTRUCT(row))->inhparent, NULL, &parent);

		if (name == NULL)
			continue;
		appendStringInfo(out, "%s%s", before, name);
		before = ", ";
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
append_foreign(StringInfo out, Oid relation)
{
	HeapTuple row = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(relation));
	const ForeignServer *server;
	Datum options;
	bool isnull;

	if (!HeapTupleIsValid(row))
		return;
	server = GetForeignServer(((Form_pg_foreign_table) GETSTRUCT(row))->ftserver);
	appendStringInfo(out, "\nSERVER %s", quote_identifier(server->servername));
	options = SysCacheGetAttr(FOREIGNTABLEREL, row, Anum_pg_foreign_table_ftoptions, &isnull);
	if (!isnull)
		rds_append_options(out, " OPTIONS ", options);
	ReleaseSysCache(row);
}

/*
 * What pg_get_viewdef says.  That reads and parses the view's rule anew, although
 * the relation is opened for it, whose cache entry has the query: so the query is
 * written from there, where nothing but its own names is in it.
 */
static void
append_view(StringInfo out, HeapTuple row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);
	Relation view;
	const Query *query;

	if (class->relkind == RELKIND_VIEW)
	{
		view = relation_open(class->oid, AccessShareLock);
		query = view->rd_rules == NULL ? NULL : get_view_query(view);
		if (query != NULL && has_own_names(query, RelationGetDescr(view)))
		{
			appendStringInfo(out, "\nAS%s;", pg_get_querydef(copyObject(unconstify(Query *, query)), false));
			relation_close(view, NoLock);
			return;
		}
		relation_close(view, NoLock);
	}
	rds_append_result(out, "\nAS", pg_get_viewdef, ObjectIdGetDatum(class->oid), (Datum) 0, "");
}

/* Not where a column of the view has been renamed, nor where names come from elsewhere than its list. */
static bool
has_own_names(const Query *query, TupleDesc columns)
{
	ListCell *cell;
	int column = 0;

	if (query->setOperations != NULL)
		return false;
	foreach(cell, query->rtable)
	{
		if (lfirst_node(RangeTblEntry, cell)->rtekind == RTE_VALUES)
			return false;
	}
	foreach(cell, query->targetList)
	{
		const TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (entry->resjunk)
			continue;
		if (column >= columns->natts || entry->resname == NULL ||
			strcmp(entry->resname, NameStr(TupleDescAttr(columns, column)->attname)) != 0)
			return false;
		column++;
	}
	return true;
}

static void
append_row_security(StringInfo out, const Form_pg_class class)
{
	if (class->relrowsecurity)
		appendStringInfoString(out, "\nENABLE ROW LEVEL SECURITY");
	if (class->relforcerowsecurity)
		appendStringInfoString(out, "\nFORCE ROW LEVEL SECURITY");
	if (class->relkind == RELKIND_VIEW || class->relkind == RELKIND_FOREIGN_TABLE)
		return;
	if (class->relreplident == REPLICA_IDENTITY_NOTHING)
		appendStringInfoString(out, "\nREPLICA IDENTITY NOTHING");
	else if (class->relreplident == REPLICA_IDENTITY_FULL)
		appendStringInfoString(out, "\nREPLICA IDENTITY FULL");
}

static void
append_storage(StringInfo out, HeapTuple row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);

	rds_append_reloptions(out, "\nWITH ", row);
	if (OidIsValid(class->reltoastrelid) && rds_may_have_settings(class->reltoastrelid))
	{
		HeapTuple toast = SearchSysCache1(RELOID, ObjectIdGetDatum(class->reltoastrelid));

		if (HeapTupleIsValid(toast))
		{
			rds_append_reloptions(out, "\nTOAST WITH ", toast);
			ReleaseSysCache(toast);
		}
	}
	rds_append_tablespace(out, class->reltablespace);
}

/* Of a row of pg_class. */
void
rds_append_reloptions(StringInfo out, const char *before, HeapTuple row)
{
	bool isnull;
	Datum options = SysCacheGetAttr(RELOID, row, Anum_pg_class_reloptions, &isnull);

	if (!isnull)
		rds_append_options(out, before, options);
}

static void
define_sequence(StringInfo out, HeapTuple row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);
	HeapTuple sequence = SearchSysCache1(SEQRELID, ObjectIdGetDatum(class->oid));

	if (class->relpersistence == RELPERSISTENCE_UNLOGGED)
		appendStringInfoString(out, "UNLOGGED ");
	if (HeapTupleIsValid(sequence))
	{
		const Form_pg_sequence form = (Form_pg_sequence) GETSTRUCT(sequence);

		appendStringInfo(out,
						 "SEQUENCE AS %s START " INT64_FORMAT " INCREMENT " INT64_FORMAT " MINVALUE " INT64_FORMAT
						 " MAXVALUE " INT64_FORMAT " CACHE " INT64_FORMAT "%s",
						 format_type_be(form->seqtypid), form->seqstart, form->seqincrement, form->seqmin,
						 form->seqmax, form->seqcache, form->seqcycle ? " CYCLE" : "");
		ReleaseSysCache(sequence);
	}
	append_owning_column(out, class->oid);
}

static void
append_owning_column(StringInfo out, Oid sequence)
{
	Oid table;
	int32 column;
	HeapTuple row;
	char *name;
	char *column_name;

	if (!sequenceIsOwned(sequence, DEPENDENCY_AUTO, &table, &column) &&
		!sequenceIsOwned(sequence, DEPENDENCY_INTERNAL, &table, &column))
		return;
	name = rds_relation_name(table, NULL, &row);
	column_name = get_attname(table, column, true);
	if (name != NULL && column_name != NULL)
		appendStringInfo(out, "\nOWNED BY %s.%s", name, quote_identifier(column_name));
}

static void
define_index(StringInfo out, HeapTuple row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(row);

	rds_append_index(out, row);
	if (class->relispartition)
		append_parents(out, "\nPARTITION OF ", class->oid);
	rds_append_index_state(out, class->oid);
	rds_append_index_statistics(out, class->oid);
}

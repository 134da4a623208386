/*-------------------------------------------------------------------------
 *
 * leftovers.c
 *	  What a statement that was cut off has left behind.
 *
 * CREATE INDEX CONCURRENTLY that fails leaves an invalid index, which a later
 * IF NOT EXISTS would take for the finished one.  Whether a valid index is the
 * one that the statement asks for, the server is asked: it makes the same index
 * on an empty table of the same columns, and the two definitions are compared.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "compat.h"
#include "definition.h"
#include "keep.h"
#include "kept.h"
#include "leftovers.h"
#include "quiet.h"
#include "statement.h"

#define MODEL_INDEX "rdsinit_model_index"

static const Node *parse(const char *text);
static RdsLeftover find_index(IndexStmt *create, bool was_begun, RdsFound *found);
static RdsLeftover find_index_of_name(const IndexStmt *create, Oid table, bool was_begun, RdsFound *found);
static RdsLeftover find_index_of_definition(const IndexStmt *create, Oid table, RdsFound *found);
static RdsLeftover judge_index(Oid index, RdsFound *found);
static List *indexes_of(Oid table);
static bool is_valid(Oid index);
static char *definition_asked_for(const IndexStmt *create, Oid table);
static char *make_model(const IndexStmt *create, Oid table);
static char *definition(Oid index);
static char *qualified_name(Oid relation);
static RdsLeftover find_dropped(const DropStmt *drop, RdsFound *found);
static void forget_dropped(const RdsKept *kept, const RangeVar *name);
static void find_transient(const ReindexStmt *reindex, RdsFound *found);
static bool has_transient_name(Oid index);

/*
 * rds_leftover_find
 *		What is to be done about a statement that no transaction allows.
 *
 * In found->commands is what has to be run first; and where it was done, the rest
 * says what it has made or dropped, for rds_leftover_keep.  Names are looked up as
 * the statement will look them up: to be called where its settings and its role are.
 */
RdsLeftover
rds_leftover_find(const char *text, RdsStanding standing, RdsFound *found)
{
	const Node *statement = parse(text);
	bool was_begun = standing != RDS_NEVER_RUN;

	memset(found, 0, sizeof(RdsFound));
	switch (nodeTag(statement))
	{
		case T_IndexStmt:
			return find_index((IndexStmt *) statement, was_begun, found);
		case T_DropStmt:
			/* one that has failed has not dropped anything, if only since there was nothing */
			return standing == RDS_NOT_KNOWN ? find_dropped((const DropStmt *) statement, found) : RDS_LEFT_AGAIN;
		case T_ReindexStmt:
			if (was_begun)
				find_transient((const ReindexStmt *) statement, found);
			return RDS_LEFT_AGAIN;
		case T_VacuumStmt:
			return RDS_LEFT_AGAIN;
		default:
			return rds_is_cluster(statement) ? RDS_LEFT_AGAIN : RDS_LEFT_UNKNOWN;
	}
}

/* What the parser has to remark, it remarks when the statement is run. */
static const Node *
parse(const char *text)
{
	char *copy = pstrdup(text);
	const Node *volatile statement = NULL;
	RdsQuiet quiet;

	rds_quiet_begin(&quiet);
	PG_TRY();
	{
		statement = rds_statement_parse(copy, strlen(copy))->stmt;
	}
	PG_FINALLY();
	{
		rds_quiet_end(&quiet);
	}
	PG_END_TRY();
	return statement;
}

static RdsLeftover
find_index(IndexStmt *create, bool was_begun, RdsFound *found)
{
	Oid table;

	if (!was_begun && create->idxname == NULL)
		return RDS_LEFT_AGAIN;

	/* the statement itself says what is wrong with it */
	table = RangeVarGetRelid(create->relation, NoLock, true);
	if (!OidIsValid(table))
		return RDS_LEFT_AGAIN;
	if (create->idxname != NULL)
		return find_index_of_name(create, table, was_begun, found);
	return find_index_of_definition(create, table, found);
}

static RdsLeftover
find_index_of_name(const IndexStmt *create, Oid table, bool was_begun, RdsFound *found)
{
	Oid index = get_relname_relid(create->idxname, get_rel_namespace(table));
	char *asked_for;

	if (!OidIsValid(index) || get_rel_relkind(index) != RELKIND_INDEX || IndexGetRelation(index, true) != table)
		return RDS_LEFT_AGAIN;
	if (!was_begun)
	{
		/* somebody may be building it at this moment */
		if (!is_valid(index))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("index \"%s\" exists, and is not valid", create->idxname),
					 errdetail("No statement of this script has begun it."),
					 errhint("Unless it is being built, drop it: DROP INDEX CONCURRENTLY %s;", qualified_name(index))));
		return RDS_LEFT_AGAIN;
	}
	if (!is_valid(index))
		return judge_index(index, found);

	asked_for = definition_asked_for(create, table);
	if (asked_for == NULL)
		return RDS_LEFT_UNKNOWN;
	if (strcmp(asked_for, definition(index)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("index \"%s\" exists, and is not the one that is asked for", create->idxname),
				 errhint("Drop or rename it, or the one in the script.")));
	found->index = index;
	return RDS_LEFT_DONE;
}

/*
 * The server has named it: it is known by what it indexes.  Where there are a
 * valid one and another, the other is what the statement has left behind.
 */
static RdsLeftover
find_index_of_definition(const IndexStmt *create, Oid table, RdsFound *found)
{
	char *asked_for = definition_asked_for(create, table);
	Relation relation;
	List *indexes;
	RdsLeftover leftover = RDS_LEFT_AGAIN;
	ListCell *cell;

	if (asked_for == NULL)
		return RDS_LEFT_UNKNOWN;

	relation = table_open(table, AccessShareLock);
	indexes = indexes_of(table);
	foreach(cell, indexes)
	{
		Oid index = lfirst_oid(cell);

		if (strcmp(asked_for, definition(index)) != 0)
			continue;
		leftover = judge_index(index, found);
		if (leftover == RDS_LEFT_AGAIN)
			break;
	}
	table_close(relation, NoLock);
	return leftover;
}

/* A valid index is what was wanted; another one is in the way. */
static RdsLeftover
judge_index(Oid index, RdsFound *found)
{
	if (is_valid(index))
	{
		found->index = index;
		return RDS_LEFT_DONE;
	}
	found->commands = lappend(found->commands, psprintf("DROP INDEX CONCURRENTLY IF EXISTS %s", qualified_name(index)));
	return RDS_LEFT_AGAIN;
}

/*
 * All of a table's indexes.  The server's own list leaves out those that were being
 * dropped, which stay for ever when that is cut off.
 */
static List *
indexes_of(Oid table)
{
	return rds_catalog_members(IndexRelationId, IndexIndrelidIndexId, Anum_pg_index_indrelid, table, Anum_pg_index_indexrelid);
}

static bool
is_valid(Oid index)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool valid = false;

	if (HeapTupleIsValid(tuple))
	{
		valid = ((Form_pg_index) GETSTRUCT(tuple))->indisvalid && ((Form_pg_index) GETSTRUCT(tuple))->indisready;
		ReleaseSysCache(tuple);
	}
	return valid;
}

/*
 * The definition that the index would have; whatever is made for that is gone
 * afterwards.  NULL where it cannot be made, for want of rights for instance.
 */
static char *
definition_asked_for(const IndexStmt *create, Oid table)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	char *volatile result = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		result = make_model(create, table);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(oldcontext);
		if (geterrcode() == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;

	return result;
}

static char *
make_model(const IndexStmt *create, Oid table)
{
	IndexStmt *model = copyObject((IndexStmt *) create);
	RawStmt *statement = makeNode(RawStmt);
	/* expressions can name the table that they are of */
	char *name = get_rel_name(table);
	char *command = psprintf("CREATE TEMPORARY TABLE pg_temp.%s (LIKE %s)", quote_identifier(name), qualified_name(table));
	MemoryContext context = CurrentMemoryContext;
	Oid temporary;

	SPI_connect();
	if (SPI_execute(command, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not make a table like another");
	SPI_finish();
	MemoryContextSwitchTo(context);

	model->relation = makeRangeVar("pg_temp", name, -1);
	model->idxname = MODEL_INDEX;
	model->concurrent = false;
	model->if_not_exists = false;
	statement->stmt = (Node *) model;
	(void) rds_statement_run(statement, command, None_Receiver);

	temporary = get_relname_relid(name, LookupExplicitNamespace("pg_temp", false));
	return definition(get_relname_relid(MODEL_INDEX, get_rel_namespace(temporary)));
}

/* An index's definition, without its name and its table's, as pg_get_indexdef writes them. */
static char *
definition(Oid index)
{
	char *all = TextDatumGetCString(DirectFunctionCall1(pg_get_indexdef, ObjectIdGetDatum(index)));
	char *names = psprintf(" INDEX %s ON %s", quote_identifier(get_rel_name(index)),
						   qualified_name(IndexGetRelation(index, false)));
	char *found = strstr(all, names);

	if (found == NULL)
		return all;
	return psprintf("%.*s%s", (int) (found - all), all, found + strlen(names));
}

static char *
qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name_or_temp(get_rel_namespace(relation)), get_rel_name(relation));
}

/* DROP INDEX CONCURRENTLY: what is gone, is dropped. */
static RdsLeftover
find_dropped(const DropStmt *drop, RdsFound *found)
{
	ListCell *cell;

	foreach(cell, drop->objects)
	{
		RangeVar *name = makeRangeVarFromNameList(lfirst(cell));

		if (OidIsValid(RangeVarGetRelid(name, NoLock, true)))
			return RDS_LEFT_AGAIN;
		found->dropped = lappend(found->dropped, name);
	}
	return RDS_LEFT_DONE;
}

/*
 * rds_leftover_keep
 *		Keeps what a statement that was done has left, which it had no time to.
 */
void
rds_leftover_keep(const RdsFound *found, const char *script)
{
	ListCell *cell;

	if (OidIsValid(found->index))
	{
		RdsTouched *touched = rds_touched_begin(true);

		rds_touched_script(touched, script);
		rds_touched_add(touched, RelationRelationId, found->index, 0, true, false);
		rds_keep(touched);
		rds_touched_end(touched);
	}
	if (found->dropped != NIL)
	{
		RdsKept *kept = rds_kept_open(true);

		foreach(cell, found->dropped)
			forget_dropped(kept, lfirst(cell));
		rds_kept_close(kept);
	}
}

/* Of a name without a schema: the first that is kept on the search path. */
static void
forget_dropped(const RdsKept *kept, const RangeVar *name)
{
	ListCell *cell;

	if (name->schemaname != NULL)
	{
		(void) rds_kept_remove(kept, "index", quote_qualified_identifier(name->schemaname, name->relname));
		return;
	}
	foreach(cell, fetch_search_path(false))
	{
		const char *schema = get_namespace_name(lfirst_oid(cell));

		if (schema != NULL && rds_kept_remove(kept, "index", quote_qualified_identifier(schema, name->relname)))
			return;
	}
}

/* REINDEX CONCURRENTLY: the indexes that it has built, or replaced, are INVALID until it has ended. */
static void
find_transient(const ReindexStmt *reindex, RdsFound *found)
{
	Oid named = reindex->relation != NULL ? RangeVarGetRelid(reindex->relation, NoLock, true) : InvalidOid;
	Oid table = OidIsValid(named) && reindex->kind == REINDEX_OBJECT_INDEX ? IndexGetRelation(named, true) : named;
	Relation relation;
	ListCell *cell;

	if (!OidIsValid(table))
		return;
	relation = table_open(table, AccessShareLock);
	foreach(cell, indexes_of(table))
	{
		Oid index = lfirst_oid(cell);

		if (has_transient_name(index))
			(void) judge_index(index, found);
	}
	table_close(relation, NoLock);
}

/* As the server names them: with "_ccnew" or "_ccold" and perhaps a number behind an index's name. */
static bool
has_transient_name(Oid index)
{
	const char *name = get_rel_name(index);
	Size length = strlen(name);

	while (length > 0 && isdigit((unsigned char) name[length - 1]))
		length--;
	return length > 6 && (strncmp(name + length - 6, "_ccnew", 6) == 0 || strncmp(name + length - 6, "_ccold", 6) == 0);
}

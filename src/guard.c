/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  The data-loss guard: what holds rows is not dropped by mistake.
 *
 * The server tells of each table and column that it is about to drop, and of
 * each table that it is about to truncate, whatever has asked for that: CASCADE,
 * a DO block, an event trigger, a partition's parent.  At that moment the table
 * can still be read.  What the call itself has made may go.
 *
 * A table is looked at page by page until a row is found, but never at more than
 * so many pages: it costs the same whatever the table's size, and what could not
 * be proved empty counts as full.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "distributed.h"
#include "guard.h"

/* 8 MiB, of a table that seems to be empty. */
#define MOST_PAGES 1000

#define HINT_ALLOW "If the data may go, call with the option {\"allow_data_loss\": true}."

/* A table, or a column of it. */
typedef struct Made
{
	Oid relation;
	int column; /* 0: the table itself */
} Made;

typedef struct Loss
{
	char *table;
	char *column;            /* NULL: all of them */
	double rows;             /* estimated; -1: not known */
	SubTransactionId within; /* which gives it back when it is rolled back */
} Loss;

typedef enum Finding
{
	FOUND_NOTHING,
	FOUND_DATA,
	GAVE_UP,
	ELSEWHERE
} Finding;

/* While a call is under way; NULL: nobody is guarded. */
typedef struct Guard
{
	bool allow;
	HTAB *made;
	List *losses;
	MemoryContext context;
} Guard;

static Guard *guard = NULL;

static void take_back(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *argument);
static void remember(Oid relation, int column);
static bool was_made(Oid relation, int column);
static void on_drop(Oid relation, int column);
static void on_truncate(Oid relation);
static void on_drop_database(Oid database);
static void judge(Oid oid, int column, const char *verb);
static Finding look(Relation relation, int column);
static double count(Relation relation);
static double rows_of(Relation relation);
static void note(const char *table, const char *column, double rows);
static void refuse(const char *what, const char *has, const char *verb, Finding finding);

/* Once in a process. */
void
rds_guard_install(void)
{
	RegisterSubXactCallback(take_back, NULL);
}

/*
 * rds_guard_begin
 *		From here on what holds data is guarded; or, where the data may be lost, it
 *		is noted what was.
 *
 * Lives in the current memory context.  rds_guard_end has to follow, after an
 * error as well.
 */
void
rds_guard_begin(bool allow_data_loss)
{
	Guard *begun = palloc0(sizeof(Guard));
	HASHCTL control = {0};

	begun->allow = allow_data_loss;
	begun->context = CurrentMemoryContext;
	control.keysize = sizeof(Made);
	control.entrysize = sizeof(Made);
	control.hcxt = CurrentMemoryContext;
	begun->made = hash_create("rdsinit: what a call has made", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	guard = begun;
}

void
rds_guard_end(void)
{
	guard = NULL;
}

/* What has been lost since this was asked last, as JSON; NULL: nothing. */
char *
rds_guard_take_losses(void)
{
	StringInfoData json;
	ListCell *cell;

	if (guard == NULL || guard->losses == NIL)
		return NULL;

	initStringInfo(&json);
	foreach(cell, guard->losses)
	{
		const Loss *loss = lfirst(cell);

		appendStringInfoString(&json, json.len == 0 ? "[{\"table\": " : ", {\"table\": ");
		escape_json(&json, loss->table);
		if (loss->column != NULL)
		{
			appendStringInfoString(&json, ", \"column\": ");
			escape_json(&json, loss->column);
		}
		if (loss->rows >= 0)
			appendStringInfo(&json, ", \"rows\": %.0f", loss->rows);
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, ']');
	rds_guard_forget_losses();

	return json.data;
}

/* The same for people: a text for each, in the current memory context. */
List *
rds_guard_list_losses(void)
{
	List *texts = NIL;
	ListCell *cell;

	if (guard == NULL || guard->losses == NIL)
		return NIL;
	foreach(cell, guard->losses)
	{
		const Loss *loss = lfirst(cell);
		char *rows = loss->rows < 0 ? "" : psprintf(loss->rows == 1 ? " (1 row)" : " (%.0f rows)", loss->rows);

		texts = lappend(texts, loss->column != NULL ? psprintf("column %s of table %s%s", quote_identifier(loss->column), loss->table, rows)
													: psprintf("table %s%s", loss->table, rows));
	}
	rds_guard_forget_losses();
	return texts;
}

/* To be called when what was lost has been given back. */
void
rds_guard_forget_losses(void)
{
	if (guard != NULL)
		guard->losses = NIL;
}

/* What a block with EXCEPTION has rolled back was not lost. */
static void
take_back(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *argument)
{
	ListCell *cell;

	if (guard == NULL)
		return;
	foreach(cell, guard->losses)
	{
		Loss *loss = lfirst(cell);

		if (loss->within != id)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			loss->within = parent;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
			guard->losses = foreach_delete_current(guard->losses, cell);
	}
}

/* The hook. */
void
rds_guard_see_access(ObjectAccessType access, Oid class, Oid object, int column, void *argument)
{
	if (guard == NULL)
		return;

	if (class == DatabaseRelationId && access == OAT_DROP)
		on_drop_database(object);
	if (class != RelationRelationId)
		return;
	switch (access)
	{
		case OAT_POST_CREATE:
			remember(object, column);
			break;
		case OAT_DROP:
			/* a rewritten table's old self, a temporary table at the transaction's end */
			if ((((ObjectAccessDrop *) argument)->dropflags & PERFORM_DELETION_INTERNAL) == 0)
				on_drop(object, column);
			break;
		case OAT_TRUNCATE:
			on_truncate(object);
			break;
		default:
			break;
	}
}

static void
remember(Oid relation, int column)
{
	Made made;

	memset(&made, 0, sizeof(made));
	made.relation = relation;
	made.column = column;
	(void) hash_search(guard->made, &made, HASH_ENTER, NULL);
}

static bool
was_made(Oid relation, int column)
{
	Made made;

	memset(&made, 0, sizeof(made));
	made.relation = relation;
	made.column = column;
	return hash_search(guard->made, &made, HASH_FIND, NULL) != NULL;
}

/* The server holds a lock on the table that nothing else can pass. */
static void
on_drop(Oid relation, int column)
{
	if (get_rel_relkind(relation) != RELKIND_RELATION || was_made(relation, 0) ||
		(column != 0 && was_made(relation, column)))
		return;
	judge(relation, column, "drop");
}

/*
 * The server asks before it looks whether the role may truncate the table, and
 * before it locks it: who may not, does not learn from us whether it is empty,
 * and nobody adds a row behind our back.
 */
static void
on_truncate(Oid relation)
{
	LOCKTAG tag;

	if (get_rel_relkind(relation) != RELKIND_RELATION || was_made(relation, 0))
		return;
	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation);
	if (!rds_LockHeldByMe(&tag, AccessExclusiveLock))
	{
		if (pg_class_aclcheck(relation, GetUserId(), ACL_TRUNCATE) != ACLCHECK_OK)
			return;
		LockRelationOid(relation, AccessExclusiveLock);
	}
	judge(relation, 0, "truncate");
}

/* Another database's tables cannot be looked at. */
static void
on_drop_database(Oid database)
{
	char *name = get_database_name(database);

	if (name == NULL)
		return;
	if (!guard->allow)
		refuse(psprintf("database \"%s\"", name), "rows", "drop", GAVE_UP);

	note(psprintf("(database %s)", name), NULL, -1);
}

static void
judge(Oid oid, int column, const char *verb)
{
	Relation relation = table_open(oid, NoLock);
	Form_pg_attribute attribute = column != 0 ? TupleDescAttr(RelationGetDescr(relation), column - 1) : NULL;

	/* a generated value can be generated again */
	if (attribute == NULL || (!attribute->attisdropped && !attribute->attgenerated))
	{
		char *table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												 RelationGetRelationName(relation));
		char *name = attribute != NULL ? pstrdup(NameStr(attribute->attname)) : NULL;
		Finding finding = look(relation, column);

		if (finding != FOUND_NOTHING && guard->allow)
			note(table, name, finding == ELSEWHERE ? -1 : rows_of(relation));
		else if (finding != FOUND_NOTHING)
			refuse(name != NULL ? psprintf("column \"%s\" of table %s", name, table) : psprintf("table %s", table),
				   name != NULL ? "values" : "rows", verb, finding);
	}
	table_close(relation, NoLock);
}

/* Looks for a row, or for one with a value in the column. */
static Finding
look(Relation relation, int column)
{
	BlockNumber pages = RelationGetNumberOfBlocks(relation);
	bool is_heap = relation->rd_tableam == GetHeapamTableAmRoutine();
	Finding finding = FOUND_NOTHING;
	Snapshot snapshot;
	TupleTableSlot *slot;
	TableScanDesc scan;

	if (rds_is_distributed(RelationGetRelid(relation)))
		return ELSEWHERE;
	if (pages == 0)
		return FOUND_NOTHING;
	if (!is_heap && pages > MOST_PAGES)
		return GAVE_UP;

	/* whatever the transaction's snapshot shows: what is lost is what is there now */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(relation, NULL);
	scan = table_beginscan_strat(relation, snapshot, 0, NULL, true, false);
	if (is_heap)
		heap_setscanlimits(scan, 0, Min(pages, MOST_PAGES));
	while (finding == FOUND_NOTHING && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (column == 0 || !slot_attisnull(slot, column))
			finding = FOUND_DATA;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);

	return finding == FOUND_NOTHING && pages > MOST_PAGES ? GAVE_UP : finding;
}

static double
count(Relation relation)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	TableScanDesc scan = rds_table_beginscan(relation, snapshot);
	double rows = 0;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		rows++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);

	return rows;
}

/* A small table's rows are counted, a large one's the server estimates. */
static double
rows_of(Relation relation)
{
	BlockNumber pages = RelationGetNumberOfBlocks(relation);
	double rows;
	double visible;

	if (pages <= MOST_PAGES)
		return count(relation);
	estimate_rel_size(relation, NULL, &pages, &rows, &visible);
	return rows;
}

/* Notes what is lost. */
static void
note(const char *table, const char *column, double rows)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(guard->context);
	Loss *loss = palloc(sizeof(Loss));

	loss->table = pstrdup(table);
	loss->column = column != NULL ? pstrdup(column) : NULL;
	loss->rows = rows;
	loss->within = GetCurrentSubTransactionId();
	guard->losses = lappend(guard->losses, loss);
	MemoryContextSwitchTo(oldcontext);
}

static void
refuse(const char *what, const char *has, const char *verb, Finding finding)
{
	if (finding == GAVE_UP || finding == ELSEWHERE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not prove that %s is empty, which this statement would %s", what, verb),
				 finding == ELSEWHERE ? errdetail("Citus distributes it, and its rows on other servers were not looked at.")
									  : errdetail("It was looked at as far as that takes no time."),
				 errhint(HINT_ALLOW)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s has %s, and this statement would %s it", what, has, verb),
			 errhint(HINT_ALLOW)));
}

/*-------------------------------------------------------------------------
 *
 * kept.c
 *	  What is kept of the objects: rdsinit.object.
 *
 * As the history, it is read and written without anybody's rights.  Only one
 * call at a time writes to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "kept.h"
#include "trust.h"

static Oid find_relation(const char *name);
static void add_row(RdsKept *kept, int64 hash, const RdsObject *object, const char *script);
static void insert_rows(RdsKept *kept);
static bool is_of(const RdsKept *kept, HeapTuple row, const char *kind, const char *identity);
static bool has_text(const RdsKept *kept, HeapTuple row, int column, const char *text);
static int64 hash_of(const char *kind, const char *identity);
static uint64 hash_on(uint64 hash, const char *text);
static char *text_of(const RdsKept *kept, HeapTuple row, int column);

/*
 * rds_kept_open
 *		Opens the table until rds_kept_close; an error closes it as well.
 */
RdsKept *
rds_kept_open(bool to_write)
{
	RdsKept *kept = palloc0(sizeof(RdsKept));
	LOCKMODE lockmode = to_write ? RowExclusiveLock : AccessShareLock;

	kept->table = table_open(find_relation("object"), lockmode);
	rds_trust_check_own(RelationGetRelid(kept->table));
	if (RelationGetDescr(kept->table)->natts != RDS_OBJECT_COUNT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"rdsinit.object\" is not the one that rdsinit %s works with", RDS_VERSION),
				 errhint("Run ALTER EXTENSION rdsinit UPDATE.")));
	kept->by_hash = relation_open(find_relation("object_hash"), lockmode);
	if (to_write)
	{
		kept->context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit kept object", ALLOCSET_DEFAULT_SIZES);
		kept->estate = CreateExecutorState();
		kept->result_relation = makeNode(ResultRelInfo);
		InitResultRelInfo(kept->result_relation, kept->table, 0, NULL, 0);
		ExecOpenIndices(kept->result_relation, false);
	}
	return kept;
}

void
rds_kept_close(RdsKept *kept)
{
	if (kept->estate != NULL)
	{
		insert_rows(kept);
		ExecCloseIndices(kept->result_relation);
		ExecResetTupleTable(kept->estate->es_tupleTable, true);
		FreeExecutorState(kept->estate);
		MemoryContextDelete(kept->context);
		CommandCounterIncrement();
	}
	if (kept->hashes != NULL)
		hash_destroy(kept->hashes);
	relation_close(kept->by_hash, NoLock);
	table_close(kept->table, NoLock);
	pfree(kept);
}

bool
rds_kept_is_empty(const RdsKept *kept)
{
	SysScanDesc scan = systable_beginscan(kept->table, InvalidOid, false, SnapshotSelf, 0, NULL);
	bool empty = !HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	return empty;
}

/*
 * rds_kept_expect
 *		So many objects will be looked for.
 *
 * Most of them are new where there are many: which hashes there are is read, where
 * that is less than to look for each.
 */
void
rds_kept_expect(RdsKept *kept, int objects)
{
	HASHCTL control = {.keysize = sizeof(int64), .entrysize = sizeof(int64), .hcxt = CurrentMemoryContext};
	SysScanDesc scan;
	HeapTuple row;

	if (RelationGetNumberOfBlocks(kept->table) > objects)
		return;
	kept->hashes = hash_create("rdsinit hashes of kept objects", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	scan = systable_beginscan(kept->table, InvalidOid, false, SnapshotSelf, 0, NULL);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool isnull;
		int64 hash = DatumGetInt64(heap_getattr(row, RDS_OBJECT_HASH + 1, RelationGetDescr(kept->table), &isnull));

		CHECK_FOR_INTERRUPTS();
		(void) hash_search(kept->hashes, &hash, HASH_ENTER, NULL);
	}
	systable_endscan(scan);
}

/*
 * Forgets an object, if there is anything of it.
 *
 * What is not inserted yet is no row of an object that could be put once more: each is read once.
 */
bool
rds_kept_remove(const RdsKept *kept, const char *kind, const char *identity)
{
	int64 hash = hash_of(kind, identity);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	bool found = false;

	if (kept->hashes != NULL && hash_search(kept->hashes, &hash, HASH_FIND, NULL) == NULL)
		return false;
	ScanKeyInit(&key, RDS_OBJECT_HASH + 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(hash));
	scan = systable_beginscan_ordered(kept->table, kept->by_hash, SnapshotSelf, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		if (!is_of(kept, row, kind, identity))
			continue;
		CatalogTupleDelete(kept->table, &row->t_self);
		found = true;
	}
	systable_endscan_ordered(scan);
	return found;
}

/* Keeps an object of which nothing is kept. */
void
rds_kept_add(RdsKept *kept, const RdsObject *object, const char *script)
{
	add_row(kept, hash_of(object->kind, object->identity), object, script);
}

/* Keeps an object as it is now. */
void
rds_kept_put(RdsKept *kept, const RdsObject *object, const char *script)
{
	(void) rds_kept_remove(kept, object->kind, object->identity);
	rds_kept_add(kept, object, script);
}

static void
add_row(RdsKept *kept, int64 hash, const RdsObject *object, const char *script)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	TupleTableSlot *slot;
	Datum *values;

	if (kept->slot_count == RDS_KEPT_AT_ONCE)
		insert_rows(kept);
	if (kept->slots[kept->slot_count] == NULL)
	{
		MemoryContextSwitchTo(kept->estate->es_query_cxt);
		kept->slots[kept->slot_count] = table_slot_create(kept->table, &kept->estate->es_tupleTable);
	}
	slot = kept->slots[kept->slot_count++];
	values = slot->tts_values;

	MemoryContextSwitchTo(kept->context);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, RDS_OBJECT_COUNT * sizeof(bool));
	values[RDS_OBJECT_HASH] = Int64GetDatum(hash);
	values[RDS_OBJECT_KIND] = CStringGetTextDatum(object->kind);
	values[RDS_OBJECT_IDENTITY] = CStringGetTextDatum(object->identity);
	values[RDS_OBJECT_DEFINITION] = CStringGetTextDatum(object->definition);
	values[RDS_OBJECT_SCRIPT] = script == NULL ? (Datum) 0 : CStringGetTextDatum(script);
	slot->tts_isnull[RDS_OBJECT_SCRIPT] = script == NULL;
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(oldcontext);
}

static void
insert_rows(RdsKept *kept)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(kept->context);

	if (kept->slot_count > 0)
	{
		for (int i = 0; i < kept->slot_count; i++)
			ExecConstraints(kept->result_relation, kept->slots[i], kept->estate);
		table_multi_insert(kept->table, kept->slots, kept->slot_count, GetCurrentCommandId(true), 0, NULL);
	}
	for (int i = 0; i < kept->slot_count; i++)
	{
		(void) rds_ExecInsertIndexTuples(kept->result_relation, kept->slots[i], kept->estate);
		ExecClearTuple(kept->slots[i]);
		ResetPerTupleExprContext(kept->estate);
	}
	kept->slot_count = 0;
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(kept->context);
}

static bool
is_of(const RdsKept *kept, HeapTuple row, const char *kind, const char *identity)
{
	return has_text(kept, row, RDS_OBJECT_KIND, kind) && has_text(kept, row, RDS_OBJECT_IDENTITY, identity);
}

static bool
has_text(const RdsKept *kept, HeapTuple row, int column, const char *text)
{
	const char *found = text_of(kept, row, column);

	return found != NULL && strcmp(found, text) == 0;
}

/*
 * What a row is found by: identities are longer than an index takes.  The same on
 * every machine and in every encoding, so that a dump can be restored anywhere.
 */
static int64
hash_of(const char *kind, const char *identity)
{
	char *utf8 = rds_object_utf8(identity);
	uint64 hash = hash_on(hash_on(hash_on(UINT64CONST(0xcbf29ce484222325), kind), "\n"), utf8);

	if (utf8 != identity)
		pfree(utf8);
	return (int64) hash;
}

/* FNV-1a.  Who contrives two names with one hash has gained nothing: the names are compared as well. */
static uint64
hash_on(uint64 hash, const char *text)
{
	for (const unsigned char *at = (const unsigned char *) text; *at != '\0'; at++)
		hash = (hash ^ *at) * UINT64CONST(0x100000001b3);
	return hash;
}

/* Gives all rows to somebody. */
void
rds_kept_read(const RdsKept *kept, Snapshot snapshot, RdsKeptTaker take, void *argument)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit kept object", ALLOCSET_DEFAULT_SIZES);
	SysScanDesc scan = systable_beginscan(kept->table, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		RdsKeptRow read;

		CHECK_FOR_INTERRUPTS();
		read.kind = text_of(kept, row, RDS_OBJECT_KIND);
		read.identity = text_of(kept, row, RDS_OBJECT_IDENTITY);
		read.definition = text_of(kept, row, RDS_OBJECT_DEFINITION);
		read.script = text_of(kept, row, RDS_OBJECT_SCRIPT);
		MemoryContextSwitchTo(oldcontext);
		take(&read, argument);
		MemoryContextReset(context);
	}
	systable_endscan(scan);
	MemoryContextDelete(context);
}

static Oid
find_relation(const char *name)
{
	Oid schema = get_namespace_oid("rdsinit", false);
	Oid relation = get_relname_relid(name, schema);

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"rdsinit.%s\" does not exist", name),
				 errhint("Make the extension anew, or restore what it made.")));
	return relation;
}

static char *
text_of(const RdsKept *kept, HeapTuple row, int column)
{
	bool isnull;
	Datum value = heap_getattr(row, column + 1, RelationGetDescr(kept->table), &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

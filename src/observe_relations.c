/*-------------------------------------------------------------------------
 *
 * observe_relations.c
 *	  Relations as they were before a plan, and what each statement did to them.
 *
 * What a relation was before is asked of the catalog by a snapshot that is older
 * than the call: of those relations alone that a statement touches, whatever
 * has become of them by then.
 *
 * That a table was scanned from front to back is known from the counter that the
 * server keeps for its statistics; that it was rewritten, from its file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "observe.h"

/* A table of so few pages is counted, which takes no longer than to estimate it. */
#define FEW_PAGES 10

static void describe(RdsObserver *observer, RdsPlanRelation *relation);
static bool is_table(const RdsPlanRelation *relation);
static const char *namespace_name(RdsObserver *observer, Oid oid);
static int64 total_bytes(Relation table);
static int64 bytes_with_indexes(Relation relation);
static int64 bytes_of(Relation relation);
static double count_rows(Relation table, BlockNumber pages);
static bool may_count(Relation table);
static int64 count_scans(Oid oid);
static void on_lock(RdsObserver *observer, Oid oid, LOCKMASK mask, const PROCLOCK *own);
static void take(RdsObserver *observer, RdsPlanRelation *relation, LOCKMASK mask);
static bool is_still(const PROCLOCK *own, Oid oid);
static LOCKMODE strongest(LOCKMASK mask);
static void note(RdsObserver *observer, RdsPlanRelation *relation);
static bool is_worth_telling(const RdsObserver *observer, const RdsPlanRelation *relation, LOCKMODE mode);
static bool was_rewritten(RdsPlanRelation *relation);
static bool was_truncated(const RdsPlanStep *step, const RdsPlanRelation *relation);
static int compare_locks(const ListCell *one, const ListCell *two);

/* The relation as it was before the call; for one that the call has made, existed is false. */
RdsPlanRelation *
rds_observe_relation(RdsObserver *observer, Oid oid)
{
	bool found;
	RdsPlanRelation *relation = hash_search(observer->relations, &oid, HASH_ENTER, &found);

	if (!found)
	{
		memset(relation, 0, sizeof(*relation));
		relation->oid = oid;
		describe(observer, relation);
	}
	return relation;
}

/* So that nobody need look. */
void
rds_observe_made(RdsObserver *observer, Oid oid)
{
	bool found;
	RdsPlanRelation *relation = hash_search(observer->relations, &oid, HASH_ENTER, &found);

	if (!found)
	{
		memset(relation, 0, sizeof(*relation));
		relation->oid = oid;
	}
}

/* The statement has to do with the relation. */
void
rds_observe_touch(RdsObserver *observer, Oid oid)
{
	RdsPlanRelation *relation;
	MemoryContext oldcontext;

	if (oid < FirstNormalObjectId)
		return;
	relation = rds_observe_relation(observer, oid);
	if (!relation->existed || relation->touched == observer->step->number)
		return;
	relation->touched = observer->step->number;
	oldcontext = MemoryContextSwitchTo(observer->scratch);
	observer->touched = lappend(observer->touched, relation);
	MemoryContextSwitchTo(oldcontext);
}

static void
describe(RdsObserver *observer, RdsPlanRelation *relation)
{
	Relation catalog = table_open(RelationRelationId, AccessShareLock);
	MemoryContext oldcontext;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation->oid));
	scan = systable_beginscan(catalog, ClassOidIndexId, true, observer->before, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		const FormData_pg_class *form = (const FormData_pg_class *) GETSTRUCT(tuple);

		oldcontext = MemoryContextSwitchTo(observer->context);
		relation->existed = true;
		relation->kind = form->relkind;
		relation->filenode = form->relfilenode;
		relation->rows = Max(form->reltuples, 0);
		relation->bytes = (int64) form->relpages * BLCKSZ;
		relation->name = quote_qualified_identifier(namespace_name(observer, form->relnamespace), NameStr(form->relname));
		MemoryContextSwitchTo(oldcontext);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	if (relation->kind == RELKIND_INDEX || relation->kind == RELKIND_PARTITIONED_INDEX)
		relation->table = IndexGetRelation(relation->oid, true);
	if (is_table(relation))
		relation->scans = count_scans(relation->oid);
}

static bool
is_table(const RdsPlanRelation *relation)
{
	return relation->kind == RELKIND_RELATION || relation->kind == RELKIND_MATVIEW;
}

/* As it was before, too; in the memory of the plan. */
static const char *
namespace_name(RdsObserver *observer, Oid oid)
{
	Relation catalog;
	char *name = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	if (oid == observer->last_namespace)
		return observer->last_namespace_name;
	catalog = table_open(NamespaceRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_namespace_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, NamespaceOidIndexId, true, observer->before, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		name = pstrdup(NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	observer->last_namespace = oid;
	observer->last_namespace_name = name;
	return name;
}

/*
 * rds_observe_measure
 *		How large it is; until then rows and bytes are what the catalog says.
 *
 * Before the statement runs that changes it, wherever that can be foreseen.  A
 * table that is only read and written as ever is not worth the time.
 */
void
rds_observe_measure(RdsPlanRelation *relation)
{
	Relation table;
	BlockNumber pages;
	int64 scans;

	if (relation->measured || !relation->existed || !is_table(relation))
		return;
	/* it is the statement that waits, if somebody does */
	if (!ConditionalLockRelationOid(relation->oid, AccessShareLock))
		return;
	relation->measured = true;
	table = try_relation_open(relation->oid, NoLock);
	if (table == NULL)
	{
		UnlockRelationOid(relation->oid, AccessShareLock);
		return;
	}
	scans = count_scans(relation->oid);
	/* another table's file by now: what the catalog said has to do */
	if (table->rd_rel->relfilenode == relation->filenode && RELKIND_HAS_STORAGE(table->rd_rel->relkind))
	{
		pages = RelationGetNumberOfBlocks(table);
		relation->rows = count_rows(table, pages);
		relation->bytes = total_bytes(table);
	}
	relation_close(table, AccessShareLock);
	/* our own is not the statement's */
	relation->scans += count_scans(relation->oid) - scans;
}

/*
 * What pg_total_relation_size says.  That fails where the table is about to be
 * dropped, and what it keeps values in has been already.
 */
static int64
total_bytes(Relation table)
{
	int64 bytes = bytes_with_indexes(table);
	Relation toast = OidIsValid(table->rd_rel->reltoastrelid) ? try_relation_open(table->rd_rel->reltoastrelid, AccessShareLock) : NULL;

	if (toast != NULL)
	{
		bytes += bytes_with_indexes(toast);
		relation_close(toast, AccessShareLock);
	}
	return bytes;
}

static int64
bytes_with_indexes(Relation relation)
{
	int64 bytes = bytes_of(relation);
	ListCell *cell;

	foreach(cell, RelationGetIndexList(relation))
	{
		Relation index = try_relation_open(lfirst_oid(cell), AccessShareLock);

		if (index == NULL)
			continue;
		bytes += bytes_of(index);
		relation_close(index, AccessShareLock);
	}
	return bytes;
}

static int64
bytes_of(Relation relation)
{
	int64 bytes = 0;

	if (!RELKIND_HAS_STORAGE(relation->rd_rel->relkind))
		return 0;
	for (ForkNumber fork = MAIN_FORKNUM; fork <= MAX_FORKNUM; fork++)
	{
		if (smgrexists(RelationGetSmgr(relation), fork))
			bytes += (int64) smgrnblocks(RelationGetSmgr(relation), fork) * BLCKSZ;
	}
	return bytes;
}

static double
count_rows(Relation table, BlockNumber pages)
{
	double rows = 0;
	double visible;

	if (pages == 0)
		return 0;
	if (pages <= FEW_PAGES && may_count(table))
	{
		Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
		TupleTableSlot *slot = table_slot_create(table, NULL);
		TableScanDesc scan = table_beginscan_strat(table, snapshot, 0, NULL, true, false);

		while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
			rows++;
		table_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
		UnregisterSnapshot(snapshot);
	}
	else
		estimate_rel_size(table, NULL, &pages, &rows, &visible);
	return rows;
}

/* An estimate anybody can read in the catalog; a count is for those who may read the rows. */
static bool
may_count(Relation table)
{
	return !table->rd_rel->relrowsecurity &&
		   pg_class_aclcheck(RelationGetRelid(table), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

static int64
count_scans(Oid oid)
{
	const PgStat_TableStatus *entry = find_tabstat_entry(oid);

	return entry != NULL ? rds_numscans(entry) : 0;
}

/* When a statement has ended: what it has locked, rewritten and scanned. */
void
rds_observe_relations_of_step(RdsObserver *observer)
{
	ListCell *cell;

	rds_observe_locks(observer, on_lock);
	/* a query locks no more than its own tables; a command can lock any of them more strongly */
	foreach(cell, observer->saw_utility ? observer->weak : observer->touched)
	{
		RdsPlanRelation *relation = lfirst(cell);

		if ((relation->mask & LOCKBIT_ON(AccessExclusiveLock)) == 0 && is_still(relation->own, relation->oid) &&
			(relation->own->holdMask & ~relation->mask) != 0)
			take(observer, relation, relation->own->holdMask);
	}

	if (observer->step == NULL)
		return;
	foreach(cell, observer->touched)
		note(observer, lfirst(cell));
	list_sort(observer->step->locks, compare_locks);
}

static void
on_lock(RdsObserver *observer, Oid oid, LOCKMASK mask, const PROCLOCK *own)
{
	RdsPlanRelation *relation = rds_observe_relation(observer, oid);

	if (!relation->existed)
		return;
	if (own != NULL)
	{
		if (relation->own == NULL && (mask & LOCKBIT_ON(AccessExclusiveLock)) == 0)
		{
			MemoryContext oldcontext = MemoryContextSwitchTo(observer->context);

			observer->weak = lappend(observer->weak, relation);
			MemoryContextSwitchTo(oldcontext);
		}
		relation->own = own;
	}
	take(observer, relation, mask);
}

/* What was locked before the first statement is not the call's. */
static void
take(RdsObserver *observer, RdsPlanRelation *relation, LOCKMASK mask)
{
	LOCKMODE mode = strongest(mask);

	if (mode > strongest(relation->mask) && observer->step != NULL)
	{
		relation->mode = mode;
		relation->since = observer->step->number;
		rds_observe_touch(observer, relation->oid);
	}
	relation->mask |= mask;
}

/* A lock that was given back can be another's by now; that does no harm to look at it. */
static bool
is_still(const PROCLOCK *own, Oid oid)
{
	const LOCKTAG *tag;

	if (own == NULL || own->tag.myProc != MyProc || own->tag.myLock == NULL)
		return false;
	tag = &own->tag.myLock->tag;
	return tag->locktag_type == LOCKTAG_RELATION && tag->locktag_field1 == MyDatabaseId && tag->locktag_field2 == oid;
}

/* 0: none. */
static LOCKMODE
strongest(LOCKMASK mask)
{
	LOCKMODE mode = AccessExclusiveLock;

	while (mode > NoLock && (mask & LOCKBIT_ON(mode)) == 0)
		mode--;
	return mode;
}

static void
note(RdsObserver *observer, RdsPlanRelation *relation)
{
	RdsPlanStep *step = observer->step;
	int64 scans = is_table(relation) ? count_scans(relation->oid) : 0;
	RdsPlanLock lock = {0};
	MemoryContext oldcontext;

	lock.relation = relation;
	lock.mode = relation->mode != NoLock ? relation->mode : strongest(relation->mask);
	lock.since = relation->since;
	lock.taken = relation->mode != NoLock && relation->since == step->number;
	lock.rewritten = observer->saw_utility && was_rewritten(relation);
	lock.scanned = scans > relation->scans;
	relation->scans = scans;
	if ((lock.rewritten || lock.scanned) && was_truncated(step, relation))
		lock.rewritten = lock.scanned = false;
	if (!(lock.taken || lock.rewritten || lock.scanned) || !is_worth_telling(observer, relation, lock.mode))
		return;
	if (lock.mode > RowExclusiveLock || lock.scanned)
		rds_observe_measure(relation);

	oldcontext = MemoryContextSwitchTo(observer->context);
	step->locks = lappend(step->locks, memcpy(palloc(sizeof(lock)), &lock, sizeof(lock)));
	MemoryContextSwitchTo(oldcontext);
}

/*
 * An index counts with its table, unless it is locked more strongly than any
 * query does, and the table is not.
 */
static bool
is_worth_telling(const RdsObserver *observer, const RdsPlanRelation *relation, LOCKMODE mode)
{
	const RdsPlanRelation *table;

	switch (relation->kind)
	{
		case RELKIND_TOASTVALUE:
		case RELKIND_COMPOSITE_TYPE:
			return false;
		case RELKIND_SEQUENCE:
			return mode > RowExclusiveLock;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			if (mode <= RowExclusiveLock)
				return false;
			table = hash_search(observer->relations, &relation->table, HASH_FIND, NULL);
			if (table != NULL && table->kind == RELKIND_TOASTVALUE)
				return false;
			return table == NULL || (table->existed && (table->mask & LOCKBIT_ON(AccessExclusiveLock)) == 0);
		default:
			return true;
	}
}

static bool
was_rewritten(RdsPlanRelation *relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation->oid));
	Oid before = relation->filenode;

	if (!HeapTupleIsValid(tuple))
		return false;
	relation->filenode = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
	ReleaseSysCache(tuple);
	return relation->filenode != before && relation->kind != RELKIND_SEQUENCE;
}

/* TRUNCATE gives a table another file, writes nothing into it, and builds its indexes anew. */
static bool
was_truncated(const RdsPlanStep *step, const RdsPlanRelation *relation)
{
	ListCell *cell;

	foreach(cell, step->targets)
	{
		const RdsPlanTarget *target = lfirst(cell);

		if ((target->asks & RDS_ASKS_TRUNCATE) != 0 && list_member_ptr(target->members, relation))
			return true;
	}
	return false;
}

static int
compare_locks(const ListCell *one, const ListCell *two)
{
	const RdsPlanLock *a = lfirst(one);
	const RdsPlanLock *b = lfirst(two);

	if (a->mode != b->mode)
		return b->mode - a->mode;
	return strcmp(a->relation->name, b->relation->name);
}

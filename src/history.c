/*-------------------------------------------------------------------------
 *
 * history.c
 *	  The ledger: rdsinit.history.
 *
 * Rows are read and written here without asking for the caller's rights on the
 * table, and without taking anybody else's: whoever may call rdsinit.apply
 * leaves a row for what was applied, and can neither forge nor erase one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "history.h"

#define SCHEMA "rdsinit"

/* Columns of rdsinit.history, in their order. */
enum
{
	COLUMN_ID,
	COLUMN_NAME,
	COLUMN_OUTCOME,
	COLUMN_CHECKSUM,
	COLUMN_STATEMENTS,
	COLUMN_ROWS,
	COLUMN_DURATION,
	COLUMN_APPLIED_BY,
	COLUMN_APPLIED_AT,
	COLUMN_VERSION,
	COLUMN_COUNT
};

static Oid find_relation(Oid schema, const char *name);
static void refuse_other_ledger(void);
static bool is_trusted_owner(Oid relation);
static int64 last_row(const RdsLedger *ledger, const char *name, Snapshot snapshot,
					  bool *applied, const char *checksum);

/*
 * rds_history_open
 *		Opens the ledger, which stays open until rds_history_close.
 *
 * As long as it is open the server refuses to drop or alter it from within the
 * call.  Raises an error where the fallback's ledger is in the database: two
 * of them would apply everything twice.
 */
RdsLedger *
rds_history_open(void)
{
	RdsLedger *ledger = palloc(sizeof(RdsLedger));
	Oid schema = get_namespace_oid(SCHEMA, false);

	refuse_other_ledger();

	ledger->table = table_open(find_relation(schema, "history"), RowExclusiveLock);
	ledger->by_name = relation_open(find_relation(schema, "history_name_id_idx"), RowExclusiveLock);
	ledger->sequence = find_relation(schema, "history_id_seq");
	ledger->applied_by = GetUserNameFromId(GetUserId(), false);

	if (RelationGetDescr(ledger->table)->natts != COLUMN_COUNT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.history\" is not the one that rdsinit %s works with", SCHEMA, RDS_VERSION),
				 errhint("Run ALTER EXTENSION rdsinit UPDATE.")));

	return ledger;
}

/*
 * rds_history_is_applied
 *		Was the script, with this body, the last of its name to be applied?
 *
 * The answer is as of now, not as of the transaction's snapshot: another call
 * may have been at work until a moment ago.  Where the transaction's snapshot
 * is fixed and does not show that, the script could not see what the other one
 * made either: raises a serialization failure.
 */
bool
rds_history_is_applied(const RdsLedger *ledger, const RdsScript *script)
{
	Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
	bool applied;
	int64 id = last_row(ledger, script->name, latest, &applied, script->checksum);

	UnregisterSnapshot(latest);

	if (IsolationUsesXactSnapshot())
	{
		Snapshot fixed = RegisterSnapshot(GetTransactionSnapshot());
		bool ignored;
		bool same = last_row(ledger, script->name, fixed, &ignored, script->checksum) == id;

		UnregisterSnapshot(fixed);
		if (!same)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to a concurrent call of rdsinit"),
					 errdetail("Script \"%s\" was applied after this transaction's snapshot was taken.",
							   script->name),
					 errhint("Run the transaction again.")));
	}

	return applied;
}

/*
 * rds_history_insert
 *		Adds the script's row.
 */
void
rds_history_insert(const RdsLedger *ledger, const RdsScript *script)
{
	EState *estate = CreateExecutorState();
	ResultRelInfo *result_relation = makeNode(ResultRelInfo);
	TupleTableSlot *slot = table_slot_create(ledger->table, &estate->es_tupleTable);
	Interval duration = {.time = script->duration};
	Datum *values = slot->tts_values;

	values[COLUMN_ID] = Int64GetDatum(nextval_internal(ledger->sequence, false));
	values[COLUMN_NAME] = CStringGetTextDatum(script->name);
	values[COLUMN_OUTCOME] = CStringGetTextDatum(script->outcome);
	values[COLUMN_CHECKSUM] = CStringGetTextDatum(script->checksum);
	values[COLUMN_STATEMENTS] = Int64GetDatum(script->statements);
	values[COLUMN_ROWS] = Int64GetDatum(script->rows);
	values[COLUMN_DURATION] = IntervalPGetDatum(&duration);
	values[COLUMN_APPLIED_BY] = CStringGetTextDatum(ledger->applied_by);
	values[COLUMN_APPLIED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[COLUMN_VERSION] = CStringGetTextDatum(RDS_VERSION);
	memset(slot->tts_isnull, false, COLUMN_COUNT * sizeof(bool));
	ExecStoreVirtualTuple(slot);

	InitResultRelInfo(result_relation, ledger->table, 0, NULL, 0);
	ExecOpenIndices(result_relation, false);
	ExecConstraints(result_relation, slot, estate);
	table_tuple_insert(ledger->table, slot, GetCurrentCommandId(true), 0, NULL);
	(void) rds_ExecInsertIndexTuples(result_relation, slot, estate);
	ExecCloseIndices(result_relation);

	ExecResetTupleTable(estate->es_tupleTable, true);
	FreeExecutorState(estate);
	CommandCounterIncrement();
}

/* Closes the ledger; its locks are kept to the transaction's end. */
void
rds_history_close(RdsLedger *ledger)
{
	relation_close(ledger->by_name, NoLock);
	table_close(ledger->table, NoLock);
	pfree(ledger->applied_by);
	pfree(ledger);
}

static Oid
find_relation(Oid schema, const char *name)
{
	Oid relation = get_relname_relid(name, schema);

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", SCHEMA, name),
				 errhint("Make the extension anew, or restore what it made.")));
	return relation;
}

static void
refuse_other_ledger(void)
{
	Oid schema = get_namespace_oid("rdsinit_plain", true);
	Oid table = OidIsValid(schema) ? get_relname_relid("history", schema) : InvalidOid;

	if (OidIsValid(table) && is_trusted_owner(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this database has a history of scripts that were applied without the extension"),
				 errdetail("With a second history, all of them would be applied again."),
				 errhint("Go on with RDSINIT_MODE=plain; or drop table rdsinit_plain.history, if they may be applied again.")));
}

/*
 * Could the relation have been made by somebody whose word counts here?
 * Anybody who may create a schema could stop all calls with a table of that
 * name otherwise.
 */
static bool
is_trusted_owner(Oid relation)
{
	HeapTuple tuple;
	Oid owner;
	Oid database_owner;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	database_owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);

	return superuser_arg(owner) || owner == GetUserId() ||
		   has_privs_of_role(owner, database_owner);
}

/*
 * The id of the last row of a name, 0 where there is none; and whether it says
 * that a body of this checksum was applied.
 */
static int64
last_row(const RdsLedger *ledger, const char *name, Snapshot snapshot,
		 bool *applied, const char *checksum)
{
	TupleDesc descriptor = RelationGetDescr(ledger->table);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	int64 id = 0;

	*applied = false;

	/* The column's collation is "C", and so is this key's. */
	ScanKeyInit(&key, COLUMN_NAME + 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan_ordered(ledger->table, ledger->by_name, snapshot, 1, &key);
	row = systable_getnext_ordered(scan, BackwardScanDirection);
	if (HeapTupleIsValid(row))
	{
		bool isnull;
		Datum value;

		id = DatumGetInt64(heap_getattr(row, COLUMN_ID + 1, descriptor, &isnull));
		value = heap_getattr(row, COLUMN_CHECKSUM + 1, descriptor, &isnull);
		*applied = strcmp(TextDatumGetCString(value), checksum) == 0;
	}
	systable_endscan_ordered(scan);

	return id;
}

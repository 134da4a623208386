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

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "history.h"
#include "trust.h"

#define SCHEMA "rdsinit"

static RdsLedger *open_ledger(LOCKMODE lockmode);
static Oid find_relation(Oid schema, const char *name);
static void refuse_other_ledger(void);
static Datum text_or_null(const char *text, bool *isnull);

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
	refuse_other_ledger();
	return rds_history_open_to_write();
}

/* The same, whatever other ledger there may be. */
RdsLedger *
rds_history_open_to_write(void)
{
	return open_ledger(RowExclusiveLock);
}

/* The same as rds_history_open, for who adds nothing. */
RdsLedger *
rds_history_open_to_read(void)
{
	refuse_other_ledger();
	return open_ledger(AccessShareLock);
}

static RdsLedger *
open_ledger(LOCKMODE lockmode)
{
	RdsLedger *ledger = palloc(sizeof(RdsLedger));
	Oid schema = get_namespace_oid(SCHEMA, false);

	ledger->table = table_open(find_relation(schema, "history"), lockmode);
	rds_trust_check_own(RelationGetRelid(ledger->table));
	if (RelationGetDescr(ledger->table)->natts != RDS_COLUMN_COUNT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.history\" is not the one that rdsinit %s works with", SCHEMA, RDS_VERSION),
				 errhint("Run ALTER EXTENSION rdsinit UPDATE.")));
	ledger->by_id = relation_open(find_relation(schema, "history_pkey"), lockmode);
	ledger->by_name = relation_open(find_relation(schema, "history_name_id_idx"), lockmode);
	ledger->by_version = relation_open(find_relation(schema, "history_version_id_idx"), lockmode);
	ledger->sequence = find_relation(schema, "history_id_seq");
	ledger->applied_by = GetUserNameFromId(GetUserId(), false);

	return ledger;
}

/*
 * rds_history_insert
 *		Adds a row.
 */
void
rds_history_insert(const RdsLedger *ledger, const RdsRow *row)
{
	EState *estate = CreateExecutorState();
	ResultRelInfo *result_relation = makeNode(ResultRelInfo);
	TupleTableSlot *slot = table_slot_create(ledger->table, &estate->es_tupleTable);
	Interval duration = {.time = row->duration};
	Datum *values = slot->tts_values;
	bool *nulls = slot->tts_isnull;

	memset(nulls, false, RDS_COLUMN_COUNT * sizeof(bool));
	values[RDS_COLUMN_ID] = Int64GetDatum(nextval_internal(ledger->sequence, false));
	values[RDS_COLUMN_NAME] = CStringGetTextDatum(row->name);
	values[RDS_COLUMN_VERSION] = text_or_null(row->version, &nulls[RDS_COLUMN_VERSION]);
	values[RDS_COLUMN_STATEMENT] = Int32GetDatum(row->statement);
	nulls[RDS_COLUMN_STATEMENT] = row->statement == 0;
	values[RDS_COLUMN_OUTCOME] = CStringGetTextDatum(row->outcome);
	values[RDS_COLUMN_CHECKSUM] = text_or_null(row->checksum, &nulls[RDS_COLUMN_CHECKSUM]);
	values[RDS_COLUMN_STATEMENTS] = Int64GetDatum(row->statements);
	values[RDS_COLUMN_ROWS] = Int64GetDatum(row->rows);
	values[RDS_COLUMN_DURATION] = IntervalPGetDatum(&duration);
	values[RDS_COLUMN_APPLIED_BY] = CStringGetTextDatum(ledger->applied_by);
	values[RDS_COLUMN_APPLIED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[RDS_COLUMN_RDSINIT_VERSION] = CStringGetTextDatum(RDS_VERSION);
	values[RDS_COLUMN_UNDO_NAME] = text_or_null(row->undo_name, &nulls[RDS_COLUMN_UNDO_NAME]);
	values[RDS_COLUMN_UNDO] = text_or_null(row->undo, &nulls[RDS_COLUMN_UNDO]);
	nulls[RDS_COLUMN_LOST] = row->lost == NULL;
	values[RDS_COLUMN_LOST] = (Datum) 0;
	if (row->lost != NULL)
		values[RDS_COLUMN_LOST] = DirectFunctionCall1(jsonb_in, CStringGetDatum(row->lost));
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

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* Closes the ledger; its locks are kept to the transaction's end. */
void
rds_history_close(RdsLedger *ledger)
{
	relation_close(ledger->by_version, NoLock);
	relation_close(ledger->by_name, NoLock);
	relation_close(ledger->by_id, NoLock);
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

	if (OidIsValid(table) && rds_trust_owner_of_history(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this database has a history of scripts that were applied without the extension"),
				 errdetail("With a second history, all of them would be applied again."),
				 errhint("Take it over: SELECT * FROM rdsinit.adopt('rdsinit_plain.history').")));
}

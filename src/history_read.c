/*-------------------------------------------------------------------------
 *
 * history_read.c
 *	  What the ledger says was applied.
 *
 * Read as of now, not as of the transaction's snapshot: another call may have
 * been at work until a moment ago.  What is read grows with the versions that
 * were applied and with the scripts of the bundle, never with the length of the
 * history.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "history.h"

/* After so many rows of one version the next version is looked up, not walked to. */
#define MANY_OLDER 4

static SysScanDesc begin_scan_of_versions(const RdsLedger *ledger, const char *below, Snapshot snapshot);
static int64 last_id(const RdsLedger *ledger, Snapshot snapshot);
static void take_version(const RdsLedger *ledger, HeapTuple row, bool with_undo, RdsLedgerVersion *version);
static char *text_of(const RdsLedger *ledger, HeapTuple row, int column);
static bool is_null(const RdsLedger *ledger, HeapTuple row, int column);
static SysScanDesc begin_scan_of_name(const RdsLedger *ledger, const char *name, Snapshot snapshot);

/*
 * rds_history_check_snapshot
 *		Raises a serialization failure where the transaction's snapshot is fixed and
 *		does not show the ledger's last row.
 *
 * Whoever has added that made things that a script could not see either.
 */
void
rds_history_check_snapshot(const RdsLedger *ledger)
{
	Snapshot latest;
	Snapshot fixed;
	bool same;

	if (!IsolationUsesXactSnapshot())
		return;

	latest = RegisterSnapshot(GetLatestSnapshot());
	fixed = RegisterSnapshot(GetTransactionSnapshot());
	same = last_id(ledger, latest) == last_id(ledger, fixed);
	UnregisterSnapshot(fixed);
	UnregisterSnapshot(latest);

	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a concurrent call of rdsinit"),
				 errdetail("A script was applied after this transaction's snapshot was taken."),
				 errhint("Run the transaction again.")));
}

static int64
last_id(const RdsLedger *ledger, Snapshot snapshot)
{
	SysScanDesc scan = systable_beginscan_ordered(ledger->table, ledger->by_id, snapshot, 0, NULL);
	HeapTuple row = systable_getnext_ordered(scan, BackwardScanDirection);
	int64 id = 0;

	if (HeapTupleIsValid(row))
	{
		bool isnull;

		id = DatumGetInt64(heap_getattr(row, RDS_COLUMN_ID + 1, RelationGetDescr(ledger->table), &isnull));
	}
	systable_endscan_ordered(scan);

	return id;
}

/*
 * rds_history_versions
 *		A list of RdsLedgerVersion: each version that the ledger knows once, by its
 *		last row; and its baselines.  It is in no order.
 */
List *
rds_history_versions(const RdsLedger *ledger, bool with_undo)
{
	List *versions = NIL;
	RdsLedgerVersion *last = NULL;
	bool seen[2] = {false}; /* of this version: what became of it, a baseline */
	int older = 0;
	Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = begin_scan_of_versions(ledger, NULL, latest);
	HeapTuple row;

	/* detoasting wants one */
	PushActiveSnapshot(latest);
	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, BackwardScanDirection)))
	{
		RdsLedgerVersion version;

		take_version(ledger, row, with_undo, &version);
		if (last == NULL || strcmp(last->version, version.version) != 0)
		{
			seen[false] = seen[true] = false;
			older = 0;
		}
		if (!seen[version.is_baseline])
		{
			seen[version.is_baseline] = true;
			last = palloc(sizeof(RdsLedgerVersion));
			*last = version;
			versions = lappend(versions, last);
		}
		else if (++older == MANY_OLDER)
		{
			/* whatever else there is of it is older still */
			systable_endscan_ordered(scan);
			scan = begin_scan_of_versions(ledger, last->version, latest);
		}
	}
	PopActiveSnapshot();
	systable_endscan_ordered(scan);
	UnregisterSnapshot(latest);

	return versions;
}

/* Over the rows of versions that sort below one, or over all. */
static SysScanDesc
begin_scan_of_versions(const RdsLedger *ledger, const char *below, Snapshot snapshot)
{
	ScanKeyData key;

	if (below != NULL)
		ScanKeyInit(&key, RDS_COLUMN_VERSION + 1, BTLessStrategyNumber, F_TEXT_LT, CStringGetTextDatum(below));
	return systable_beginscan_ordered(ledger->table, ledger->by_version, snapshot, below != NULL ? 1 : 0,
									  below != NULL ? &key : NULL);
}

static void
take_version(const RdsLedger *ledger, HeapTuple row, bool with_undo, RdsLedgerVersion *version)
{
	char *outcome = text_of(ledger, row, RDS_COLUMN_OUTCOME);

	version->version = text_of(ledger, row, RDS_COLUMN_VERSION);
	version->name = text_of(ledger, row, RDS_COLUMN_NAME);
	version->checksum = text_of(ledger, row, RDS_COLUMN_CHECKSUM);
	version->undo_name = with_undo ? text_of(ledger, row, RDS_COLUMN_UNDO_NAME) : NULL;
	version->undo = with_undo ? text_of(ledger, row, RDS_COLUMN_UNDO) : NULL;
	version->applied_by = with_undo ? text_of(ledger, row, RDS_COLUMN_APPLIED_BY) : NULL;
	version->is_baseline = strcmp(outcome, RDS_OUTCOME_BASELINE) == 0;
	version->applied = strcmp(outcome, RDS_OUTCOME_APPLIED) == 0 || strcmp(outcome, RDS_OUTCOME_ADOPTED) == 0;
	pfree(outcome);
}

/*
 * rds_history_last_checksums
 *		Says of each repeatable script what its checksum was when it was last applied.
 */
void
rds_history_last_checksums(const RdsLedger *ledger, RdsCandidate *candidates, size_t count)
{
	Snapshot latest = RegisterSnapshot(GetLatestSnapshot());

	for (size_t i = 0; i < count; i++)
	{
		SysScanDesc scan;
		HeapTuple row;

		if (candidates[i].kind != RDS_REPEATABLE)
			continue;
		scan = begin_scan_of_name(ledger, candidates[i].name, latest);
		while (HeapTupleIsValid(row = systable_getnext_ordered(scan, BackwardScanDirection)))
		{
			if (is_null(ledger, row, RDS_COLUMN_STATEMENT))
			{
				candidates[i].last_checksum = text_of(ledger, row, RDS_COLUMN_CHECKSUM);
				break;
			}
		}
		systable_endscan_ordered(scan);
	}
	UnregisterSnapshot(latest);
}

/*
 * rds_history_steps
 *		A list of RdsStepRow, newest first: what became of a script's statements since
 *		the script as a whole last had a row.
 */
List *
rds_history_steps(const RdsLedger *ledger, const char *name)
{
	List *steps = NIL;
	Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = begin_scan_of_name(ledger, name, latest);
	HeapTuple row;

	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, BackwardScanDirection)))
	{
		RdsStepRow *step;
		bool isnull;
		Datum statement = heap_getattr(row, RDS_COLUMN_STATEMENT + 1, RelationGetDescr(ledger->table), &isnull);

		if (isnull)
			break;
		step = palloc(sizeof(RdsStepRow));
		step->statement = DatumGetInt32(statement);
		step->outcome = text_of(ledger, row, RDS_COLUMN_OUTCOME);
		step->checksum = text_of(ledger, row, RDS_COLUMN_CHECKSUM);
		step->rows = DatumGetInt64(heap_getattr(row, RDS_COLUMN_ROWS + 1, RelationGetDescr(ledger->table), &isnull));
		steps = lappend(steps, step);
	}
	systable_endscan_ordered(scan);
	UnregisterSnapshot(latest);

	return steps;
}

static SysScanDesc
begin_scan_of_name(const RdsLedger *ledger, const char *name, Snapshot snapshot)
{
	ScanKeyData key;

	/* The column's collation is "C", and so is this key's. */
	ScanKeyInit(&key, RDS_COLUMN_NAME + 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	return systable_beginscan_ordered(ledger->table, ledger->by_name, snapshot, 1, &key);
}

/* A column's value in the current memory context, NULL for null. */
static char *
text_of(const RdsLedger *ledger, HeapTuple row, int column)
{
	bool isnull;
	Datum value = heap_getattr(row, column + 1, RelationGetDescr(ledger->table), &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static bool
is_null(const RdsLedger *ledger, HeapTuple row, int column)
{
	bool isnull;

	(void) heap_getattr(row, column + 1, RelationGetDescr(ledger->table), &isnull);
	return isnull;
}

/*-------------------------------------------------------------------------
 *
 * history.h
 *	  The ledger: rdsinit.history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_HISTORY_H
#define RDS_HISTORY_H

#include "utils/relcache.h"

#include "bundle.h"
#include "shared/pending.h"

typedef struct RdsLedger
{
	Relation table;
	Relation by_id;      /* the primary key */
	Relation by_name;    /* the index on (name, id) */
	Relation by_version; /* … and on (version, id), of whole scripts that have one */
	Oid sequence;        /* of the ids */
	char *applied_by;    /* the role that made the call */
} RdsLedger;

/* Values of the column outcome. */
#define RDS_OUTCOME_APPLIED "applied"
#define RDS_OUTCOME_BASELINE "baseline" /* every version up to this row's is there */
#define RDS_OUTCOME_ADOPTED "adopted"   /* taken for applied, not run by us */
#define RDS_OUTCOME_UNDONE "undone"
#define RDS_OUTCOME_STARTED "started"
#define RDS_OUTCOME_DONE "done"
#define RDS_OUTCOME_FAILED "failed"
#define RDS_OUTCOME_SKIPPED "skipped"

/* The name of a baseline's row. */
#define RDS_BASELINE_NAME "(baseline)"

/* A row to be written; its id, time and role are added. */
typedef struct RdsRow
{
	const char *name;
	const char *version; /* NULL: none */
	int statement;       /* 0: the row is about a whole script */
	const char *outcome;
	const char *checksum; /* NULL: not known */
	int64 statements;
	int64 rows;
	int64 duration;        /* microseconds */
	const char *undo_name; /* both NULL: none */
	const char *undo;
	const char *lost; /* JSON; NULL: nothing */
} RdsRow;

/* A version as the ledger has it, with what takes it back. */
typedef struct RdsLedgerVersion
{
	char *version;
	char *name;
	char *checksum;
	char *undo_name;
	char *undo;
	char *applied_by;
	bool applied;
	bool is_baseline;
} RdsLedgerVersion;

/* What became of a statement of a script that is run without a transaction. */
typedef struct RdsStepRow
{
	int statement;
	char *outcome;
	char *checksum;
	int64 rows;
} RdsStepRow;

extern RdsLedger *rds_history_open(void);
extern RdsLedger *rds_history_open_to_write(void);
extern RdsLedger *rds_history_open_to_read(void);
extern void rds_history_insert(const RdsLedger *ledger, const RdsRow *row);
extern void rds_history_close(RdsLedger *ledger);

/* In history_read.c: as of now, not as of the transaction's snapshot. */
extern void rds_history_check_snapshot(const RdsLedger *ledger);
extern List *rds_history_versions(const RdsLedger *ledger, bool with_undo);
extern void rds_history_last_checksums(const RdsLedger *ledger, RdsCandidate *candidates, size_t count);
extern List *rds_history_steps(const RdsLedger *ledger, const char *name);

/* Columns of rdsinit.history, in their order. */
enum
{
	RDS_COLUMN_ID,
	RDS_COLUMN_NAME,
	RDS_COLUMN_VERSION,
	RDS_COLUMN_STATEMENT,
	RDS_COLUMN_OUTCOME,
	RDS_COLUMN_CHECKSUM,
	RDS_COLUMN_STATEMENTS,
	RDS_COLUMN_ROWS,
	RDS_COLUMN_DURATION,
	RDS_COLUMN_APPLIED_BY,
	RDS_COLUMN_APPLIED_AT,
	RDS_COLUMN_RDSINIT_VERSION,
	RDS_COLUMN_UNDO_NAME,
	RDS_COLUMN_UNDO,
	RDS_COLUMN_LOST,
	RDS_COLUMN_COUNT
};

#endif /* RDS_HISTORY_H */

/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  A background worker that runs statements at top level.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_WORKER_H
#define RDS_WORKER_H

#include "leftovers.h"
#include "policy.h"

typedef struct RdsWorker RdsWorker;

/* What a worker is to do. */
typedef struct RdsTask
{
	RdsPlaceToRun where;
	const char *text;
	bool look;            /* do not run it: see what is left of it … */
	RdsStanding standing; /* … when it stands like this */
	bool allow_data_loss;
	int lock_timeout; /* for one that is run in a transaction; milliseconds, 0: no limit */
	int retry_for;    /* … how long to try again */

	/* whose rows the history gets; name NULL: nobody's */
	const char *name;
	const char *version;
	int statement;
	const char *checksum;
} RdsTask;

extern RdsWorker *rds_worker_start(const char *what);
extern int64 rds_worker_run(RdsWorker *worker, const RdsTask *task, int *retries);
extern RdsLeftover rds_worker_look(RdsWorker *worker, const char *script, const char *text, RdsStanding standing);
extern void rds_worker_end(RdsWorker *worker);

/* For PG_ENSURE_ERROR_CLEANUP. */
extern void rds_worker_kill(int code, Datum worker);

#endif /* RDS_WORKER_H */

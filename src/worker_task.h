/*-------------------------------------------------------------------------
 *
 * worker_task.h
 *	  What a worker and who has started it share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_WORKER_TASK_H
#define RDS_WORKER_TASK_H

#include "lib/stringinfo.h"
#include "storage/shm_mq.h"

#include "worker.h"

/* Enough for most statements; a longer one is sent in pieces. */
#define RDS_QUEUE_SIZE 65536

/* How long a worker waits for a lock where nobody says anything else. */
#define RDS_WORKER_LOCK_TIMEOUT "10min"

/* The message that ends what a worker says of a task: the numbers of rows and of further attempts. */
#define RDS_MESSAGE_DONE 'r'

/* At the beginning of the shared memory; settings and the queues follow. */
typedef struct RdsWorkerHeader
{
	Oid database;
	Oid user;               /* the session's */
	char role[NAMEDATALEN]; /* that it has taken on; empty: none */
	bool is_superuser;      /* may it set what only a superuser may? */
	Size settings_offset;   /* pairs of name and value, each with its NUL; an empty name ends them */
	Size tasks_offset;
	Size answers_offset;
} RdsWorkerHeader;

extern void rds_task_take_settings(const RdsWorkerHeader *header);
extern void rds_task_write(StringInfo message, const RdsTask *task);
extern void rds_task_read(StringInfo message, RdsTask *task);

/* The worker's entry point. */
extern PGDLLEXPORT void rdsinit_worker_main(Datum segment);

#endif /* RDS_WORKER_TASK_H */

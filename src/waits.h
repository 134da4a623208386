/*-------------------------------------------------------------------------
 *
 * waits.h
 *	  How long a call waits for locks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_WAITS_H
#define RDS_WAITS_H

#include "nodes/pg_list.h"
#include "storage/lock.h"

/* A lock that was not to be had, and who was in the way. */
typedef struct RdsWait
{
	bool has_failed; /* an attempt has, for that reason */
	bool is_known;
	LOCKTAG tag;
	LOCKMODE mode;
	int waited;    /* milliseconds, for all locks together */
	List *holders; /* of PIDs */
} RdsWait;

extern void rds_waits_begin(int budget);
extern void rds_waits_end(void);
extern int rds_waits_so_far(void);
extern void rds_wait_take(const ErrorData *error, RdsWait *wait);
extern char *rds_wait_describe(const RdsWait *wait);
extern char *rds_wait_sessions(const RdsWait *wait);

#endif /* RDS_WAITS_H */

/*-------------------------------------------------------------------------
 *
 * retry.h
 *	  Another attempt, when a lock was not to be had.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_RETRY_H
#define RDS_RETRY_H

#include "options.h"
#include "waits.h"

typedef struct RdsRetry
{
	const RdsOptions *options;
	int64 deadline; /* as GetCurrentTimestamp has it */
	int attempts;
} RdsRetry;

extern void rds_retry_begin(RdsRetry *retry, const RdsOptions *options);
extern void rds_retry_wait(RdsRetry *retry, ErrorData *error, const RdsWait *wait);
extern int rds_retry_prepare(RdsRetry *retry, ErrorData *error, const RdsWait *wait);
extern void rds_retry_pause(int milliseconds);

#endif /* RDS_RETRY_H */

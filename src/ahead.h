/*-------------------------------------------------------------------------
 *
 * ahead.h
 *	  What was parsed while a script was checked, for when it is run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_AHEAD_H
#define RDS_AHEAD_H

#include "batch.h"

extern void rds_ahead_hold(RdsFiles *files, const RdsScript *script, const RdsCursor *cursor, const RdsBatch *batch,
						   MemoryContext context);
extern bool rds_ahead_take(const RdsFiles *files, const RdsScript *script, RdsCursor *cursor, RdsBatch *batch);

#endif /* RDS_AHEAD_H */

/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  Many statements of a script parsed at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_BATCH_H
#define RDS_BATCH_H

#include "script.h"

/* What is done with each statement, at which the cursor is. */
typedef void (*RdsBatchCheck)(const RawStmt *statement);

extern int rds_check_batch(RdsCursor *cursor, RdsBatchCheck check);

#endif /* RDS_BATCH_H */

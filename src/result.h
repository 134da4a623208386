/*-------------------------------------------------------------------------
 *
 * result.h
 *	  A query's rows as text, for \gset and \gexec.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_RESULT_H
#define RDS_RESULT_H

#include "nodes/pg_list.h"
#include "tcop/dest.h"

typedef struct RdsResult RdsResult;

extern RdsResult *rds_result_make(void);
extern DestReceiver *rds_result_receiver(RdsResult *result);
extern List *rds_result_columns(const RdsResult *result);
extern List *rds_result_rows(const RdsResult *result);

#endif /* RDS_RESULT_H */

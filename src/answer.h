/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  What a call returns to SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ANSWER_H
#define RDS_ANSWER_H

#include "fmgr.h"
#include "nodes/execnodes.h"

#include "errctx.h"
#include "files.h"

extern void rds_return_outcomes(const RdsFiles *files, ReturnSetInfo *result);
extern Datum rds_return_report(const RdsFiles *files, FunctionCallInfo fcinfo);
extern void rds_return_pending(const RdsFiles *files, ReturnSetInfo *result);
extern void rds_return_statements(RdsFiles *files, ReturnSetInfo *result, RdsErrorContext *errctx);

#endif /* RDS_ANSWER_H */

/*-------------------------------------------------------------------------
 *
 * run.h
 *	  One script: checked, or run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_RUN_H
#define RDS_RUN_H

#include "errctx.h"
#include "files.h"

extern List *rds_find_includes(const RdsScript *script, RdsFiles *files, RdsErrorContext *errctx);
extern void rds_check_script(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx);
extern void rds_foresee(RawStmt *statement);
extern void rds_run_script(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx);

#endif /* RDS_RUN_H */

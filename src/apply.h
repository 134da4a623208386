/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  Scripts applied in one transaction, all or nothing, exactly once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_APPLY_H
#define RDS_APPLY_H

#include "errctx.h"
#include "files.h"
#include "history.h"

extern void rds_apply(RdsFiles *files, bool may_deploy, RdsErrorContext *errctx);

/* For a deployment, which has more than one transaction. */
extern List *rds_apply_pending(RdsFiles *files, const RdsLedger *ledger, RdsErrorContext *errctx);
extern void rds_apply_group(List *scripts, RdsFiles *files, const RdsLedger *ledger, const char *outcome,
							RdsErrorContext *errctx);
extern void rds_apply_record(const RdsLedger *ledger, const RdsScript *script, const char *outcome);
extern void rds_apply_refuse_outside(List *pending, bool may_deploy);

#endif /* RDS_APPLY_H */

/*-------------------------------------------------------------------------
 *
 * decide.h
 *	  What is to be done with the scripts of a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_DECIDE_H
#define RDS_DECIDE_H

#include "errctx.h"
#include "files.h"
#include "history.h"

extern void rds_decide(RdsFiles *files, const RdsLedger *ledger, bool raise, RdsErrorContext *errctx);

#endif /* RDS_DECIDE_H */

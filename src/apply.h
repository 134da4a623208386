/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  A call: its scripts applied, all or nothing, exactly once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_APPLY_H
#define RDS_APPLY_H

#include "errctx.h"
#include "files.h"

extern void rds_apply(RdsFiles *files, RdsErrorContext *errctx);

#endif /* RDS_APPLY_H */

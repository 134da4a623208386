/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  A call: its scripts applied, all or nothing, exactly once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_APPLY_H
#define RDS_APPLY_H

#include "nodes/pg_list.h"

#include "errctx.h"
#include "options.h"

extern void rds_apply(List *bundle, const RdsOptions *options, RdsErrorContext *errctx);

#endif /* RDS_APPLY_H */

/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  What was changed outside of rdsinit; and the whole schema in one hash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_DRIFT_H
#define RDS_DRIFT_H

#include "nodes/execnodes.h"

#include "objects.h"
#include "options.h"

extern void rds_drift_return(ReturnSetInfo *result);
extern int64 rds_drift_accept(const RdsOptions *options);
extern void rds_objects_return(ReturnSetInfo *result);
extern void rds_fingerprint(RdsHexDigest fingerprint);

#endif /* RDS_DRIFT_H */

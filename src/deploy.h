/*-------------------------------------------------------------------------
 *
 * deploy.h
 *	  A bundle deployed: in one transaction as far as its scripts allow.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_DEPLOY_H
#define RDS_DEPLOY_H

#include "errctx.h"
#include "files.h"

extern void rds_deploy(RdsFiles *files, RdsErrorContext *errctx);

#endif /* RDS_DEPLOY_H */

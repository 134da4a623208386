/*-------------------------------------------------------------------------
 *
 * steps.h
 *	  A script that is run statement by statement, without a transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_STEPS_H
#define RDS_STEPS_H

#include "errctx.h"
#include "files.h"
#include "policy.h"

/* A statement of such a script. */
typedef struct RdsStatement
{
	int number; /* counts from 1, over all files that the script includes */
	RdsPlace place;
	char *text; /* as it is run, variables and all */
	RdsChecksum checksum;
	RdsPlaceToRun where;
} RdsStatement;

extern void rds_steps_collect(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx);
extern void rds_steps_run(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx);

#endif /* RDS_STEPS_H */

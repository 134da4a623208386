/*-------------------------------------------------------------------------
 *
 * psqlcmd.h
 *	  psql's meta-commands: for psqlcmd.c and psqlif.c alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_PSQLCMD_H
#define RDS_PSQLCMD_H

#include "reader.h"

/* A command with its arguments. */
typedef struct RdsCall
{
	const char *name;
	List *arguments;
	bool unsure; /* an argument depends on what is not known yet */
} RdsCall;

/* What carries a command out, behind which the cursor is by then; true: a step is to be done. */
typedef bool (*RdsHandler)(RdsReader *reader, const RdsCall *call, RdsStep *step);

/* In psqlif.c. */
extern bool rds_run_if(RdsReader *reader, const RdsCall *call, RdsStep *step);
extern bool rds_run_elif(RdsReader *reader, const RdsCall *call, RdsStep *step);
extern bool rds_run_else(RdsReader *reader, const RdsCall *call, RdsStep *step);
extern bool rds_run_endif(RdsReader *reader, const RdsCall *call, RdsStep *step);

#endif /* RDS_PSQLCMD_H */

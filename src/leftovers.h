/*-------------------------------------------------------------------------
 *
 * leftovers.h
 *	  What a statement that was cut off has left behind.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_LEFTOVERS_H
#define RDS_LEFTOVERS_H

#include "nodes/pg_list.h"

/* How a statement stands, as the history has it. */
typedef enum RdsStanding
{
	RDS_NEVER_RUN,
	RDS_WAS_DONE,
	RDS_HAS_FAILED,
	RDS_NOT_KNOWN /* it was begun */
} RdsStanding;

typedef enum RdsLeftover
{
	RDS_LEFT_UNKNOWN, /* nobody can tell */
	RDS_LEFT_AGAIN,   /* it can be run again */
	RDS_LEFT_DONE     /* it was done */
} RdsLeftover;

/* What there is of the statement. */
typedef struct RdsFound
{
	List *commands; /* to be run first, as texts */
	Oid index;      /* that it has made */
	List *dropped;  /* indexes that it has dropped, as RangeVars */
} RdsFound;

extern RdsLeftover rds_leftover_find(const char *text, RdsStanding standing, RdsFound *found);
extern void rds_leftover_keep(const RdsFound *found, const char *script);

#endif /* RDS_LEFTOVERS_H */

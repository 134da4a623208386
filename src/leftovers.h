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

extern RdsLeftover rds_leftover_find(const char *text, RdsStanding standing, List **commands);

#endif /* RDS_LEFTOVERS_H */

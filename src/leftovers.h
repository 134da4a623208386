/*-------------------------------------------------------------------------
 *
 * leftovers.h
 *	  What a statement that was cut off has left behind.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_LEFTOVERS_H
#define RDS_LEFTOVERS_H

typedef enum RdsLeftover
{
	RDS_LEFT_UNKNOWN, /* nobody can tell */
	RDS_LEFT_AGAIN,   /* it can be run again */
	RDS_LEFT_DONE     /* it was done */
} RdsLeftover;

extern RdsLeftover rds_leftover_find(const char *text, bool was_begun, char **command);

#endif /* RDS_LEFTOVERS_H */

/*-------------------------------------------------------------------------
 *
 * quiet.h
 *	  Messages held back while a text is only looked at.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_QUIET_H
#define RDS_QUIET_H

/* Messages below ERROR are held back between the two. */
typedef struct RdsQuiet
{
	int client;
	int log;
} RdsQuiet;

extern void rds_quiet_begin(RdsQuiet *quiet);
extern void rds_quiet_end(const RdsQuiet *quiet);

#endif /* RDS_QUIET_H */

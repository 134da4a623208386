/*-------------------------------------------------------------------------
 *
 * client.h
 *	  Is the client still there?
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_CLIENT_H
#define RDS_CLIENT_H

/* Around a call; an error has to be followed by rds_client_watch_end as well. */
extern void rds_client_watch_begin(void);
extern void rds_client_watch_end(void);

#endif /* RDS_CLIENT_H */

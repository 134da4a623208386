/*-------------------------------------------------------------------------
 *
 * notice.h
 *	  The server's notices, in the log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <libpq-fe.h>

/* From here on a connection's notices are logged, a bounded number of them. */
extern void notice_log(PGconn *connection);

/* Logs how many were not, and begins to count again. */
extern void notice_log_rest(void);

#endif /* NOTICE_H */

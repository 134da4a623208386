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

#include "plain_variables.h"

/* From here on a connection's notices are logged, a bounded number of them. */
extern void notice_log(PGconn *connection);

/* From here on these variables' values are not shown; NULL: nobody's. */
extern void notice_conceal(const Variables *variables);

/* Logs how many were not, and begins to count again. */
extern void notice_log_rest(void);

#endif /* NOTICE_H */

/*-------------------------------------------------------------------------
 *
 * deadline.h
 *	  How long a call may take, whatever its scripts set.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_DEADLINE_H
#define RDS_DEADLINE_H

#include "datatype/timestamp.h"

/* Around a call; an error has to be followed by rds_deadline_end as well. */
extern void rds_deadline_begin(int timeout);
extern void rds_deadline_end(void);
extern void rds_deadline_is_caught(void);
extern void rds_deadline_explain(ErrorData *error);
extern TimestampTz rds_deadline_limit(TimestampTz end);
extern bool rds_deadline_ends_session(void);

/* Around a statement of a script, which may have set a statement_timeout of its own. */
extern void rds_deadline_begin_worker(void);
extern void rds_deadline_begin_statement(void);
extern void rds_deadline_end_statement(void);

/* A cancelling that a script cannot catch. */
extern void rds_cancel_install(void);
extern void rds_cancel(void);
extern void rds_cancel_end(void);

#endif /* RDS_DEADLINE_H */

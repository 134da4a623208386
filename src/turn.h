/*-------------------------------------------------------------------------
 *
 * turn.h
 *	  One call at a time in a database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_TURN_H
#define RDS_TURN_H

#include "options.h"

/* For the transaction: until it ends. */
extern void rds_turn_take(const RdsOptions *options);

/* For a deployment, over all of its transactions. */
extern void rds_turn_begin_deployment(const RdsOptions *options);
extern void rds_turn_pause(void);
extern void rds_turn_resume(const RdsOptions *options);
extern void rds_turn_end_deployment(void);

#endif /* RDS_TURN_H */

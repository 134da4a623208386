/*-------------------------------------------------------------------------
 *
 * call.h
 *	  What surrounds each call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_CALL_H
#define RDS_CALL_H

#include "options.h"

typedef void (*RdsCallBody)(void *argument);

extern void rds_call(const char *function, const RdsOptions *options, RdsCallBody body, void *argument);
extern void rds_call_forbid(void);

#endif /* RDS_CALL_H */

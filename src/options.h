/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The options of a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_OPTIONS_H
#define RDS_OPTIONS_H

#include "utils/jsonb.h"

typedef struct RdsOptions
{
	bool force;    /* run unchanged scripts as well */
	int retry_for; /* how long to wait for our turn, milliseconds */
} RdsOptions;

extern void rds_options_parse(RdsOptions *options, Jsonb *json);

#endif /* RDS_OPTIONS_H */

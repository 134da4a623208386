/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The options of a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_OPTIONS_H
#define RDS_OPTIONS_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* A variable that a script finds set. */
typedef struct RdsOptionVariable
{
	char *name;
	char *value;
} RdsOptionVariable;

typedef struct RdsOptions
{
	List *variables; /* of RdsOptionVariable */
	bool force;      /* run unchanged scripts as well */
	int retry_for;   /* how long to wait for our turn, milliseconds */
} RdsOptions;

extern void rds_options_parse(RdsOptions *options, Jsonb *json);

#endif /* RDS_OPTIONS_H */

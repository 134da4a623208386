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

/* What to do with a statement of which nobody knows whether it was done. */
typedef enum RdsResume
{
	RDS_RESUME_ASK, /* raise an error */
	RDS_RESUME_SKIP,
	RDS_RESUME_AGAIN
} RdsResume;

typedef struct RdsOptions
{
	List *variables;      /* of RdsOptionVariable */
	bool force;           /* run unchanged repeatable scripts as well */
	bool out_of_order;    /* apply versions below the newest that was applied */
	bool allow_changed;   /* take versioned scripts that have changed for applied as they are */
	bool allow_missing;   /* go on where applied versions are not in the bundle */
	bool allow_data_loss; /* drop what holds rows */
	int lock_timeout;     /* for all locks of an attempt, milliseconds; 0: no limit */
	int retry_for;        /* how long to wait for our turn, and to try again for locks, milliseconds */
	int timeout;          /* how long the call may take, milliseconds; 0: no limit */
	bool trust_history;   /* run what the history holds, whoever may have written it */
	RdsResume resume;
	List *no_transaction; /* names of scripts to run without a transaction */
} RdsOptions;

extern void rds_options_parse(RdsOptions *options, Jsonb *json);

#endif /* RDS_OPTIONS_H */

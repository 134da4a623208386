/*-------------------------------------------------------------------------
 *
 * psqlarg.h
 *	  The arguments of psql's meta-commands.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_PSQLARG_H
#define RDS_PSQLARG_H

#include "variables.h"

typedef struct RdsArguments
{
	const char *at;  /* what is left of the line … */
	const char *end; /* … up to here */
	const RdsVariables *variables;
	bool inactive; /* in a branch that is not taken: nothing is looked up */
	bool unsure;   /* a variable's value is not known yet */
} RdsArguments;

extern char *rds_argument_name(RdsArguments *arguments);
extern char *rds_argument_next(RdsArguments *arguments);
extern char *rds_argument_rest(RdsArguments *arguments);
extern void rds_argument_strip_quotes(char *argument);
extern void rds_arguments_end(RdsArguments *arguments);

#endif /* RDS_PSQLARG_H */

/*-------------------------------------------------------------------------
 *
 * errctx.h
 *	  What an error says about where in a script it was raised.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ERRCTX_H
#define RDS_ERRCTX_H

#include "script.h"

typedef struct RdsErrorContext
{
	ErrorContextCallback callback;
	const char *script;      /* name of the script at hand, or NULL */
	const RdsCursor *cursor; /* where in it, or NULL: nowhere in particular */
	Size token;              /* offset of the error's own token … */
	bool has_token;          /* … where it has one */
} RdsErrorContext;

extern void rds_errctx_push(RdsErrorContext *context);
extern void rds_errctx_pop(RdsErrorContext *context);
extern void rds_errctx_finish(const RdsErrorContext *context, ErrorData *error);

/* Messages below ERROR are held back between the two. */
typedef struct RdsQuiet
{
	int client;
	int log;
} RdsQuiet;

extern void rds_quiet_begin(RdsQuiet *quiet);
extern void rds_quiet_end(const RdsQuiet *quiet);

#endif /* RDS_ERRCTX_H */

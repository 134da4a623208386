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

/* A place in a script, as errors name it. */
typedef struct RdsPlace
{
	const char *script;          /* its name */
	RdsCursor *cursor;           /* over it; NULL: nowhere in particular */
	RdsPosition position;        /* of the meta-command, or of the statement … */
	bool at_command;             /* … that is carried out */
	int statement;               /* … which has this number; 0: none */
	const char *text;            /* … and this text, or NULL */
	const RdsStretch *stretches; /* … of which these are parts */
	int stretch_count;
	const struct RdsPlace *included_from;
} RdsPlace;

typedef struct RdsErrorContext
{
	ErrorContextCallback callback;
	const RdsPlace *place;         /* NULL: none */
	const char *token;             /* where the script has what the error stumbled over, or NULL */
	const char *variable;          /* in whose value that is, or NULL */
	const RdsVariables *variables; /* whose values are not to be shown, or NULL */
} RdsErrorContext;

extern void rds_errctx_push(RdsErrorContext *context);
extern void rds_errctx_pop(RdsErrorContext *context);
extern void rds_errctx_finish(const RdsErrorContext *context, ErrorData *error);

#endif /* RDS_ERRCTX_H */

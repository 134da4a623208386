/*-------------------------------------------------------------------------
 *
 * request.h
 *	  What the functions that SQL can call have in common: their arguments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_REQUEST_H
#define RDS_REQUEST_H

#include "fmgr.h"

#include "errctx.h"
#include "files.h"

/* What a function does, with an error context that has been pushed. */
typedef Datum (*RdsRequestBody)(FunctionCallInfo fcinfo, RdsErrorContext *errctx);

/* What happens within a call. */
typedef struct RdsRequest
{
	RdsFiles files;
	RdsOptions options;
	RdsErrorContext *errctx;
	bool may_deploy;
	const char *version;
	Oid table;
} RdsRequest;

extern Datum rds_request_call(FunctionCallInfo fcinfo, RdsRequestBody body);
extern void rds_request_take_bundle(FunctionCallInfo fcinfo, RdsRequest *request);
extern void rds_request_take_options(FunctionCallInfo fcinfo, int argument, RdsRequest *request);
extern void rds_request_refuse_null(FunctionCallInfo fcinfo, int argument, const char *name);

#endif /* RDS_REQUEST_H */

/*-------------------------------------------------------------------------
 *
 * request.c
 *	  What the functions that SQL can call have in common: their arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "request.h"

/* Runs a function's body; no error of it repeats what it was called with. */
Datum
rds_request_call(FunctionCallInfo fcinfo, RdsRequestBody body)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	RdsErrorContext errctx = {{0}};
	Datum volatile result = (Datum) 0;

	rds_errctx_push(&errctx);
	PG_TRY();
	{
		result = body(fcinfo, &errctx);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
		rds_errctx_finish(&errctx, error);
		ReThrowError(error);
	}
	PG_END_TRY();
	rds_errctx_pop(&errctx);

	return result;
}

void
rds_request_take_bundle(FunctionCallInfo fcinfo, RdsRequest *request)
{
	rds_request_refuse_null(fcinfo, 0, "names");
	rds_request_refuse_null(fcinfo, 1, "scripts");

	request->files.scripts = rds_bundle_make(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));
	request->files.whole = true;
	rds_request_take_options(fcinfo, 2, request);
}

void
rds_request_take_options(FunctionCallInfo fcinfo, int argument, RdsRequest *request)
{
	rds_options_parse(&request->options, PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument));
	request->files.options = &request->options;
	request->files.context = CurrentMemoryContext;
}

void
rds_request_refuse_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/*-------------------------------------------------------------------------
 *
 * rdsinit.c
 *	  What SQL can call.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "apply.h"
#include "bundle.h"
#include "errctx.h"
#include "policy.h"
#include "statement.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(rdsinit_apply);
PG_FUNCTION_INFO_V1(rdsinit_apply_bundle);
PG_FUNCTION_INFO_V1(rdsinit_statements);

static void apply_and_return(FunctionCallInfo fcinfo, List *bundle, RdsErrorContext *errctx);
static void refuse_null(FunctionCallInfo fcinfo, int argument, const char *name);

/*
 * rdsinit.apply(name text, script text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply(PG_FUNCTION_ARGS)
{
	RdsErrorContext errctx = {{0}};
	RdsScript *script;

	rds_errctx_push(&errctx);
	refuse_null(fcinfo, 0, "name");
	refuse_null(fcinfo, 1, "script");

	script = rds_script_make(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							 text_to_cstring(PG_GETARG_TEXT_PP(1)));
	apply_and_return(fcinfo, list_make1(script), &errctx);
	rds_errctx_pop(&errctx);

	return (Datum) 0;
}

/*
 * rdsinit.apply_bundle(names text[], scripts text[], options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply_bundle(PG_FUNCTION_ARGS)
{
	RdsErrorContext errctx = {{0}};
	List *bundle;

	rds_errctx_push(&errctx);
	refuse_null(fcinfo, 0, "names");
	refuse_null(fcinfo, 1, "scripts");

	bundle = rds_bundle_make(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));
	apply_and_return(fcinfo, bundle, &errctx);
	rds_errctx_pop(&errctx);

	return (Datum) 0;
}

/*
 * rdsinit.statements(script text)
 *		returns table (ordinal int, line int, col int, tag text, transactional bool, text text)
 */
Datum
rdsinit_statements(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context;
	RdsErrorContext errctx = {{0}};
	RdsScript *script;
	RdsCursor *cursor;

	rds_errctx_push(&errctx);
	refuse_null(fcinfo, 0, "script");
	InitMaterializedSRF(fcinfo, 0);

	script = rds_script_make("script", text_to_cstring(PG_GETARG_TEXT_PP(0)));
	cursor = rds_cursor_open(script->body, script->length);
	context = AllocSetContextCreate(oldcontext, "rdsinit statements", ALLOCSET_DEFAULT_SIZES);

	errctx.script = script->name;
	errctx.cursor = cursor;
	PG_TRY();
	{
		MemoryContextSwitchTo(context);
		while (rds_cursor_next(cursor))
		{
			char *text = rds_cursor_text(cursor);
			RawStmt *statement = rds_statement_parse(text);
			Datum values[6];
			bool nulls[6] = {false};

			rds_policy_check_copy(statement);
			values[0] = Int32GetDatum(cursor->ordinal);
			values[1] = Int32GetDatum(cursor->start.line);
			values[2] = Int32GetDatum(cursor->start.column);
			values[3] = CStringGetTextDatum(CreateCommandName(statement->stmt));
			values[4] = BoolGetDatum(rds_policy_is_transactional(statement));
			values[5] = CStringGetTextDatum(text);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			MemoryContextReset(context);
		}
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
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
	rds_cursor_close(cursor);

	return (Datum) 0;
}

/* Applies the bundle with the options of argument 2, and returns the outcomes. */
static void
apply_and_return(FunctionCallInfo fcinfo, List *bundle, RdsErrorContext *errctx)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RdsOptions options;
	ListCell *cell;

	rds_options_parse(&options, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2));
	InitMaterializedSRF(fcinfo, 0);

	rds_apply(bundle, &options, errctx);

	foreach(cell, bundle)
	{
		const RdsScript *script = lfirst(cell);
		Interval duration = {.time = script->duration};
		Datum values[6];
		bool nulls[6] = {false};

		values[0] = CStringGetTextDatum(script->name);
		values[1] = CStringGetTextDatum(script->outcome);
		values[2] = Int64GetDatum(script->statements);
		values[3] = Int64GetDatum(script->rows);
		values[4] = IntervalPGetDatum(&duration);
		values[5] = CStringGetTextDatum(script->checksum);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static void
refuse_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

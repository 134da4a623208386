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
#include "copydata.h"
#include "policy.h"
#include "reader.h"
#include "statement.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(rdsinit_apply);
PG_FUNCTION_INFO_V1(rdsinit_apply_bundle);
PG_FUNCTION_INFO_V1(rdsinit_apply_file);
PG_FUNCTION_INFO_V1(rdsinit_statements);

/* What a function does, with an error context that has been pushed. */
typedef void (*Body)(FunctionCallInfo fcinfo, RdsErrorContext *errctx);

static Datum call(FunctionCallInfo fcinfo, Body body);
static void apply(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static void apply_bundle(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static void apply_file(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static void statements(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static void list_statements(RdsFiles *files, ReturnSetInfo *result, RdsErrorContext *errctx);
static void apply_and_return(FunctionCallInfo fcinfo, RdsFiles *files, int argument, RdsErrorContext *errctx);
static void refuse_null(FunctionCallInfo fcinfo, int argument, const char *name);

/*
 * rdsinit.apply(name text, script text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply(PG_FUNCTION_ARGS)
{
	return call(fcinfo, apply);
}

/*
 * rdsinit.apply_bundle(names text[], scripts text[], options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply_bundle(PG_FUNCTION_ARGS)
{
	return call(fcinfo, apply_bundle);
}

/*
 * rdsinit.apply_file(path text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply_file(PG_FUNCTION_ARGS)
{
	return call(fcinfo, apply_file);
}

/*
 * rdsinit.statements(script text)
 *		returns table (ordinal int, line int, col int, tag text, transactional bool, text text)
 */
Datum
rdsinit_statements(PG_FUNCTION_ARGS)
{
	return call(fcinfo, statements);
}

/* Runs a function's body; no error of it repeats what it was called with. */
static Datum
call(FunctionCallInfo fcinfo, Body body)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	RdsErrorContext errctx = {{0}};

	rds_errctx_push(&errctx);
	PG_TRY();
	{
		body(fcinfo, &errctx);
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

	return (Datum) 0;
}

static void
apply(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsFiles files = {0};
	text *script;

	refuse_null(fcinfo, 0, "name");
	refuse_null(fcinfo, 1, "script");

	script = PG_GETARG_TEXT_PP(1);
	files.scripts = list_make1(rds_script_make(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											   rds_source_memory(VARDATA_ANY(script),
																 VARSIZE_ANY_EXHDR(script))));
	apply_and_return(fcinfo, &files, 2, errctx);
}

static void
apply_bundle(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsFiles files = {0};

	refuse_null(fcinfo, 0, "names");
	refuse_null(fcinfo, 1, "scripts");

	files.scripts = rds_bundle_make(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));
	apply_and_return(fcinfo, &files, 2, errctx);
}

static void
apply_file(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsFiles files = {0};

	refuse_null(fcinfo, 0, "path");
	rds_files_check_role();

	rds_files_open(text_to_cstring(PG_GETARG_TEXT_PP(0)), &files);
	apply_and_return(fcinfo, &files, 1, errctx);
}

static void
statements(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsOptions options;
	RdsFiles files = {0};
	text *script;

	refuse_null(fcinfo, 0, "script");
	InitMaterializedSRF(fcinfo, 0);

	rds_options_parse(&options, NULL);
	script = PG_GETARG_TEXT_PP(0);
	files.options = &options;
	files.context = CurrentMemoryContext;
	files.scripts = list_make1(rds_script_make("script", rds_source_memory(VARDATA_ANY(script),
																		   VARSIZE_ANY_EXHDR(script))));
	list_statements(&files, (ReturnSetInfo *) fcinfo->resultinfo, errctx);
}

static void
list_statements(RdsFiles *files, ReturnSetInfo *result, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(oldcontext, "rdsinit statements", ALLOCSET_DEFAULT_SIZES);
	RdsReader *reader = rds_reader_open(linitial(files->scripts), files, true, errctx);
	RdsStep step;

	MemoryContextSwitchTo(context);
	while (rds_reader_next(reader, &step))
	{
		RdsCursor *cursor = rds_reader_cursor(reader);
		RdsPosition position = rds_cursor_position(cursor);
		Size length;
		char *text = rds_cursor_text(cursor, &length);
		RawStmt *statement = step.unsure ? rds_statement_try_parse(text, length) : rds_statement_parse(text, length);
		Datum values[6];
		bool nulls[6] = {false};

		values[0] = Int32GetDatum(cursor->ordinal);
		values[1] = Int32GetDatum(position.line);
		values[2] = Int32GetDatum(position.column);
		values[5] = CStringGetTextDatum(text);
		nulls[3] = nulls[4] = statement == NULL;
		if (statement != NULL)
		{
			values[3] = CStringGetTextDatum(CreateCommandName(statement->stmt));
			values[4] = BoolGetDatum(rds_policy_is_transactional(statement));
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);

		if (statement != NULL ? rds_is_copy_from_script(statement) : cursor->from_stdin)
		{
			rds_cursor_begin_data(cursor);
			rds_cursor_end_data(cursor);
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
	rds_reader_close(reader);
}

/* Applies the files with the options of an argument, and returns the outcomes. */
static void
apply_and_return(FunctionCallInfo fcinfo, RdsFiles *files, int argument, RdsErrorContext *errctx)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RdsOptions options;
	ListCell *cell;

	rds_options_parse(&options, PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument));
	files->options = &options;
	files->context = CurrentMemoryContext;
	InitMaterializedSRF(fcinfo, 0);

	rds_apply(files, errctx);

	foreach(cell, files->scripts)
	{
		const RdsScript *script = lfirst(cell);
		Interval duration = {.time = script->duration};
		Datum values[6];
		bool nulls[6] = {false};

		if (script->is_part)
			continue;
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

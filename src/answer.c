/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  What a call returns to SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "answer.h"
#include "copydata.h"
#include "policy.h"
#include "reader.h"
#include "statement.h"

static const char *state_name(RdsState state);

/* Rows of rdsinit.outcome: one for each script that has one. */
void
rds_return_outcomes(const RdsFiles *files, ReturnSetInfo *result)
{
	ListCell *cell;

	foreach(cell, files->ordered)
	{
		const RdsScript *script = lfirst(cell);
		Interval duration = {.time = script->duration};
		Datum values[6];
		bool nulls[6] = {false};

		if (script->outcome == NULL)
			continue;
		values[0] = CStringGetTextDatum(script->undoes != NULL ? script->undoes : script->name);
		values[1] = CStringGetTextDatum(script->outcome);
		values[2] = Int64GetDatum(script->statements);
		values[3] = Int64GetDatum(script->rows);
		values[4] = IntervalPGetDatum(&duration);
		values[5] = CStringGetTextDatum(script->checksum);
		nulls[5] = script->checksum[0] == '\0';
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* The outcomes as JSON, in the one column that a procedure can return. */
Datum
rds_return_report(const RdsFiles *files, FunctionCallInfo fcinfo)
{
	StringInfoData json;
	TupleDesc descriptor;
	Datum value;
	bool isnull = false;
	ListCell *cell;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	foreach(cell, files->ordered)
	{
		const RdsScript *script = lfirst(cell);

		if (script->outcome == NULL)
			continue;
		appendStringInfo(&json, "%s{\"name\": ", json.len > 1 ? ", " : "");
		escape_json(&json, script->name);
		if (script->version != NULL)
			appendStringInfo(&json, ", \"version\": \"%s\"", script->version);
		else
			appendStringInfoString(&json, ", \"version\": null");
		appendStringInfo(&json,
						 ", \"outcome\": \"%s\", \"statements\": " INT64_FORMAT ", \"rows\": " INT64_FORMAT
						 ", \"microseconds\": " INT64_FORMAT ", \"retries\": %d, \"checksum\": \"%s\"}",
						 script->outcome, script->statements, script->rows, script->duration, script->retries, script->checksum);
	}
	appendStringInfoChar(&json, ']');

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	value = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), &value, &isnull));
}

/* Rows of rdsinit.pending: what there is in order, and then what is missing. */
void
rds_return_pending(const RdsFiles *files, ReturnSetInfo *result)
{
	int ordinal = 0;
	ListCell *cell;

	foreach(cell, files->ordered)
	{
		const RdsScript *script = lfirst(cell);
		Datum values[4] = {0};
		bool nulls[4] = {false};

		if (script->state == RDS_STATE_UNDO)
			continue;
		values[0] = Int32GetDatum(++ordinal);
		values[1] = CStringGetTextDatum(script->name);
		nulls[2] = script->version == NULL;
		if (script->version != NULL)
			values[2] = CStringGetTextDatum(script->version);
		values[3] = CStringGetTextDatum(state_name(script->state));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	foreach(cell, files->missing)
	{
		const RdsAppliedVersion *missing = lfirst(cell);
		Datum values[4] = {0};
		bool nulls[4] = {true};

		values[1] = CStringGetTextDatum(missing->name);
		values[2] = CStringGetTextDatum(missing->version);
		values[3] = CStringGetTextDatum("missing");
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static const char *
state_name(RdsState state)
{
	switch (state)
	{
		case RDS_STATE_PENDING:
			return "pending";
		case RDS_STATE_OUT_OF_ORDER:
			return "out of order";
		case RDS_STATE_UNCHANGED:
			return "unchanged";
		case RDS_STATE_CHANGED:
			return "changed";
		case RDS_STATE_BASELINE:
			return "baseline";
		case RDS_STATE_UNDO:
			break;
	}
	elog(ERROR, "unrecognized state: %d", (int) state);
}

/* Rows of rdsinit.statements. */
void
rds_return_statements(RdsFiles *files, ReturnSetInfo *result, RdsErrorContext *errctx)
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

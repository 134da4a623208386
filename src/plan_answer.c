/*-------------------------------------------------------------------------
 *
 * plan_answer.c
 *	  A plan as rows of rdsinit.plan_step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "plan.h"

#define COLUMN_COUNT 16

static Datum interval(int64 microseconds);
static Datum texts(const List *list);
static Datum locks(const RdsPlan *plan, const RdsPlanStep *step);
static Datum warnings(const RdsPlanStep *step);
static Datum json(const char *text);

void
rds_plan_return(const RdsPlan *plan, Tuplestorestate *store, TupleDesc descriptor)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit plan row", ALLOCSET_DEFAULT_SIZES);
	Datum no_json = json("[]");
	Datum no_texts = texts(NIL);
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		Datum values[COLUMN_COUNT];
		bool nulls[COLUMN_COUNT] = {false};

		values[0] = Int32GetDatum(step->number);
		values[1] = CStringGetTextDatum(step->script);
		values[2] = Int32GetDatum(step->line);
		values[3] = Int32GetDatum(step->column);
		values[4] = CStringGetTextDatum(step->tag);
		values[5] = BoolGetDatum(step->run);
		values[6] = interval(step->started);
		values[7] = interval(step->duration);
		values[8] = interval((int64) step->waited * 1000);
		values[9] = Int64GetDatum(step->rows);
		values[10] = Int64GetDatum(step->wal_bytes);
		values[11] = step->made == NIL ? no_texts : texts(step->made);
		values[12] = step->altered == NIL ? no_texts : texts(step->altered);
		values[13] = step->dropped == NIL ? no_texts : texts(step->dropped);
		values[14] = step->locks == NIL ? no_json : locks(plan, step);
		values[15] = step->warnings == NIL ? no_json : warnings(step);
		for (int i = 6; i <= 10; i++)
			nulls[i] = !step->run;
		MemoryContextSwitchTo(oldcontext);
		tuplestore_putvalues(store, descriptor, values, nulls);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
}

static Datum
interval(int64 microseconds)
{
	Interval *result = palloc0(sizeof(Interval));

	result->time = microseconds;
	return IntervalPGetDatum(result);
}

static Datum
texts(const List *list)
{
	Datum *elements = palloc(Max(list_length(list), 1) * sizeof(Datum));
	int count = 0;
	ListCell *cell;

	foreach(cell, list)
		elements[count++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
locks(const RdsPlan *plan, const RdsPlanStep *step)
{
	StringInfoData text;
	ListCell *cell;

	initStringInfo(&text);
	foreach(cell, step->locks)
	{
		const RdsPlanLock *lock = lfirst(cell);
		const RdsPlanRelation *relation = lock->relation;

		appendStringInfoString(&text, text.len == 0 ? "[{\"relation\": " : ", {\"relation\": ");
		escape_json(&text, relation->name);
		appendStringInfo(&text, ", \"kind\": \"%s\", \"mode\": \"%s\"", rds_plan_kind(relation->kind),
						 GetLockmodeName(DEFAULT_LOCKMETHOD, lock->mode));
		if (lock->since > 0)
			appendStringInfo(&text, ", \"since\": %d, \"held_ms\": %.3f", lock->since, (double) rds_plan_held(plan, lock) / 1000);
		else
			appendStringInfoString(&text, ", \"since\": null, \"held_ms\": null");
		appendStringInfo(&text, ", \"rewritten\": %s, \"scanned\": %s, \"rows\": %.0f, \"bytes\": " INT64_FORMAT "}",
						 lock->rewritten ? "true" : "false", lock->scanned ? "true" : "false", relation->rows, relation->bytes);
	}
	appendStringInfoChar(&text, ']');
	return json(text.data);
}

static Datum
warnings(const RdsPlanStep *step)
{
	StringInfoData text;
	ListCell *cell;

	initStringInfo(&text);
	foreach(cell, step->warnings)
	{
		const RdsPlanWarning *warning = lfirst(cell);

		appendStringInfo(&text, "%s{\"rule\": \"%s\", \"severity\": \"%s\", \"message\": ", text.len == 0 ? "[" : ", ", warning->rule,
						 rds_plan_severity(warning->severity));
		escape_json(&text, warning->message);
		appendStringInfoString(&text, ", \"advice\": ");
		escape_json(&text, warning->advice);
		appendStringInfoChar(&text, '}');
	}
	appendStringInfoChar(&text, ']');
	return json(text.data);
}

static Datum
json(const char *text)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
}

/*-------------------------------------------------------------------------
 *
 * observe.c
 *	  What one statement after the other does, for a plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "executor/instrument.h"
#include "pgstat.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "guard.h"
#include "observe.h"
#include "statement.h"
#include "steps.h"
#include "waits.h"

static RdsObserver *observing = NULL;
static RdsPlanStep *add_step(RdsObserver *observer, const char *script, RdsPosition position, const RawStmt *statement);
static int64 since_begin(const RdsObserver *observer);
static void forget_statement(RdsObserver *observer);

/* In the current memory context.  rds_observe_end has to follow, after an error as well. */
RdsObserver *
rds_observe_begin(RdsPlan *plan)
{
	RdsObserver *observer = palloc0(sizeof(RdsObserver));

	observer->plan = plan;
	observer->context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit plan", ALLOCSET_DEFAULT_SIZES);
	observer->scratch = AllocSetContextCreate(CurrentMemoryContext, "rdsinit plan statement", ALLOCSET_DEFAULT_SIZES);
	observing = observer;
	return observer;
}

void
rds_observe_end(void)
{
	observing = NULL;
}

/* Before the first statement, in the subtransaction that is rolled back: perhaps not the first time. */
void
rds_observe_attempt(RdsObserver *observer)
{
	HASHCTL control = {0};

	observer->plan->attempts++;
	observer->plan->failed_step = observer->step != NULL ? observer->step->number : 0;
	observer->plan->steps = NIL;
	MemoryContextReset(observer->context);
	observer->weak = NIL;
	observer->last_namespace = InvalidOid;
	forget_statement(observer);

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(RdsPlanRelation);
	control.hcxt = observer->context;
	observer->relations = hash_create("rdsinit: relations of a plan", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	observer->before = RegisterSnapshot(GetLatestSnapshot());
	if (!pgstat_track_counts)
		(void) set_config_option("track_counts", "on", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);

	/* what is locked now the caller has locked */
	rds_observe_locks_begin(observer);
	rds_observe_relations_of_step(observer);
	INSTR_TIME_SET_CURRENT(observer->begun);
}

/* Behind the last statement, before the subtransaction is rolled back. */
void
rds_observe_finish(RdsObserver *observer)
{
	observer->plan->duration = since_begin(observer);
	UnregisterSnapshot(observer->before);
	observer->before = NULL;
}

void
rds_observe_before(RdsObserver *observer, const char *script, RdsPosition position, const RawStmt *statement)
{
	observer->step = add_step(observer, script, position, statement);
	observer->step->run = true;
	observer->saw_utility = false;
	observer->wal_before = pgWalUsage.wal_bytes;
	observer->waited_before = rds_waits_so_far();
	observer->step->started = since_begin(observer);
}

void
rds_observe_after(RdsObserver *observer, int64 rows)
{
	RdsPlanStep *step = observer->step;
	MemoryContext oldcontext = MemoryContextSwitchTo(observer->scratch);

	step->duration = since_begin(observer) - step->started;
	step->rows = rows;
	step->wal_bytes = (int64) (pgWalUsage.wal_bytes - observer->wal_before);
	step->waited = rds_waits_so_far() - observer->waited_before;

	rds_observe_relations_of_step(observer);
	if (observer->events != NIL)
		rds_observe_objects_of_step(observer);
	MemoryContextSwitchTo(observer->context);
	step->losses = rds_guard_list_losses();
	MemoryContextSwitchTo(oldcontext);

	observer->step = NULL;
	forget_statement(observer);
}

/* A script that asks for no transaction: its statements are listed. */
void
rds_observe_not_run(RdsObserver *observer, const RdsScript *script)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(observer->scratch);
	ListCell *cell;

	foreach(cell, script->steps)
	{
		const RdsStatement *statement = lfirst(cell);
		char *text = pstrdup(statement->text);

		(void) add_step(observer, statement->place.script, statement->place.position, rds_statement_parse(text, strlen(text)));
		MemoryContextReset(observer->scratch);
	}
	MemoryContextSwitchTo(oldcontext);
}

static RdsPlanStep *
add_step(RdsObserver *observer, const char *script, RdsPosition position, const RawStmt *statement)
{
	RdsPlan *plan = observer->plan;
	MemoryContext oldcontext = MemoryContextSwitchTo(observer->context);
	const RdsPlanStep *last = plan->steps != NIL ? llast(plan->steps) : NULL;
	RdsPlanStep *step = palloc0(sizeof(RdsPlanStep));

	step->number = list_length(plan->steps) + 1;
	step->script = last != NULL && strcmp(last->script, script) == 0 ? last->script : pstrdup(script);
	step->line = position.line;
	step->column = position.column;
	step->tag = CreateCommandName(statement->stmt);
	plan->steps = lappend(plan->steps, step);
	MemoryContextSwitchTo(oldcontext);

	return step;
}

static int64
since_begin(const RdsObserver *observer)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, observer->begun);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

static void
forget_statement(RdsObserver *observer)
{
	observer->step = NULL;
	observer->touched = NIL;
	observer->events = NIL;
	observer->told = NULL;
	MemoryContextReset(observer->scratch);
}

void
rds_observe_see_access(ObjectAccessType access, Oid class, Oid object, int column, void *argument)
{
	if (observing != NULL && observing->step != NULL)
		rds_observe_event(observing, access, class, object, column, argument);
}

void
rds_observe_see_query(const PlannedStmt *plan)
{
	ListCell *cell;

	if (observing == NULL || observing->step == NULL)
		return;
	foreach(cell, plan->relationOids)
		rds_observe_touch(observing, lfirst_oid(cell));
}

void
rds_observe_see_utility(const Node *statement)
{
	if (observing != NULL && observing->step != NULL)
		rds_observe_utility(observing, statement);
}

/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  What applying scripts would do: they are run, watched, and rolled back.
 *
 * All goes the way of rds_apply, with the same turn, checks, locks and attempts,
 * but in a subtransaction around it which is rolled back in the end, our turn
 * with it.  What no rollback takes back is the numbers of sequences, and the WAL
 * that has been written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "apply.h"
#include "observe.h"
#include "session.h"
#include "turn.h"

static void run(RdsPlan *plan, RdsFiles *files, RdsErrorContext *errctx);
static void explain(const RdsPlan *plan, ErrorData *error);

/*
 * rds_plan
 *		Runs what is pending, and rolls it back; says what each statement did.
 *
 * Lives in the current memory context.  Raises what rds_apply would, but where
 * data would be lost, which is a warning of the plan.
 */
RdsPlan *
rds_plan(RdsFiles *files, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	RdsPlan *plan = palloc0(sizeof(RdsPlan));
	int outer_level = GetCurrentTransactionNestLevel();
	RdsSessionState session;

	plan->allow_data_loss = files->options->allow_data_loss;
	rds_session_note(&session);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	files->observer = rds_observe_begin(plan);
	PG_TRY();
	{
		run(plan, files, errctx);
	}
	PG_CATCH();
	{
		ErrorData *error;

		rds_observe_end();
		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
		explain(plan, error);
		while (GetCurrentTransactionNestLevel() > outer_level)
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcontext);
		CurrentResourceOwner = oldowner;
		ReThrowError(error);
	}
	PG_END_TRY();
	rds_observe_end();

	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	rds_session_restore(&session);
	rds_plan_warn(plan);

	return plan;
}

static void
run(RdsPlan *plan, RdsFiles *files, RdsErrorContext *errctx)
{
	RdsLedger *ledger;
	List *pending;
	ListCell *cell;

	rds_turn_take(files->options);
	ledger = rds_history_open();
	rds_history_check_snapshot(ledger);
	pending = rds_apply_pending(files, ledger, errctx);
	foreach(cell, pending)
		plan->scripts = lappend(plan->scripts, (void *) ((const RdsScript *) lfirst(cell))->name);
	if (pending != NIL)
		rds_apply_group(pending, files, ledger, RDS_OUTCOME_APPLIED, errctx);
	rds_history_close(ledger);
}

/* What is not run by a plan can be what a later script needs. */
static void
explain(const RdsPlan *plan, ErrorData *error)
{
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);

		if (step->run)
			continue;
		if (error->hint == NULL)
			error->hint = psprintf("Script \"%s\" asks for no transaction, and a plan does not run it: what comes behind it may need what it does.",
								   step->script);
		return;
	}
}

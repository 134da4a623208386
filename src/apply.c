/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  Scripts applied in one transaction, all or nothing, exactly once.
 *
 * When it is our turn, the ledger says what is pending; every pending script is
 * read through and checked before the first statement of any of them runs.
 * They run in a subtransaction, each script with the settings that the caller
 * has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "apply.h"
#include "deadline.h"
#include "decide.h"
#include "guard.h"
#include "keep.h"
#include "kept.h"
#include "observe.h"
#include "retry.h"
#include "run.h"
#include "session.h"
#include "steps.h"
#include "turn.h"
#include "waits.h"

static ErrorData *attempt(List *scripts, RdsFiles *files, const RdsLedger *ledger, const char *outcome,
						  RdsErrorContext *errctx, RdsWait *wait);
static void run_scripts(List *scripts, RdsFiles *files, const RdsLedger *ledger, const char *outcome,
						RdsTouched *touched, RdsErrorContext *errctx);
static void check_deferred_constraints(void);

/*
 * rds_apply
 *		Applies a bundle, and says in each script what became of it.
 *
 * An error undoes all that the call did, and is raised again with its own
 * fields and the place in the script, which errctx, already pushed, is told.
 * The session's settings are as before when the call returns, and when an
 * error's transaction has been rolled back.
 */
void
rds_apply(RdsFiles *files, bool may_deploy, RdsErrorContext *errctx)
{
	RdsLedger *ledger;
	List *pending;

	rds_turn_take(files->options);
	ledger = rds_history_open();
	rds_history_check_snapshot(ledger);
	pending = rds_apply_pending(files, ledger, errctx);
	rds_apply_refuse_outside(pending, may_deploy);

	if (pending != NIL)
		rds_apply_group(pending, files, ledger, RDS_OUTCOME_APPLIED, errctx);
	rds_history_close(ledger);
}

/*
 * rds_apply_pending
 *		The scripts that have to be run, each of them checked; the others get their
 *		outcome.
 */
List *
rds_apply_pending(RdsFiles *files, const RdsLedger *ledger, RdsErrorContext *errctx)
{
	List *pending = NIL;
	ListCell *cell;

	rds_decide(files, ledger, true, errctx);
	foreach(cell, files->ordered)
	{
		RdsScript *script = lfirst(cell);

		switch (script->state)
		{
			case RDS_STATE_PENDING:
			case RDS_STATE_OUT_OF_ORDER:
				pending = lappend(pending, script);
				break;
			case RDS_STATE_UNCHANGED:
				script->outcome = RDS_OUTCOME_UNCHANGED;
				break;
			case RDS_STATE_CHANGED:
				/* allowed: from here on it is what was applied */
				script->outcome = RDS_OUTCOME_BASELINE;
				if (files->observer == NULL)
					rds_apply_record(ledger, script, RDS_OUTCOME_ADOPTED);
				break;
			case RDS_STATE_BASELINE:
				script->outcome = RDS_OUTCOME_BASELINE;
				break;
			case RDS_STATE_UNDO:
				break;
		}
	}
	foreach(cell, pending)
	{
		RdsScript *script = lfirst(cell);

		if (script->no_transaction)
			rds_steps_collect(script, files, errctx);
		else
			rds_check_script(script, files, errctx);
	}

	return pending;
}

/* Refuses a script that asks for no transaction, where there is one. */
void
rds_apply_refuse_outside(List *pending, bool may_deploy)
{
	ListCell *cell;

	foreach(cell, pending)
	{
		const RdsScript *script = lfirst(cell);

		if (!script->no_transaction)
			continue;
		if (may_deploy)
			ereport(ERROR,
					(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
					 errmsg("script \"%s\" cannot run inside a transaction block", script->name),
					 errdetail("It is marked to be run without a transaction, and the call is within one."),
					 errhint("CALL rdsinit.deploy by itself, with autocommit on, and not within a function.")));
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("script \"%s\" is marked to be run without a transaction", script->name),
				 errdetail("What a function does is one transaction."),
				 errhint("Use CALL rdsinit.deploy.")));
	}
}

/*
 * rds_apply_group
 *		Runs scripts in a subtransaction, and records them with an outcome.
 *
 * When a lock is not to be had, all that they have locked is given back, and
 * they are run again after a pause, until the time for that is over.
 */
void
rds_apply_group(List *scripts, RdsFiles *files, const RdsLedger *ledger, const char *outcome, RdsErrorContext *errctx)
{
	/* open, as the ledger is, so that no script drops it */
	RdsKept *kept = rds_kept_open(false);
	RdsSessionState session;
	RdsRetry retry;
	RdsWait wait;
	ErrorData *error;

	rds_session_note(&session);
	rds_retry_begin(&retry, files->options);
	while ((error = attempt(scripts, files, ledger, outcome, errctx, &wait)) != NULL)
	{
		rds_session_restore(&session);
		rds_guard_forget_losses();
		if (wait.has_failed)
			rds_retry_wait(&retry, error, &wait);
		else
			ReThrowError(error);
	}
	if (scripts != NIL)
		((RdsScript *) linitial(scripts))->retries = retry.attempts - 1;
	rds_kept_close(kept);
}

/* One attempt.  Returns what failed, when that has been rolled back; NULL: nothing did. */
static ErrorData *
attempt(List *scripts, RdsFiles *files, const RdsLedger *ledger, const char *outcome, RdsErrorContext *errctx,
		RdsWait *wait)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	int outer_level = GetCurrentTransactionNestLevel();
	RdsTouched *touched = rds_touched_begin(true);
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	rds_waits_begin(files->options->lock_timeout);
	PG_TRY();
	{
		run_scripts(scripts, files, ledger, outcome, touched, errctx);
		if (files->observer == NULL)
			rds_keep(touched);
		rds_waits_end();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		rds_deadline_is_caught();
		rds_waits_end();
		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
		rds_wait_take(error, wait);

		while (GetCurrentTransactionNestLevel() > outer_level)
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	rds_touched_end(touched);

	return error;
}

static void
run_scripts(List *scripts, RdsFiles *files, const RdsLedger *ledger, const char *outcome,
			RdsTouched *touched, RdsErrorContext *errctx)
{
	ListCell *cell;

	if (files->observer != NULL)
		rds_observe_attempt(files->observer);
	foreach(cell, scripts)
	{
		RdsScript *script = lfirst(cell);

		if (files->observer != NULL && script->no_transaction)
		{
			rds_observe_not_run(files->observer, script);
			continue;
		}
		script->statements = 0;
		script->rows = 0;
		rds_touched_script(touched, script->name);
		rds_run_script(script, files, errctx);
		script->outcome = outcome;
		/* a plan leaves no row, and takes no number of one either */
		if (files->observer == NULL)
			rds_apply_record(ledger, script, outcome);
	}
	if (list_length(scripts) == 1)
	{
		/* an error is finished when this function is no more */
		RdsPlace *end = palloc0(sizeof(RdsPlace));

		end->script = ((RdsScript *) linitial(scripts))->name;
		errctx->place = end;
	}
	check_deferred_constraints();
	errctx->place = NULL;
	if (files->observer != NULL)
		rds_observe_finish(files->observer);
}

/* Writes a whole script's row. */
void
rds_apply_record(const RdsLedger *ledger, const RdsScript *script, const char *outcome)
{
	RdsRow row = {0};

	/* so that a script's last row says that it was taken back */
	row.name = script->undoes != NULL ? script->undoes : script->name;
	row.version = script->version;
	row.outcome = outcome;
	row.checksum = script->checksum;
	row.statements = script->statements;
	row.rows = script->rows;
	row.duration = script->duration;
	row.lost = rds_guard_take_losses();
	if (script->undoes != NULL)
		row.undo_name = script->name;
	else if (script->naming.kind == RDS_VERSIONED)
		row.undo = rds_script_undo(script, &row.undo_name);
	rds_history_insert(ledger, &row);
}

/*
 * Lets deferred constraints fail here, where the error is still this call's.
 * That sets them IMMEDIATE, which would outlive the call: so it is done in a
 * subtransaction that is rolled back, and they are looked at again on COMMIT.
 */
static void
check_deferred_constraints(void)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	ConstraintsSetStmt *all_immediate = makeNode(ConstraintsSetStmt);

	all_immediate->constraints = NIL;
	all_immediate->deferred = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	AfterTriggerSetState(all_immediate);
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
}

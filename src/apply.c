/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  A call: its scripts applied, all or nothing, exactly once.
 *
 * Our turn is taken with a lock on the extension, held until the transaction
 * ends.  Under it the ledger says what is pending; every pending script is
 * read through and checked before the first statement of any of them runs.
 * They run in a subtransaction, each script with the settings that the caller
 * has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "activity.h"
#include "apply.h"
#include "bundle.h"
#include "compat.h"
#include "errctx.h"
#include "history.h"
#include "policy.h"
#include "statement.h"

/* The lock of a call: other calls wait for it, nothing else that is usual does. */
#define TURN_LOCK ShareUpdateExclusiveLock

/* Is a call under way in this session? */
static bool in_call = false;

static void apply_bundle(List *bundle, const RdsOptions *options, RdsErrorContext *errctx);
static void take_turn(const RdsOptions *options);
static int find_holder(const LOCKTAG *lock);
static List *find_pending(List *bundle, const RdsOptions *options, const RdsLedger *ledger);
static void check_script(RdsScript *script, RdsErrorContext *errctx);
static void run_pending(List *pending, const RdsLedger *ledger, RdsErrorContext *errctx);
static void run_script(RdsScript *script, RdsErrorContext *errctx);
static void check_deferred_constraints(void);

/*
 * rds_apply
 *		Applies a bundle, and says in each script what became of it.
 *
 * An error undoes all that the call did, and is raised again with its own
 * fields and the place in the script, which errctx, already pushed, is told.  The session's settings are as before
 * when the call returns, and when an error's transaction has been rolled back.
 */
void
rds_apply(List *bundle, const RdsOptions *options, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	const char *caller_query = debug_query_string;
	char *activity;

	if (in_call)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a script must not call rdsinit"),
				 errhint("Give the scripts to rdsinit.apply_bundle, in one call.")));
	PreventCommandIfReadOnly("rdsinit.apply()");
	PreventCommandIfParallelMode("rdsinit.apply()");

	activity = rds_activity_save();
	in_call = true;
	PG_TRY();
	{
		apply_bundle(bundle, options, errctx);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();

		in_call = false;
		debug_query_string = caller_query;
		rds_activity_restore(activity);

		rds_errctx_finish(errctx, error);
		ReThrowError(error);
	}
	PG_END_TRY();
	in_call = false;
	debug_query_string = caller_query;
	rds_activity_restore(activity);
}

static void
apply_bundle(List *bundle, const RdsOptions *options, RdsErrorContext *errctx)
{
	RdsLedger *ledger;
	List *pending;
	ListCell *cell;

	take_turn(options);
	ledger = rds_history_open();
	pending = find_pending(bundle, options, ledger);

	foreach(cell, pending)
		check_script(lfirst(cell), errctx);
	if (pending != NIL)
		run_pending(pending, ledger, errctx);

	rds_history_close(ledger);
}

/*
 * Waits until no other call is at work in this database, at most for retry_for.
 * The lock is on the extension itself, where only its owner could be in the
 * way; anybody could hold an advisory lock whose key is known.
 */
static void
take_turn(const RdsOptions *options)
{
	Oid extension = get_extension_oid("rdsinit", false);
	int nest_level = NewGUCNestLevel();
	char timeout[16];
	MemoryContext context = CurrentMemoryContext;

	/* 0 would be no limit at all */
	snprintf(timeout, sizeof(timeout), "%d", Max(options->retry_for, 1));
	(void) set_config_option("lock_timeout", timeout, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);

	rds_activity_report("rdsinit: waiting for its turn");
	PG_TRY();
	{
		LockDatabaseObject(ExtensionRelationId, extension, 0, TURN_LOCK);
	}
	PG_CATCH();
	{
		ErrorData *error;
		LOCKTAG lock;
		int holder;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		FlushErrorState();

		SET_LOCKTAG_OBJECT(lock, MyDatabaseId, ExtensionRelationId, extension, 0);
		holder = find_holder(&lock);
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("another call of rdsinit is at work in this database"),
				 holder != 0 ? errdetail("The process with PID %d did not end its transaction within %d ms.",
										 holder, options->retry_for)
							 : errdetail("It did not end its transaction within %d ms.", options->retry_for),
				 errhint("Call again when it has ended, or wait longer with the option \"retry_for\".")));
	}
	PG_END_TRY();
	AtEOXact_GUC(false, nest_level);
}

/* PID of a process that holds the lock of a call; 0 where there is none any more. */
static int
find_holder(const LOCKTAG *lock)
{
	VirtualTransactionId *holder = GetLockConflicts(lock, TURN_LOCK, NULL);

	for (; VirtualTransactionIdIsValid(*holder); holder++)
	{
		PGPROC *process = rds_virtual_transaction_process(*holder);

		if (process != NULL && process->pid != 0)
			return process->pid;
	}
	return 0;
}

/* The scripts that have to be run; the others get their outcome. */
static List *
find_pending(List *bundle, const RdsOptions *options, const RdsLedger *ledger)
{
	List *pending = NIL;
	ListCell *cell;

	foreach(cell, bundle)
	{
		RdsScript *script = lfirst(cell);

		/* asked even where force makes the answer moot: it may raise an error */
		if (rds_history_is_applied(ledger, script) && !options->force)
			script->outcome = RDS_UNCHANGED;
		else
			pending = lappend(pending, script);
	}
	return pending;
}

/*
 * Reads a script through, running nothing: raises an error for whatever in it
 * could not be parsed or must not be there.
 */
static void
check_script(RdsScript *script, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(oldcontext, "rdsinit check",
												  ALLOCSET_DEFAULT_SIZES);
	RdsCursor *cursor = rds_cursor_open(script->body, script->length);
	RdsQuiet quiet;

	rds_activity_report("rdsinit: checking %s", script->name);
	errctx->script = script->name;
	errctx->cursor = cursor;

	/* What the parser has to remark, it remarks when the statement is run. */
	rds_quiet_begin(&quiet);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		while (rds_cursor_next(cursor))
		{
			(void) rds_policy_check(rds_statement_parse(rds_cursor_text(cursor)));
			MemoryContextReset(context);
		}
	}
	PG_FINALLY();
	{
		rds_quiet_end(&quiet);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);

	script->total = cursor->ordinal;
	errctx->script = NULL;
	errctx->cursor = NULL;
	rds_cursor_close(cursor);
}

/* Runs the pending scripts in a subtransaction, and records them. */
static void
run_pending(List *pending, const RdsLedger *ledger, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	int outer_level = GetCurrentTransactionNestLevel();
	ListCell *cell;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		foreach(cell, pending)
		{
			RdsScript *script = lfirst(cell);

			run_script(script, errctx);
			rds_history_insert(ledger, script);
		}
		if (list_length(pending) == 1)
			errctx->script = ((RdsScript *) linitial(pending))->name;
		check_deferred_constraints();
		errctx->script = NULL;

		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();

		while (GetCurrentTransactionNestLevel() > outer_level)
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcontext);
		CurrentResourceOwner = oldowner;
		ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
}

static void
run_script(RdsScript *script, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(oldcontext, "rdsinit statement",
												  ALLOCSET_DEFAULT_SIZES);
	RdsCursor *cursor = rds_cursor_open(script->body, script->length);
	int nest_level = NewGUCNestLevel();
	bool told = false;
	instr_time start;
	instr_time duration;

	INSTR_TIME_SET_CURRENT(start);
	errctx->script = script->name;
	errctx->cursor = cursor;

	MemoryContextSwitchTo(context);
	while (rds_cursor_next(cursor))
	{
		char *text = rds_cursor_text(cursor);
		RawStmt *statement = rds_statement_parse(text);

		rds_activity_report("rdsinit: %s:%d, statement %d of %d",
							script->name, cursor->start.line, cursor->ordinal, script->total);

		if (rds_policy_check(statement) == RDS_RUN)
		{
			script->rows += rds_statement_run(statement, text);
			script->statements++;
		}
		else if (!told)
		{
			told = true;
			ereport(NOTICE,
					(errmsg("%s:%d: %s is taken out: the whole call is one transaction",
							script->name, cursor->start.line, CreateCommandName(statement->stmt))));
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);

	/* search_path, role and every other setting: back to the caller's */
	AtEOXact_GUC(false, nest_level);

	errctx->script = NULL;
	errctx->cursor = NULL;
	rds_cursor_close(cursor);

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	script->duration = (int64) INSTR_TIME_GET_MICROSEC(duration);
	script->outcome = RDS_APPLIED;
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

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
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "activity.h"
#include "apply.h"
#include "compat.h"
#include "errctx.h"
#include "history.h"
#include "run.h"

/* The lock of a call: other calls wait for it, nothing else that is usual does. */
#define TURN_LOCK ShareUpdateExclusiveLock

/* Is a call under way in this session? */
static bool in_call = false;

static void apply_files(RdsFiles *files, RdsErrorContext *errctx);
static void take_turn(const RdsOptions *options);
static int find_holder(const LOCKTAG *lock);
static void resolve_includes(RdsFiles *files, RdsErrorContext *errctx);
static List *find_pending(RdsFiles *files, const RdsLedger *ledger);
static void run_pending(List *pending, RdsFiles *files, const RdsLedger *ledger, RdsErrorContext *errctx);
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
rds_apply(RdsFiles *files, RdsErrorContext *errctx)
{
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
		apply_files(files, errctx);
	}
	PG_CATCH();
	{
		in_call = false;
		debug_query_string = caller_query;
		rds_activity_restore(activity);
		PG_RE_THROW();
	}
	PG_END_TRY();
	in_call = false;
	debug_query_string = caller_query;
	rds_activity_restore(activity);
}

static void
apply_files(RdsFiles *files, RdsErrorContext *errctx)
{
	RdsLedger *ledger;
	List *pending;
	ListCell *cell;

	take_turn(files->options);
	ledger = rds_history_open();
	resolve_includes(files, errctx);
	pending = find_pending(files, ledger);

	foreach(cell, pending)
		rds_check_script(lfirst(cell), files, errctx);
	if (pending != NIL)
		run_pending(pending, files, ledger, errctx);

	rds_history_close(ledger);
}

/*
 * A file that another one includes is a part of that one: it counts in its
 * checksum, and is not applied by itself.
 */
static void
resolve_includes(RdsFiles *files, RdsErrorContext *errctx)
{
	ListCell *cell;
	List *checksums = NIL;

	foreach(cell, files->scripts)
	{
		const RdsScript *script = lfirst(cell);
		StringInfo all = NULL;

		if (script->may_include)
		{
			List *includes = rds_find_includes(script, files, errctx);
			ListCell *name;

			foreach(name, includes)
			{
				RdsScript *part = rds_files_find(files, "", lfirst(name), false);

				part->is_part = true;
				if (all == NULL)
				{
					all = makeStringInfo();
					appendStringInfoString(all, script->checksum);
				}
				appendStringInfoString(all, part->checksum);
			}
		}
		checksums = lappend(checksums, all);
	}

	/* only now, since a part may have parts */
	for (int i = 0; i < list_length(checksums); i++)
	{
		StringInfo all = list_nth(checksums, i);
		RdsScript *script = list_nth(files->scripts, i);
		bool ignored;

		if (all != NULL)
			rds_source_checksum(rds_source_memory(all->data, all->len), script->checksum, &ignored);
	}
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
find_pending(RdsFiles *files, const RdsLedger *ledger)
{
	List *pending = NIL;
	ListCell *cell;

	foreach(cell, files->scripts)
	{
		RdsScript *script = lfirst(cell);

		if (script->is_part)
			continue;
		/* asked even where force makes the answer moot: it may raise an error */
		if (rds_history_is_applied(ledger, script) && !files->options->force)
			script->outcome = RDS_UNCHANGED;
		else
			pending = lappend(pending, script);
	}
	return pending;
}

/* Runs the pending scripts in a subtransaction, and records them. */
static void
run_pending(List *pending, RdsFiles *files, const RdsLedger *ledger, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	int outer_level = GetCurrentTransactionNestLevel();
	RdsPlace end = {0};
	ListCell *cell;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		foreach(cell, pending)
		{
			RdsScript *script = lfirst(cell);

			rds_run_script(script, files, errctx);
			rds_history_insert(ledger, script);
		}
		if (list_length(pending) == 1)
		{
			end.script = ((RdsScript *) linitial(pending))->name;
			errctx->place = &end;
		}
		check_deferred_constraints();
		errctx->place = NULL;

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

/*-------------------------------------------------------------------------
 *
 * turn.c
 *	  One call at a time in a database.
 *
 * Who applies holds a lock on the extension itself, where only its owner could
 * be in the way; anybody could hold an advisory lock whose key is known.
 *
 * A deployment holds it from one transaction to the next.  While a statement of
 * it runs that no transaction allows, it lets go: that statement may have to
 * wait for every snapshot in the database, that of a call which waits for its
 * turn among them.  So whoever comes meanwhile gets the turn, sees a second
 * lock which says what goes on, and fails at once.  Other deployments wait for
 * a third lock, holding no snapshot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "activity.h"
#include "compat.h"
#include "turn.h"

/* All of them conflict with themselves, and with nothing else that is usual. */
#define TURN_LOCK ShareUpdateExclusiveLock

/* The locks, told apart by the number of a column that an extension does not have. */
typedef enum Turn
{
	TURN,       /* who applies */
	OUTSIDE,    /* a deployment, outside of any transaction */
	DEPLOYMENT, /* a deployment, all the while */
	TURN_COUNT
} Turn;

/* What this session holds beyond a transaction, and must let go of itself. */
static bool held[TURN_COUNT];
static Oid held_database_extension = InvalidOid;

static void lock(Turn turn, const RdsOptions *options, bool session);
static void wait_for(const LOCKTAG *tag, const RdsOptions *options, bool session);
static void unlock(Turn turn);
static LOCKTAG tag_of(Turn turn, Oid extension);
static void refuse_outside(Oid extension);
static int find_holder(const LOCKTAG *tag);
static void release_on_abort(XactEvent event, void *arg);

/*
 * rds_turn_take
 *		Waits until no other call is at work in this database, at most for retry_for.
 *
 * Raises an error at once where a deployment is at work outside of any
 * transaction.
 */
void
rds_turn_take(const RdsOptions *options)
{
	rds_activity_report("rdsinit: waiting for its turn");
	lock(TURN, options, false);
	refuse_outside(get_extension_oid("rdsinit", false));
}

/* The caller's transaction must hold no snapshot. */
void
rds_turn_begin_deployment(const RdsOptions *options)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(release_on_abort, NULL);
	registered = true;

	rds_activity_report("rdsinit: waiting for its turn");
	held_database_extension = get_extension_oid("rdsinit", false);
	InvalidateCatalogSnapshot();
	lock(DEPLOYMENT, options, true);
	lock(TURN, options, true);
}

/* Before a statement that no transaction allows, when all else is committed. */
void
rds_turn_pause(void)
{
	LOCKTAG tag = tag_of(OUTSIDE, held_database_extension);

	/* nobody else takes it, save to look at it under TURN */
	(void) LockAcquire(&tag, TURN_LOCK, true, false);
	held[OUTSIDE] = true;
	unlock(TURN);
}

void
rds_turn_resume(const RdsOptions *options)
{
	if (held[TURN])
		return;
	lock(TURN, options, true);
	unlock(OUTSIDE);
}

void
rds_turn_end_deployment(void)
{
	for (int turn = 0; turn < TURN_COUNT; turn++)
		unlock(turn);
}

static void
lock(Turn turn, const RdsOptions *options, bool session)
{
	Oid extension = session ? held_database_extension : get_extension_oid("rdsinit", false);
	LOCKTAG tag = tag_of(turn, extension);

	wait_for(&tag, options, session);
	if (session)
		held[turn] = true;
	/* what others have changed while we waited */
	AcceptInvalidationMessages();
}

/* Waits for a lock, at most for retry_for. */
static void
wait_for(const LOCKTAG *tag, const RdsOptions *options, bool session)
{
	int nest_level = NewGUCNestLevel();
	char timeout[16];
	MemoryContext context = CurrentMemoryContext;

	/* 0 would be no limit at all */
	snprintf(timeout, sizeof(timeout), "%d", Max(options->retry_for, 1));
	(void) set_config_option("lock_timeout", timeout, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	PG_TRY();
	{
		(void) LockAcquire(tag, TURN_LOCK, session, false);
	}
	PG_CATCH();
	{
		ErrorData *error;
		int holder;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		FlushErrorState();

		holder = find_holder(tag);
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

static void
unlock(Turn turn)
{
	LOCKTAG tag = tag_of(turn, held_database_extension);

	if (held[turn])
		(void) LockRelease(&tag, TURN_LOCK, true);
	held[turn] = false;
}

static LOCKTAG
tag_of(Turn turn, Oid extension)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, extension, turn);
	return tag;
}

/* Under the turn's lock: a deployment that holds this one has let go of that. */
static void
refuse_outside(Oid extension)
{
	LOCKTAG tag = tag_of(OUTSIDE, extension);
	int holder;

	if (LockAcquire(&tag, TURN_LOCK, false, true) != LOCKACQUIRE_NOT_AVAIL)
	{
		/* whoever has the turn after us must not find it still held */
		(void) LockRelease(&tag, TURN_LOCK, false);
		return;
	}

	holder = find_holder(&tag);
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("a deployment is at work in this database, outside of any transaction"),
			 holder != 0 ? errdetail("Its process has PID %d.", holder) : 0,
			 errhint("Call again when it has ended: to wait for it here would hold it up.")));
}

/* PID of a process that holds a lock; 0 where there is none any more. */
static int
find_holder(const LOCKTAG *tag)
{
	VirtualTransactionId *holder = GetLockConflicts(tag, TURN_LOCK, NULL);

	for (; VirtualTransactionIdIsValid(*holder); holder++)
	{
		PGPROC *process = rds_virtual_transaction_process(*holder);

		if (process != NULL && process->pid != 0)
			return process->pid;
	}
	return 0;
}

/* A lock of the session's outlives a transaction that fails. */
static void
release_on_abort(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		rds_turn_end_deployment();
}

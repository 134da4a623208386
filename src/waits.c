/*-------------------------------------------------------------------------
 *
 * waits.c
 *	  How long a call waits for locks.
 *
 * Whoever asks for a lock that conflicts with ours has to wait behind us as soon
 * as we wait.  So all waits of an attempt together have a limit, whatever a
 * script sets lock_timeout to: that is for one wait, and a dump sets it to 0.
 * A timer looks every few milliseconds whether we are waiting; that it has seen
 * for which lock is also all that remains to be told afterwards, since the
 * server forgets it before anybody can catch the error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "deadline.h"
#include "waits.h"

/* How often to look, in milliseconds. */
#define TICK 10

static TimeoutId timer;
static bool timer_is_known = false;

/* What the timer has seen since rds_waits_begin. */
static volatile int budget = 0;
static volatile int waited = 0;
static volatile sig_atomic_t is_over = false;
static volatile sig_atomic_t has_seen = false;
static LOCKTAG seen_tag;
static LOCKMODE seen_mode;

static void look(void);
static List *find_holders(const LOCKTAG *tag, LOCKMODE mode);

/*
 * rds_waits_begin
 *		From here on, waits for locks are added up; above so many milliseconds the
 *		statement is cancelled.
 */
void
rds_waits_begin(int milliseconds)
{
	if (!timer_is_known)
		timer = RegisterTimeout(USER_TIMEOUT, look);
	timer_is_known = true;

	budget = milliseconds;
	waited = 0;
	is_over = false;
	has_seen = false;
	enable_timeout_every(timer, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK), TICK);
}

void
rds_waits_end(void)
{
	if (timer_is_known)
		disable_timeout(timer, false);
	if (is_over)
		rds_cancel_end();
}

/* For how long since rds_waits_begin, in milliseconds. */
int
rds_waits_so_far(void)
{
	return waited;
}

/* In a signal handler. */
static void
look(void)
{
	const LOCK *lock = MyProc != NULL ? MyProc->waitLock : NULL;

	if (lock == NULL)
		return;
	seen_tag = lock->tag;
	seen_mode = MyProc->waitLockMode;
	has_seen = true;
	waited += TICK;
	if (budget > 0 && waited >= budget)
	{
		is_over = true;
		rds_cancel();
	}
}

/*
 * rds_wait_take
 *		Says whether an error is one that another attempt may do without: a lock that
 *		was not to be had, or a deadlock.
 *
 * To be asked before locks are given back, while those in the way still are.
 */
void
rds_wait_take(const ErrorData *error, RdsWait *wait)
{
	bool is_ours = is_over && error->sqlerrcode == ERRCODE_QUERY_CANCELED;

	memset(wait, 0, sizeof(*wait));
	if (!is_ours && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
		return;

	wait->has_failed = true;
	wait->is_known = has_seen;
	wait->waited = waited;
	if (has_seen)
	{
		wait->tag = seen_tag;
		wait->mode = seen_mode;
		wait->holders = find_holders(&wait->tag, wait->mode);
	}
}

static List *
find_holders(const LOCKTAG *tag, LOCKMODE mode)
{
	VirtualTransactionId *holder = GetLockConflicts(tag, mode, NULL);
	List *pids = NIL;

	for (; VirtualTransactionIdIsValid(*holder); holder++)
	{
		PGPROC *process = rds_virtual_transaction_process(*holder);

		if (process != NULL && process->pid != 0 && process->pid != MyProcPid)
			pids = lappend_int(pids, process->pid);
	}
	return pids;
}

/* What the lock was on, in which mode; needs a transaction. */
char *
rds_wait_describe(const RdsWait *wait)
{
	const char *mode;
	StringInfoData other;

	if (!wait->is_known)
		return pstrdup("a lock");
	mode = GetLockmodeName(wait->tag.locktag_lockmethodid, wait->mode);
	if ((wait->tag.locktag_type == LOCKTAG_RELATION || wait->tag.locktag_type == LOCKTAG_TUPLE) &&
		wait->tag.locktag_field1 == MyDatabaseId && get_rel_name(wait->tag.locktag_field2) != NULL)
	{
		Oid relation = wait->tag.locktag_field2;

		return psprintf("%s on %srelation %s", mode, wait->tag.locktag_type == LOCKTAG_TUPLE ? "a row of " : "",
						quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation)));
	}
	if (wait->tag.locktag_type == LOCKTAG_TRANSACTION)
		return pstrdup("a row that another transaction has changed");
	if (wait->tag.locktag_type == LOCKTAG_VIRTUALTRANSACTION)
		return pstrdup("the lock by which one waits for the end of another transaction");

	initStringInfo(&other);
	DescribeLockTag(&other, &wait->tag);
	return psprintf("%s on %s", mode, other.data);
}

/*
 * rds_wait_sessions
 *		The sessions that were in the way, a sentence for each, as far as the caller
 *		may see; NULL: none are known.
 *
 * Needs a transaction.
 */
char *
rds_wait_sessions(const RdsWait *wait)
{
	MemoryContext context = CurrentMemoryContext;
	int nest_level = NewGUCNestLevel();
	StringInfoData query;
	StringInfoData answer;
	ListCell *cell;

	if (wait->holders == NIL)
		return NULL;

	initStringInfo(&answer);
	initStringInfo(&query);
	appendStringInfoString(&query,
						   "SELECT 'Process ' || pid || ' of role ' || coalesce(quote_ident(usename), 'unknown')"
						   " || CASE WHEN application_name <> '' THEN ' (application ' || quote_ident(application_name) || ')' ELSE '' END"
						   " || coalesce(' is ' || state, '')"
						   " || coalesce(', in a transaction for ' || extract(epoch FROM clock_timestamp() - xact_start)::numeric(12,1) || ' s', '')"
						   " || CASE WHEN state IS NULL OR query = '' THEN '.' ELSE ', query: ' || left(query, 200) END"
						   " FROM pg_catalog.pg_stat_activity WHERE pid IN (0");
	foreach(cell, wait->holders)
		appendStringInfo(&query, ", %d", lfirst_int(cell));
	appendStringInfoString(&query, ") ORDER BY xact_start");

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	if (SPI_execute(query.data, true, 0) == SPI_OK_SELECT)
	{
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			char *line = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
			MemoryContext oldcontext = MemoryContextSwitchTo(context);

			if (line != NULL)
				appendStringInfo(&answer, "%s%s", answer.len > 0 ? "\n" : "", line);
			MemoryContextSwitchTo(oldcontext);
		}
	}
	SPI_finish();
	AtEOXact_GUC(false, nest_level);

	return answer.len > 0 ? answer.data : NULL;
}

/*-------------------------------------------------------------------------
 *
 * session.c
 *	  What a script leaves in the session, and no rollback takes back: prepared
 *	  statements, and advisory locks of the session's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/prepare.h"
#include "executor/spi.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/memutils.h"

#include "compat.h"
#include "session.h"

static List *prepared_statements(void);
static List *advisory_locks(void);
static bool has_name(List *names, const char *name);
static bool has_tag(List *tags, const LOCKTAG *tag);
static void release(const LOCKTAG *tag);

/* Notes what there is, in the current memory context. */
void
rds_session_note(RdsSessionState *state)
{
	state->prepared = prepared_statements();
	state->advisory = advisory_locks();
}

/* Removes what has been added since; to be called when the script is rolled back. */
void
rds_session_restore(const RdsSessionState *state)
{
	ListCell *cell;

	foreach(cell, prepared_statements())
	{
		if (!has_name(state->prepared, lfirst(cell)))
			DropPreparedStatement(lfirst(cell), false);
	}
	foreach(cell, advisory_locks())
	{
		if (!has_tag(state->advisory, lfirst(cell)))
			release(lfirst(cell));
	}
}

static List *
prepared_statements(void)
{
	MemoryContext context = CurrentMemoryContext;
	List *names = NIL;

	SPI_connect();
	if (SPI_execute("SELECT name FROM pg_catalog.pg_prepared_statements", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the prepared statements");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		MemoryContext oldcontext = MemoryContextSwitchTo(context);

		names = lappend(names, pstrdup(name));
		MemoryContextSwitchTo(oldcontext);
	}
	SPI_finish();

	return names;
}

/* Those of this process. */
static List *
advisory_locks(void)
{
	List *tags = NIL;

	for (int partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		LWLock *lock = LockHashPartitionLockByIndex(partition);
		LOCKTAG found[32];
		int count = 0;

		LWLockAcquire(lock, LW_SHARED);
		rds_foreach_own_lock(partition, process_lock)
			const LOCKTAG *tag = &process_lock->tag.myLock->tag;

		if (tag->locktag_lockmethodid == USER_LOCKMETHOD && count < lengthof(found))
			found[count++] = *tag;
		rds_end_foreach_own_lock
			LWLockRelease(lock);

		for (int i = 0; i < count; i++)
		{
			LOCKTAG *tag = palloc(sizeof(LOCKTAG));

			*tag = found[i];
			tags = lappend(tags, tag);
		}
	}
	return tags;
}

static bool
has_name(List *names, const char *name)
{
	ListCell *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

static bool
has_tag(List *tags, const LOCKTAG *tag)
{
	ListCell *cell;

	foreach(cell, tags)
	{
		if (memcmp(lfirst(cell), tag, sizeof(LOCKTAG)) == 0)
			return true;
	}
	return false;
}

/* However often it was taken. */
static void
release(const LOCKTAG *tag)
{
	static const LOCKMODE modes[] = {ShareLock, ExclusiveLock};

	for (int i = 0; i < lengthof(modes); i++)
	{
		while (rds_LockHeldByMe(tag, modes[i]) && LockRelease(tag, modes[i], true))
			;
	}
}

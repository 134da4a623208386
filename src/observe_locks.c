/*-------------------------------------------------------------------------
 *
 * observe_locks.c
 *	  What this process has locked since it was asked last.
 *
 * The server has no list of what a process has locked lately, and to go through
 * all that it has locked after each statement would take the longer the more
 * there is.  But a process's locks are listed in the order in which they were
 * taken.  So they are gone through from the end, up to a lock that is there to
 * mark how far that was done before: one that nobody else asks for, which is
 * taken anew, and so moves to the end, when too many have gathered behind it.
 *
 * Weak locks are not in that list, but in a few slots of the process's own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#include "compat.h"
#include "observe.h"

/* So many locks behind a mark are gone through again and again. */
#define MOST_UNMARKED 32

/* Columns that an extension does not have, above those that turn.c locks. */
#define FIRST_MARK 1000

/* In each partition of the lock table two marks take turns. */
typedef struct RdsPlanMarkers
{
	LOCKTAG tags[NUM_LOCK_PARTITIONS][2];
	int known[NUM_LOCK_PARTITIONS];   /* how many of them have been found */
	int current[NUM_LOCK_PARTITIONS]; /* -1: none */
	int slots;
	uint32 *slot_bits; /* the slots as they were seen last */
	Oid *slot_relations;
} RdsPlanMarkers;

typedef struct Found
{
	Oid relation;
	LOCKMASK mask;
	const PROCLOCK *own;
} Found;

typedef struct Finds
{
	Found *found;
	int count;
	int room;
} Finds;

static void find_marks(RdsPlanMarkers *marks);
static int look(const RdsPlanMarkers *marks, int partition, Finds *finds);
static void move_mark(RdsPlanMarkers *marks, int partition, Finds *finds);
static void look_at_slots(RdsPlanMarkers *marks, Finds *finds);
static void add(Finds *finds, Oid relation, LOCKMASK mask, const PROCLOCK *own);

/* From here on; in a subtransaction, which releases the marks when it is rolled back. */
void
rds_observe_locks_begin(RdsObserver *observer)
{
	RdsPlanMarkers *marks = MemoryContextAllocZero(observer->context, sizeof(RdsPlanMarkers));

	marks->slots = rds_fast_path_slots();
	marks->slot_bits = MemoryContextAllocZero(observer->context, marks->slots * sizeof(uint32));
	marks->slot_relations = MemoryContextAllocZero(observer->context, marks->slots * sizeof(Oid));
	for (int i = 0; i < NUM_LOCK_PARTITIONS; i++)
		marks->current[i] = -1;
	observer->marks = marks;
}

/*
 * rds_observe_locks
 *		Calls back for the relations of this database that this process has locked
 *		since it was asked last, and perhaps for some that it had before.
 *
 * A lock that is taken more strongly stays where it is in the list.
 */
void
rds_observe_locks(RdsObserver *observer, RdsLockCallback callback)
{
	Finds finds = {0};

	for (int partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		int before = finds.count;

		if (look(observer->marks, partition, &finds) > MOST_UNMARKED)
		{
			finds.count = before;
			move_mark(observer->marks, partition, &finds);
		}
	}
	look_at_slots(observer->marks, &finds);

	for (int i = 0; i < finds.count; i++)
		callback(observer, finds.found[i].relation, finds.found[i].mask, finds.found[i].own);
	if (finds.found != NULL)
		pfree(finds.found);
}

/* Two tags for each partition; which one a tag falls into, only trying tells. */
static void
find_marks(RdsPlanMarkers *marks)
{
	Oid extension = get_extension_oid("rdsinit", false);
	int missing = 2 * NUM_LOCK_PARTITIONS;

	for (uint16 column = FIRST_MARK; missing > 0; column++)
	{
		LOCKTAG tag;
		int partition;

		SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, extension, column);
		partition = LockHashPartition(LockTagHashCode(&tag));
		if (marks->known[partition] < 2)
		{
			marks->tags[partition][marks->known[partition]++] = tag;
			missing--;
		}
	}
}

/* Returns how many locks there are behind the mark. */
static int
look(const RdsPlanMarkers *marks, int partition, Finds *finds)
{
	const LOCKTAG *mark = marks->current[partition] >= 0 ? &marks->tags[partition][marks->current[partition]] : NULL;
	LWLock *lock = LockHashPartitionLockByIndex(partition);
	int seen = 0;

	LWLockAcquire(lock, LW_SHARED);
	rds_foreach_own_lock_backwards(partition, own)
		const LOCKTAG *tag = &own->tag.myLock->tag;

	if (mark != NULL && memcmp(tag, mark, sizeof(LOCKTAG)) == 0)
		break;
	seen++;
	if (tag->locktag_type == LOCKTAG_RELATION && tag->locktag_lockmethodid == DEFAULT_LOCKMETHOD &&
		tag->locktag_field1 == MyDatabaseId && tag->locktag_field2 >= FirstNormalObjectId)
		add(finds, tag->locktag_field2, own->holdMask, own);
	rds_end_foreach_own_lock
		LWLockRelease(lock);

	return seen;
}

/*
 * The new mark is set before what is behind the old one is gone through: others
 * can move our weak locks into the list.
 */
static void
move_mark(RdsPlanMarkers *marks, int partition, Finds *finds)
{
	int old = marks->current[partition];
	int new = old == 0 ? 1 : 0;

	if (marks->known[partition] < 2)
		find_marks(marks);
	(void) LockAcquire(&marks->tags[partition][new], AccessShareLock, false, false);
	(void) look(marks, partition, finds);
	if (old >= 0)
		(void) LockRelease(&marks->tags[partition][old], AccessShareLock, false);
	marks->current[partition] = new;
}

static void
look_at_slots(RdsPlanMarkers *marks, Finds *finds)
{
	LWLockAcquire(&MyProc->fpInfoLock, LW_SHARED);
	for (int slot = 0; slot < marks->slots; slot++)
	{
		uint32 bits = rds_fast_path_bits(slot);
		Oid relation = MyProc->fpRelId[slot];

		if (bits == marks->slot_bits[slot] && (bits == 0 || relation == marks->slot_relations[slot]))
			continue;
		marks->slot_bits[slot] = bits;
		marks->slot_relations[slot] = relation;
		/* the first bit stands for the weakest lock, which has the number 1 */
		if (bits != 0 && relation >= FirstNormalObjectId)
			add(finds, relation, (LOCKMASK) (bits << 1), NULL);
	}
	LWLockRelease(&MyProc->fpInfoLock);
}

static void
add(Finds *finds, Oid relation, LOCKMASK mask, const PROCLOCK *own)
{
	if (finds->count == finds->room)
	{
		finds->room = finds->room == 0 ? 64 : 2 * finds->room;
		finds->found = finds->found == NULL ? palloc(finds->room * sizeof(Found))
											: repalloc(finds->found, finds->room * sizeof(Found));
	}
	finds->found[finds->count++] = (Found){relation, mask, own};
}

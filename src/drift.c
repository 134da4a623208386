/*-------------------------------------------------------------------------
 *
 * drift.c
 *	  What was changed outside of rdsinit.
 *
 * The objects as they are, held against what was kept of them.  Of those that
 * are the same only hashes are in memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "drift.h"
#include "kept.h"
#include "turn.h"

typedef enum Change
{
	SAME,
	ADDED,
	CHANGED,
	DROPPED
} Change;

static const char *const change_names[] = {"same", "added", "changed", "dropped"};

/* An object that is kept, there, or both. */
typedef struct Entry
{
	RdsDigest id; /* the key */
	RdsDigest hash;
	Change change;
	char *kind; /* all that follow: NULL where it is the same */
	char *identity;
	char *expected;
	char *found;
	char *script;
} Entry;

typedef struct Comparison
{
	HTAB *entries;
	List *differences; /* of Entry */
	MemoryContext context;
} Comparison;

static List *find_differences(const RdsKept *kept, bool *nothing_kept);
static void take_hash(const RdsKeptRow *row, void *argument);
static void take_found(const RdsObject *object, void *argument);
static void take_expected(const RdsKeptRow *row, void *argument);
static RdsDigest id_of(const char *kind, const char *identity);
static void name_entry(Comparison *comparison, Entry *entry, const char *kind, const char *identity);
static int compare_entries(const ListCell *a, const ListCell *b);

/*
 * rds_drift_return
 *		Rows (kind, identity, change, expected, found, script) of what differs.
 */
void
rds_drift_return(ReturnSetInfo *result)
{
	RdsKept *kept = rds_kept_open(false);
	bool nothing_kept;
	List *differences = find_differences(kept, &nothing_kept);
	ListCell *cell;

	rds_kept_close(kept);
	if (nothing_kept)
	{
		ereport(NOTICE,
				(errmsg("rdsinit has kept nothing of this database's objects yet"),
				 errhint("They are kept when a script is applied, or by rdsinit.accept_drift().")));
		return;
	}
	foreach(cell, differences)
	{
		const Entry *entry = lfirst(cell);
		const char *texts[] = {entry->kind, entry->identity, change_names[entry->change],
							   entry->expected, entry->found, entry->script};
		Datum values[lengthof(texts)];
		bool nulls[lengthof(texts)];

		for (int i = 0; i < lengthof(texts); i++)
		{
			nulls[i] = texts[i] == NULL;
			values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * rds_drift_accept
 *		Takes what differs for what is expected from now on; returns in how many
 *		objects it did.
 */
int64
rds_drift_accept(const RdsOptions *options)
{
	RdsKept *kept;
	List *differences;
	ListCell *cell;
	bool nothing_kept;

	rds_turn_take(options);
	kept = rds_kept_open(true);
	differences = find_differences(kept, &nothing_kept);
	foreach(cell, differences)
	{
		const Entry *entry = lfirst(cell);
		RdsObject object = {.kind = entry->kind, .identity = entry->identity, .definition = entry->found};

		if (entry->change != ADDED)
			rds_kept_remove(kept, entry->kind, entry->identity);
		if (entry->change != DROPPED)
			rds_kept_add(kept, &object, entry->script);
	}
	rds_kept_close(kept);
	return list_length(differences);
}

/* A list of Entry, in order of kind and identity, in the current memory context. */
static List *
find_differences(const RdsKept *kept, bool *nothing_kept)
{
	Snapshot now = RegisterSnapshot(GetLatestSnapshot());
	Comparison comparison = {.context = CurrentMemoryContext};
	HASHCTL control = {0};
	RdsReading reading;

	control.keysize = sizeof(RdsDigest);
	control.entrysize = sizeof(Entry);
	control.hcxt = CurrentMemoryContext;
	comparison.entries = hash_create("rdsinit drift", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	PushActiveSnapshot(now);
	rds_kept_read(kept, now, take_hash, &comparison);
	*nothing_kept = hash_get_num_entries(comparison.entries) == 0;

	rds_objects_begin(&reading, INT_MAX);
	rds_objects_read_all(&reading, true, now, take_found, &comparison);
	rds_objects_end(&reading);

	rds_kept_read(kept, now, take_expected, &comparison);
	PopActiveSnapshot();
	UnregisterSnapshot(now);

	list_sort(comparison.differences, compare_entries);
	return comparison.differences;
}

/* Whoever is not found is dropped. */
static void
take_hash(const RdsKeptRow *row, void *argument)
{
	Comparison *comparison = argument;
	RdsDigest id = id_of(row->kind, row->identity);
	Entry *entry = hash_search(comparison->entries, &id, HASH_ENTER, NULL);

	memset((char *) entry + sizeof(RdsDigest), 0, sizeof(Entry) - sizeof(RdsDigest));
	entry->hash = rds_object_digest(row->definition);
	entry->change = DROPPED;
}

static void
take_found(const RdsObject *object, void *argument)
{
	Comparison *comparison = argument;
	RdsDigest id = id_of(object->kind, object->identity);
	RdsDigest hash = rds_object_digest(object->definition);
	bool is_kept;
	Entry *entry = hash_search(comparison->entries, &id, HASH_ENTER, &is_kept);

	if (is_kept && memcmp(&entry->hash, &hash, sizeof(hash)) == 0)
	{
		entry->change = SAME;
		return;
	}
	if (!is_kept)
		memset((char *) entry + sizeof(RdsDigest), 0, sizeof(Entry) - sizeof(RdsDigest));
	entry->change = is_kept ? CHANGED : ADDED;
	name_entry(comparison, entry, object->kind, object->identity);
	entry->found = MemoryContextStrdup(comparison->context, object->definition);
}

static void
take_expected(const RdsKeptRow *row, void *argument)
{
	Comparison *comparison = argument;
	RdsDigest id = id_of(row->kind, row->identity);
	Entry *entry = hash_search(comparison->entries, &id, HASH_FIND, NULL);

	if (entry == NULL || entry->change == SAME)
		return;
	if (entry->change == DROPPED)
		name_entry(comparison, entry, row->kind, row->identity);
	entry->expected = MemoryContextStrdup(comparison->context, row->definition);
	if (row->script != NULL)
		entry->script = MemoryContextStrdup(comparison->context, row->script);
}

static RdsDigest
id_of(const char *kind, const char *identity)
{
	char *whole = psprintf("%s\n%s", kind, identity);
	RdsDigest id = rds_object_digest(whole);

	pfree(whole);
	return id;
}

static void
name_entry(Comparison *comparison, Entry *entry, const char *kind, const char *identity)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(comparison->context);

	entry->kind = pstrdup(kind);
	entry->identity = pstrdup(identity);
	comparison->differences = lappend(comparison->differences, entry);
	MemoryContextSwitchTo(oldcontext);
}

static int
compare_entries(const ListCell *a, const ListCell *b)
{
	const Entry *one = lfirst(a);
	const Entry *other = lfirst(b);
	int order = strcmp(one->kind, other->kind);

	return order != 0 ? order : strcmp(one->identity, other->identity);
}

/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  What of a bundle is to be applied.
 *
 * A versioned script is applied once, known by its version: a name may change.
 * A repeatable is known by its name, and applied whenever its body is another
 * than the last time.  Versions and ledger are sorted and merged, so that
 * thousands of them are decided in one pass.
 *
 * This file is compiled into the extension and into the trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static RdsState decide_version(const RdsPending *pending, const RdsCandidate *item, RdsAppliedVersion *applied);
static RdsState decide_repeatable(const RdsPending *pending, const RdsCandidate *item);
static const char *newest(const RdsPending *pending);
static int compare_items(const void *a, const void *b);
static int compare_versions(const void *a, const void *b);
static void count_others(RdsTrouble *trouble, size_t count, const char *what);
static bool find_same(const RdsPending *pending, RdsTrouble *trouble);
static bool find_state(const RdsPending *pending, RdsState state, RdsTrouble *trouble);
static bool find_missing(const RdsPending *pending, RdsTrouble *trouble);

/*
 * rds_pending_decide
 *		Puts the scripts in order, and says of each what is to be done with it.
 */
void
rds_pending_decide(RdsPending *pending)
{
	size_t at = 0;
	size_t i;

	qsort(pending->items, pending->item_count, sizeof(RdsCandidate), compare_items);
	if (pending->version_count > 0)
		qsort(pending->versions, pending->version_count, sizeof(RdsAppliedVersion), compare_versions);

	for (i = 0; i < pending->item_count; i++)
	{
		RdsCandidate *item = &pending->items[i];
		RdsAppliedVersion *applied = NULL;
		int result = 1;

		if (item->kind == RDS_UNDO)
			item->state = RDS_STATE_UNDO;
		else if (item->kind == RDS_REPEATABLE)
			item->state = decide_repeatable(pending, item);
		else
		{
			while (at < pending->version_count &&
				   (result = rds_version_compare(pending->versions[at].version, item->version)) < 0)
				at++;
			if (at < pending->version_count && result == 0)
				applied = &pending->versions[at];
			item->state = decide_version(pending, item, applied);
		}
	}
}

static RdsState
decide_version(const RdsPending *pending, const RdsCandidate *item, RdsAppliedVersion *applied)
{
	const char *last = newest(pending);

	if (applied != NULL)
	{
		applied->found = true;
		return applied->checksum == NULL || strcmp(applied->checksum, item->checksum) == 0
				   ? RDS_STATE_UNCHANGED
				   : RDS_STATE_CHANGED;
	}
	if (pending->baseline != NULL && rds_version_compare(item->version, pending->baseline) <= 0)
		return RDS_STATE_BASELINE;
	return last != NULL && rds_version_compare(item->version, last) < 0 ? RDS_STATE_OUT_OF_ORDER
																		: RDS_STATE_PENDING;
}

static RdsState
decide_repeatable(const RdsPending *pending, const RdsCandidate *item)
{
	bool same = item->last_checksum != NULL && strcmp(item->last_checksum, item->checksum) == 0;

	return same && !pending->force ? RDS_STATE_UNCHANGED : RDS_STATE_PENDING;
}

/* The newest version that was applied; NULL: none was. */
static const char *
newest(const RdsPending *pending)
{
	return pending->version_count > 0 ? pending->versions[pending->version_count - 1].version : NULL;
}

/*
 * rds_pending_trouble
 *		Finds why the bundle cannot be applied with the options that there are;
 *		false: it can.
 */
bool
rds_pending_trouble(const RdsPending *pending, RdsTrouble *trouble)
{
	memset(trouble, 0, sizeof(*trouble));
	return find_same(pending, trouble) ||
		   (!pending->allow_changed && find_state(pending, RDS_STATE_CHANGED, trouble)) ||
		   (!pending->allow_missing && pending->whole && find_missing(pending, trouble)) ||
		   (!pending->out_of_order && find_state(pending, RDS_STATE_OUT_OF_ORDER, trouble));
}

/* Two scripts of one version, of those that go up or of those that go down. */
static bool
find_same(const RdsPending *pending, RdsTrouble *trouble)
{
	size_t i;

	for (i = 1; i < pending->item_count; i++)
	{
		const RdsCandidate *item = &pending->items[i];
		const RdsCandidate *before = &pending->items[i - 1];

		if (item->version == NULL || before->version == NULL || item->kind != before->kind ||
			strcmp(item->version, before->version) != 0)
			continue;
		trouble->kind = RDS_SAME_VERSION;
		snprintf(trouble->message, sizeof(trouble->message), "scripts \"%s\" and \"%s\" have the same version",
				 before->name, item->name);
		snprintf(trouble->hint, sizeof(trouble->hint), "Give each a version of its own.");
		return true;
	}
	return false;
}

static bool
find_state(const RdsPending *pending, RdsState state, RdsTrouble *trouble)
{
	const RdsCandidate *first = NULL;
	size_t count = 0;
	size_t i;

	for (i = 0; i < pending->item_count; i++)
	{
		if (pending->items[i].state != state)
			continue;
		if (first == NULL)
			first = &pending->items[i];
		count++;
	}
	if (first == NULL)
		return false;

	if (state == RDS_STATE_CHANGED)
	{
		trouble->kind = RDS_CHANGED;
		snprintf(trouble->message, sizeof(trouble->message),
				 "script \"%s\" has changed since its version %s was applied", first->name, first->version);
		snprintf(trouble->hint, sizeof(trouble->hint),
				 "Take the change back and write it as a new version; or have it taken for applied,"
				 " as it is now, with the option \"allow_changed\".");
	}
	else
	{
		trouble->kind = RDS_OUT_OF_ORDER;
		snprintf(trouble->message, sizeof(trouble->message),
				 "script \"%s\" has version %s, below %s, which was applied already",
				 first->name, first->version, newest(pending));
		snprintf(trouble->hint, sizeof(trouble->hint),
				 "Give it a version above that; or have it applied out of order, with the option \"out_of_order\".");
	}
	count_others(trouble, count - 1, state == RDS_STATE_CHANGED ? "changed" : "out of order");
	return true;
}

/* A bundle without any version is no directory of migrations. */
static bool
find_missing(const RdsPending *pending, RdsTrouble *trouble)
{
	const RdsAppliedVersion *first = NULL;
	bool has_versions = false;
	size_t count = 0;
	size_t i;

	for (i = 0; i < pending->item_count; i++)
		has_versions = has_versions || pending->items[i].kind == RDS_VERSIONED;
	for (i = 0; has_versions && i < pending->version_count; i++)
	{
		if (pending->versions[i].found)
			continue;
		if (first == NULL)
			first = &pending->versions[i];
		count++;
	}
	if (first == NULL)
		return false;

	trouble->kind = RDS_MISSING;
	snprintf(trouble->message, sizeof(trouble->message),
			 "script \"%s\" is missing: its version %s was applied, and the bundle does not have it",
			 first->name, first->version);
	snprintf(trouble->hint, sizeof(trouble->hint),
			 "Put it back; or go on without it, with the option \"allow_missing\".");
	count_others(trouble, count - 1, "missing");
	return true;
}

static void
count_others(RdsTrouble *trouble, size_t count, const char *what)
{
	if (count > 0)
		snprintf(trouble->detail, sizeof(trouble->detail), "%zu more %s %s.", count, count == 1 ? "is" : "are", what);
}

/* Versioned ones by version, repeatable ones by name, then those that go down. */
static int
compare_items(const void *a, const void *b)
{
	const RdsCandidate *left = a;
	const RdsCandidate *right = b;
	int result = (int) left->kind - (int) right->kind;

	if (result == 0 && left->version != NULL && right->version != NULL)
		result = rds_version_compare(left->version, right->version);
	else if (result == 0 && left->kind == RDS_UNDO)
		result = (left->version == NULL) - (right->version == NULL);
	return result != 0 ? result : strcmp(left->name, right->name);
}

static int
compare_versions(const void *a, const void *b)
{
	return rds_version_compare(((const RdsAppliedVersion *) a)->version, ((const RdsAppliedVersion *) b)->version);
}

/*-------------------------------------------------------------------------
 *
 * plain_pending.c
 *	  Which scripts of a bundle are to be applied, and in which order.
 *
 * A script that another one includes is a part of that one: its checksum
 * counts there, and it is not applied by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_pending.h"

#include <stdlib.h>
#include <string.h>

#include "plain_run.h"

static bool find_parts(const Session *session, const Bundle *bundle, const Request *request, Work *works, Error *error);
static bool find_included(const Session *session, const Bundle *bundle, const Request *request, Work *work,
						  bool *mentioned, Error *error);
static bool find_checksum(const Bundle *bundle, Work *work, Error *error);
static void make_candidates(const Bundle *bundle, const Request *request, Pending *pending);
static bool decide(Pending *pending, const Request *request, Error *error);
static void pair_undo(const RdsPending *decided);

bool
pending_find(const Session *session, const Bundle *bundle, const Request *request, Pending *pending, Error *error)
{
	size_t i;

	pending->works = calloc(bundle->count, sizeof(*pending->works));
	pending->decided.items = calloc(bundle->count, sizeof(*pending->decided.items));
	if (pending->works == NULL || pending->decided.items == NULL)
		return error_out_of_memory(error);
	pending->work_count = bundle->count;

	for (i = 0; i < bundle->count; i++)
	{
		pending->works[i].script = &bundle->scripts[i];
		if (!work_look(&pending->works[i], error))
			return false;
	}
	if (!find_parts(session, bundle, request, pending->works, error))
		return false;
	for (i = 0; i < bundle->count; i++)
	{
		if (!pending->works[i].is_part &&
			(!work_check(&pending->works[i], error) || !find_checksum(bundle, &pending->works[i], error)))
			return false;
	}

	make_candidates(bundle, request, pending);
	return ledger_read(session, pending->decided.items, pending->decided.item_count, &pending->ledger, error) &&
		   decide(pending, request, error);
}

void
pending_free(Pending *pending)
{
	size_t i;

	for (i = 0; i < pending->work_count; i++)
		work_free(&pending->works[i]);
	free(pending->works);
	free(pending->decided.items);
	ledger_free(&pending->ledger);
	memset(pending, 0, sizeof(*pending));
}

const Work *
pending_work(const RdsCandidate *item)
{
	return item->script;
}

bool
pending_is_due(const RdsCandidate *item)
{
	return item->state == RDS_STATE_PENDING || item->state == RDS_STATE_OUT_OF_ORDER;
}

bool
pending_leaves_transaction(const Pending *pending)
{
	size_t i;

	for (i = 0; i < pending->decided.item_count; i++)
	{
		const RdsCandidate *item = &pending->decided.items[i];

		if (pending_is_due(item) && pending_work(item)->no_transaction)
			return true;
	}
	return false;
}

static bool
find_parts(const Session *session, const Bundle *bundle, const Request *request, Work *works, Error *error)
{
	bool *mentioned = calloc(bundle->count, sizeof(*mentioned));
	bool ok = mentioned != NULL || error_out_of_memory(error);
	size_t i;

	for (i = 0; ok && i < bundle->count; i++)
		ok = find_included(session, bundle, request, &works[i], mentioned, error);
	for (i = 0; ok && i < bundle->count; i++)
		works[i].is_part = mentioned[i];
	free(mentioned);
	return ok;
}

/*
 * A part may not be right where it stands alone, so that errors do not count
 * here; but of scripts that include each other none would be left.
 */
static bool
find_included(const Session *session, const Bundle *bundle, const Request *request, Work *work,
			  bool *mentioned, Error *error)
{
	const Script *script = work->script;
	Reader reader = {0};
	bool ok;

	if (memmem(script->body, script->length, "\\i", 2) == NULL)
		return true;

	reader.session = session;
	reader.bundle = bundle;
	reader.length = work_length(work);
	reader.mentioned = mentioned;
	ok = run_check(&reader, script, request->variables, error);
	if (!ok && !reader.found_cycle)
	{
		error_free(error);
		ok = true;
	}
	work->included = reader.included;
	work->included_count = reader.included_count;
	reader.included = NULL;
	reader_close(&reader);
	return ok;
}

/* Where it includes others, the checksums one behind the other have one. */
static bool
find_checksum(const Bundle *bundle, Work *work, Error *error)
{
	char *parts;
	bool ok;
	size_t i;

	if (!checksum_script(work->script->body, work->script->length, work->checksum, error))
		return false;
	if (work->included_count == 0)
		return true;

	parts = malloc((work->included_count + 1) * CHECKSUM_LENGTH + 1);
	if (parts == NULL)
		return error_out_of_memory(error);
	strcpy(parts, work->checksum);
	ok = true;
	for (i = 0; ok && i < work->included_count; i++)
	{
		const Script *part = &bundle->scripts[work->included[i]];

		ok = checksum_script(part->body, part->length, parts + (i + 1) * CHECKSUM_LENGTH, error);
	}
	ok = ok && checksum_text(parts, (work->included_count + 1) * CHECKSUM_LENGTH, work->checksum, error);
	free(parts);
	return ok;
}

static void
make_candidates(const Bundle *bundle, const Request *request, Pending *pending)
{
	RdsPending *decided = &pending->decided;
	size_t i;

	decided->whole = !bundle->is_file;
	decided->force = request->force;
	decided->out_of_order = request->out_of_order;
	decided->allow_changed = request->allow_changed;
	decided->allow_missing = request->allow_missing;

	for (i = 0; i < pending->work_count; i++)
	{
		Work *work = &pending->works[i];
		RdsCandidate *item = &decided->items[decided->item_count];

		if (work->is_part)
			continue;
		item->name = work->script->name;
		item->kind = work->naming.kind;
		item->version = work->version;
		item->checksum = work->checksum;
		item->script = work;
		decided->item_count++;
	}
}

static bool
decide(Pending *pending, const Request *request, Error *error)
{
	RdsPending *decided = &pending->decided;
	RdsTrouble trouble;

	if (request->baseline != NULL &&
		!ledger_set_baseline(&pending->ledger, request->baseline, &pending->has_new_baseline, error))
		return false;
	decided->versions = pending->ledger.versions;
	decided->version_count = pending->ledger.version_count;
	decided->baseline = pending->ledger.baseline;

	rds_pending_decide(decided);
	pair_undo(decided);
	if (!rds_pending_trouble(decided, &trouble))
		return true;
	error_set(error, ERROR_SCRIPT, "%s", trouble.message);
	error_sqlstate(error, trouble.kind == RDS_SAME_VERSION ? "42710" : "55000");
	if (trouble.detail[0] != '\0')
		error_detail(error, trouble.detail);
	error_hint(error, "%s", trouble.hint);
	return false;
}

/* Both are in order of version. */
static void
pair_undo(const RdsPending *decided)
{
	size_t at = 0;
	size_t i;

	for (i = 0; i < decided->item_count; i++)
	{
		const RdsCandidate *undo = &decided->items[i];
		int result = -1;

		if (undo->kind != RDS_UNDO || undo->version == NULL)
			continue;
		while (at < decided->item_count && decided->items[at].kind == RDS_VERSIONED &&
			   (result = rds_version_compare(decided->items[at].version, undo->version)) < 0)
			at++;
		if (result == 0)
			((Work *) decided->items[at].script)->undo = pending_work(undo)->script;
	}
}

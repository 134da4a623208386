/*-------------------------------------------------------------------------
 *
 * plain_pending.c
 *	  Which scripts of a bundle are to be applied.
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
static bool find_checksum(const Session *session, const Bundle *bundle, Work *work, bool *unchanged, Error *error);

bool
pending_find(const Session *session, const Bundle *bundle, const Request *request, Work *works, Error *error)
{
	size_t i;

	if (!find_parts(session, bundle, request, works, error))
		return false;
	for (i = 0; i < bundle->count; i++)
	{
		bool unchanged = false;

		if (works[i].is_part)
			continue;
		if (!find_checksum(session, bundle, &works[i], &unchanged, error))
			return false;
		works[i].pending = request->force || !unchanged;
	}
	return true;
}

void
pending_free(Work *works, size_t count)
{
	size_t i;

	for (i = 0; works != NULL && i < count; i++)
		free(works[i].included);
	free(works);
}

static bool
find_parts(const Session *session, const Bundle *bundle, const Request *request, Work *works, Error *error)
{
	bool *mentioned = calloc(bundle->count, sizeof(*mentioned));
	bool ok = mentioned != NULL || error_out_of_memory(error);
	size_t i;

	for (i = 0; ok && i < bundle->count; i++)
	{
		works[i].script = &bundle->scripts[i];
		ok = find_included(session, bundle, request, &works[i], mentioned, error);
	}
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

static bool
find_checksum(const Session *session, const Bundle *bundle, Work *work, bool *unchanged, Error *error)
{
	char *parts;
	bool ignored;
	bool ok;
	size_t i;

	if (work->included_count == 0)
		return history_find(session, work->script, NULL, work->checksum, unchanged, error);

	parts = calloc(work->included_count + 1, CHECKSUM_LENGTH + 1);
	if (parts == NULL)
		return error_out_of_memory(error);
	ok = history_find(session, work->script, NULL, parts, &ignored, error);
	for (i = 0; ok && i < work->included_count; i++)
		ok = history_find(session, &bundle->scripts[work->included[i]], NULL, parts + (i + 1) * CHECKSUM_LENGTH, &ignored, error);
	ok = ok && history_find(session, work->script, parts, work->checksum, unchanged, error);
	free(parts);
	return ok;
}

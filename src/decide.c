/*-------------------------------------------------------------------------
 *
 * decide.c
 *	  What is to be done with the scripts of a call.
 *
 * The rules are in shared/pending.c, for the trigger as well; here they are
 * given what the bundle and the ledger have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "decide.h"
#include "run.h"

static void resolve_includes(RdsFiles *files, RdsErrorContext *errctx);
static void check_script(const RdsScript *script);
static void take_marks(RdsFiles *files);
static void make_candidates(RdsFiles *files, const RdsLedger *ledger, RdsPending *pending);
static void take_versions(const RdsLedger *ledger, RdsPending *pending);
static void take_missing(RdsFiles *files, const RdsPending *pending);
static void pair_undo(const RdsPending *pending);
static void raise_trouble(const RdsTrouble *trouble);

/*
 * rds_decide
 *		Decides about each script, and puts them in order, in files->ordered.
 *
 * Raises an error where the bundle cannot be applied as it is, unless the
 * caller only wants to know.
 */
void
rds_decide(RdsFiles *files, const RdsLedger *ledger, bool raise, RdsErrorContext *errctx)
{
	RdsPending pending = {0};
	RdsTrouble trouble;
	ListCell *cell;

	resolve_includes(files, errctx);
	foreach(cell, files->scripts)
		check_script(lfirst(cell));
	take_marks(files);

	make_candidates(files, ledger, &pending);
	take_versions(ledger, &pending);
	rds_pending_decide(&pending);
	if (rds_pending_trouble(&pending, &trouble) && (raise || trouble.kind == RDS_SAME_VERSION))
		raise_trouble(&trouble);

	pair_undo(&pending);
	for (size_t i = 0; i < pending.item_count; i++)
	{
		RdsScript *script = pending.items[i].script;

		script->state = pending.items[i].state;
		files->ordered = lappend(files->ordered, script);
	}
	take_missing(files, &pending);
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

/* What is wrong with a script's name or sections, whatever the ledger says. */
static void
check_script(const RdsScript *script)
{
	if (script->is_part)
		return;
	if (script->naming.problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("script \"%s\" %s", script->name, script->naming.problem),
				 errhint("%s", script->naming.hint)));
	if (script->sections.problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("script \"%s\" has %s", script->name, script->sections.problem),
				 errhint("%s", script->sections.hint),
				 errcontext("%s:%zu:1", script->name, script->sections.problem_line)));
}

/* Scripts that the options, and not they themselves, say are to be run without a transaction. */
static void
take_marks(RdsFiles *files)
{
	ListCell *name;

	foreach(name, files->options->no_transaction)
	{
		bool found = false;
		ListCell *cell;

		foreach(cell, files->scripts)
		{
			RdsScript *script = lfirst(cell);

			if (strcmp(lfirst(name), script->name) == 0)
				script->no_transaction = found = true;
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the bundle has no script \"%s\", which option \"no_transaction\" names",
							(char *) lfirst(name))));
	}
}

static void
make_candidates(RdsFiles *files, const RdsLedger *ledger, RdsPending *pending)
{
	const RdsOptions *options = files->options;
	ListCell *cell;

	pending->whole = files->whole;
	pending->force = options->force;
	pending->out_of_order = options->out_of_order;
	pending->allow_changed = options->allow_changed;
	pending->allow_missing = options->allow_missing;

	pending->items = palloc0(list_length(files->scripts) * sizeof(RdsCandidate));
	foreach(cell, files->scripts)
	{
		RdsScript *script = lfirst(cell);
		RdsCandidate *candidate = &pending->items[pending->item_count];

		if (script->is_part)
			continue;
		candidate->name = script->name;
		candidate->kind = script->naming.kind;
		candidate->version = script->version;
		candidate->checksum = script->checksum;
		candidate->script = script;
		pending->item_count++;
	}
	rds_history_last_checksums(ledger, pending->items, pending->item_count);
}

static void
take_versions(const RdsLedger *ledger, RdsPending *pending)
{
	List *known = rds_history_versions(ledger, false);
	ListCell *cell;

	pending->versions = palloc0(Max(list_length(known), 1) * sizeof(RdsAppliedVersion));
	foreach(cell, known)
	{
		const RdsLedgerVersion *version = lfirst(cell);

		if (version->is_baseline)
		{
			if (pending->baseline == NULL || rds_version_compare(pending->baseline, version->version) < 0)
				pending->baseline = version->version;
		}
		else if (version->applied)
		{
			RdsAppliedVersion *applied = &pending->versions[pending->version_count++];

			applied->version = version->version;
			applied->name = version->name;
			applied->checksum = version->checksum;
		}
	}
}

/* Which versions were applied and are not in the bundle. */
static void
take_missing(RdsFiles *files, const RdsPending *pending)
{
	for (size_t i = 0; i < pending->version_count; i++)
	{
		RdsAppliedVersion *missing;

		if (pending->versions[i].found)
			continue;
		missing = palloc(sizeof(RdsAppliedVersion));
		*missing = pending->versions[i];
		files->missing = lappend(files->missing, missing);
	}
}

/* Both are in order of version. */
static void
pair_undo(const RdsPending *pending)
{
	size_t at = 0;

	for (size_t i = 0; i < pending->item_count; i++)
	{
		const RdsCandidate *undo = &pending->items[i];
		int result = -1;

		if (undo->kind != RDS_UNDO || undo->version == NULL)
			continue;
		while (at < pending->item_count && pending->items[at].kind == RDS_VERSIONED &&
			   (result = rds_version_compare(pending->items[at].version, undo->version)) < 0)
			at++;
		if (result == 0)
			((RdsScript *) pending->items[at].script)->undo = undo->script;
	}
}

static void
raise_trouble(const RdsTrouble *trouble)
{
	ereport(ERROR,
			(errcode(trouble->kind == RDS_SAME_VERSION ? ERRCODE_DUPLICATE_OBJECT
													   : ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s", trouble->message),
			 trouble->detail[0] != '\0' ? errdetail("%s", trouble->detail) : 0,
			 errhint("%s", trouble->hint)));
}

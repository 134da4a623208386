/*-------------------------------------------------------------------------
 *
 * versions.c
 *	  A database's version, said or taken back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "apply.h"
#include "history.h"
#include "keep.h"
#include "run.h"
#include "trust.h"
#include "turn.h"
#include "versions.h"

static char *canonical(const char *version);
static RdsScript *script_named(const char *name, const char *version);
static void check_baseline(const RdsLedger *ledger, const char *version, bool *known);
static List *find_undone(const RdsLedger *ledger, const char *version, RdsFiles *files);
static bool is_known(List *versions, const char *version);
static int newest_first(const ListCell *a, const ListCell *b);

/*
 * rds_baseline
 *		Says that the database has all versions up to this one, which nobody has
 *		applied here.
 *
 * Raises an error where versions were applied already, or the baseline is
 * higher.
 */
void
rds_baseline(const char *version, RdsFiles *files)
{
	char *normal = canonical(version);
	RdsScript *script = script_named(RDS_BASELINE_NAME, normal);
	RdsLedger *ledger;
	bool known;

	rds_turn_take(files->options);
	ledger = rds_history_open();
	rds_history_check_snapshot(ledger);
	check_baseline(ledger, normal, &known);
	script->outcome = known ? RDS_OUTCOME_UNCHANGED : RDS_OUTCOME_BASELINE;
	if (!known)
	{
		RdsRow row = {0};

		row.name = RDS_BASELINE_NAME;
		row.version = normal;
		row.outcome = RDS_OUTCOME_BASELINE;
		rds_history_insert(ledger, &row);
	}
	rds_history_close(ledger);
	rds_keep_first();
	files->ordered = list_make1(script);
}

static void
check_baseline(const RdsLedger *ledger, const char *version, bool *known)
{
	const char *baseline = NULL;
	const RdsLedgerVersion *applied = NULL;
	ListCell *cell;

	foreach(cell, rds_history_versions(ledger, false))
	{
		const RdsLedgerVersion *there = lfirst(cell);

		if (there->is_baseline && (baseline == NULL || rds_version_compare(there->version, baseline) > 0))
			baseline = there->version;
		if (there->applied && applied == NULL)
			applied = there;
	}

	/* said again, as a stack's settings do, it is no news */
	*known = baseline != NULL && strcmp(baseline, version) == 0;
	if (*known)
		return;
	if (baseline != NULL && rds_version_compare(baseline, version) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the baseline is version %s already", baseline),
				 errdetail("A baseline can be raised, not lowered.")));
	if (applied != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("script \"%s\", version %s, was applied already", applied->name, applied->version),
				 errdetail("A baseline is for a database of which the history has no versions."),
				 errhint("Leave the baseline out, or use the option \"out_of_order\" when the rest is applied.")));
}

/*
 * rds_undo
 *		Takes back all versions above one, the newest first, by the scripts that came
 *		with them.
 *
 * Raises an error before anything runs where one of them has come without.
 */
void
rds_undo(const char *version, RdsFiles *files, RdsErrorContext *errctx)
{
	char *normal = canonical(version);
	RdsLedger *ledger;
	List *undone;
	ListCell *cell;

	rds_turn_take(files->options);
	ledger = rds_history_open();
	rds_history_check_snapshot(ledger);
	undone = find_undone(ledger, normal, files);
	foreach(cell, files->scripts)
		rds_check_script(lfirst(cell), files, errctx);
	if (undone != NIL)
		rds_apply_group(files->scripts, files, ledger, RDS_OUTCOME_UNDONE, errctx);
	rds_history_close(ledger);
	files->ordered = files->scripts;
}

/* Makes of each version to be taken back a script. */
static List *
find_undone(const RdsLedger *ledger, const char *version, RdsFiles *files)
{
	List *versions = rds_history_versions(ledger, true);
	List *undone = NIL;
	ListCell *cell;

	if (strcmp(version, "0") != 0 && !is_known(versions, version))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version %s is not one that was applied", version),
				 errhint("Give the version to go back to, or '0' for all.")));

	foreach(cell, versions)
	{
		RdsLedgerVersion *there = lfirst(cell);

		if (there->applied && rds_version_compare(there->version, version) > 0)
			undone = lappend(undone, there);
	}
	list_sort(undone, newest_first);

	foreach(cell, undone)
	{
		const RdsLedgerVersion *there = lfirst(cell);
		RdsScript *script;

		if (there->undo == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("version %s cannot be taken back: \"%s\" has come without an undo script",
							there->version, there->name),
					 errhint("Write a new version that does it.")));
		if (!files->options->trust_history)
			rds_trust_check_undo(ledger, there);
		/* whoever may write into the table could have left the name out */
		script = rds_script_make(there->undo_name != NULL ? there->undo_name : there->name, rds_source_memory(there->undo, strlen(there->undo)));
		script->version = there->version;
		script->undoes = there->name;
		files->scripts = lappend(files->scripts, script);
	}
	return undone;
}

static bool
is_known(List *versions, const char *version)
{
	ListCell *cell;

	foreach(cell, versions)
	{
		const RdsLedgerVersion *there = lfirst(cell);

		if ((there->applied || there->is_baseline) && strcmp(there->version, version) == 0)
			return true;
	}
	return false;
}

static int
newest_first(const ListCell *a, const ListCell *b)
{
	return rds_version_compare(((RdsLedgerVersion *) lfirst(b))->version, ((RdsLedgerVersion *) lfirst(a))->version);
}

static char *
canonical(const char *version)
{
	char *result;

	if (!rds_version_is_valid(version))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a version", version),
				 errhint("A version is of numbers, with dots between them, as in the scripts' names.")));
	result = palloc(strlen(version) + 1);
	rds_version_canonical(version, strlen(version), result);
	return result;
}

/* A script of which there is nothing but what the history has. */
static RdsScript *
script_named(const char *name, const char *version)
{
	RdsScript *script = palloc0(sizeof(RdsScript));

	script->name = name;
	script->version = pstrdup(version);
	return script;
}

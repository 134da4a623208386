/*-------------------------------------------------------------------------
 *
 * steps.c
 *	  A script that is run statement by statement, without a transaction.
 *
 * Its statements are all known before the first of them runs.  The history
 * says which were done when the script was begun before: those are left out.
 * One that was begun, and of which nobody knows how it ended, is done again
 * only where that is safe, or where the caller says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "portability/instr_time.h"
#include "storage/ipc.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "activity.h"
#include "copydata.h"
#include "deadline.h"
#include "history.h"
#include "quiet.h"
#include "reader.h"
#include "run.h"
#include "script_text.h"
#include "statement.h"
#include "steps.h"
#include "worker.h"

static RdsPlace *copy_places(const RdsPlace *place);
static void collect(RdsReader *reader, const RdsStep *step, RdsScript *script, MemoryContext keep);
static RdsStanding *find_standings(RdsScript *script, const RdsOptions *options, const RdsLedger *ledger,
								   RdsErrorContext *errctx);
static void run_all(RdsScript *script, RdsFiles *files, const RdsStanding *standings, RdsWorker *worker,
					RdsErrorContext *errctx);
static int time_to_retry(const RdsOptions *options);
static bool resume(RdsScript *script, const RdsStatement *statement, RdsStanding standing, const RdsOptions *options,
				   RdsWorker *worker);
static void record(const RdsScript *script, const RdsStatement *statement, const char *outcome);
static void commit(void);

/*
 * rds_steps_collect
 *		Reads a script through and keeps its statements, in the memory of the call.
 *
 * Raises an error for whatever in it could not be parsed or must not be there.
 */
void
rds_steps_collect(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(oldcontext, "rdsinit check", ALLOCSET_DEFAULT_SIZES);
	RdsReader *reader;
	RdsStep step;
	RdsQuiet quiet;

	rds_activity_report("rdsinit: checking %s", script->name);
	script->steps = NIL;
	rds_quiet_begin(&quiet);
	PG_TRY();
	{
		reader = rds_reader_open(script, files, true, errctx);
		MemoryContextSwitchTo(context);
		while (rds_reader_next(reader, &step))
		{
			collect(reader, &step, script, files->context);
			MemoryContextReset(context);
		}
		MemoryContextSwitchTo(oldcontext);
		script->variables = reader->variables;
		rds_reader_close(reader);
	}
	PG_FINALLY();
	{
		rds_quiet_end(&quiet);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
}

static void
collect(RdsReader *reader, const RdsStep *step, RdsScript *script, MemoryContext keep)
{
	RdsCursor *cursor = rds_reader_cursor(reader);
	MemoryContext oldcontext;
	RdsStatement *kept;
	RawStmt *statement;
	Size length;
	char *text = rds_cursor_text(cursor, &length);
	bool ignored;

	if (step->unsure || step->how != RDS_SEND)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("what a query's result decides is not allowed in a script that asks for no transaction"),
				 errhint("Its statements must be known before the first of them runs: leave out \\gset and \\gexec.")));
	statement = rds_statement_parse(text, length);

	oldcontext = MemoryContextSwitchTo(keep);
	kept = palloc0(sizeof(RdsStatement));
	kept->where = rds_policy_check_outside(statement);
	kept->number = list_length(script->steps) + 1;
	kept->text = pstrdup(text);
	kept->place.script = pstrdup(reader->frame->script->name);
	kept->place.included_from = copy_places(reader->frame->place.included_from);
	kept->place.position = rds_cursor_position(cursor);
	kept->place.at_command = true;
	kept->place.statement = kept->number;
	kept->place.text = kept->text;
	kept->place.stretches = text_stretches(cursor, cursor->start, cursor->end, &kept->place.stretch_count);
	rds_source_checksum(rds_source_memory(kept->text, strlen(kept->text)), kept->checksum, &ignored);
	script->steps = lappend(script->steps, kept);
	MemoryContextSwitchTo(oldcontext);

	rds_foresee(statement);
}

/* Where a file was included from, in the current memory context. */
static RdsPlace *
copy_places(const RdsPlace *place)
{
	RdsPlace *copy;

	if (place == NULL)
		return NULL;
	copy = palloc0(sizeof(RdsPlace));
	copy->script = pstrdup(place->script);
	copy->position = place->position;
	copy->included_from = copy_places(place->included_from);
	return copy;
}

/*
 * rds_steps_run
 *		Runs what the script has not done yet, each statement in a transaction of its
 *		own or in none.
 *
 * The caller's transaction is committed in between, and holds neither snapshot
 * nor lock while a statement runs.
 */
void
rds_steps_run(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx)
{
	RdsLedger *ledger = rds_history_open();
	RdsStanding *standings = find_standings(script, files->options, ledger, errctx);
	RdsWorker *worker;
	instr_time start;
	instr_time duration;

	rds_history_close(ledger);
	INSTR_TIME_SET_CURRENT(start);

	errctx->variables = script->variables;
	worker = rds_worker_start(script->name);
	PG_ENSURE_ERROR_CLEANUP(rds_worker_kill, PointerGetDatum(worker));
	{
		run_all(script, files, standings, worker, errctx);
	}
	PG_END_ENSURE_ERROR_CLEANUP(rds_worker_kill, PointerGetDatum(worker));
	rds_worker_end(worker);
	errctx->variables = NULL;

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	script->duration = (int64) INSTR_TIME_GET_MICROSEC(duration);
	script->outcome = RDS_OUTCOME_APPLIED;
}

/* By statement, from 1; the rows of those that were done count as the script's. */
static RdsStanding *
find_standings(RdsScript *script, const RdsOptions *options, const RdsLedger *ledger, RdsErrorContext *errctx)
{
	int count = list_length(script->steps);
	RdsStanding *standings = palloc0((count + 1) * sizeof(RdsStanding));
	bool *seen = palloc0((count + 1) * sizeof(bool));
	ListCell *cell;

	/* the newest comes first */
	foreach(cell, rds_history_steps(ledger, script->name))
	{
		const RdsStepRow *row = lfirst(cell);
		const RdsStatement *statement;
		bool done = strcmp(row->outcome, RDS_OUTCOME_DONE) == 0 || strcmp(row->outcome, RDS_OUTCOME_SKIPPED) == 0;

		/* whoever may write into the table could have written anything */
		if (row->statement < 1 || row->statement > count || seen[row->statement])
			continue;
		seen[row->statement] = true;
		statement = list_nth(script->steps, row->statement - 1);
		if (done && row->checksum != NULL && strcmp(row->checksum, statement->checksum) != 0 && !options->allow_changed)
		{
			errctx->place = &statement->place;
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("statement %d of script \"%s\" was done already, and is another one now",
							statement->number, script->name),
					 errhint("Take the change back; or have it taken for done, as it is now, with the option \"allow_changed\".")));
		}
		if (done)
		{
			standings[row->statement] = RDS_WAS_DONE;
			script->rows += row->rows;
		}
		else
			standings[row->statement] = strcmp(row->outcome, RDS_OUTCOME_FAILED) == 0 ? RDS_HAS_FAILED : RDS_NOT_KNOWN;
	}
	return standings;
}

static void
run_all(RdsScript *script, RdsFiles *files, const RdsStanding *standings, RdsWorker *worker, RdsErrorContext *errctx)
{
	ListCell *cell;

	foreach(cell, script->steps)
	{
		const RdsStatement *statement = lfirst(cell);
		RdsTask task = {0};

		errctx->place = &statement->place;
		script->statements++;
		if (statement->where != RDS_AS_SETTING &&
			!resume(script, statement, standings[statement->number], files->options, worker))
			continue;

		task.where = statement->where;
		task.text = statement->text;
		task.allow_data_loss = files->options->allow_data_loss;
		task.lock_timeout = files->options->lock_timeout;
		task.retry_for = time_to_retry(files->options);
		task.name = script->name;
		task.version = script->version;
		task.statement = statement->number;
		task.checksum = statement->checksum;

		commit();
		rds_activity_at(statement->place.script, statement->place.position.line, statement->number,
						list_length(script->steps));
		script->rows += rds_worker_run(worker, &task, &script->retries);
		errctx->place = NULL;
	}
	commit();
}

/* The worker does not know when the call has to end. */
static int
time_to_retry(const RdsOptions *options)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz end = rds_deadline_limit(TimestampTzPlusMilliseconds(now, options->retry_for));

	return (int) TimestampDifferenceMilliseconds(now, end);
}

/* Is the statement to be run?  What a failed one has left behind is removed. */
static bool
resume(RdsScript *script, const RdsStatement *statement, RdsStanding standing, const RdsOptions *options, RdsWorker *worker)
{
	RdsLeftover leftover;

	if (standing == RDS_WAS_DONE)
		return false;
	if (statement->where == RDS_WITHIN)
		return true;

	commit();
	leftover = rds_worker_look(worker, script->name, statement->text, standing);
	if (leftover == RDS_LEFT_DONE)
	{
		record(script, statement, RDS_OUTCOME_DONE);
		return false;
	}
	if (standing != RDS_NOT_KNOWN || leftover == RDS_LEFT_AGAIN)
		return true;

	switch (options->resume)
	{
		case RDS_RESUME_SKIP:
			record(script, statement, RDS_OUTCOME_SKIPPED);
			return false;
		case RDS_RESUME_AGAIN:
			return true;
		case RDS_RESUME_ASK:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("it is not known whether statement %d of script \"%s\" was done", statement->number, script->name),
			 errdetail("It was begun, and what became of it was not recorded."),
			 errhint("Look whether it was; then call again with the option {\"resume\": \"skip\"} if it was, or {\"resume\": \"again\"}.")));
}

static void
record(const RdsScript *script, const RdsStatement *statement, const char *outcome)
{
	RdsLedger *ledger;
	RdsRow row = {0};

	EnsurePortalSnapshotExists();
	ledger = rds_history_open_to_write();
	row.name = script->name;
	row.version = script->version;
	row.statement = statement->number;
	row.outcome = outcome;
	row.checksum = statement->checksum;
	rds_history_insert(ledger, &row);
	rds_history_close(ledger);
}

/* From here on this session holds no snapshot, and no lock but those of its turn. */
static void
commit(void)
{
	SPI_commit();
}

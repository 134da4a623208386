/*-------------------------------------------------------------------------
 *
 * run.c
 *	  One script: checked, or run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "portability/instr_time.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "activity.h"
#include "ahead.h"
#include "batch.h"
#include "copydata.h"
#include "deadline.h"
#include "observe.h"
#include "policy.h"
#include "quiet.h"
#include "reader.h"
#include "result.h"
#include "run.h"
#include "statement.h"

/*
 * How much is parsed at once, in bytes: for checking, where only the parser
 * works; and for running, where a query's error has to be found in it.
 */
#define CHECK_BATCH (64 * 1024)
#define RUN_BATCH (8 * 1024)

/* Where nothing can be parsed ahead, so many statements are parsed one by one. */
#define PATIENCE 16

/* A statement whose results nobody asks for. */
static const RdsStep to_send = {.how = RDS_SEND};

static void begin_statement(const RdsReader *reader, const RawStmt *statement);
static int64 end_statement(const RdsReader *reader, int64 rows);
static void show_progress(const RdsReader *reader, const RdsScript *script);
static bool may_batch(const RdsReader *reader);
static bool check_batch(RdsReader *reader);
static bool run_batch(RdsReader *reader, RdsScript *script, MemoryContext context, bool *told);
static bool check_next(RdsReader *reader);
static void run_step(RdsReader *reader, const RdsStep *step, RdsScript *script, bool *told);
static void run_statement(RdsReader *reader, const RdsStep *step, RawStmt *statement, char *text, RdsScript *script, bool *told);
static void set_variables(RdsReader *reader, const RdsStep *step, const RdsResult *result);
static int64 run_result(RdsReader *reader, const RdsResult *result);
static int64 run_text(const char *text);

/*
 * rds_find_includes
 *		The names of the files that a script includes, each once, in the order in
 *		which it does first; in the current memory context.
 *
 * Nothing is parsed for that.
 */
List *
rds_find_includes(const RdsScript *script, RdsFiles *files, RdsErrorContext *errctx)
{
	RdsReader *reader = rds_reader_open(script, files, true, errctx);
	List *includes = NIL;
	ListCell *cell;
	RdsStep step;

	while (rds_reader_next(reader, &step))
	{
		RdsCursor *cursor = rds_reader_cursor(reader);

		if (cursor->from_stdin)
		{
			rds_cursor_begin_data(cursor);
			rds_cursor_end_data(cursor);
		}
	}
	foreach(cell, reader->included)
	{
		ListCell *known;
		bool found = false;

		foreach(known, includes)
			found = found || strcmp(lfirst(known), lfirst(cell)) == 0;
		if (!found)
			includes = lappend(includes, lfirst(cell));
	}
	rds_reader_close(reader);

	return includes;
}

/*
 * rds_check_script
 *		Reads a script through, running nothing: raises an error for whatever in it
 *		could not be parsed or must not be there.
 */
void
rds_check_script(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(oldcontext, "rdsinit check",
												  ALLOCSET_DEFAULT_SIZES);
	RdsReader *reader;
	RdsQuiet quiet;

	rds_activity_report("rdsinit: checking %s", script->name);

	/* What the parser has to remark, it remarks when the statement is run. */
	rds_quiet_begin(&quiet);
	PG_TRY();
	{
		reader = rds_reader_open(script, files, true, errctx);
		MemoryContextSwitchTo(context);
		while (check_batch(reader) || check_next(reader))
			MemoryContextReset(context);
		MemoryContextSwitchTo(oldcontext);
		script->total = reader->count;
		rds_reader_close(reader);
	}
	PG_FINALLY();
	{
		rds_quiet_end(&quiet);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
}

/* Runs a script, and says in it what came of that. */
void
rds_run_script(RdsScript *script, RdsFiles *files, RdsErrorContext *errctx)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(oldcontext, "rdsinit statement",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext batches = AllocSetContextCreate(oldcontext, "rdsinit batch",
												  ALLOCSET_DEFAULT_SIZES);
	RdsReader *reader;
	RdsStep step;
	bool told = false;
	instr_time start;
	instr_time duration;

	INSTR_TIME_SET_CURRENT(start);
	reader = rds_reader_open(script, files, false, errctx);
	for (;;)
	{
		MemoryContextSwitchTo(batches);
		if (!run_batch(reader, script, context, &told))
		{
			MemoryContextSwitchTo(context);
			if (!rds_reader_next(reader, &step))
				break;
			show_progress(reader, script);
			run_step(reader, &step, script, &told);
			MemoryContextReset(context);
		}
		MemoryContextReset(batches);
	}
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
	MemoryContextDelete(batches);

	/* search_path, role and every other setting: back to the caller's */
	rds_reader_close(reader);

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	script->duration = (int64) INSTR_TIME_GET_MICROSEC(duration);
}

static void
show_progress(const RdsReader *reader, const RdsScript *script)
{
	rds_activity_at(reader->frame->script->name, rds_cursor_position(rds_reader_cursor(reader)).line,
					reader->count, Max(script->total, reader->count));
}

/* A plan looks at each statement before it runs, and after; and each has its time. */
static void
begin_statement(const RdsReader *reader, const RawStmt *statement)
{
	rds_deadline_begin_statement();
	if (reader->files->observer != NULL)
		rds_observe_before(reader->files->observer, reader->frame->script->name,
						   rds_cursor_position(rds_reader_cursor(reader)), statement);
}

static int64
end_statement(const RdsReader *reader, int64 rows)
{
	rds_deadline_end_statement();
	if (reader->files->observer != NULL)
		rds_observe_after(reader->files->observer, rows);
	return rows;
}

/* May the statements that follow be taken many at once?  Nothing but SQL decides about them. */
static bool
may_batch(const RdsReader *reader)
{
	return reader->frame->ifs == NIL && reader->restricted == NULL && !rds_reader_is_unsure(reader);
}

/* Checks many statements at once; false where the next has to be checked by itself. */
static bool
check_batch(RdsReader *reader)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context;
	RdsCursor *cursor = rds_reader_cursor(reader);
	RdsBatch batch;
	ListCell *cell;

	if (!may_batch(reader))
		return false;
	context = AllocSetContextCreate(oldcontext, "rdsinit batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	rds_batch_parse(cursor, CHECK_BATCH, &batch);
	MemoryContextSwitchTo(oldcontext);
	if (batch.statements == NIL)
		return false;
	rds_ahead_hold(reader->files, reader->frame->script, cursor, &batch, context);

	foreach(cell, batch.statements)
	{
		rds_batch_go_to(cursor, &batch, lfirst(cell), false);
		reader->count++;
		(void) rds_policy_check(lfirst(cell));
	}
	rds_batch_leave(cursor, batch.to);
	return true;
}

/* Runs many statements that were parsed at once; false where the next has to be parsed by itself. */
static bool
run_batch(RdsReader *reader, RdsScript *script, MemoryContext context, bool *told)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	RdsCursor *cursor = rds_reader_cursor(reader);
	core_yy_extra_type before = {0};
	core_yy_extra_type after = {0};
	RdsBatch batch;
	List *items;
	Size done;
	char *source;
	ListCell *cell;
	ListCell *parsed;

	if (reader->wait_for_batch > 0 || !may_batch(reader))
	{
		reader->wait_for_batch -= reader->wait_for_batch > 0;
		return false;
	}
	rds_scanner_follow_settings(&before);
	items = rds_batch_parse_to_run(reader->files, reader->frame->script, cursor, RUN_BATCH, &batch);
	if (items == NIL)
	{
		reader->wait_for_batch = PATIENCE;
		return false;
	}

	source = pnstrdup(cursor->text.data + batch.from, batch.to - batch.from);
	done = batch.from;
	forboth(cell, items, parsed, batch.statements)
	{
		const RdsBatchStatement *item = lfirst(cell);

		rds_batch_go_to(cursor, &batch, lfirst(parsed), item->is_alone);
		reader->count++;
		show_progress(reader, script);

		MemoryContextSwitchTo(context);
		if (item->is_alone)
			run_statement(reader, &to_send, item->statement, item->text, script, told);
		else
		{
			(void) rds_policy_check(item->statement);
			begin_statement(reader, item->statement);
			script->rows += end_statement(reader, rds_statement_run_within(item->statement, source, item->text, None_Receiver));
			script->statements++;
		}
		MemoryContextSwitchTo(oldcontext);
		MemoryContextReset(context);

		/* a statement can change how what follows has to be read, through set_config */
		done = cursor->end + 1;
		rds_scanner_follow_settings(&after);
		if (memcmp(&before, &after, sizeof(before)) != 0 ||
			cursor->encoding != rds_source_encoding(cursor->source))
			break;
	}
	rds_batch_leave(cursor, done);
	return true;
}

/* Checks the next statement by itself; false where there is none. */
static bool
check_next(RdsReader *reader)
{
	RdsStep step;
	RdsCursor *cursor;
	RawStmt *statement;
	char *text;
	Size length;
	bool has_data;

	if (!rds_reader_next(reader, &step))
		return false;

	cursor = rds_reader_cursor(reader);
	text = rds_cursor_text(cursor, &length);
	if (step.unsure)
	{
		/* what is behind COPY … FROM stdin is no SQL, whether it is run or not */
		statement = cursor->unsure ? NULL : rds_statement_try_parse(text, length);
		has_data = statement != NULL ? rds_is_copy_from_script(statement) : cursor->from_stdin;
	}
	else
	{
		statement = rds_statement_parse(text, length);
		(void) rds_policy_check(statement);
		rds_foresee(statement);
		has_data = rds_is_copy_from_script(statement);
	}

	if (has_data)
	{
		rds_cursor_begin_data(cursor);
		rds_cursor_end_data(cursor);
	}
	return true;
}

/* Sets, while a script is only checked, what changes how the rest of it is read. */
void
rds_foresee(RawStmt *statement)
{
	VariableSetStmt *set = (VariableSetStmt *) statement->stmt;

	if (IsA(set, VariableSetStmt) && set->name != NULL && rds_changes_reading(set))
		ExecSetVariableStmt(set, false);
}

static void
run_step(RdsReader *reader, const RdsStep *step, RdsScript *script, bool *told)
{
	RdsCursor *cursor = rds_reader_cursor(reader);
	Size length;
	char *text = rds_cursor_text(cursor, &length);

	run_statement(reader, step, rds_statement_parse(text, length), text, script, told);
}

static void
run_statement(RdsReader *reader, const RdsStep *step, RawStmt *statement, char *text, RdsScript *script, bool *told)
{
	RdsCursor *cursor = rds_reader_cursor(reader);
	int64 rows = 0;

	if (rds_policy_check(statement) == RDS_TAKEN_OUT)
	{
		if (!*told)
			ereport(NOTICE,
					(errmsg("%s:%d: %s is taken out: the whole call is one transaction",
							reader->frame->script->name, rds_cursor_position(cursor).line,
							CreateCommandName(statement->stmt))));
		*told = true;
		return;
	}

	begin_statement(reader, statement);
	if (rds_is_copy_from_script(statement))
		rows = rds_copy_from_script(statement, text, cursor);
	else if (rds_is_copy_to_client(statement))
		rds_copy_to_nowhere(statement, text);
	else if (step->how == RDS_SEND)
		rows = rds_statement_run(statement, text, None_Receiver);
	else
	{
		RdsResult *result = rds_result_make();

		rows = rds_statement_run(statement, text, rds_result_receiver(result));
		if (step->how == RDS_GSET)
			set_variables(reader, step, result);
		else
			rows += run_result(reader, result);
	}
	script->rows += end_statement(reader, rows);
	script->statements++;
}

static void
set_variables(RdsReader *reader, const RdsStep *step, const RdsResult *result)
{
	List *rows = rds_result_rows(result);
	ListCell *column;
	ListCell *value;

	if (list_length(rows) != 1)
		ereport(ERROR,
				(errcode(rows == NIL ? ERRCODE_NO_DATA_FOUND : ERRCODE_TOO_MANY_ROWS),
				 errmsg(rows == NIL ? "no rows returned for \\gset" : "more than one row returned for \\gset")));

	forboth(column, rds_result_columns(result), value, (List *) linitial(rows))
	{
		char *name = psprintf("%s%s", step->prefix, (char *) lfirst(column));

		/* psql passes over a name that is none, with an error message that stops nothing */
		if (!rds_variable_is_name(name))
			ereport(WARNING,
					(errmsg("invalid variable name: \"%s\"", name)));
		else if (lfirst(value) == NULL)
			rds_variable_unset(reader->variables, name);
		else
			rds_variable_set(reader->variables, name, lfirst(value));
	}
}

/* Runs each field that a query has returned, as a text of SQL. */
static int64
run_result(RdsReader *reader, const RdsResult *result)
{
	int64 rows = 0;
	ListCell *row;
	ListCell *field;

	/* an error is the query's that made the text: the script has no place for it */
	reader->frame->place.position = rds_cursor_position(rds_reader_cursor(reader));
	reader->frame->place.at_command = true;
	foreach(row, rds_result_rows(result))
	{
		foreach(field, (List *) lfirst(row))
		{
			if (lfirst(field) != NULL)
				rows += run_text(lfirst(field));
		}
	}
	reader->frame->place.at_command = false;

	return rows;
}

static int64
run_text(const char *text)
{
	RdsCursor *cursor = rds_cursor_open(rds_source_memory(text, strlen(text)), NULL);
	int64 rows = 0;

	while (rds_cursor_next(cursor) == RDS_STATEMENT)
	{
		Size length;
		char *one = rds_cursor_text(cursor, &length);
		RawStmt *statement = rds_statement_parse(one, length);

		if (rds_policy_check(statement) == RDS_TAKEN_OUT)
			continue;
		if (rds_is_copy_from_script(statement))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("COPY FROM stdin is not allowed in what \\gexec runs"),
					 errhint("There is no data behind it.")));
		if (rds_is_copy_to_client(statement))
			rds_copy_to_nowhere(statement, one);
		else
			rows += rds_statement_run(statement, one, None_Receiver);
	}
	rds_cursor_close(cursor);

	return rows;
}

/*-------------------------------------------------------------------------
 *
 * worker_main.c
 *	  A background worker, in its own process.
 *
 * A statement that a transaction allows is run in one, together with its row in
 * the history: either both are there afterwards or none.  For any other the
 * history says "started" before, and "done" or "failed" after it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "libpq/pqformat.h"
#include "libpq/pqmq.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "call.h"
#include "compat.h"
#include "copydata.h"
#include "deadline.h"
#include "guard.h"
#include "history.h"
#include "keep.h"
#include "retry.h"
#include "session.h"
#include "statement.h"
#include "waits.h"
#include "worker_task.h"

static emit_log_hook_type next_log_hook = NULL;

/* The task's statement has ended, outside of a transaction. */
static bool is_done = false;

static shm_mq_handle *connect_queues(dsm_segment *segment);
static void run_task(const RdsTask *task, MemoryContext context);
static int64 look(const RdsTask *task, MemoryContext context);
static int64 run_within(const RdsTask *task, MemoryContext context, volatile int *retries);
static ErrorData *attempt_within(const RdsTask *task, MemoryContext context, int64 *rows, RdsWait *wait);
static int64 try_within(const RdsTask *task, MemoryContext context);
static void report_activity(const RdsTask *task);
static ErrorData *roll_back(RdsWait *wait, MemoryContext context);
static int64 run_at_top(const RdsTask *task, MemoryContext context);
static bool may_drop(const Node *statement);
static void record(const RdsTask *task, const char *outcome, int64 rows, int64 duration);
static void report_failure(const RdsTask *task, ErrorData *error, const RdsWait *wait, MemoryContext context);
static void record_failure(const RdsTask *task, MemoryContext context);
static void send_error(MemoryContext context);
static void begin_transaction(MemoryContext context);
static void begin_look(MemoryContext context);
static void end_look(MemoryContext context);
static void keep_settings(void);
static void hide_text(void *argument);
static void leave_to_caller(ErrorData *error);
static int64 elapsed(instr_time start);

void
rdsinit_worker_main(Datum argument)
{
	dsm_segment *segment;
	const RdsWorkerHeader *header;
	shm_mq_handle *tasks;
	MemoryContext context;
	ErrorContextCallback callback = {0};

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	CurrentResourceOwner = ResourceOwnerCreate(NULL, "rdsinit worker");
	segment = dsm_attach(DatumGetUInt32(argument));
	if (segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not map dynamic shared memory segment")));
	dsm_pin_mapping(segment);
	header = dsm_segment_address(segment);
	tasks = connect_queues(segment);

	callback.callback = hide_text;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	next_log_hook = emit_log_hook;
	emit_log_hook = leave_to_caller;
	BackgroundWorkerInitializeConnectionByOid(header->database, header->user, rds_worker_flags);
	rds_call_forbid();
	rds_task_take_settings(header);
	rds_deadline_begin_worker();

	context = AllocSetContextCreate(TopMemoryContext, "rdsinit task", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		Size length;
		void *data;
		StringInfoData message;
		RdsTask task;

		pgstat_report_activity(STATE_IDLE, NULL);
		if (shm_mq_receive(tasks, &length, &data, false) != SHM_MQ_SUCCESS)
			proc_exit(0);

		MemoryContextSwitchTo(context);
		initStringInfo(&message);
		appendBinaryStringInfo(&message, data, length);
		rds_task_read(&message, &task);
		run_task(&task, context);
		MemoryContextReset(context);
	}
}

static shm_mq_handle *
connect_queues(dsm_segment *segment)
{
	RdsWorkerHeader *header = dsm_segment_address(segment);
	shm_mq *tasks = (shm_mq *) ((char *) header + header->tasks_offset);
	shm_mq *answers = (shm_mq *) ((char *) header + header->answers_offset);

	shm_mq_set_receiver(tasks, MyProc);
	shm_mq_set_sender(answers, MyProc);
	pq_redirect_to_shm_mq(segment, shm_mq_attach(answers, segment, NULL));

	return shm_mq_attach(tasks, segment, NULL);
}

/* Runs a task, and says what came of it. */
static void
run_task(const RdsTask *task, MemoryContext context)
{
	int64 volatile rows = 0;
	int volatile retries = 0;
	StringInfoData answer;

	is_done = false;
	report_activity(task);
	keep_settings();
	rds_guard_begin(task->allow_data_loss || task->look);
	PG_TRY();
	{
		if (task->look)
			rows = look(task, context);
		else if (task->where == RDS_WITHIN)
			rows = run_within(task, context, &retries);
		else
			rows = run_at_top(task, context);
	}
	PG_CATCH();
	{
		RdsWait wait;
		ErrorData *error = roll_back(&wait, context);

		report_failure(task, error, &wait, context);
		rds_guard_forget_losses();
		record_failure(task, context);
	}
	PG_END_TRY();
	rds_guard_end();
	debug_query_string = NULL;

	MemoryContextSwitchTo(context);
	pq_beginmessage(&answer, RDS_MESSAGE_DONE);
	pq_sendint64(&answer, rows);
	pq_sendint32(&answer, retries);
	pq_endmessage(&answer);
}

static void
report_activity(const RdsTask *task)
{
	pgstat_report_activity(STATE_RUNNING, task->name != NULL ? psprintf("rdsinit: %s statement %d", task->name, task->statement)
															 : "rdsinit");
}

/* Returns the error that was caught, in the given memory context, when all is rolled back. */
static ErrorData *
roll_back(RdsWait *wait, MemoryContext context)
{
	ErrorData *error;

	rds_waits_end();
	rds_deadline_end_statement();
	MemoryContextSwitchTo(context);
	HOLD_INTERRUPTS();
	error = CopyErrorData();
	FlushErrorState();
	rds_wait_take(error, wait);
	AbortCurrentTransaction();
	rds_touched_abandon();
	RESUME_INTERRUPTS();
	MemoryContextSwitchTo(context);

	return error;
}

/* What is left of a statement, an RdsLeftover; what is in its way is dropped, and what it has done is kept. */
static int64
look(const RdsTask *task, MemoryContext context)
{
	RdsLeftover leftover;
	RdsFound found;
	ListCell *cell;

	begin_look(context);
	leftover = rds_leftover_find(task->text, task->standing, &found);
	if (leftover == RDS_LEFT_DONE)
		rds_leftover_keep(&found, task->name);
	end_look(context);
	foreach(cell, found.commands)
	{
		RdsTask command = {.where = RDS_AT_TOP, .text = lfirst(cell)};

		(void) run_at_top(&command, context);
	}
	return leftover;
}

/*
 * In one transaction: the statement, and that it is done.  Where a lock is not to
 * be had, all is given back and tried again, as rds_apply does it; between two
 * attempts there is neither lock nor snapshot.
 */
static int64
run_within(const RdsTask *task, MemoryContext context, volatile int *retries)
{
	RdsOptions options = {.lock_timeout = task->lock_timeout, .retry_for = task->retry_for};
	RdsSessionState session;
	RdsRetry retry;
	RdsWait wait;
	ErrorData *error;
	int64 rows = 0;

	begin_look(context);
	rds_session_note(&session);
	end_look(context);

	rds_retry_begin(&retry, &options);
	while ((error = attempt_within(task, context, &rows, &wait)) != NULL)
	{
		int pause;

		begin_look(context);
		rds_session_restore(&session);
		if (!wait.has_failed)
			ReThrowError(error);
		pause = rds_retry_prepare(&retry, error, &wait);
		end_look(context);
		rds_retry_pause(pause);
		report_activity(task);
		(*retries)++;
	}
	return rows;
}

/* One attempt.  Returns what failed, when that has been rolled back; NULL: nothing did. */
static ErrorData *
attempt_within(const RdsTask *task, MemoryContext context, int64 *rows, RdsWait *wait)
{
	ErrorData *volatile error = NULL;

	PG_TRY();
	{
		*rows = try_within(task, context);
	}
	PG_CATCH();
	{
		error = roll_back(wait, context);
		rds_guard_forget_losses();
	}
	PG_END_TRY();
	return error;
}

static int64
try_within(const RdsTask *task, MemoryContext context)
{
	char *text = pstrdup(task->text);
	RawStmt *statement;
	RdsTouched *touched;
	instr_time start;
	int64 rows = 0;

	INSTR_TIME_SET_CURRENT(start);
	begin_transaction(context);
	rds_waits_begin(task->lock_timeout);
	rds_deadline_begin_statement();
	touched = rds_touched_begin(true);
	rds_touched_script(touched, task->name);
	statement = rds_statement_parse(text, strlen(text));
	if (rds_is_copy_to_client(statement))
		rds_copy_to_nowhere(statement, text);
	else
		rows = rds_statement_run(statement, text, None_Receiver);
	rds_keep(touched);
	rds_touched_end(touched);
	rds_deadline_end_statement();
	record(task, RDS_OUTCOME_DONE, rows, elapsed(start));
	/* deferred constraints may have to wait as well */
	CommitTransactionCommand();
	rds_waits_end();

	return rows;
}

static int64
run_at_top(const RdsTask *task, MemoryContext context)
{
	bool is_recorded = task->where == RDS_AT_TOP && task->name != NULL;
	char *text = pstrdup(task->text);
	RawStmt *statement = rds_statement_parse(text, strlen(text));
	RdsTouched *touched = NULL;
	instr_time start;
	int64 rows;

	if (is_recorded)
	{
		begin_transaction(context);
		record(task, RDS_OUTCOME_STARTED, 0, 0);
		touched = rds_touched_begin(false);
		rds_touched_script(touched, task->name);
		if (may_drop(statement->stmt))
			rds_keep_know(touched);
		CommitTransactionCommand();
	}

	INSTR_TIME_SET_CURRENT(start);
	begin_transaction(context);
	/* to know for which lock, if it fails; lock_timeout is the limit */
	rds_waits_begin(0);
	rds_deadline_begin_statement();
	rows = rds_statement_run_at_top(statement, text);
	rds_deadline_end_statement();
	rds_waits_end();
	CommitTransactionCommand();
	is_done = true;
	SetClientEncoding(GetDatabaseEncoding());

	if (is_recorded)
	{
		begin_transaction(context);
		rds_keep(touched);
		rds_touched_end(touched);
		record(task, RDS_OUTCOME_DONE, rows, elapsed(start));
		CommitTransactionCommand();
	}
	return rows;
}

/* Could it take away what is kept?  That is then looked at beforehand. */
static bool
may_drop(const Node *statement)
{
	return IsA(statement, CallStmt) || IsA(statement, DoStmt) || IsA(statement, DropStmt) || IsA(statement, AlterTableStmt);
}

static void
record(const RdsTask *task, const char *outcome, int64 rows, int64 duration)
{
	RdsLedger *ledger;
	RdsRow row = {0};

	if (task->name == NULL || task->look)
		return;
	row.name = task->name;
	row.version = task->version;
	row.statement = task->statement;
	row.outcome = outcome;
	row.checksum = task->checksum;
	row.statements = strcmp(outcome, RDS_OUTCOME_DONE) == 0 ? 1 : 0;
	row.rows = rows;
	row.duration = duration;
	row.lost = rds_guard_take_losses();

	/* what a statement has done is what the row is about, not what it has set */
	PushActiveSnapshot(GetTransactionSnapshot());
	ledger = rds_history_open_to_write();
	rds_history_insert(ledger, &row);
	rds_history_close(ledger);
	PopActiveSnapshot();
}

/*
 * Sends the error.  Outside of a transaction nothing is tried again, since nobody
 * knows what was done; of a lock that was not to be had it says what is known.
 */
static void
report_failure(const RdsTask *task, ErrorData *error, const RdsWait *wait, MemoryContext context)
{
	PG_TRY();
	{
		if (task->where == RDS_AT_TOP && wait->is_known && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		{
			begin_look(context);
			error->message = psprintf("could not get %s", rds_wait_describe(wait));
			error->detail = rds_wait_sessions(wait);
			error->hint = pstrdup("Call again when they have ended: what was done is not done again;"
								  " or wait longer, with SET lock_timeout in the script.");
			end_look(context);
		}
		ReThrowError(error);
	}
	PG_CATCH();
	{
		send_error(context);
	}
	PG_END_TRY();
}

/*
 * Where even that fails, "started" remains, or nothing: then nothing was done.
 * It remains as well where the statement was done, and only to record it has failed.
 */
static void
record_failure(const RdsTask *task, MemoryContext context)
{
	if (task->where == RDS_AS_SETTING || is_done)
		return;
	PG_TRY();
	{
		begin_transaction(context);
		record(task, RDS_OUTCOME_FAILED, 0, 0);
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		send_error(context);
	}
	PG_END_TRY();
}

/* Sends the error that was caught, and rolls back. */
static void
send_error(MemoryContext context)
{
	MemoryContextSwitchTo(context);
	HOLD_INTERRUPTS();
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	RESUME_INTERRUPTS();
}

static void
begin_transaction(MemoryContext context)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(context);
}

/* A transaction that only reads, with a snapshot. */
static void
begin_look(MemoryContext context)
{
	begin_transaction(context);
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
end_look(MemoryContext context)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
}

/*
 * A wait for a lock has an end, since nobody sees that the session which waits
 * for us could be in the way; and messages are in the encoding that it expects.
 */
static void
keep_settings(void)
{
	SetClientEncoding(GetDatabaseEncoding());
	if (LockTimeout == 0)
		SetConfigOption("lock_timeout", RDS_WORKER_LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION);
}

/* The text of a script is in no log line. */
static void
hide_text(void *argument)
{
	errhidestmt(true);
	errhidecontext(true);
}

/*
 * What is sent to the session that waits for us is logged there, when it has
 * been made sure that it shows no variable's value.
 */
static void
leave_to_caller(ErrorData *error)
{
	if (error->elevel <= ERROR && error->output_to_client)
		error->output_to_server = false;
	else if (next_log_hook != NULL)
		next_log_hook(error);
}

static int64
elapsed(instr_time start)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

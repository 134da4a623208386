/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  A background worker, as who starts it sees it.
 *
 * It connects as the session's user, takes on the role and the settings of the
 * session, and is given one statement after another.  Its messages come back as
 * they are; its errors are raised here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "libpq/pqmq.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "deadline.h"
#include "worker_task.h"

struct RdsWorker
{
	dsm_segment *segment;
	BackgroundWorkerHandle *handle;
	shm_mq_handle *tasks;
	shm_mq_handle *answers;
};

static void refuse_borrowed_rights(void);
static void collect_settings(StringInfo settings);
static bool is_to_be_passed_on(const struct config_generic *setting);
static void make_segment(RdsWorker *worker, const StringInfoData *settings);
static shm_mq *make_queue(RdsWorker *worker, Size offset);
static void launch(RdsWorker *worker, const char *what);
static int64 take_answers(RdsWorker *worker, int *retries);
static void take_error(StringInfo message, ErrorData **error);
rds_noreturn static void report_end(ErrorData *error);

/*
 * rds_worker_start
 *		Starts a worker, in the current memory context.
 *
 * It is to be ended by rds_worker_end, or on an error by rds_worker_kill.
 * Needs a transaction, which may end while the worker is at work.
 */
RdsWorker *
rds_worker_start(const char *what)
{
	RdsWorker *worker = palloc0(sizeof(RdsWorker));
	StringInfoData settings;

	refuse_borrowed_rights();
	collect_settings(&settings);
	make_segment(worker, &settings);
	launch(worker, what);

	return worker;
}

/*
 * A worker is the session's user: within a function that has its owner's
 * rights, it would have other ones than who asks for it.
 */
static void
refuse_borrowed_rights(void)
{
	if (InLocalUserIdChange() || InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this cannot be called within a function that has its owner's rights"),
				 errdetail("A background worker has the rights of the session's user, or of the role that SET ROLE has set.")));
}

/* What this session has set for itself, custom settings among it, which pg_settings does not show. */
static void
collect_settings(StringInfo settings)
{
	int count;
	struct config_generic **all = rds_settings(&count);

	initStringInfo(settings);
	for (int i = 0; i < count; i++)
	{
		const char *value;

		if (!is_to_be_passed_on(all[i]))
			continue;
		value = GetConfigOptionByName(all[i]->name, NULL, true);
		if (value == NULL)
			continue;
		appendBinaryStringInfo(settings, all[i]->name, strlen(all[i]->name) + 1);
		appendBinaryStringInfo(settings, value, strlen(value) + 1);
	}
	appendStringInfoChar(settings, '\0');
}

static bool
is_to_be_passed_on(const struct config_generic *setting)
{
	/* the worker is given the user, the role and the encoding in other ways */
	static const char *const others[] = {"role", "session_authorization", "client_encoding"};

	if (setting->source != PGC_S_CLIENT && setting->source != PGC_S_SESSION)
		return false;
	if (setting->context != PGC_USERSET && setting->context != PGC_SUSET)
		return false;
	if ((setting->flags & GUC_NO_SHOW_ALL) != 0 && (setting->flags & GUC_CUSTOM_PLACEHOLDER) == 0)
		return false;
	/* which may not be read */
	if ((setting->flags & GUC_SUPERUSER_ONLY) != 0 && !superuser())
		return false;
	for (int i = 0; i < lengthof(others); i++)
	{
		if (strcmp(setting->name, others[i]) == 0)
			return false;
	}
	return strncmp(setting->name, "transaction_", strlen("transaction_")) != 0;
}

static void
make_segment(RdsWorker *worker, const StringInfoData *settings)
{
	Size settings_offset = MAXALIGN(sizeof(RdsWorkerHeader));
	Size tasks_offset = settings_offset + MAXALIGN(settings->len);
	Size answers_offset = tasks_offset + MAXALIGN(RDS_QUEUE_SIZE);
	Oid role = GetCurrentRoleId();
	RdsWorkerHeader *header;

	worker->segment = dsm_create(answers_offset + RDS_QUEUE_SIZE, 0);
	/* not the transaction's, which may end */
	dsm_pin_mapping(worker->segment);

	header = dsm_segment_address(worker->segment);
	memset(header, 0, sizeof(RdsWorkerHeader));
	header->database = MyDatabaseId;
	header->user = GetSessionUserId();
	if (OidIsValid(role))
		strlcpy(header->role, GetUserNameFromId(role, false), NAMEDATALEN);
	header->is_superuser = GetSessionUserIsSuperuser() || superuser();
	header->settings_offset = settings_offset;
	header->tasks_offset = tasks_offset;
	header->answers_offset = answers_offset;
	memcpy((char *) header + settings_offset, settings->data, settings->len);

	shm_mq_set_sender(make_queue(worker, tasks_offset), MyProc);
	shm_mq_set_receiver(make_queue(worker, answers_offset), MyProc);
}

static shm_mq *
make_queue(RdsWorker *worker, Size offset)
{
	return shm_mq_create((char *) dsm_segment_address(worker->segment) + offset, RDS_QUEUE_SIZE);
}

static void
launch(RdsWorker *worker, const char *what)
{
	RdsWorkerHeader *header = dsm_segment_address(worker->segment);
	BackgroundWorker registration = {{0}};

	registration.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	registration.bgw_start_time = BgWorkerStart_ConsistentState;
	registration.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(registration.bgw_library_name, "$libdir/rdsinit", sizeof(registration.bgw_library_name));
	strlcpy(registration.bgw_function_name, "rdsinit_worker_main", sizeof(registration.bgw_function_name));
	snprintf(registration.bgw_name, BGW_MAXLEN, "rdsinit: %s", what);
	strlcpy(registration.bgw_type, "rdsinit", BGW_MAXLEN);
	registration.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(worker->segment));
	registration.bgw_notify_pid = MyProcPid;

	if (!RegisterDynamicBackgroundWorker(&registration, &worker->handle))
	{
		dsm_detach(worker->segment);
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not start a background worker"),
				 errdetail("All %d slots are taken.", max_worker_processes),
				 errhint("Raise max_worker_processes and restart the server, or call again when others have ended.")));
	}
	worker->tasks = shm_mq_attach((shm_mq *) ((char *) header + header->tasks_offset), worker->segment, worker->handle);
	worker->answers = shm_mq_attach((shm_mq *) ((char *) header + header->answers_offset), worker->segment, worker->handle);
}

/*
 * rds_worker_run
 *		Has a statement run, and waits for its end; returns how many rows it changed.
 *
 * Raises the statement's error.  The caller's transaction should hold neither a
 * lock nor a snapshot.
 */
int64
rds_worker_run(RdsWorker *worker, const RdsTask *task, int *retries)
{
	StringInfoData message;
	shm_mq_result result;

	InvalidateCatalogSnapshot();
	initStringInfo(&message);
	rds_task_write(&message, task);
	result = rds_shm_mq_send(worker->tasks, message.len, message.data);
	pfree(message.data);
	/* a worker that has ended has said why */
	Assert(result == SHM_MQ_SUCCESS || result == SHM_MQ_DETACHED);
	(void) result;

	return take_answers(worker, retries);
}

/*
 * rds_worker_look
 *		Has the worker see what a statement has left behind, with the settings and the
 *		role that the script has there, drop what is in its way, and keep what it has done.
 */
RdsLeftover
rds_worker_look(RdsWorker *worker, const char *script, const char *text, RdsStanding standing)
{
	RdsTask task = {0};
	int retries = 0;

	task.where = RDS_AT_TOP;
	task.name = script;
	task.text = text;
	task.look = true;
	task.standing = standing;
	return (RdsLeftover) rds_worker_run(worker, &task, &retries);
}

static int64
take_answers(RdsWorker *worker, int *retries)
{
	ErrorData *error = NULL;

	for (;;)
	{
		StringInfoData message;
		Size length;
		void *data;
		char type;

		if (shm_mq_receive(worker->answers, &length, &data, false) != SHM_MQ_SUCCESS)
			report_end(error);

		initStringInfo(&message);
		appendBinaryStringInfo(&message, data, length);
		type = pq_getmsgbyte(&message);
		if (type == RDS_MESSAGE_DONE)
		{
			int64 rows = pq_getmsgint64(&message);

			*retries += (int) pq_getmsgint(&message, 4);
			if (error != NULL)
				ThrowErrorData(error);
			return rows;
		}
		if (type == 'E')
			take_error(&message, &error);
		else if (type == 'N')
		{
			ErrorData notice;

			pq_parse_errornotice(&message, &notice);
			ThrowErrorData(&notice);
		}
		pfree(message.data);
		CHECK_FOR_INTERRUPTS();
	}
}

/* The first error counts; what ends the worker ends only the statement here. */
static void
take_error(StringInfo message, ErrorData **error)
{
	ErrorData *taken = palloc(sizeof(ErrorData));

	pq_parse_errornotice(message, taken);
	taken->elevel = ERROR;
	if (*error == NULL)
		*error = taken;
}

static void
report_end(ErrorData *error)
{
	if (error != NULL)
		ThrowErrorData(error);
	ereport(ERROR,
			(errcode(ERRCODE_OPERATOR_INTERVENTION),
			 errmsg("the background worker has ended before its time"),
			 errhint("The server's log says more.")));
}

/* Ends a worker that has nothing to do, and waits for its end: it goes when nobody is there to serve. */
void
rds_worker_end(RdsWorker *worker)
{
	dsm_detach(worker->segment);
	worker->segment = NULL;
	(void) WaitForBackgroundWorkerShutdown(worker->handle);
}

/* Ends a worker, whatever it is doing, and waits for its end: nothing is left running. */
void
rds_worker_kill(int code, Datum argument)
{
	RdsWorker *worker = (RdsWorker *) DatumGetPointer(argument);

	if (worker->segment == NULL)
		return;
	/* the call ends with this, however long it takes */
	rds_deadline_end();
	HOLD_INTERRUPTS();
	TerminateBackgroundWorker(worker->handle);
	/* before the wait: it could be writing to a full queue */
	dsm_detach(worker->segment);
	worker->segment = NULL;
	(void) WaitForBackgroundWorkerShutdown(worker->handle);
	RESUME_INTERRUPTS();
}

/*-------------------------------------------------------------------------
 *
 * worker_task.c
 *	  What a worker is given: the settings of the session, and what to do, as a
 *	  message.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "libpq/pqformat.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "worker_task.h"

/* In the worker: the role and the settings of the session that has started it. */
void
rds_task_take_settings(const RdsWorkerHeader *header)
{
	const char *at = (const char *) header + header->settings_offset;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	while (*at != '\0')
	{
		const char *name = at;
		const char *value = name + strlen(name) + 1;

		/* they are in force there, whoever has set them; what cannot be set here is no reason to stop */
		(void) set_config_option(name, value, header->is_superuser ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SET, true, DEBUG1, false);
		at = value + strlen(value) + 1;
	}
	if (header->role[0] != '\0')
		SetConfigOption("role", header->role, PGC_USERSET, PGC_S_SESSION);
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* A task as a message. */
void
rds_task_write(StringInfo message, const RdsTask *task)
{
	pq_sendint32(message, task->where);
	pq_sendint32(message, task->statement);
	pq_sendbyte(message, task->look);
	pq_sendbyte(message, task->standing);
	pq_sendint32(message, task->lock_timeout);
	pq_sendint32(message, task->retry_for);
	pq_sendbyte(message, task->allow_data_loss);
	pq_sendbyte(message, task->name != NULL);
	pq_sendbyte(message, task->version != NULL);
	for (int i = 0; i < 4; i++)
	{
		const char *const texts[] = {task->name, task->version, task->checksum, task->text};

		appendStringInfoString(message, texts[i] != NULL ? texts[i] : "");
		appendStringInfoChar(message, '\0');
	}
}

/* The reverse; the texts are in the message. */
void
rds_task_read(StringInfo message, RdsTask *task)
{
	bool has_name;
	bool has_version;
	const char *texts[4];

	task->where = pq_getmsgint(message, 4);
	task->statement = pq_getmsgint(message, 4);
	task->look = pq_getmsgbyte(message);
	task->standing = pq_getmsgbyte(message);
	task->lock_timeout = pq_getmsgint(message, 4);
	task->retry_for = pq_getmsgint(message, 4);
	task->allow_data_loss = pq_getmsgbyte(message);
	has_name = pq_getmsgbyte(message);
	has_version = pq_getmsgbyte(message);
	for (int i = 0; i < 4; i++)
		texts[i] = pq_getmsgrawstring(message);
	task->name = has_name ? texts[0] : NULL;
	task->version = has_version ? texts[1] : NULL;
	task->checksum = texts[2];
	task->text = texts[3];
}

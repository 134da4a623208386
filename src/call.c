/*-------------------------------------------------------------------------
 *
 * call.c
 *	  What surrounds each call: it is the only one, and ends in time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"

#include "activity.h"
#include "call.h"
#include "client.h"
#include "compat.h"
#include "deadline.h"
#include "guard.h"

/* Is a call under way in this session? */
static bool in_call = false;

static void refuse_on_standby(const char *function);
static void end(const char *caller_query, char *activity);
rds_noreturn static void rethrow(MemoryContext context);

/*
 * rds_call
 *		Runs the body of a call that changes the database.
 *
 * Raises an error within another call, and where nothing may be written.
 */
void
rds_call(const char *function, const RdsOptions *options, RdsCallBody body, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	const char *caller_query = debug_query_string;
	char *activity;

	if (in_call)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a script must not call rdsinit"),
				 errhint("Give the scripts to rdsinit.apply_bundle, in one call.")));
	refuse_on_standby(function);
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);

	activity = rds_activity_save();
	in_call = true;
	rds_deadline_begin(options->timeout);
	rds_client_watch_begin();
	rds_guard_begin(options->allow_data_loss);
	PG_TRY();
	{
		body(argument);
	}
	PG_CATCH();
	{
		end(caller_query, activity);
		rethrow(context);
	}
	PG_END_TRY();
	end(caller_query, activity);
}

/* A transaction is read-only there as well, but that alone would not say why. */
static void
refuse_on_standby(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s on a standby server", function),
				 errhint("Call it on the primary server, or here when this one has been promoted.")));
}

static void
end(const char *caller_query, char *activity)
{
	rds_guard_end();
	rds_client_watch_end();
	rds_deadline_end();
	in_call = false;
	debug_query_string = caller_query;
	rds_activity_restore(activity);
}

/* In a process of our own, which runs a script's statements. */
void
rds_call_forbid(void)
{
	in_call = true;
}

/* An error that our own cancelling has made says so. */
static void
rethrow(MemoryContext context)
{
	ErrorData *error;

	if (geterrcode() != ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	rds_deadline_explain(error);
	ReThrowError(error);
}

/*-------------------------------------------------------------------------
 *
 * call.c
 *	  What surrounds each call: it is the only one, and ends in time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/timeout.h"

#include "activity.h"
#include "call.h"
#include "compat.h"
#include "guard.h"

/* Is a call under way in this session? */
static bool in_call = false;

/* The option "timeout". */
static TimeoutId timeout_id;
static bool timeout_is_known = false;
static volatile sig_atomic_t timed_out = false;

static void begin_timeout(int milliseconds);
static void cancel(void);
rds_noreturn static void rethrow(const RdsOptions *options, MemoryContext context);

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
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);

	activity = rds_activity_save();
	in_call = true;
	begin_timeout(options->timeout);
	rds_guard_begin(options->allow_data_loss);
	PG_TRY();
	{
		body(argument);
	}
	PG_CATCH();
	{
		rds_guard_end();
		in_call = false;
		debug_query_string = caller_query;
		rds_activity_restore(activity);
		if (options->timeout > 0)
			disable_timeout(timeout_id, false);
		rethrow(options, context);
	}
	PG_END_TRY();
	rds_guard_end();
	if (options->timeout > 0)
		disable_timeout(timeout_id, false);
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

static void
begin_timeout(int milliseconds)
{
	timed_out = false;
	if (milliseconds <= 0)
		return;
	if (!timeout_is_known)
		timeout_id = RegisterTimeout(USER_TIMEOUT, cancel);
	timeout_is_known = true;
	enable_timeout_after(timeout_id, milliseconds);
}

/* In a signal handler. */
static void
cancel(void)
{
	timed_out = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* An error that our own cancelling has made says so. */
static void
rethrow(const RdsOptions *options, MemoryContext context)
{
	ErrorData *error;

	if (!timed_out || geterrcode() != ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	error->message = psprintf("canceling the call after %d ms, which its option \"timeout\" allows", options->timeout);
	error->hint = pstrdup("Allow more time; what the call had not committed is undone.");
	ReThrowError(error);
}

/*-------------------------------------------------------------------------
 *
 * deadline.c
 *	  How long a call may take, whatever its scripts set.
 *
 * The option "timeout" and the caller's statement_timeout bound the call as a
 * whole, by a timer of our own that no setting stops.  A script can catch what
 * cancels a statement (EXCEPTION WHEN query_canceled), and go on.  So what has
 * begun to cancel does so again when a subtransaction has been rolled back, before
 * the block's handler can do anything: the error goes up through all of them.
 * Where that does not help, since a language without such blocks goes on and on,
 * the session is ended.
 *
 * A statement_timeout that a script sets for itself counts for each of its
 * statements, as it does when psql sends them one by one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "deadline.h"

/* How often to cancel, once it is time, in milliseconds; and how often before the session is ended. */
#define TICK 100
#define MOST_TICKS 50

static TimeoutId timer;
static bool timer_is_known = false;

static TimestampTz deadline = 0; /* 0: none */
static int option = 0;           /* "timeout", in milliseconds; 0: the deadline is the caller's statement_timeout */
static volatile int ticks = 0;   /* since the deadline, itself included */

static TimestampTz of_server = 0; /* when the server's own timer for statement_timeout ends; 0: it does not run */
static int setting = 0;           /* of statement_timeout, when the call began */
static bool is_lowered = false;   /* that timer is the script's statement's now */

static volatile sig_atomic_t cancelling = false;

static void on_time(void);
static void on_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg);

/* From here on; so many milliseconds, 0: no more than the caller's own statement_timeout. */
void
rds_deadline_begin(int timeout)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz of_caller;

	if (!timer_is_known)
		timer = RegisterTimeout(USER_TIMEOUT, on_time);
	timer_is_known = true;

	/* who has set it for the rest of a function finds no timer that runs */
	of_server = get_timeout_active(STATEMENT_TIMEOUT) ? get_timeout_finish_time(STATEMENT_TIMEOUT) : 0;
	of_caller = StatementTimeout > 0 ? TimestampTzPlusMilliseconds(now, StatementTimeout) : 0;
	if (of_server != 0 && (of_caller == 0 || of_server < of_caller))
		of_caller = of_server;
	setting = StatementTimeout;
	is_lowered = false;

	option = timeout;
	deadline = timeout > 0 ? TimestampTzPlusMilliseconds(now, timeout) : 0;
	if (of_caller != 0 && (deadline == 0 || of_caller < deadline))
	{
		option = 0;
		deadline = of_caller;
	}
	ticks = 0;
	if (deadline != 0)
		enable_timeout_every(timer, deadline, TICK);
}

void
rds_deadline_end(void)
{
	if (deadline != 0)
		disable_timeout(timer, false);
	deadline = 0;
	rds_deadline_end_statement();
	rds_cancel_end();
}

/* An error has been caught that ends the call, if it is time: nothing is to be cancelled any more. */
void
rds_deadline_is_caught(void)
{
	rds_deadline_end_statement();
	if (ticks == 0)
		return;
	disable_timeout(timer, false);
	rds_cancel_end();
}

/* An error that our own cancelling has made says so; to be called before rds_deadline_begin is again. */
void
rds_deadline_explain(ErrorData *error)
{
	if (ticks == 0 || error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		return;
	if (option == 0)
	{
		error->message = pstrdup(_("canceling statement due to statement timeout"));
		return;
	}
	error->message = psprintf("canceling the call after %d ms, which its option \"timeout\" allows", option);
	error->hint = pstrdup("Allow more time; what the call had not committed is undone.");
}

/* What is to end then has to end no later than the call. */
TimestampTz
rds_deadline_limit(TimestampTz end)
{
	return deadline != 0 && deadline < end ? deadline : end;
}

/* Has cancelling been in vain? */
bool
rds_deadline_ends_session(void)
{
	return ticks >= MOST_TICKS;
}

/* In a process of our own: whoever has started it looks after the call. */
void
rds_deadline_begin_worker(void)
{
	setting = StatementTimeout;
}

void
rds_deadline_begin_statement(void)
{
	TimestampTz end;

	if (StatementTimeout == setting || StatementTimeout <= 0)
		return;
	end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), StatementTimeout);
	if (of_server != 0 && of_server <= end)
		return;
	enable_timeout_at(STATEMENT_TIMEOUT, end);
	is_lowered = true;
}

void
rds_deadline_end_statement(void)
{
	if (!is_lowered)
		return;
	is_lowered = false;
	if (of_server != 0)
		enable_timeout_at(STATEMENT_TIMEOUT, of_server);
	else
		disable_timeout(STATEMENT_TIMEOUT, false);
}

/* In a signal handler. */
static void
on_time(void)
{
	ticks++;
	if (ticks >= MOST_TICKS)
		ProcDiePending = true;
	rds_cancel();
}

/*
 * rds_cancel
 *		Cancels what is run, and what a script does when it has caught that, until
 *		rds_cancel_end.
 *
 * May be called in a signal handler.
 */
void
rds_cancel(void)
{
	cancelling = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

void
rds_cancel_end(void)
{
	if (cancelling)
		QueryCancelPending = false;
	cancelling = false;
}

/* Once in a process. */
void
rds_cancel_install(void)
{
	RegisterSubXactCallback(on_subtransaction, NULL);
}

static void
on_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && cancelling)
		rds_cancel();
}

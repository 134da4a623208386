/*-------------------------------------------------------------------------
 *
 * retry.c
 *	  Another attempt, when a lock was not to be had.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "activity.h"
#include "compat.h"
#include "deadline.h"
#include "retry.h"

/* Between two attempts, in milliseconds: doubled each time, and a random part of it. */
#define FIRST_PAUSE 100
#define LONGEST_PAUSE 5000

rds_noreturn static void give_up(const RdsRetry *retry, ErrorData *error, const RdsWait *wait);

void
rds_retry_begin(RdsRetry *retry, const RdsOptions *options)
{
	retry->options = options;
	retry->deadline = rds_deadline_limit(TimestampTzPlusMilliseconds(GetCurrentTimestamp(), options->retry_for));
	retry->attempts = 1;
}

/*
 * rds_retry_wait
 *		Waits before another attempt; raises the error, with all that is known of
 *		it, where there is no time for one.
 *
 * To be called when everything has been given back.
 */
void
rds_retry_wait(RdsRetry *retry, ErrorData *error, const RdsWait *wait)
{
	rds_retry_pause(rds_retry_prepare(retry, error, wait));
}

/*
 * rds_retry_prepare
 *		The same, but returns for how many milliseconds to wait: for who wants to end
 *		the transaction first, which this needs.
 */
int
rds_retry_prepare(RdsRetry *retry, ErrorData *error, const RdsWait *wait)
{
	double longest = Min(FIRST_PAUSE * pow(2, Min(retry->attempts - 1, 10)), LONGEST_PAUSE);
	int milliseconds = (int) (longest * (0.5 + pg_prng_double(&pg_global_prng_state) / 2));

	if (TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds) >= retry->deadline)
		give_up(retry, error, wait);

	ereport(LOG,
			(errmsg("rdsinit: could not get %s; attempt %d follows in %d ms", rds_wait_describe(wait), retry->attempts + 1, milliseconds),
			 errhidestmt(true)));
	rds_activity_report("rdsinit: waiting to try again, after %d attempts", retry->attempts);
	retry->attempts++;

	return milliseconds;
}

void
rds_retry_pause(int milliseconds)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);

	for (;;)
	{
		long rest = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);

		CHECK_FOR_INTERRUPTS();
		if (rest <= 0)
			break;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, rest, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

/* The error keeps its context: it says at which statement. */
static void
give_up(const RdsRetry *retry, ErrorData *error, const RdsWait *wait)
{
	char *sessions = rds_wait_sessions(wait);

	if (error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED)
		error->detail = psprintf("It was so in each of %d attempts.%s%s", retry->attempts, error->detail != NULL ? "\n" : "",
								 error->detail != NULL ? error->detail : "");
	else
	{
		error->sqlerrcode = ERRCODE_LOCK_NOT_AVAILABLE;
		error->message = psprintf("could not get %s", rds_wait_describe(wait));
		error->detail = psprintf("Waiting for locks was given up after %d ms, in the last of %d attempts.%s%s", wait->waited, retry->attempts,
								 sessions != NULL ? "\n" : "", sessions != NULL ? sessions : "");
		error->hint = pstrdup("Call again when they have ended; or wait longer, with the option \"retry_for\","
							  " or \"lock_timeout\" if others can wait as long.");
	}
	ReThrowError(error);
}

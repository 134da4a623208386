/*-------------------------------------------------------------------------
 *
 * plain_retry.c
 *	  Another attempt, when a lock was not to be had.
 *
 * Whoever asks for a lock that conflicts with ours waits behind us as soon as we
 * wait.  So each wait is short; and when one is given up, so is all that has been
 * locked, since somebody may be waiting for that.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_retry.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "observer.h"
#include "text.h"

#define FIRST_PAUSE 100
#define LONGEST_PAUSE 5000

/* What no rollback takes back: a second attempt would not find the session as the first did. */
#define FORGET_COMMANDS "DEALLOCATE ALL; SELECT pg_catalog.pg_advisory_unlock_all()"

static void give_up(const Retry *retry, const Session *session, Error *error);

void
retry_begin(Retry *retry, const Session *session, const Request *request)
{
	int64_t until = clock_now() + request->retry_for;

	retry->limit = *session->deadline;
	if (until < retry->limit.work)
		retry->limit.work = until;
	retry->backoff.longest = LONGEST_PAUSE;
	retry->backoff.next = FIRST_PAUSE;
	retry->attempts = 1;
}

bool
retry_is_lock_error(const Error *error)
{
	return error_has_sqlstate(error, "55P03") || error_has_sqlstate(error, "40P01");
}

bool
retry_pause(Retry *retry, const Session *session, Error *error)
{
	const char *wait = session->observer->wait;
	json_t *fields;

	if (!backoff_pause(&retry->backoff, &retry->limit))
	{
		give_up(retry, session, error);
		return false;
	}

	retry->attempts++;
	fields = json_pack("{s:s, s:i}", "sqlstate", error->sqlstate, "attempt", retry->attempts);
	if (error->file != NULL)
		json_object_update_new(fields, json_pack("{s:o, s:I}", "file", text_json(error->file), "line", (json_int_t) error->line));
	log_line(LEVEL_WARN, fields, "could not get %s: all is given back, and tried again",
			 wait != NULL ? wait : "a lock");
	return retry_at_once(session, error);
}

bool
retry_at_once(const Session *session, Error *error)
{
	error_free(error);
	return query_run(session, FORGET_COMMANDS, NULL, error);
}

void
retry_explain_timeout(const Session *session, Error *error)
{
	const Observer *observer = session->observer;
	char *detail = NULL;

	if (observer->wait == NULL)
		return;
	if (asprintf(&detail, "It was waiting for %s.%s%s", observer->wait, observer->holders != NULL ? "\n" : "",
				 observer->holders != NULL ? observer->holders : "") >= 0)
		error_detail(error, detail);
	free(detail);
}

/* In the extension's words. */
static void
give_up(const Retry *retry, const Session *session, Error *error)
{
	const Observer *observer = session->observer;
	bool is_deadlock = error_has_sqlstate(error, "40P01");
	const char *more = is_deadlock ? error->detail : observer->holders;
	char *detail = NULL;
	int length;

	if (!is_deadlock && observer->wait != NULL)
		error_reword(error, "could not get %s", observer->wait);
	if (is_deadlock)
		length = asprintf(&detail, "It was so in each of %d attempts.%s%s", retry->attempts,
						  more != NULL ? "\n" : "", more != NULL ? more : "");
	else
		length = asprintf(&detail, "Waiting for a lock was given up after %lld ms at most, in the last of %d attempts.%s%s",
						  (long long) session->lock_timeout, retry->attempts,
						  more != NULL ? "\n" : "", more != NULL ? more : "");
	if (length >= 0)
		error_detail(error, detail);
	free(detail);
	error_hint(error, "Call again when they have ended; or wait longer, with the option \"retry_for\","
					  " or \"lock_timeout\" if others can wait as long.");
}

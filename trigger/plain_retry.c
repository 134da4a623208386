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
#include <string.h>

#include "log.h"
#include "observer.h"
#include "text.h"

#define FIRST_PAUSE 100
#define LONGEST_PAUSE 5000

/* What no rollback takes back: a second attempt would not find the session as the first did. */
#define FORGET_COMMANDS "DEALLOCATE ALL; SELECT pg_catalog.pg_advisory_unlock_all()"

static void remember(Retry *retry, const Observer *observer, const Error *error);
static void give_up(const Retry *retry, const Session *session, Error *error);

void
retry_begin(Retry *retry, const Session *session, const Request *request)
{
	int64_t until = clock_now() + request->retry_for;

	memset(retry, 0, sizeof(*retry));
	retry->limit = *session->deadline;
	if (until < retry->limit.work)
		retry->limit.work = until;
	retry->backoff.longest = LONGEST_PAUSE;
	retry->backoff.next = FIRST_PAUSE;
	retry->attempts = 1;
}

void
retry_end(Retry *retry)
{
	free(retry->wait);
	free(retry->holders);
	retry->wait = NULL;
	retry->holders = NULL;
	error_free(&retry->place);
}

bool
retry_is_lock_error(const Error *error)
{
	return error_has_sqlstate(error, "55P03") || error_has_sqlstate(error, "40P01");
}

bool
retry_pause(Retry *retry, const Session *session, Error *error)
{
	json_t *fields;

	remember(retry, session->observer, error);
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
			 retry->wait != NULL ? retry->wait : "a lock");
	return retry_at_once(session, error);
}

bool
retry_at_once(const Session *session, Error *error)
{
	error_free(error);

	/* Behind a pooler query_rollback() has done it, in the same session; the next can be somebody else's. */
	return session->is_pooled || query_run(session, FORGET_COMMANDS, NULL, error);
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

/* What was seen before holds for the same statement alone. */
static void
remember(Retry *retry, const Observer *observer, const Error *error)
{
	bool is_same = retry->place.file != NULL && error->file != NULL && strcmp(retry->place.file, error->file) == 0 &&
				   retry->place.statement == error->statement;

	if (observer->wait == NULL && is_same)
		return;
	retry_end(retry);
	retry->wait = observer->wait != NULL ? strdup(observer->wait) : NULL;
	retry->holders = observer->holders != NULL ? strdup(observer->holders) : NULL;
	if (error->file != NULL)
		error_place(&retry->place, error->file, error->line, error->column, error->statement);
}

/* In the extension's words. */
static void
give_up(const Retry *retry, const Session *session, Error *error)
{
	bool is_deadlock = error_has_sqlstate(error, "40P01");
	const char *more = is_deadlock ? error->detail : retry->holders;
	char *detail = NULL;
	int length;

	if (!is_deadlock && retry->wait != NULL)
		error_reword(error, "could not get %s", retry->wait);
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

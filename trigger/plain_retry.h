/*-------------------------------------------------------------------------
 *
 * plain_retry.h
 *	  Another attempt, when a lock was not to be had.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_RETRY_H
#define PLAIN_RETRY_H

#include <stdbool.h>

#include "deadline.h"
#include "error.h"
#include "query.h"
#include "request.h"

typedef struct Retry
{
	Deadline limit; /* no attempt begins after it */
	Backoff backoff;
	int attempts;

	/* What an earlier attempt was seen waiting for, and where: the last one's time may be too short for a look. */
	char *wait;
	char *holders;
	Error place;
} Retry;

extern void retry_begin(Retry *retry, const Session *session, const Request *request);
extern void retry_end(Retry *retry);

/* Is it an error that another attempt may do without: a lock, or a deadlock? */
extern bool retry_is_lock_error(const Error *error);

/*
 * Everything has been given back: waits before another attempt.  False where
 * there is no time for one; the error then says what is known of the lock.
 */
extern bool retry_pause(Retry *retry, const Session *session, Error *error);

/* Without a pause, and without a limit but the deadline. */
extern bool retry_at_once(const Session *session, Error *error);

/* Adds to an error of the deadline what was being waited for then, if anything. */
extern void retry_explain_timeout(const Session *session, Error *error);

#endif /* PLAIN_RETRY_H */

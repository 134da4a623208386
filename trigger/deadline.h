/*-------------------------------------------------------------------------
 *
 * deadline.h
 *	  How long an invocation may take, and pauses between attempts.
 *
 * All times are in milliseconds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* In two steps, so that work which is cut off can still be answered for. */
typedef struct Deadline
{
	int64_t work;  /* by then all work must be done */
	int64_t grace; /* and how long cancelling may take from then on */
} Deadline;

/* After the deadline, when the server stops by itself what could not be cancelled. */
#define DEADLINE_SECOND_LINE(grace) ((grace) + (grace) / 2)

/* Pauses that double, each of them a random part of the whole ("full jitter"). */
typedef struct Backoff
{
	int64_t longest; /* no pause is longer */
	int64_t next;    /* the next one's bound; starts as the first one's */
} Backoff;

extern int64_t clock_now(void);
extern int64_t clock_now_microseconds(void);

extern Deadline deadline_after(int64_t duration);
extern Deadline deadline_at_unix_time(int64_t time);

/* Has the work end earlier by so much, for an answer that takes its time. */
extern void deadline_reserve(Deadline *deadline, int64_t time);

/* For that answer: almost all of the time that there is. */
extern Deadline deadline_to_answer(const Deadline *deadline);

/* Never negative. */
extern int64_t deadline_remaining(const Deadline *deadline);
extern bool deadline_passed(const Deadline *deadline);

/*
 * Sleeps before the next attempt.  False, at once, where the deadline would
 * leave that attempt no time.
 */
extern bool backoff_pause(Backoff *backoff, const Deadline *deadline);

#endif /* DEADLINE_H */

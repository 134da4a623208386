/*-------------------------------------------------------------------------
 *
 * deadline.c
 *	  How long an invocation may take, and pauses between attempts.
 *
 *-------------------------------------------------------------------------
 */
#include "deadline.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

/* What is kept back of an invocation's time for cancelling and answering. */
#define MARGIN 1500

/* How many graces are in it. */
#define MARGIN_GRACES 5

/* An attempt with less time than this is not worth beginning. */
#define SHORTEST_ATTEMPT 200

static int64_t read_clock(clockid_t clock); /* in microseconds */

int64_t
clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_now_microseconds(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* A short invocation keeps back a fifth instead of the whole margin. */
Deadline
deadline_after(int64_t duration)
{
	Deadline deadline;
	int64_t margin = duration / 5 < MARGIN ? duration / 5 : MARGIN;

	deadline.work = clock_now() + duration - margin;
	/* Waiting for the server to stop, cancelling, draining, rolling back: each may take it. */
	deadline.grace = margin / MARGIN_GRACES;
	return deadline;
}

/*
 * Lambda gives the deadline as a time of day; from here on only the monotonic
 * clock counts, which nobody sets.
 */
Deadline
deadline_at_unix_time(int64_t time)
{
	int64_t duration = time - read_clock(CLOCK_REALTIME) / 1000;

	return deadline_after(duration > 0 ? duration : 0);
}

void
deadline_reserve(Deadline *deadline, int64_t time)
{
	deadline->work -= time;
}

Deadline
deadline_to_answer(const Deadline *deadline)
{
	Deadline answer = *deadline;

	answer.work += MARGIN_GRACES * deadline->grace - deadline->grace;
	return answer;
}

int64_t
deadline_remaining(const Deadline *deadline)
{
	int64_t remaining = deadline->work - clock_now();

	return remaining > 0 ? remaining : 0;
}

bool
deadline_passed(const Deadline *deadline)
{
	return deadline_remaining(deadline) == 0;
}

bool
backoff_pause(Backoff *backoff, const Deadline *deadline)
{
	uint32_t random = 0;
	int64_t pause;
	struct timespec rest;

	/* Without randomness the pause is the longest: slower, but still right. */
	if (getrandom(&random, sizeof(random), 0) != (ssize_t) sizeof(random))
		random = UINT32_MAX;
	pause = (int64_t) ((double) backoff->next * random / UINT32_MAX);

	if (pause + SHORTEST_ATTEMPT > deadline_remaining(deadline))
		return false;

	rest.tv_sec = pause / 1000;
	rest.tv_nsec = pause % 1000 * 1000000;
	while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;

	backoff->next *= 2;
	if (backoff->next > backoff->longest)
		backoff->next = backoff->longest;
	return true;
}

static int64_t
read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

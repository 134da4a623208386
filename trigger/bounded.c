/*-------------------------------------------------------------------------
 *
 * bounded.c
 *	  A call that may block, waited for only so long.
 *
 *-------------------------------------------------------------------------
 */
#include "bounded.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Whoever comes second, the caller who gives up or the call that returns, cleans up. */
typedef struct Task
{
	BoundedCall call;
	BoundedCall release;
	void *argument;
	bool is_over; /* for one of the two; changed atomically */
} Task;

static void *run(void *argument);
static struct timespec time_after(int64_t duration);
static bool is_second(Task *task);

bool
bounded_call(BoundedCall call, BoundedCall release, void *argument, int64_t timeout)
{
	Task *task = malloc(sizeof(*task));
	struct timespec until = time_after(timeout);
	pthread_t thread;

	if (task == NULL)
	{
		release(argument);
		return false;
	}
	task->call = call;
	task->release = release;
	task->argument = argument;
	task->is_over = false;
	if (pthread_create(&thread, NULL, run, task) != 0)
	{
		release(argument);
		free(task);
		return false;
	}

	if (pthread_timedjoin_np(thread, NULL, &until) != 0)
	{
		if (!is_second(task))
		{
			(void) pthread_detach(thread);
			return false;
		}
		/* It has returned just now. */
		(void) pthread_join(thread, NULL);
	}
	free(task);
	return true;
}

static void *
run(void *argument)
{
	Task *task = argument;

	task->call(task->argument);
	if (is_second(task))
	{
		task->release(task->argument);
		free(task);
	}
	return NULL;
}

/* pthread_timedjoin_np goes by the time of day. */
static struct timespec
time_after(int64_t duration)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += duration / 1000;
	time.tv_nsec += duration % 1000 * 1000000;
	if (time.tv_nsec >= 1000000000)
	{
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}

static bool
is_second(Task *task)
{
	return __atomic_exchange_n(&task->is_over, true, __ATOMIC_ACQ_REL);
}

/*-------------------------------------------------------------------------
 *
 * child.c
 *	  Work in a process of its own, whose end is survived.
 *
 *-------------------------------------------------------------------------
 */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many graces after the deadline all is over that is under our control: see query.c. */
#define GRACES 5

static void work(ChildCall call, void *argument, int output, pid_t parent) __attribute__((noreturn));
static bool receive(int input, int64_t until, FILE *text);
static json_t *judge(pid_t child, bool ended, const char *text, size_t length, Error *error);

json_t *
child_run(ChildCall call, void *argument, const Deadline *deadline, Error *error)
{
	int64_t until = deadline->work + GRACES * deadline->grace;
	pid_t parent = getpid();
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	int ends[2] = {-1, -1};
	json_t *result = NULL;
	pid_t child = -1;
	bool ended;

	if (stream != NULL && pipe(ends) == 0)
		child = fork();
	if (child == 0)
	{
		close(ends[0]);
		fclose(stream);
		free(text);
		work(call, argument, ends[1], parent);
	}
	if (child < 0)
	{
		error_set(error, ERROR_INTERNAL, "could not start a process for the work: %s", strerror(errno));
		if (ends[1] >= 0)
			close(ends[1]);
	}
	else
	{
		close(ends[1]);
		ended = receive(ends[0], until, stream) && fflush(stream) == 0;
		result = judge(child, ended, text, length, error);
	}

	if (ends[0] >= 0)
		close(ends[0]);
	if (stream != NULL)
		fclose(stream);
	free(text);
	return result;
}

/* Without the parent there is nobody to answer. */
static void
work(ChildCall call, void *argument, int output, pid_t parent)
{
	json_t *result;
	int status = EXIT_FAILURE;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
	{
		result = call(argument);
		if (json_dumpfd(result, output, JSON_COMPACT) == 0)
			status = EXIT_SUCCESS;
		json_decref(result);
	}
	_exit(status);
}

/* All that is written until the other end is closed: false where that is not in time. */
static bool
receive(int input, int64_t until, FILE *text)
{
	char bytes[4096];

	for (;;)
	{
		struct pollfd poller = {input, POLLIN, 0};
		int64_t remaining = until - clock_now();
		ssize_t length;
		int ready = poll(&poller, 1, remaining > 0 ? (int) remaining : 0);

		if (ready == 0)
			return false;
		length = ready > 0 ? read(input, bytes, sizeof(bytes)) : -1;
		if (length == 0)
			return true;
		if (length < 0 && errno != EINTR)
			return false;
		if (length > 0)
			fwrite(bytes, 1, (size_t) length, text);
	}
}

static json_t *
judge(pid_t child, bool ended, const char *text, size_t length, Error *error)
{
	json_t *result = NULL;
	int status = 0;

	if (!ended)
		(void) kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;

	if (!ended)
		error_set(error, ERROR_TIMEOUT, "the work did not end by the deadline, and was killed");
	else if (WIFSIGNALED(status))
		error_set(error, ERROR_INTERNAL, "the work was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if ((result = json_loadb(text, length, 0, NULL)) == NULL)
		error_out_of_memory(error);
	if (result == NULL)
		error_hint(error, "Run it again, which is safe: what was committed is not applied a second time.");
	return result;
}

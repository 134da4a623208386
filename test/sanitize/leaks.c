/*-------------------------------------------------------------------------
 *
 * leaks.c
 *	  The sanitizers' options for the trigger as ./dev sanitize builds it.
 *
 * The tests start the trigger as Lambda does, with an environment that has
 * nothing of ours, so that the options are compiled in.  Leaks are looked for
 * when a process ends of itself; but the trigger waits for events until the
 * tests end it, by SIGTERM, and its child for a custom resource ends by _exit().
 *
 *-------------------------------------------------------------------------
 */
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

extern const char *__asan_default_options(void);
extern const char *__ubsan_default_options(void);
extern void __real__exit(int status) __attribute__((noreturn));
extern void __wrap__exit(int status) __attribute__((noreturn));

static void look_and_end(int number);

/* Reports are files of their own: what the trigger writes is looked at by the tests. */
const char *
__asan_default_options(void)
{
	return "log_path=" REPORTS ":exitcode=99:detect_leaks=1:detect_stack_use_after_return=1"
		   ":check_initialization_order=1";
}

const char *
__ubsan_default_options(void)
{
	return "log_path=" REPORTS ":exitcode=99:print_stacktrace=1";
}

/* In main() SIGTERM does what it does by itself: nobody has a handler to be in the way of. */
__attribute__((constructor)) static void
begin(void)
{
	signal(SIGTERM, look_and_end);
}

/* The trigger lets nobody look into it, the leak sanitizer's tracer neither. */
void
__wrap__exit(int status)
{
	(void) prctl(PR_SET_DUMPABLE, 1);
	__lsan_do_leak_check();
	__real__exit(status);
}

/* It waits in poll(), so that no allocator is interrupted. */
static void
look_and_end(int number)
{
	__wrap__exit(128 + number);
}

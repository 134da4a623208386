/*-------------------------------------------------------------------------
 *
 * cancel.c
 *	  Cancelling the query that a server is at.
 *
 *-------------------------------------------------------------------------
 */
#include "cancel.h"

#include "bounded.h"

static void cancel(void *handle);
static void release(void *handle);

/*
 * PQcancel connects to the server without a time limit, and a server that does
 * not answer is what it is needed for.
 */
void
cancel_query(PGconn *connection, int64_t timeout)
{
	PGcancel *handle = PQgetCancel(connection);

	if (handle != NULL && bounded_call(cancel, release, handle, timeout))
		release(handle);
}

static void
cancel(void *handle)
{
	char message[256];

	(void) PQcancel(handle, message, sizeof(message));
}

static void
release(void *handle)
{
	PQfreeCancel(handle);
}

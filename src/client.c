/*-------------------------------------------------------------------------
 *
 * client.c
 *	  Is the client still there?
 *
 * A session whose client has been killed would go on with the call, and hold its
 * locks, until it has something to send.  The server can look from time to time
 * (client_connection_check_interval), but does not unless it is told to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/timeout.h"

#include "client.h"

/* How often, in milliseconds. */
#define INTERVAL 1000

static bool is_watching = false;

/*
 * rds_client_watch_begin
 *		From here on a client that is gone ends the session, unless a setting says
 *		already how often to look, or the platform cannot tell.
 *
 * The setting's variable is what the server asks; a SET would be one of the
 * transaction's, which a deployment commits.
 */
void
rds_client_watch_begin(void)
{
	if (client_connection_check_interval != 0 || !IsUnderPostmaster || MyProcPort == NULL || !WaitEventSetCanReportClosed())
		return;
	client_connection_check_interval = INTERVAL;
	enable_timeout_after(CLIENT_CONNECTION_CHECK_TIMEOUT, INTERVAL);
	is_watching = true;
}

void
rds_client_watch_end(void)
{
	if (!is_watching)
		return;
	is_watching = false;
	client_connection_check_interval = 0;
	disable_timeout(CLIENT_CONNECTION_CHECK_TIMEOUT, false);
}

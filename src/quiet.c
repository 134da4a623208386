/*-------------------------------------------------------------------------
 *
 * quiet.c
 *	  Messages held back while a text is only looked at.
 *
 * The scanner and the parser remark upon a name that is too long, for instance.
 * A script is read more than once, and once is enough for that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "quiet.h"

void
rds_quiet_begin(RdsQuiet *quiet)
{
	quiet->client = client_min_messages;
	quiet->log = rds_log_min_messages;
	client_min_messages = ERROR;
	rds_log_min_messages = ERROR;
}

void
rds_quiet_end(const RdsQuiet *quiet)
{
	client_min_messages = quiet->client;
	rds_log_min_messages = quiet->log;
}

/*-------------------------------------------------------------------------
 *
 * cancel.h
 *	  Cancelling the query that a server is at.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CANCEL_H
#define CANCEL_H

#include <libpq-fe.h>
#include <stdint.h>

/* Asks the server to, and waits for that at most so many milliseconds. */
extern void cancel_query(PGconn *connection, int64_t timeout);

#endif /* CANCEL_H */

/*-------------------------------------------------------------------------
 *
 * connection.h
 *	  One attempt to connect to a database server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "deadline.h"
#include "error.h"
#include "login.h"

/* A server, and how to be let in; all of it is somebody else's. */
typedef struct Target
{
	const char *host; /* several, separated by commas */
	const char *port;
	Login *login;
	const char *sslmode;
	const char *sslrootcert;       /* NULL: none */
	const char *sslrootcert_names; /* … for messages */
	bool only_writable;            /* though it is one host only: what was the writable one may be so no longer */
} Target;

/*
 * Removes libpq's own variables from the environment, which it would take for
 * whatever it is not told.  To be called once, before anything connects.
 */
extern bool connection_forget_environment(Error *error);

/*
 * Tries each host and address once.  After false the error is the last one's,
 * with its SQLSTATE where the server gave one, and "transient" says whether
 * another attempt may do better.
 */
extern bool connection_open(const Target *target, const char *database, const Deadline *deadline,
							PGconn **connection, bool *transient, Error *error);

/* Waits until the connection's socket is ready: true; false after the time. */
extern bool connection_wait(PGconn *connection, bool to_write, int64_t timeout);

#endif /* CONNECTION_H */

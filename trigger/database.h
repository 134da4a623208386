/*-------------------------------------------------------------------------
 *
 * database.h
 *	  A connection to the database, which is created when it is missing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <stdbool.h>

#include "connection.h"
#include "deadline.h"
#include "error.h"
#include "query.h"

/*
 * Connects to "name", again and again until the deadline where that is of use.
 * "admin_name" is connected to only for creating a database that is missing;
 * NULL: none is created.  "created" becomes true when it was we who did.
 */
extern bool database_open(const Target *target, const char *name, const char *admin_name,
						  const Deadline *deadline, Session *session, bool *created, Error *error);

/* Connects once more to where a session leads. */
extern bool database_open_another(const Session *session, Session *another, Error *error);

/* Logs how many of the server's notices were not logged, if any. */
extern void database_close(Session *session);

#endif /* DATABASE_H */

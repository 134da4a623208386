/*-------------------------------------------------------------------------
 *
 * query.h
 *	  One query, under the deadline.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QUERY_H
#define QUERY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "connection.h"
#include "deadline.h"
#include "error.h"

struct Observer;

/* A connection, and by when what is done on it must be done. */
typedef struct Session
{
	PGconn *connection;
	const Deadline *deadline;
	bool is_watched;           /* the server knows client_connection_check_interval */
	bool is_pooled;            /* a pooler is between: another transaction may be another session, and others get this one */
	char server_started[32];   /* when the server did; "": not known */
	int64_t lock_timeout;      /* the option; 0: no limit */
	struct Observer *observer; /* who looks at it; NULL: nobody */
	const Target *target;      /* where it leads … */
	const char *database;      /* … for another one like it */
} Session;

/*
 * Makes the server look every second whether we are still there.  It is set for
 * a transaction alone: behind a pooler the next one can be somebody else's.
 */
#define QUERY_WATCH "client_connection_check_interval = '1s'"

/* A parameter: text, or with a length the type's binary format. */
typedef struct Parameter
{
	const char *value;
	size_t length; /* 0: text */
} Parameter;

#define MOST_PARAMETERS 16

/*
 * Runs a query, and gives its last result, to be PQclear'ed by the caller; NULL
 * for "result" where it is not wanted.  On failure the result is the server's
 * error, where there is one, for what an Error does not hold.
 *
 * After a timeout the query has been cancelled, as far as the server answers.
 */
extern bool query_run(const Session *session, const char *sql, PGresult **result, Error *error);
extern bool query_run_parameters(const Session *session, const char *sql, int count, const Parameter *parameters,
								 PGresult **result, Error *error);

/* What COPY FROM STDIN is given. */
typedef struct CopyData
{
	const char *bytes;
	size_t length;
} CopyData;

/*
 * Runs a statement of a script.  The server itself sees to it that it is only
 * one.  "data" is for COPY FROM STDIN, else NULL; what COPY TO STDOUT gives is
 * dropped.  Rows that a query returns are kept only where they are wanted.
 */
extern bool query_run_statement(const Session *session, const char *sql, const CopyData *data, bool keep_rows,
								PGresult **result, Error *error);

/* However the session is set: it may write, and sees what others commit. */
#define QUERY_BEGIN "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"

/*
 * BEGIN, for a transaction of our own, which is not ended for being idle between two
 * messages.
 */
extern bool query_begin(const Session *session, Error *error);

/*
 * COMMIT, of which the outcome may remain unknown; the error then says so.
 */
extern bool query_commit(const Session *session, Error *error);

/* The same session for a little while after the deadline: for what must be told or cleared up. */
extern Session query_still(const Session *session, Deadline *soon);

/* ROLLBACK, as far as the connection still serves; nobody waits for long. */
extern void query_rollback(const Session *session);

/* A field of a result's row, "" for NULL. */
extern const char *query_field(const PGresult *result, int row, const char *column);
extern bool query_field_is_true(const PGresult *result, int row, const char *column);

#endif /* QUERY_H */

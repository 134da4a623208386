/*-------------------------------------------------------------------------
 *
 * observer.h
 *	  A second connection, which looks at what the first one is doing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OBSERVER_H
#define OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "query.h"

/* Places an error where in a script the statement is that is being run. */
typedef void (*ObserverPlace)(const void *argument, Error *place);

/* Starts with interval, and zero elsewhere; it connects when there is something to look at. */
typedef struct Observer
{
	int64_t interval; /* how often a run's progress is logged, in milliseconds; 0: never */
	const Session *session;
	int pid;            /* the backend's, as pg_stat_activity has it */
	int64_t started;    /* when the run did */
	int64_t next_line;  /* when progress is to be logged again … */
	int64_t look_every; /* and how often to look at a statement for its locks; 0: never */
	int64_t next_look;
	Session own;
	Deadline limit;       /* for one look */
	bool is_lost;         /* the connection is not to be had */
	ObserverPlace place;  /* NULL: between statements */
	const void *argument; /* what it is given */

	/* What the statement was last seen waiting for, or NULL, and who was in the way. */
	char *wait;
	char *holders;
} Observer;

/* The session is the one to be looked at. */
extern void observer_begin(Observer *observer, Session *session);
extern void observer_end(Observer *observer);

/* What an observer may be NULL for: it does nothing then. */

/* From here on statements are looked at for the locks that they wait for. */
extern void observer_watch_locks(Observer *observer, int64_t lock_timeout);

/* Behind a pooler libpq does not know the backend. */
extern void observer_backend(Observer *observer, const char *pid);

/* Where the statement is that is run next; NULL: nowhere. */
extern void observer_at(Observer *observer, ObserverPlace place, const void *argument);

/* For query.c: a query begins; how long until it should be looked at; and a look. */
extern void observer_query(Observer *observer);
extern int64_t observer_due(const Observer *observer);
extern void observer_look(Observer *observer);

#endif /* OBSERVER_H */

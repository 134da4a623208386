/*-------------------------------------------------------------------------
 *
 * plain_turn.h
 *	  One at a time in a database: the lock of the plain mode's ledger.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_TURN_H
#define PLAIN_TURN_H

#include <stdbool.h>

#include "error.h"
#include "query.h"

/* Takes the lock until the transaction ends.  False at once, with 55P03, where somebody else has it. */
extern bool turn_take(const Session *session, Error *error);

/* The same error, of turn_take() alone? */
extern bool turn_is_taken(const Error *error);

/*
 * Takes the lock on a connection of its own, which keeps it from one transaction
 * to the next; waits for it until the limit.  "keeper" is zero.
 */
extern bool turn_keep(const Session *session, const Deadline *limit, Session *keeper, Error *error);

/* Is it still kept?  To be asked before each commit. */
extern bool turn_check(const Session *keeper, Error *error);
extern void turn_end(Session *keeper);

/* Adds to an error who seems to hold the lock; needs no transaction. */
extern void turn_explain(const Session *session, Error *error);

#endif /* PLAIN_TURN_H */

/*-------------------------------------------------------------------------
 *
 * plain_proof.h
 *	  A proof that tables and columns, which a script would drop, are empty.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_PROOF_H
#define PLAIN_PROOF_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "plain_guard.h"
#include "query.h"

/* Keeps others from adding rows, until the transaction ends. */
extern bool proof_lock(const Session *session, const Suspect *suspects, size_t count, Error *error);

/* False for the first of them that holds data, or may: the error is the guard's answer. */
extern bool proof_look(const Session *session, const Suspect *suspects, size_t count, Error *error);

#endif /* PLAIN_PROOF_H */

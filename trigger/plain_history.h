/*-------------------------------------------------------------------------
 *
 * plain_history.h
 *	  The ledger of the plain mode: rdsinit_plain.history.
 *
 * All of it runs with the settings of session_for_us().
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_HISTORY_H
#define PLAIN_HISTORY_H

#include <stdbool.h>

#include "bundle.h"
#include "error.h"
#include "outcome.h"
#include "query.h"

/* SHA-256 in hexadecimal. */
#define CHECKSUM_LENGTH 64

/*
 * Creates the ledger where it is missing, and takes its lock, which is held
 * until the transaction ends.  After false, "raced" says that somebody else
 * has created it at the same time, and the transaction should begin again.
 */
extern bool history_open(const Session *session, bool *raced, Error *error);

/*
 * The script's checksum, and whether the last of its name to be applied had the
 * same.  "parts" are the checksums of the script and of what it includes, one
 * behind the other, which make its checksum; NULL: the script's own is it.
 */
extern bool history_find(const Session *session, const Script *script, const char *parts,
						 char *checksum, bool *unchanged, Error *error);

extern bool history_insert(const Session *session, const ScriptOutcome *script, Error *error);

/* Adds to an error who seems to hold the lock; needs no transaction. */
extern void history_explain_lock(const Session *session, Error *error);

#endif /* PLAIN_HISTORY_H */

/*-------------------------------------------------------------------------
 *
 * plain_session.h
 *	  The session's settings: ours, and those that a script finds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_SESSION_H
#define PLAIN_SESSION_H

#include <stdbool.h>

#include "error.h"
#include "query.h"

/*
 * For our own statements: whatever a script has set, the role is the one that
 * logged in, names without a schema are the server's own, and nothing is waited
 * for beyond the deadline.
 */
extern bool session_for_us(const Session *session, Error *error);

/* Begins a transaction with that, in one message; "process" says whose it is, and is to be cleared. */
extern bool session_begin_for_us(const Session *session, PGresult **process, Error *error);

/* For a script: as if it were the session's first. */
extern bool session_for_script(const Session *session, Error *error);

/* The same outside of a transaction: what the script sets holds for the rest of it. */
extern bool session_for_script_outside(const Session *session, Error *error);

/* As session_for_us(), in a transaction after which the script's own settings are back. */
extern bool session_for_us_meanwhile(const Session *session, Error *error);

/* The same within a script's transaction, after which the script's settings are back. */
extern bool session_begin_aside(const Session *session, Error *error);
extern bool session_end_aside(const Session *session, Error *error);

/*
 * After a statement that may have changed them: the server stops soon after the
 * deadline by itself, and waits for no lock longer than the option lock_timeout
 * says; or less, where the script wants that.
 */
extern bool session_cap(const Session *session, Error *error);

/* The same outside of a transaction, where a lock is waited for until the deadline. */
extern bool session_cap_patiently(const Session *session, Error *error);

/* … and where that is not so for the next statement; "before" is to be restored, and freed. */
extern bool session_cap_while_waiting(const Session *session, char **before, Error *error);
extern bool session_restore_lock_timeout(const Session *session, const char *before, Error *error);

/* The session's standard_conforming_strings. */
extern bool session_standard_strings(const Session *session);

/* Before COMMIT, and before the last look at what is lost: has deferred constraints checked, and deferred triggers fired. */
extern bool session_fire_deferred(const Session *session, Error *error);

/* The same, with the settings of session_for_script(). */
extern bool session_fire_deferred_anew(const Session *session, Error *error);

/* After that: what a script leaves in a session that a pooler gives to others. */
extern bool session_leave(const Session *session, Error *error);

#endif /* PLAIN_SESSION_H */

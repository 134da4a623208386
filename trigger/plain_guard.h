/*-------------------------------------------------------------------------
 *
 * plain_guard.h
 *	  The plain mode's data-loss guard: what holds rows is not dropped by mistake.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_GUARD_H
#define PLAIN_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "plain_loss.h"
#include "plain_token.h"
#include "query.h"

#define HINT_ALLOW_DATA_LOSS \
	"If the data may go, say so with the option \"allow_data_loss\" (RDSINIT_ALLOW_DATA_LOSS=true)."

/* A table that was there before and is gone, or has been emptied, or a column of it. */
typedef struct Suspect
{
	unsigned int relation; /* its OID */
	int column;            /* 0: the table itself */
	const char *verb;      /* what a script would do to it */
	Error place;           /* where; only that */
} Suspect;

/* Starts with "allow" and zero elsewhere; lives as long as there are attempts. */
typedef struct Guard
{
	bool allow;              /* the data may go … */
	Losses losses;           /* … and this is what goes */
	bool is_suspicious;      /* the attempt has to be rolled back, to look at what it has lost */
	PGresult *before;        /* the tables as the transaction found them; NULL: not looked at yet */
	PGresult *earlier;       /* what was locked just before a statement that may rewrite a table; NULL: it is none */
	unsigned int *rewritten; /* for each of "before": the file that a rewrite gave it; 0: none */
	bool has_rewritten;
	int early;         /* attempts that were ended as soon as something was missing */
	int checks;        /* of statements, in this transaction */
	Suspect *suspects; /* of all attempts: in this one they are known to be empty */
	size_t count;
} Guard;

/*
 * At the start of a transaction: looks which tables there are, and keeps the
 * suspects of earlier attempts as they are, after a proof that they are empty.
 */
extern bool guard_begin(Guard *guard, const Session *session, Error *error);

extern bool guard_has_begun(const Guard *guard);

/*
 * Has the transaction lost more than that?  After false "is_suspicious" says that
 * this is why: the transaction is to be rolled back, and all to be tried again.
 * It may go on until guard_settle(), before COMMIT, to find more of it.  "place" says where in a script this is; NULL: not known.  Runs with the settings
 * of session_for_us(); the other with a script's, which it leaves alone.
 */
extern bool guard_check(Guard *guard, const Session *session, const Error *place, Error *error);
extern bool guard_check_statement(Guard *guard, const Session *session, TokenCursor words, const Error *place, Error *error);

/* The same just before a statement that may rewrite a table: so it is known what this one has done. */
extern bool guard_check_ahead(Guard *guard, const Session *session, const Error *place, Error *error);

/* What has gone since this was asked last, where it may: see loss_take(). */
extern bool guard_lost(Guard *guard, const Session *session, char **lost, Error *error);

extern bool guard_settle(Guard *guard, Error *error);

/* Can a statement, by its words, be one that loses something?  The cursor is at its start. */
extern bool guard_is_interested(const Guard *guard, TokenCursor cursor);

extern bool guard_is_to_look_ahead(const Guard *guard, TokenCursor cursor);

/* After a transaction; and after all of them. */
extern void guard_end(Guard *guard);
extern void guard_free(Guard *guard);

#endif /* PLAIN_GUARD_H */

/*-------------------------------------------------------------------------
 *
 * adopt.c
 *	  The plain mode's ledger, taken over by the extension.
 *
 *-------------------------------------------------------------------------
 */
#include "adopt.h"

#include "log.h"
#include "plain_turn.h"

#define FIRST_PAUSE 50
#define LONGEST_PAUSE 500

#define ADOPT_QUERY \
	"SELECT outcome FROM rdsinit.adopt('rdsinit_plain.history'::pg_catalog.regclass)"

static bool adopt(const Session *session, int *count, Error *error);

bool
adopt_ledger(const Session *session, Error *error)
{
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	int count = 0;
	bool ok;

	while (!(ok = adopt(session, &count, error)))
	{
		query_rollback(session);
		if (!turn_is_taken(error) || !backoff_pause(&backoff, session->deadline))
			break;
		error_free(error);
	}
	if (ok)
		log_line(LEVEL_INFO, NULL, "the extension has adopted the plain mode's ledger, rdsinit_plain.history, with %d script%s",
				 count, count == 1 ? "" : "s");
	else if (error_has_sqlstate(error, "42P01"))
	{
		error_free(error); /* its table has another name by now */
		ok = true;
	}
	else if (turn_is_taken(error))
		turn_explain(session, error);
	else
		error_reword(error, "could not adopt the plain mode's ledger, rdsinit_plain.history: %s", error->message);
	return ok;
}

static bool
adopt(const Session *session, int *count, Error *error)
{
	PGresult *result = NULL;
	bool ok = query_begin(session, error) &&
			  turn_take(session, error) &&
			  query_run(session, ADOPT_QUERY, &result, error);

	if (ok)
		*count = PQntuples(result);
	PQclear(result);
	return ok && query_commit(session, error);
}

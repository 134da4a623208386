/*-------------------------------------------------------------------------
 *
 * plain_guard.c
 *	  The plain mode's data-loss guard: what holds rows is not dropped by mistake.
 *
 * A client is not told what a statement drops, and when it is dropped it cannot be
 * read any more.  So the transaction is looked at before its COMMIT: what it has
 * dropped, truncated or rewritten it has locked in ACCESS EXCLUSIVE mode, and
 * such locks are kept to the end.  Which of these tables, or columns of them, were
 * there before is known from a list made at its start.
 *
 * Where something is missing, it is all rolled back: then it can be read again.
 * If it is empty, which is rare enough, all is run once more, with the table locked
 * from the start, so that nobody adds a row meanwhile.  (plain_proof.c)
 *
 *-------------------------------------------------------------------------
 */
#include "plain_guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain_proof.h"
#include "plain_session.h"

/* So often an attempt ends at once where something is missing; later ones find all that is. */
#define MOST_EARLY 3

/* So many statements of a transaction are looked at one by one; they cost more the more is locked. */
#define MOST_CHECKS 100

#define OWN "pg_stat_get_xact_tuples_inserted(c.oid) - pg_stat_get_xact_tuples_deleted(c.oid)"

/* Temporary tables are nobody else's, and the server's own are not to be dropped. */
#define BEFORE_QUERY \
	"SELECT c.oid, c.relfilenode, c.relnatts, coalesce(d.dropped, ' ') AS dropped, " OWN " AS own FROM pg_class AS c" \
	" LEFT JOIN (SELECT attrelid, ' ' || string_agg(attnum::text, ' ') || ' ' AS dropped FROM pg_attribute" \
	"  WHERE attisdropped GROUP BY attrelid) AS d ON d.attrelid = c.oid" \
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384 ORDER BY c.oid"

/*
 * Rows that are there now, less those that the transaction has put there itself,
 * are what is left of those before, and those that it has deleted, which is none
 * of ours; TRUNCATE makes the server forget what it has counted.  (What of earlier
 * transactions it still counts is in the list.)
 */
#define AFTER_QUERY \
	"SELECT l.relation AS oid, c.oid IS NULL AS gone, coalesce(c.relfilenode, 0) AS relfilenode," \
	" (SELECT string_agg(a.attnum::text, ' ') FROM pg_attribute AS a" \
	"  WHERE a.attrelid = c.oid AND a.attisdropped) AS dropped," \
	" quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name," \
	" coalesce(has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'), false) AS readable," \
	" coalesce(" OWN ", 0) AS own" \
	" FROM (SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'" \
	"  AND mode = 'AccessExclusiveLock' AND granted" \
	"  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS l" \
	" LEFT JOIN pg_class AS c ON c.oid = l.relation LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace"

static bool compare(Guard *guard, const Session *session, const PGresult *after, int row, const Error *place, Error *error);
static int find_before(const Guard *guard, unsigned int relation);
static bool compare_columns(Guard *guard, const PGresult *after, int row, int before, const Error *place, Error *error);
static bool is_emptied(const Session *session, const PGresult *after, int row, int64_t counted, bool *emptied, Error *error);
static bool suspect(Guard *guard, unsigned int relation, int column, const char *verb, const Error *place, Error *error);
static unsigned int oid_of(const PGresult *result, int row);
static int64_t number_of(const PGresult *result, int row, const char *column);
static bool has_word(TokenCursor cursor, const char *word);

bool
guard_begin(Guard *guard, const Session *session, Error *error)
{
	guard_end(guard);
	guard->is_suspicious = false;
	guard->checks = 0;
	if (guard->allow)
		return true;
	return proof_lock(session, guard->suspects, guard->count, error) &&
		   session_begin_aside(session, error) &&
		   proof_look(session, guard->suspects, guard->count, error) &&
		   query_run(session, BEFORE_QUERY, &guard->before, error) &&
		   session_end_aside(session, error);
}

bool
guard_check(Guard *guard, const Session *session, const Error *place, Error *error)
{
	PGresult *after = NULL;
	bool ok = true;
	int row;

	/* Where there was no table there is nothing to lose. */
	if (guard->before == NULL || PQntuples(guard->before) == 0)
		return true;

	ok = query_run(session, AFTER_QUERY, &after, error);
	for (row = 0; ok && row < PQntuples(after); row++)
		ok = compare(guard, session, after, row, place, error);
	PQclear(after);
	return ok && (guard->early == MOST_EARLY || guard_settle(guard, error));
}

bool
guard_settle(Guard *guard, Error *error)
{
	if (!guard->is_suspicious)
		return true;
	if (guard->early < MOST_EARLY)
		guard->early++;
	return error_set(error, ERROR_INTERNAL, "what was dropped or truncated could not be looked at");
}

bool
guard_check_statement(Guard *guard, const Session *session, const Error *place, Error *error)
{
	guard->checks++;
	return session_begin_aside(session, error) &&
		   guard_check(guard, session, place, error) &&
		   session_end_aside(session, error);
}

bool
guard_is_interested(const Guard *guard, TokenCursor cursor)
{
	TokenCursor start = cursor;
	Token token;

	if (guard->before == NULL || PQntuples(guard->before) == 0 || guard->checks == MOST_CHECKS || !token_next(&cursor, &token))
		return false;
	if (token_is(&cursor, &token, "ALTER"))
		return has_word(start, "DROP");
	return token_is(&cursor, &token, "DROP") || token_is(&cursor, &token, "TRUNCATE") ||
		   token_is(&cursor, &token, "DO") || token_is(&cursor, &token, "CALL");
}

void
guard_end(Guard *guard)
{
	PQclear(guard->before);
	guard->before = NULL;
}

void
guard_free(Guard *guard)
{
	size_t i;

	guard_end(guard);
	for (i = 0; i < guard->count; i++)
		error_free(&guard->suspects[i].place);
	free(guard->suspects);
	guard->suspects = NULL;
	guard->count = 0;
}

/* What is not in the list was made meanwhile. */
static bool
compare(Guard *guard, const Session *session, const PGresult *after, int row, const Error *place, Error *error)
{
	unsigned int relation = oid_of(after, row);
	int before = find_before(guard, relation);
	bool emptied = false;

	if (before < 0)
		return true;
	if (query_field_is_true(after, row, "gone"))
		return suspect(guard, relation, 0, "drop", place, error);
	if (!compare_columns(guard, after, row, before, place, error))
		return false;
	if (strcmp(query_field(after, row, "relfilenode"), query_field(guard->before, before, "relfilenode")) != 0 &&
		!is_emptied(session, after, row, number_of(guard->before, before, "own"), &emptied, error))
		return false;
	return !emptied || suspect(guard, relation, 0, "truncate", place, error);
}

/* The row of the list, which is in order; -1: there is none. */
static int
find_before(const Guard *guard, unsigned int relation)
{
	int low = 0;
	int high = PQntuples(guard->before) - 1;

	while (low <= high)
	{
		int middle = low + (high - low) / 2;
		unsigned int oid = oid_of(guard->before, middle);

		if (oid == relation)
			return middle;
		if (oid < relation)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

static bool
compare_columns(Guard *guard, const PGresult *after, int row, int before, const Error *place, Error *error)
{
	const char *gone = query_field(guard->before, before, "dropped");
	int64_t count = number_of(guard->before, before, "relnatts");
	const char *at = query_field(after, row, "dropped");
	bool ok = true;

	while (ok && *at != '\0')
	{
		char number[16];
		char *end;
		long column = strtol(at, &end, 10);

		snprintf(number, sizeof(number), " %ld ", column);
		if (column <= count && strstr(gone, number) == NULL)
			ok = suspect(guard, oid_of(after, row), (int) column, "drop", place, error);
		at = *end == ' ' ? end + 1 : end;
	}
	return ok;
}

/* The table has other files than before: TRUNCATE has given it those, or a rewrite, which keeps the rows. */
static bool
is_emptied(const Session *session, const PGresult *after, int row, int64_t counted, bool *emptied, Error *error)
{
	int64_t own = number_of(after, row, "own") - counted;
	PGresult *result = NULL;
	char *sql = NULL;
	bool ok;

	*emptied = own >= 0;
	if (!*emptied || !query_field_is_true(after, row, "readable"))
		return true;
	if (asprintf(&sql, "SELECT count(*) <= %" PRId64 " AS emptied FROM (SELECT FROM ONLY %s LIMIT %" PRId64 " + 1) AS t",
				 own, query_field(after, row, "name"), own) < 0)
		return error_out_of_memory(error);
	ok = query_run(session, sql, &result, error);
	if (ok)
		*emptied = query_field_is_true(result, 0, "emptied");
	PQclear(result);
	free(sql);
	return ok;
}

/* Those of earlier attempts have been proved to be empty. */
static bool
suspect(Guard *guard, unsigned int relation, int column, const char *verb, const Error *place, Error *error)
{
	Suspect *suspects;
	Suspect *added;
	size_t i;

	for (i = 0; i < guard->count; i++)
	{
		if (guard->suspects[i].relation == relation && (guard->suspects[i].column == column || guard->suspects[i].column == 0))
			return true;
	}
	suspects = realloc(guard->suspects, (guard->count + 1) * sizeof(*suspects));
	if (suspects == NULL)
		return error_out_of_memory(error);
	guard->suspects = suspects;
	guard->is_suspicious = true;
	added = &suspects[guard->count++];
	memset(added, 0, sizeof(*added));
	added->relation = relation;
	added->column = column;
	added->verb = verb;
	if (place != NULL && place->file != NULL)
		error_place(&added->place, place->file, place->line, place->column, place->statement);
	return true;
}

static unsigned int
oid_of(const PGresult *result, int row)
{
	return (unsigned int) strtoul(query_field(result, row, "oid"), NULL, 10);
}

static int64_t
number_of(const PGresult *result, int row, const char *column)
{
	return strtoll(query_field(result, row, column), NULL, 10);
}

static bool
has_word(TokenCursor cursor, const char *word)
{
	Token token;

	while (token_next(&cursor, &token))
	{
		if (token_is(&cursor, &token, word))
			return true;
	}
	return false;
}

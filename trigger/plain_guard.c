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
 * TRUNCATE gives a table another file, and so does a rewrite, which keeps the rows.
 * A table that has another file counts as truncated, unless more rows are in it
 * than the transaction has inserted; or unless a statement that names the table,
 * and rewrites it by its words, has given it that file.  Nothing else proves
 * anything: the server counts for a transaction what a caught error took back, too.
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

#define INSERTED "pg_stat_get_xact_tuples_inserted(c.oid)"

/*
 * In the same subtransaction TRUNCATE would empty the file that a rewrite has just
 * made, instead of making another one.  In this one it cannot; and it stays open,
 * since scripts may not end savepoints.
 */
#define PART_COMMAND "SAVEPOINT rdsinit_rewritten"

/*
 * Temporary tables are nobody else's, and the server's own are not to be dropped.  A
 * ledger that the transaction itself has made was not there before: of a database
 * that is empty but for it, nothing has to be looked at.
 */
#define BEFORE_QUERY \
	"SELECT c.oid, c.relfilenode, c.relnatts, coalesce(d.dropped, ' ') AS dropped, " INSERTED " AS inserted FROM pg_class AS c" \
	" LEFT JOIN (SELECT attrelid, ' ' || string_agg(attnum::text, ' ') || ' ' AS dropped FROM pg_attribute" \
	"  WHERE attisdropped AND attrelid >= 16384 GROUP BY attrelid) AS d ON d.attrelid = c.oid" \
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384" \
	"  AND NOT (c.relname = 'history' AND c.relnamespace::regnamespace::text = 'rdsinit_plain'" \
	"   AND c.xmin::text IS NOT DISTINCT FROM (txid_current_if_assigned() % 4294967296)::text)" \
	" ORDER BY c.oid"

/*
 * TRUNCATE makes the server forget what it has counted before, and an error that is
 * caught does not: at least so many rows have been inserted as are there of them.
 * (What of earlier transactions it still counts is in the list.)
 */
#define AFTER_QUERY \
	"SELECT l.relation AS oid, c.oid IS NULL AS gone, coalesce(c.relfilenode, 0) AS relfilenode," \
	" (SELECT string_agg(a.attnum::text, ' ') FROM pg_attribute AS a" \
	"  WHERE a.attrelid = c.oid AND a.attisdropped) AS dropped," \
	" quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relname," \
	" coalesce(has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'), false) AS readable," \
	" current_setting('track_counts')::bool AS counts, coalesce(" INSERTED ", 0) AS inserted," \
	" EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D') AS has_event_triggers" \
	" FROM (SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'" \
	"  AND mode = 'AccessExclusiveLock' AND granted" \
	"  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS l" \
	" LEFT JOIN pg_class AS c ON c.oid = l.relation LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace"

static bool look_around(Guard *guard, const Session *session, const TokenCursor *words, const Error *place,
						PGresult **after, Error *error);
static bool compare(Guard *guard, const Session *session, const PGresult *after, int row, const TokenCursor *words,
					const Error *place, Error *error);
static bool compare_files(Guard *guard, const Session *session, const PGresult *after, int row, int before,
						  const TokenCursor *words, bool *emptied, Error *error);
static bool is_rewritten_by(const Guard *guard, const PGresult *after, int row, int before, const TokenCursor *words);
static unsigned int file_just_before(const Guard *guard, unsigned int relation, int before);
static int find_before(const Guard *guard, unsigned int relation);
static bool compare_columns(Guard *guard, const PGresult *after, int row, int before, const Error *place, Error *error);
static bool is_emptied(const Session *session, const PGresult *after, int row, int64_t earlier, bool *emptied, Error *error);
static bool suspect(Guard *guard, unsigned int relation, int column, const char *verb, const Error *place, Error *error);
static bool names(TokenCursor cursor, const char *name);
static bool is_name(const TokenCursor *cursor, const Token *token, const char *name);
static unsigned int oid_of(const PGresult *result, int row);
static int64_t number_of(const PGresult *result, int row, const char *column);
static unsigned int file_of(const PGresult *result, int row);

bool
guard_begin(Guard *guard, const Session *session, Error *error)
{
	guard_end(guard);
	guard->is_suspicious = false;
	guard->checks = 0;
	if (guard->allow)
		return session_begin_aside(session, error) && loss_begin(&guard->losses, session, error) &&
			   session_end_aside(session, error);
	if (!proof_lock(session, guard->suspects, guard->count, error) ||
		!session_begin_aside(session, error) ||
		!proof_look(session, guard->suspects, guard->count, error) ||
		!query_run(session, BEFORE_QUERY, &guard->before, error) ||
		!session_end_aside(session, error))
		return false;
	guard->rewritten = calloc((size_t) PQntuples(guard->before) + 1, sizeof(*guard->rewritten));
	return guard->rewritten != NULL || error_out_of_memory(error);
}

bool
guard_has_begun(const Guard *guard)
{
	return guard->before != NULL || guard->losses.tables != NULL;
}

bool
guard_check(Guard *guard, const Session *session, const Error *place, Error *error)
{
	PGresult *after = NULL;
	bool ok = look_around(guard, session, NULL, place, &after, error);

	PQclear(after);
	return ok;
}

bool
guard_lost(Guard *guard, const Session *session, char **lost, Error *error)
{
	return loss_take(&guard->losses, session, lost, error);
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
guard_check_ahead(Guard *guard, const Session *session, const Error *place, Error *error)
{
	guard->checks++;
	return session_begin_aside(session, error) &&
		   look_around(guard, session, NULL, place, &guard->earlier, error) &&
		   session_end_aside(session, error);
}

bool
guard_check_statement(Guard *guard, const Session *session, TokenCursor words, const Error *place, Error *error)
{
	bool had_rewritten = guard->has_rewritten;
	PGresult *after = NULL;
	bool ok;

	guard->checks++;
	guard->has_rewritten = false;
	ok = session_begin_aside(session, error) &&
		 look_around(guard, session, &words, place, &after, error) &&
		 session_end_aside(session, error) &&
		 (!guard->has_rewritten || query_run(session, PART_COMMAND, NULL, error));
	guard->has_rewritten = guard->has_rewritten || had_rewritten;
	PQclear(after);
	PQclear(guard->earlier);
	guard->earlier = NULL;
	return ok;
}

bool
guard_is_interested(const Guard *guard, TokenCursor cursor)
{
	TokenCursor start = cursor;
	Token token;

	if (guard->before == NULL || PQntuples(guard->before) == 0 || guard->checks >= MOST_CHECKS || !token_next(&cursor, &token))
		return false;
	if (token_is(&cursor, &token, "ALTER"))
		return guard->earlier != NULL || token_among(start, "DROP");
	return token_is(&cursor, &token, "DROP") || token_is(&cursor, &token, "TRUNCATE") ||
		   token_is(&cursor, &token, "DO") || token_is(&cursor, &token, "CALL") ||
		   (token_is(&cursor, &token, "CLUSTER") && guard->earlier != NULL);
}

bool
guard_is_to_look_ahead(const Guard *guard, TokenCursor cursor)
{
	TokenCursor start = cursor;
	Token token;

	if (guard->before == NULL || PQntuples(guard->before) == 0 || guard->checks + 1 >= MOST_CHECKS || !token_next(&cursor, &token))
		return false;
	return token_is(&cursor, &token, "CLUSTER") ||
		   (token_is(&cursor, &token, "ALTER") && (token_among(start, "TYPE") || token_among(start, "ADD") || token_among(start, "SET")));
}

void
guard_end(Guard *guard)
{
	PQclear(guard->before);
	PQclear(guard->earlier);
	free(guard->rewritten);
	loss_end(&guard->losses);
	guard->before = NULL;
	guard->earlier = NULL;
	guard->rewritten = NULL;
	guard->has_rewritten = false;
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

/* "words": of the statement that has just been run, where it may be a rewrite; or NULL. */
static bool
look_around(Guard *guard, const Session *session, const TokenCursor *words, const Error *place, PGresult **after, Error *error)
{
	bool ok = true;
	int row;

	/* Where there was no table there is nothing to lose. */
	if (guard->before == NULL || PQntuples(guard->before) == 0)
		return true;

	ok = query_run(session, AFTER_QUERY, after, error);
	for (row = 0; ok && row < PQntuples(*after); row++)
		ok = compare(guard, session, *after, row, words, place, error);
	return ok && (guard->early == MOST_EARLY || guard_settle(guard, error));
}

/* What is not in the list was made meanwhile. */
static bool
compare(Guard *guard, const Session *session, const PGresult *after, int row, const TokenCursor *words,
		const Error *place, Error *error)
{
	unsigned int relation = oid_of(after, row);
	int before = find_before(guard, relation);
	bool emptied;

	if (before < 0)
		return true;
	if (query_field_is_true(after, row, "gone"))
		return suspect(guard, relation, 0, "drop", place, error);
	if (!compare_columns(guard, after, row, before, place, error) ||
		!compare_files(guard, session, after, row, before, words, &emptied, error))
		return false;
	return !emptied || suspect(guard, relation, 0, "truncate", place, error);
}

static bool
compare_files(Guard *guard, const Session *session, const PGresult *after, int row, int before, const TokenCursor *words,
			  bool *emptied, Error *error)
{
	unsigned int file = file_of(after, row);

	*emptied = false;
	if (file == file_of(guard->before, before) || file == guard->rewritten[before])
		return true;
	if (words == NULL || !is_rewritten_by(guard, after, row, before, words))
		return is_emptied(session, after, row, number_of(guard->before, before, "inserted"), emptied, error);
	guard->rewritten[before] = file;
	guard->has_rewritten = true;
	return true;
}

/*
 * Has the statement itself given the table its file?  ALTER TABLE and CLUSTER cannot
 * lose a row of the table that they name, and no function that they call can
 * truncate it meanwhile; an event trigger could, after it.
 */
static bool
is_rewritten_by(const Guard *guard, const PGresult *after, int row, int before, const TokenCursor *words)
{
	return guard->earlier != NULL &&
		   !query_field_is_true(after, row, "has_event_triggers") &&
		   file_of(after, row) != file_just_before(guard, oid_of(after, row), before) &&
		   names(*words, query_field(after, row, "relname"));
}

/* What was not locked then had the file that it had at the start. */
static unsigned int
file_just_before(const Guard *guard, unsigned int relation, int before)
{
	int row;

	for (row = 0; row < PQntuples(guard->earlier); row++)
	{
		if (oid_of(guard->earlier, row) == relation)
			return file_of(guard->earlier, row);
	}
	return file_of(guard->before, before);
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

/* Are there no more rows in it than the transaction has inserted? */
static bool
is_emptied(const Session *session, const PGresult *after, int row, int64_t earlier, bool *emptied, Error *error)
{
	int64_t inserted = number_of(after, row, "inserted") - earlier;
	PGresult *result = NULL;
	char *sql = NULL;
	bool ok;

	*emptied = true;
	if (!query_field_is_true(after, row, "readable") || !query_field_is_true(after, row, "counts"))
		return true;
	if (inserted < 0)
		inserted = 0;
	if (asprintf(&sql, "SELECT count(*) <= %" PRId64 " AS emptied FROM (SELECT FROM ONLY %s LIMIT %" PRId64 " + 1) AS t",
				 inserted, query_field(after, row, "name"), inserted) < 0)
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

/* Does ALTER TABLE or CLUSTER, whose words these are, name this table? */
static bool
names(TokenCursor cursor, const char *name)
{
	static const char *const skipped[] = {"ALTER", "TABLE", "IF", "EXISTS", "ONLY", "CLUSTER", "VERBOSE"};
	bool has = false;
	Token token;
	bool more = token_next(&cursor, &token);
	size_t i;

	for (i = 0; more && i < sizeof(skipped) / sizeof(skipped[0]); i++)
	{
		if (token_is(&cursor, &token, skipped[i]))
			more = token_next(&cursor, &token);
	}
	while (more)
	{
		has = is_name(&cursor, &token, name);
		more = token_next(&cursor, &token) && token_has_text(&cursor, &token, ".") && token_next(&cursor, &token);
	}
	return has;
}

/* A doubled quote in it is not looked for: what is not proved is looked at. */
static bool
is_name(const TokenCursor *cursor, const Token *token, const char *name)
{
	const char *text = cursor->text + token->offset;
	size_t i;

	if (token->kind == TOKEN_IDENTIFIER)
		return token->length == strlen(name) + 2 && memcmp(text + 1, name, strlen(name)) == 0;
	if (token->kind != TOKEN_WORD || token->length != strlen(name))
		return false;
	for (i = 0; i < token->length; i++)
	{
		if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]) != name[i])
			return false;
	}
	return true;
}

static unsigned int
oid_of(const PGresult *result, int row)
{
	return (unsigned int) strtoul(query_field(result, row, "oid"), NULL, 10);
}

static unsigned int
file_of(const PGresult *result, int row)
{
	return (unsigned int) strtoul(query_field(result, row, "relfilenode"), NULL, 10);
}

static int64_t
number_of(const PGresult *result, int row, const char *column)
{
	return strtoll(query_field(result, row, column), NULL, 10);
}

/*-------------------------------------------------------------------------
 *
 * plain_result.c
 *	  What a statement of a script has come to, and what is made of it.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the string buffer's header needs it */

#include "plain_result.h"

#include <pqexpbuffer.h>

#include "options.h"
#include "plain_cursor.h"
#include "plain_policy.h"
#include "plain_session.h"

/* What changes settings often enough to be followed at once: for what comes next, too, whatever it is. */
static const char *const may_have_set[] = {"SET", "RESET", "SELECT", "DO", "CALL", NULL};

/* What runs no function that could, but those of event triggers, of indexes and of constraints. */
static const char *const runs_nothing[] = {"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "SECURITY", NULL};

static bool execute_text(const Session *session, const char *text, Counts *counts, Error *error);
static bool execute(const Session *session, const Cursor *cursor, Counts *counts, Error *error);
static int64_t rows_written(const PGresult *result);
static bool cap(const Session *session, Counts *counts, Error *error);
static bool has_tag_of(const PGresult *result, const char *const *tags);
static bool has_tag(const PGresult *result, const char *tag);

void
result_add(const PGresult *result, Counts *counts)
{
	counts->statements++;
	counts->rows += rows_written(result);
}

/* Nobody waits behind what only reads or writes rows; it is not worth the time for each INSERT. */
bool
result_prepare(const Session *session, TokenCursor cursor, Counts *counts, Error *error)
{
	static const char *const weak[] = {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "WITH", "VALUES", "SET", "RESET"};
	Token token;
	size_t i;

	if (!counts->is_stale || !token_next(&cursor, &token))
		return true;
	for (i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
	{
		if (token_is(&cursor, &token, weak[i]))
			return true;
	}
	return cap(session, counts, error);
}

bool
result_count(const Session *session, const PGresult *result, Counts *counts, Error *error)
{
	result_add(result, counts);
	if (has_tag_of(result, may_have_set) && !cap(session, counts, error))
		return false;
	if (!has_tag_of(result, may_have_set) && !has_tag_of(result, runs_nothing))
		counts->is_stale = true;

	/* What no statement must have done to us, by whatever means. */
	if (PQtransactionStatus(session->connection) == PQTRANS_INTRANS)
		return true;
	return error_set(error, ERROR_INTERNAL, "the statement ended the transaction");
}

bool
result_gset(const PGresult *result, const char *prefix, Variables *variables, Error *error)
{
	int column;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return true; /* psql takes nothing from what is no query */
	if (PQntuples(result) != 1)
	{
		error_set(error, ERROR_SCRIPT, PQntuples(result) == 0 ? "no rows returned for \\gset" : "more than one row returned for \\gset");
		error_sqlstate(error, PQntuples(result) == 0 ? "P0002" : "P0003");
		return false;
	}
	for (column = 0; column < PQnfields(result); column++)
	{
		PQExpBufferData name;
		bool ok;

		initPQExpBuffer(&name);
		appendPQExpBuffer(&name, "%s%s", prefix, PQfname(result, column));
		if (PQExpBufferDataBroken(name))
			ok = error_out_of_memory(error);
		else if (!options_is_name(name.data))
		{
			ok = error_set(error, ERROR_SCRIPT, "invalid variable name: \"%s\"", name.data);
			error_sqlstate(error, "42602");
			error_hint(error, "Letters, digits and underscores make a name.");
		}
		else if (PQgetisnull(result, 0, column))
			ok = variables_unset(variables, name.data, error);
		else
			ok = variables_set(variables, name.data, PQgetvalue(result, 0, column), error);
		termPQExpBuffer(&name);
		if (!ok)
			return false;
	}
	return true;
}

bool
result_gexec(const Session *session, const PGresult *result, Counts *counts, Error *error)
{
	int row;
	int column;

	for (row = 0; row < PQntuples(result); row++)
	{
		for (column = 0; column < PQnfields(result); column++)
		{
			if (!PQgetisnull(result, row, column) &&
				!execute_text(session, PQgetvalue(result, row, column), counts, error))
				return false;
		}
	}
	return true;
}

/* No variable and no meta-command is looked for in it. */
static bool
execute_text(const Session *session, const char *text, Counts *counts, Error *error)
{
	Cursor cursor = {0};
	Item item = ITEM_STATEMENT;
	size_t offset;
	bool ok;

	cursor.text = text;
	cursor.length = strlen(text);
	cursor.connection = session->connection;
	ok = cursor_open(&cursor, error);
	while (ok && item == ITEM_STATEMENT)
	{
		cursor.standard_strings = session_standard_strings(session);
		cursor.encoding = PQclientEncoding(session->connection);
		ok = cursor_next(&cursor, false, &item, &offset, error);
		if (ok && item == ITEM_STATEMENT)
			ok = execute(session, &cursor, counts, error);
	}
	if (ok && item == ITEM_COMMAND)
	{
		ok = error_set(error, ERROR_SCRIPT, "a backslash in what \\gexec runs");
		error_sqlstate(error, "42601");
	}
	cursor_close(&cursor);
	return ok;
}

static bool
execute(const Session *session, const Cursor *cursor, Counts *counts, Error *error)
{
	TokenCursor tokens = {0};
	Verdict verdict;
	PGresult *result = NULL;
	bool ok;

	tokens.text = cursor->output->data;
	tokens.end = cursor->output->len;
	tokens.standard_strings = cursor->fed_strings;
	if (!policy_check(tokens, &verdict, error))
		return false;
	if (verdict != VERDICT_RUN)
		return true;
	ok = result_prepare(session, tokens, counts, error) &&
		 query_run_statement(session, cursor->output->data, NULL, false, &result, error);
	if (!ok && strcmp(error->type, ERROR_DATABASE) == 0)
		error->type = ERROR_SCRIPT;
	ok = ok && result_count(session, result, counts, error);
	PQclear(result);
	return ok;
}

/* A plain SELECT writes nothing; CREATE TABLE AS has the same tag, but no rows to give. */
static int64_t
rows_written(const PGresult *result)
{
	static const char *const tags[] = {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"};
	size_t i;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
	{
		if (has_tag(result, tags[i]))
			return strtoll(PQcmdTuples((PGresult *) result), NULL, 10);
	}
	if (has_tag(result, "SELECT") && PQresultStatus(result) == PGRES_COMMAND_OK)
		return strtoll(PQcmdTuples((PGresult *) result), NULL, 10);
	return 0;
}

static bool
cap(const Session *session, Counts *counts, Error *error)
{
	counts->is_stale = false;
	return session_cap(session, error);
}

static bool
has_tag_of(const PGresult *result, const char *const *tags)
{
	for (; *tags != NULL; tags++)
	{
		if (has_tag(result, *tags))
			return true;
	}
	return false;
}

static bool
has_tag(const PGresult *result, const char *tag)
{
	const char *status = PQcmdStatus((PGresult *) result);
	size_t length = strlen(tag);

	return strncmp(status, tag, length) == 0 && (status[length] == '\0' || status[length] == ' ');
}

/*-------------------------------------------------------------------------
 *
 * plain_index.c
 *	  Indexes that are built or dropped concurrently, and not to the end.
 *
 * CREATE INDEX CONCURRENTLY that is broken off leaves an INVALID index, or has
 * made a valid one of which nobody was told.  Whether an index is the one that
 * the statement makes is asked of the server: the statement is run, without
 * CONCURRENTLY, on an empty temporary copy of the table, which is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A CREATE INDEX CONCURRENTLY, taken apart. */
typedef struct IndexStatement
{
	bool is_unique;
	bool if_not_exists;
	char *name;  /* as it is written; NULL: the server finds one */
	char *table; /* as it is written, perhaps with its schema */
	char *rest;  /* what follows the table */
} IndexStatement;

#define TABLE_QUERY \
	"SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified, pg_catalog.quote_ident(c.relname) AS name" \
	" FROM pg_catalog.pg_class AS c" \
	" JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	" WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid"

/* What the server writes of an index from its table's name on. */
#define DEFINITION(index, table) \
	"pg_catalog.substr(pg_catalog.pg_get_indexdef(" index ")," \
	" pg_catalog.strpos(pg_catalog.pg_get_indexdef(" index ")," \
	"  pg_catalog.concat('.', pg_catalog.quote_ident(" table "), ' USING ')))"

/* The copy has one index. */
#define DEFINITION_QUERY \
	"SELECT i.indisunique, " DEFINITION("i.indexrelid", "c.relname") " AS definition" \
																	 " FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indrelid" \
																	 " WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid"

/* Of the table $1: those of the name $2, if it is given, and whether they are as $3 (unique) and $4 say. */
#define INDEXES_QUERY \
	"SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified, i.indisvalid," \
	" coalesce(i.indisunique OPERATOR(pg_catalog.=) $3::pg_catalog.bool" \
	"  AND " DEFINITION("i.indexrelid", "t.relname") " OPERATOR(pg_catalog.=) $4::pg_catalog.text, false) AS is_same" \
													 " FROM pg_catalog.pg_index AS i" \
													 " JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) i.indrelid" \
													 " JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid" \
													 " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
													 " WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid" \
													 " AND ($2::pg_catalog.text IS NULL" \
													 "  OR c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident($2))[1]::pg_catalog.name)"

/* An index is in its table's schema, perhaps on another table. */
#define INVALID_QUERY \
	"SELECT pg_catalog.quote_ident(c.relname) AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified" \
	" FROM pg_catalog.pg_class AS t" \
	" JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) t.relnamespace" \
	" JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	" JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid" \
	" WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid" \
	" AND c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident($2))[1]::pg_catalog.name" \
	" AND c.relkind OPERATOR(pg_catalog.=) 'i' AND NOT i.indisvalid"

/* What REINDEX CONCURRENTLY of the $2 (INDEX, TABLE, SCHEMA or more) named $1 can leave. */
#define LEFT_QUERY \
	"SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified" \
	" FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid" \
	" JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	" WHERE NOT i.indisvalid AND c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'" \
	" AND n.nspname OPERATOR(pg_catalog.<>) 'pg_toast'" \
	" AND CASE WHEN $2 OPERATOR(pg_catalog.=) 'INDEX' THEN i.indrelid OPERATOR(pg_catalog.=)" \
	"   (SELECT x.indrelid FROM pg_catalog.pg_index AS x" \
	"    WHERE x.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid)" \
	"  WHEN $2 OPERATOR(pg_catalog.=) 'TABLE' THEN i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid" \
	"  WHEN $2 OPERATOR(pg_catalog.=) 'SCHEMA' THEN n.nspname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident($1))[1]::pg_catalog.name" \
	"  ELSE true END"

#define GONE_QUERY "SELECT pg_catalog.to_regclass($1) IS NULL AS gone"

static bool take_apart(TokenCursor cursor, IndexStatement *statement, Error *error);
static void statement_free(IndexStatement *statement);
static bool next_is(TokenCursor *cursor, const char *word);
static bool next_is_open(TokenCursor *cursor);
static bool take_name(TokenCursor *cursor, bool qualified, char **name, Error *error);
static bool find_indexes(const Session *session, const IndexStatement *statement, PGresult **indexes, Error *error);
static bool find_definition(const Session *session, const IndexStatement *statement, const char *table, const char *name,
							PGresult **definition, Error *error);
static bool drop(const Session *session, const char *qualified, Error *error);

bool
index_recover(const Session *session, TokenCursor cursor, bool *is_done, Error *error)
{
	IndexStatement statement = {0};
	PGresult *indexes = NULL;
	bool ok = take_apart(cursor, &statement, error) && find_indexes(session, &statement, &indexes, error);
	int row;

	*is_done = false;
	for (row = 0; ok && row < PQntuples(indexes); row++)
	{
		bool is_same = query_field_is_true(indexes, row, "is_same");

		if (query_field_is_true(indexes, row, "indisvalid"))
			*is_done = *is_done || is_same;
		else if (is_same || statement.name != NULL)
			ok = drop(session, query_field(indexes, row, "qualified"), error);
	}
	PQclear(indexes);
	statement_free(&statement);
	return ok;
}

bool
index_check(const Session *session, TokenCursor cursor, Error *error)
{
	IndexStatement statement = {0};
	PGresult *result = NULL;
	bool ok = take_apart(cursor, &statement, error);

	if (ok && statement.table != NULL && statement.name != NULL)
	{
		Parameter parameters[2] = {{statement.table, 0}, {statement.name, 0}};

		ok = query_run_parameters(session, INVALID_QUERY, 2, parameters, &result, error);
	}
	if (ok && PQntuples(result) > 0)
	{
		ok = error_set(error, ERROR_SCRIPT, "there is an index %s, but it is INVALID", query_field(result, 0, "name"));
		error_sqlstate(error, "55000");
		error_hint(error, "%s If nobody is building it at this moment, run: DROP INDEX CONCURRENTLY %s;",
				   statement.if_not_exists ? "IF NOT EXISTS would take it for the finished one."
										   : "This script did not make it, and does not drop it.",
				   query_field(result, 0, "qualified"));
	}
	PQclear(result);
	statement_free(&statement);
	return ok;
}

bool
index_clear(const Session *session, TokenCursor cursor, Error *error)
{
	static const char *const kinds[] = {"INDEX", "TABLE", "SCHEMA"};
	Parameter parameters[2] = {{NULL, 0}, {"DATABASE", 0}};
	PGresult *left = NULL;
	char *name = NULL;
	Token token;
	bool ok;
	size_t i;
	int row;

	(void) next_is(&cursor, "REINDEX");
	if (next_is_open(&cursor))
	{
		while (token_next(&cursor, &token) && token.kind != TOKEN_CLOSE)
			;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (next_is(&cursor, kinds[i]))
			parameters[1].value = kinds[i];
	}
	(void) next_is(&cursor, "CONCURRENTLY");
	ok = take_name(&cursor, true, &name, error);
	parameters[0].value = name;
	ok = ok && query_run_parameters(session, LEFT_QUERY, 2, parameters, &left, error);
	for (row = 0; ok && row < PQntuples(left); row++)
		ok = drop(session, query_field(left, row, "qualified"), error);
	PQclear(left);
	free(name);
	return ok;
}

bool
index_is_gone(const Session *session, TokenCursor cursor, bool *is_gone, Error *error)
{
	PGresult *result = NULL;
	char *name = NULL;
	bool ok;

	(void) next_is(&cursor, "DROP");
	(void) next_is(&cursor, "INDEX");
	(void) next_is(&cursor, "CONCURRENTLY");
	if (next_is(&cursor, "IF"))
		(void) next_is(&cursor, "EXISTS");
	ok = take_name(&cursor, true, &name, error);
	if (ok)
	{
		Parameter parameter = {name, 0};

		ok = query_run_parameters(session, GONE_QUERY, 1, &parameter, &result, error);
	}
	*is_gone = ok && query_field_is_true(result, 0, "gone");
	PQclear(result);
	free(name);
	return ok;
}

/* Where it cannot be taken apart the server will complain; its table is NULL then. */
static bool
take_apart(TokenCursor cursor, IndexStatement *statement, Error *error)
{
	(void) next_is(&cursor, "CREATE");
	statement->is_unique = next_is(&cursor, "UNIQUE");
	(void) next_is(&cursor, "INDEX");
	(void) next_is(&cursor, "CONCURRENTLY");
	if (next_is(&cursor, "IF"))
		statement->if_not_exists = next_is(&cursor, "NOT") && next_is(&cursor, "EXISTS");
	if (!next_is(&cursor, "ON"))
	{
		if (!take_name(&cursor, false, &statement->name, error))
			return false;
		if (!next_is(&cursor, "ON"))
			return true;
	}
	(void) next_is(&cursor, "ONLY");
	if (!take_name(&cursor, true, &statement->table, error))
		return false;
	statement->rest = strndup(cursor.text + cursor.offset, cursor.end - cursor.offset);
	return statement->rest != NULL || error_out_of_memory(error);
}

static void
statement_free(IndexStatement *statement)
{
	free(statement->name);
	free(statement->table);
	free(statement->rest);
}

/* Takes the word, where it is the next. */
static bool
next_is(TokenCursor *cursor, const char *word)
{
	TokenCursor behind = *cursor;
	Token token;

	if (!token_next(&behind, &token) || !token_is(&behind, &token, word))
		return false;
	*cursor = behind;
	return true;
}

static bool
next_is_open(TokenCursor *cursor)
{
	TokenCursor behind = *cursor;
	Token token;

	if (!token_next(&behind, &token) || token.kind != TOKEN_OPEN)
		return false;
	*cursor = behind;
	return true;
}

/* Words and identifiers with dots between them, without what may stand around the dots. */
static bool
take_name(TokenCursor *cursor, bool qualified, char **name, Error *error)
{
	char *joined = calloc(1, cursor->end - cursor->offset + 1);
	TokenCursor at = *cursor;
	Token token;

	while (joined != NULL && token_next(&at, &token) && (token.kind == TOKEN_WORD || token.kind == TOKEN_IDENTIFIER))
	{
		strncat(joined, at.text + token.offset, token.length);
		*cursor = at;
		if (!qualified || !token_next(&at, &token) || !token_has_text(&at, &token, "."))
			break;
		strcat(joined, ".");
	}
	*name = joined;
	return joined != NULL || error_out_of_memory(error);
}

/* Those that the statement can be about, of its table; with its name, if it has one. */
static bool
find_indexes(const Session *session, const IndexStatement *statement, PGresult **indexes, Error *error)
{
	Parameter written = {statement->table, 0};
	PGresult *table = NULL;
	PGresult *definition = NULL;
	bool ok;

	if (statement->table == NULL)
		return true;
	ok = query_run_parameters(session, TABLE_QUERY, 1, &written, &table, error);
	if (ok && PQntuples(table) == 1)
	{
		ok = find_definition(session, statement, query_field(table, 0, "qualified"), query_field(table, 0, "name"),
							 &definition, error);
		if (ok)
		{
			bool is_known = definition != NULL && PQntuples(definition) == 1;
			Parameter parameters[4] = {{query_field(table, 0, "oid"), 0},
									   {statement->name, 0},
									   {is_known ? query_field(definition, 0, "indisunique") : NULL, 0},
									   {is_known ? query_field(definition, 0, "definition") : NULL, 0}};

			ok = query_run_parameters(session, INDEXES_QUERY, 4, parameters, indexes, error);
		}
	}
	PQclear(definition);
	PQclear(table);
	return ok;
}

/*
 * The definition of the index that the statement makes.  Where it cannot make
 * one it will fail itself, with its own error: there is no definition then.
 */
static bool
find_definition(const Session *session, const IndexStatement *statement, const char *table, const char *name,
				PGresult **definition, Error *error)
{
	char *copy = NULL;
	char *copied = NULL;
	char *create = NULL;
	bool ok = false;

	if (asprintf(&copy, "pg_temp.%s", name) < 0 ||
		asprintf(&copied, "CREATE TEMPORARY TABLE %s (LIKE %s)", name, table) < 0 ||
		asprintf(&create, "CREATE %sINDEX %s ON pg_temp.%s %s", statement->is_unique ? "UNIQUE " : "",
				 statement->name != NULL ? statement->name : "", name, statement->rest) < 0)
		error_out_of_memory(error);
	else if (query_begin(session, error))
	{
		Parameter parameter = {copy, 0};

		ok = query_run(session, copied, NULL, error) &&
			 query_run_statement(session, create, NULL, false, NULL, error) &&
			 query_run_parameters(session, DEFINITION_QUERY, 1, &parameter, definition, error);
		query_rollback(session);
		if (!ok && strcmp(error->type, ERROR_DATABASE) == 0 && PQstatus(session->connection) == CONNECTION_OK)
		{
			error_free(error);
			PQclear(*definition);
			*definition = NULL;
			ok = true;
		}
	}
	free(copy);
	free(copied);
	free(create);
	return ok;
}

static bool
drop(const Session *session, const char *qualified, Error *error)
{
	char *command = NULL;
	bool ok;

	if (asprintf(&command, "DROP INDEX CONCURRENTLY %s", qualified) < 0)
		return error_out_of_memory(error);
	ok = query_run(session, command, NULL, error);
	if (!ok)
		error_reword(error, "could not drop the INVALID index %s: %s", qualified, error->message);
	free(command);
	return ok;
}

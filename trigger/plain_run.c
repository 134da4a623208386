/*-------------------------------------------------------------------------
 *
 * plain_run.c
 *	  One script's statements, run one after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain_session.h"
#include "plain_token.h"

/* A token longer than this is not repeated in a message. */
#define LONGEST_TOKEN 64

static bool run_statement(const Session *session, const char *text, const Statement *statement,
						  int64_t *rows, Error *error);
static bool check_strings(const Session *session, const Statement *statement, Error *error);
static bool check_transaction(const Session *session, Error *error);
static int64_t rows_written(const PGresult *result);
static bool has_tag(const PGresult *result, const char *tag);
static size_t error_offset(const PGconn *connection, const PGresult *result, const char *text, size_t length);
static void elide_token(const char *text, size_t offset, size_t end, bool standard_strings, Error *error);

bool
run_statements(const Session *session, const char *name, const char *text, const StatementList *list,
			   int64_t *rows, Error *error)
{
	size_t i;

	*rows = 0;
	for (i = 0; i < list->count; i++)
	{
		const Statement *statement = &list->statements[i];

		if (check_strings(session, statement, error) &&
			run_statement(session, text, statement, rows, error) &&
			check_transaction(session, error))
			continue;

		if (error->file != NULL)
			error_place(error, name, error->line, error->column, statement->ordinal);
		else
			error_place(error, name, statement->position.line, statement->position.column, statement->ordinal);
		return false;
	}
	return true;
}

bool
run_standard_strings(const Session *session)
{
	const char *setting = PQparameterStatus(session->connection, "standard_conforming_strings");

	return setting == NULL || strcmp(setting, "on") == 0;
}

static bool
run_statement(const Session *session, const char *text, const Statement *statement, int64_t *rows, Error *error)
{
	PGresult *result = NULL;
	char *sql = strndup(text + statement->offset, statement->length);
	bool ok;

	if (sql == NULL)
		return error_out_of_memory(error);

	ok = query_run_statement(session, sql, &result, error);
	if (ok)
	{
		*rows += rows_written(result);
		if (has_tag(result, "SET") || has_tag(result, "RESET"))
			ok = session_keep_timeout(session, error);
	}
	else
	{
		size_t offset = error_offset(session->connection, result, sql, statement->length);
		Position position = statement->position;

		if (strcmp(error->type, ERROR_DATABASE) == 0)
			error->type = ERROR_SCRIPT;
		if (error_has_sqlstate(error, "42601"))
			elide_token(sql, offset, statement->length, statement->standard_strings, error);
		if (error_has_sqlstate(error, "42601") && PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION) == NULL)
			error_hint(error, "For psql's lexer this is one statement, which goes on up to an END:"
							  " the name begin, in CREATE FUNCTION or CREATE PROCEDURE, needs quotes.");
		if (error_has_sqlstate(error, "25001") && error->hint == NULL)
			error_hint(error, "A bundle is applied within one transaction; run the statement outside of it.");
		text_advance(&position, sql, 0, offset);
		error_place(error, "", position.line, position.column, 0);
	}

	PQclear(result);
	free(sql);
	return ok;
}

/* Changed in a way that the splitter could not see, it gives the text another meaning. */
static bool
check_strings(const Session *session, const Statement *statement, Error *error)
{
	if (run_standard_strings(session) == statement->standard_strings)
		return true;
	error_set(error, ERROR_SCRIPT, "standard_conforming_strings has been changed other than by SET");
	error_sqlstate(error, "0A000");
	return false;
}

/* What no statement must have done to us, by whatever means. */
static bool
check_transaction(const Session *session, Error *error)
{
	if (PQtransactionStatus(session->connection) == PQTRANS_INTRANS)
		return true;
	return error_set(error, ERROR_INTERNAL, "the statement ended the transaction");
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
has_tag(const PGresult *result, const char *tag)
{
	const char *status = PQcmdStatus((PGresult *) result);
	size_t length = strlen(tag);

	return strncmp(status, tag, length) == 0 && (status[length] == '\0' || status[length] == ' ');
}

/*
 * The error's position in a statement, in bytes; 0, its start, where there is
 * none.  The server counts the characters of its own encoding, which are ours
 * one by one, but for SQL_ASCII, where they are bytes.
 */
static size_t
error_offset(const PGconn *connection, const PGresult *result, const char *text, size_t length)
{
	const char *field = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	const char *server_encoding = PQparameterStatus(connection, "server_encoding");
	bool in_bytes = server_encoding != NULL && strcmp(server_encoding, "SQL_ASCII") == 0;
	long characters = field != NULL ? strtol(field, NULL, 10) - 1 : 0;
	size_t offset = 0;

	for (; characters > 0 && offset < length; characters--)
	{
		int size = in_bytes ? 1 : PQmblen(text + offset, PQclientEncoding(connection));

		offset += size > 0 ? (size_t) size : 1;
	}
	return offset < length ? offset : length;
}

/*
 * A syntax error repeats the token that it is at.  Of a constant, which may be
 * a password, and of a long token, the message keeps no more than the start.
 */
static void
elide_token(const char *text, size_t offset, size_t end, bool standard_strings, Error *error)
{
	TokenCursor cursor = {text, offset, end, standard_strings, QUOTE_NONE, 0};
	Token token;
	const char *found;
	size_t kept;
	size_t length;

	if (!token_next(&cursor, &token) || token.offset != offset || error->message == NULL)
		return;
	kept = token.kind == TOKEN_STRING ? 1 : LONGEST_TOKEN;
	if (token.length <= kept)
		return;

	/* What the message repeats is the token, or what it had read of it. */
	found = error->message + strlen(error->message);
	for (length = token.length; length > kept && *found == '\0'; length--)
	{
		char *part = strndup(text + offset, length);
		const char *at = part != NULL ? strstr(error->message, part) : NULL;

		if (at != NULL)
			found = at;
		free(part);
		if (at != NULL)
			break;
	}
	if (*found != '\0')
		error_reword(error, "%.*s%.*s...%s", (int) (found - error->message), error->message,
					 (int) kept, found, found + length);
}

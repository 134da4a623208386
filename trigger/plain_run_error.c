/*-------------------------------------------------------------------------
 *
 * plain_run_error.c
 *	  Where in a script a statement's error is, and what may be said of it.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_run_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain_token.h"

/* A token longer than this is not repeated in a message. */
#define LONGEST_TOKEN 64

static bool place_in_data(const Reader *reader, const PGresult *result, const CopyData *data, const Step *step, Error *error);
static size_t error_offset(const PGconn *connection, const PGresult *result, const char *text, size_t length);
static void conceal_token(TokenCursor cursor, size_t offset, const char *variable, Error *error);
static bool replace(const char *part, size_t length, const char *variable, Error *error);
static void elide_token(TokenCursor cursor, size_t offset, Error *error);

void
run_explain_error(const Reader *reader, const Step *step, const PGresult *result, const CopyData *data, Error *error)
{
	const Cursor *file = &reader->frame->cursor;
	bool has_position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION) != NULL;
	size_t offset = error_offset(reader->session->connection, result, step->text, step->length);
	const char *variable;
	TokenCursor cursor;

	reader_tokens(reader, step, &cursor);
	if (!has_position)
	{
		TokenCursor first = cursor;
		Token token = {0};

		if (token_next(&first, &token))
			offset = token.offset;
	}
	(void) spans_source(&file->spans, file->from + offset, &variable);

	if (strcmp(error->type, ERROR_DATABASE) == 0)
		error->type = ERROR_SCRIPT;
	if (variable != NULL && has_position)
		conceal_token(cursor, offset, variable, error);
	else if (error_has_sqlstate(error, "42601"))
		elide_token(cursor, offset, error);
	if (error_has_sqlstate(error, "42601") && !has_position)
		error_hint(error, "For psql's lexer this is one statement, which goes on up to an END:"
						  " the name begin, in CREATE FUNCTION or CREATE PROCEDURE, needs quotes.");
	if (error_has_sqlstate(error, "25001") && error->hint == NULL)
		error_hint(error, "A bundle is applied within one transaction. Put the statement into a script of its own,"
						  " of which the first comment is \"-- rdsinit: no-transaction\".");

	if (data == NULL || !place_in_data(reader, result, data, step, error))
		reader_place_step(reader, step, offset, error);
}

/* COPY's context has the number of the data's line; the last such line there is of this COPY. */
static bool
place_in_data(const Reader *reader, const PGresult *result, const CopyData *data, const Step *step, Error *error)
{
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	const char *line;
	const char *at = data->bytes;
	const char *end = data->bytes + data->length;
	long number = 0;

	for (line = context; line != NULL; line = strchr(line, '\n'))
	{
		const char *found;

		line += *line == '\n';
		found = strncmp(line, "COPY ", 5) == 0 ? strstr(line, ", line ") : NULL;
		if (found != NULL)
			number = strtol(found + strlen(", line "), NULL, 10);
	}
	if (number <= 0)
		return false;
	while (--number > 0 && at < end)
	{
		const char *newline = memchr(at, '\n', (size_t) (end - at));

		at = newline != NULL ? newline + 1 : end;
	}
	reader_place(reader, (size_t) (at - reader->frame->cursor.text), step->ordinal, error);
	return true;
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

/* What stands at the error is a variable's value, of which a message shows nothing. */
static void
conceal_token(TokenCursor cursor, size_t offset, const char *variable, Error *error)
{
	const char *text = cursor.text + offset;
	Token token;

	cursor.offset = offset;
	if (!token_next(&cursor, &token))
		token.length = cursor.end - offset;
	else if (token.offset != offset)
		return;
	if (replace(text, token.length, variable, error))
		return;
	if ((token.kind == TOKEN_STRING || token.kind == TOKEN_IDENTIFIER) && token.length > 2)
		(void) replace(text + 1, token.length - 2, variable, error);
}

static bool
replace(const char *part, size_t length, const char *variable, Error *error)
{
	char *copy = strndup(part, length);
	const char *found = copy != NULL && length > 0 && error->message != NULL ? strstr(error->message, copy) : NULL;
	bool any = found != NULL;

	/* The message's own words are before what it quotes. */
	while (found != NULL && strstr(found + 1, copy) != NULL)
		found = strstr(found + 1, copy);
	if (any)
		error_reword(error, "%.*s:%s%s", (int) (found - error->message), error->message, variable, found + length);
	free(copy);
	return any;
}

/*
 * A syntax error repeats the token that it is at.  Of a constant, which may be
 * a password, and of a long token, the message keeps no more than the start.
 */
static void
elide_token(TokenCursor cursor, size_t offset, Error *error)
{
	const char *text = cursor.text;
	Token token;
	const char *found;
	size_t kept;
	size_t length;

	cursor.offset = offset;
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

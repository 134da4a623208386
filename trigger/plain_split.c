/*-------------------------------------------------------------------------
 *
 * plain_split.c
 *	  A script's statements, found by psql's own lexer.
 *
 * psql feeds its lexer line by line; like pgbench we give it the whole script
 * at once.  It copies to its output what it reads, but for leading space, and
 * for what only psql understands.  So where the output is not the same as the
 * text, the script needs psql.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the lexer's header needs it */

#include "plain_split.h"

#include <fe_utils/psqlscan.h>
#include <libpq-fe.h>

#include "plain_policy.h"
#include "plain_token.h"

/* No variables are known here: the lexer leaves them as they stand. */
static const PsqlScanCallbacks callbacks = {NULL};

/* How far a script has been split. */
typedef struct Splitter
{
	const char *name;
	const char *text;
	size_t length;
	bool standard_strings;
	size_t offset;  /* of what has not been split */
	size_t counted; /* how far the position has been moved */
	Position position;
	long ordinal;
	StatementList *list;
} Splitter;

static void start_lexer(const Splitter *splitter, PsqlScanState lexer);
static bool split(Splitter *splitter, PsqlScanState lexer, PQExpBuffer output, Error *error);
static bool check_verbatim(Splitter *splitter, size_t start, const char *output, size_t length, Error *error);
static bool take_statement(Splitter *splitter, size_t start, size_t end, Error *error);
static bool refuse_unterminated(Splitter *splitter, size_t start, Error *error);
static bool refuse_psql(Splitter *splitter, size_t offset, Error *error);
static size_t skip_leading(const Splitter *splitter);
static size_t first_token(const Splitter *splitter, size_t start, size_t end);
static bool append(StatementList *list, const Statement *statement);
static void place(Splitter *splitter, size_t offset, Error *error);

bool
split_script(const char *name, const char *text, size_t length, bool standard_strings,
			 StatementList *list, Error *error)
{
	Splitter splitter = {0};
	PsqlScanState lexer = psql_scan_create(&callbacks);
	PQExpBuffer output = createPQExpBuffer();
	bool ok;

	splitter.name = name;
	splitter.text = text;
	splitter.length = length;
	splitter.standard_strings = standard_strings;
	splitter.position.line = 1;
	splitter.position.column = 1;
	splitter.list = list;

	start_lexer(&splitter, lexer);
	ok = split(&splitter, lexer, output, error);
	psql_scan_finish(lexer);

	destroyPQExpBuffer(output);
	psql_scan_destroy(lexer);
	return ok;
}

void
split_free(StatementList *list)
{
	free(list->statements);
	memset(list, 0, sizeof(*list));
}

/* At the splitter's offset, and with its setting. */
static void
start_lexer(const Splitter *splitter, PsqlScanState lexer)
{
	psql_scan_setup(lexer, splitter->text + splitter->offset, (int) (splitter->length - splitter->offset),
					pg_char_to_encoding("UTF8"), splitter->standard_strings);
}

static bool
split(Splitter *splitter, PsqlScanState lexer, PQExpBuffer output, Error *error)
{
	PsqlScanResult result;
	promptStatus_t prompt;
	bool standard_strings;

	do
	{
		size_t start = skip_leading(splitter);

		resetPQExpBuffer(output);
		result = psql_scan(lexer, output, &prompt);
		if (PQExpBufferBroken(output))
			return error_out_of_memory(error);

		if (!check_verbatim(splitter, start, output->data, output->len, error))
			return false;
		splitter->offset = start + output->len;

		if (result == PSCAN_BACKSLASH)
			return refuse_psql(splitter, splitter->offset, error);
		if (result == PSCAN_INCOMPLETE && output->len > 0)
			return refuse_unterminated(splitter, start, error);
		standard_strings = splitter->standard_strings;
		if (!take_statement(splitter, start, splitter->offset, error))
			return false;
		if (splitter->standard_strings != standard_strings)
		{
			psql_scan_finish(lexer);
			start_lexer(splitter, lexer);
		}
	} while (result == PSCAN_SEMICOLON);
	return true;
}

static bool
check_verbatim(Splitter *splitter, size_t start, const char *output, size_t length, Error *error)
{
	const char *text = splitter->text + start;
	size_t same = 0;

	if (length <= splitter->length - start && memcmp(text, output, length) == 0)
		return true;
	while (start + same < splitter->length && same < length && text[same] == output[same])
		same++;
	return refuse_psql(splitter, start + same, error);
}

static bool
take_statement(Splitter *splitter, size_t start, size_t end, Error *error)
{
	TokenCursor cursor = {0};
	Statement statement;
	Verdict verdict;

	cursor.text = splitter->text;
	cursor.offset = first_token(splitter, start, end);
	cursor.end = end;
	cursor.standard_strings = splitter->standard_strings;

	splitter->ordinal++;
	statement.offset = cursor.offset;
	statement.length = end - cursor.offset;
	statement.ordinal = splitter->ordinal;
	statement.standard_strings = splitter->standard_strings;
	if (!policy_check(cursor, &verdict, error))
	{
		place(splitter, statement.offset, error);
		return false;
	}

	switch (verdict)
	{
		case VERDICT_RUN:
			text_advance(&splitter->position, splitter->text, splitter->counted, statement.offset);
			splitter->counted = statement.offset;
			statement.position = splitter->position;
			policy_follow_strings(cursor, &splitter->standard_strings);
			return append(splitter->list, &statement) || error_out_of_memory(error);
		case VERDICT_TAKEN_OUT:
			splitter->list->has_taken_out = true;
			return true;
		case VERDICT_EMPTY:
			splitter->ordinal--;
			return true;
	}
	return true;
}

/* The rest of the script is one statement that does not end: says what is open. */
static bool
refuse_unterminated(Splitter *splitter, size_t start, Error *error)
{
	static const char *const messages[] = {
		[QUOTE_NONE] = "unterminated BEGIN ATOMIC body",
		[QUOTE_STRING] = "unterminated quoted string",
		[QUOTE_IDENTIFIER] = "unterminated quoted identifier",
		[QUOTE_DOLLAR] = "unterminated dollar-quoted string",
		[QUOTE_COMMENT] = "unterminated /* comment"};
	TokenCursor cursor = {0};
	Token token;
	size_t offset = first_token(splitter, start, splitter->offset);
	size_t *parentheses = NULL;
	size_t depth = 0;
	size_t room = 0;
	const char *message;

	cursor.text = splitter->text;
	cursor.offset = start;
	cursor.end = splitter->offset;
	cursor.standard_strings = splitter->standard_strings;
	while (token_next(&cursor, &token))
	{
		if (token.kind == TOKEN_CLOSE && depth > 0)
			depth--;
		if (token.kind != TOKEN_OPEN)
			continue;
		if (depth == room)
		{
			size_t *more = realloc(parentheses, (room * 2 + 16) * sizeof(*more));

			if (more == NULL)
			{
				free(parentheses);
				return error_out_of_memory(error);
			}
			parentheses = more;
			room = room * 2 + 16;
		}
		parentheses[depth++] = token.offset;
	}

	message = messages[cursor.open];
	if (cursor.open != QUOTE_NONE)
		offset = cursor.open_offset;
	else if (depth > 0)
	{
		message = "unterminated parenthesis";
		offset = parentheses[depth - 1];
	}
	free(parentheses);

	splitter->ordinal++;
	error_set(error, ERROR_SCRIPT, "%s", message);
	error_sqlstate(error, "42601");
	place(splitter, offset, error);
	return false;
}

static bool
refuse_psql(Splitter *splitter, size_t offset, Error *error)
{
	splitter->ordinal++;
	if (splitter->text[offset] == '\\')
	{
		error_set(error, ERROR_SCRIPT, "psql's backslash commands are not allowed in a script");
		error_hint(error, "Only psql understands them: leave the command out.");
	}
	else
	{
		error_set(error, ERROR_SCRIPT, "psql's variables are not allowed in a script");
		error_hint(error, "Only psql understands them: write the value.");
	}
	error_sqlstate(error, "0A000");
	place(splitter, offset, error);
	return false;
}

/* Past what the lexer does not copy: space and line comments before a statement. */
static size_t
skip_leading(const Splitter *splitter)
{
	size_t offset = splitter->offset;

	while (offset < splitter->length)
	{
		if (strchr(" \t\n\r\f", splitter->text[offset]) != NULL)
			offset++;
		else if (splitter->length - offset >= 2 && memcmp(splitter->text + offset, "--", 2) == 0)
			offset += strcspn(splitter->text + offset, "\n\r");
		else
			break;
	}
	return offset;
}

/* Past block comments as well; where there is no token, the end. */
static size_t
first_token(const Splitter *splitter, size_t start, size_t end)
{
	TokenCursor cursor = {0};
	Token token;

	cursor.text = splitter->text;
	cursor.offset = start;
	cursor.end = end;
	cursor.standard_strings = splitter->standard_strings;
	if (token_next(&cursor, &token))
		return token.offset;
	return cursor.open == QUOTE_NONE || cursor.open == QUOTE_COMMENT ? end : cursor.open_offset;
}

static bool
append(StatementList *list, const Statement *statement)
{
	if (list->count == list->room)
	{
		size_t room = list->room > 0 ? list->room * 2 : 64;
		Statement *longer = realloc(list->statements, room * sizeof(*longer));

		if (longer == NULL)
			return false;
		list->statements = longer;
		list->room = room;
	}
	list->statements[list->count++] = *statement;
	return true;
}

static void
place(Splitter *splitter, size_t offset, Error *error)
{
	text_advance(&splitter->position, splitter->text, splitter->counted, offset);
	splitter->counted = offset;
	error_place(error, splitter->name, splitter->position.line, splitter->position.column, splitter->ordinal);
}

/*-------------------------------------------------------------------------
 *
 * plain_cursor.c
 *	  A cursor over a script: its statements, meta-commands and inline data.
 *
 * psql feeds its lexer line by line, and so do we, but for a string that is
 * continued on the next line, which the lexer would not see.  Of the lexer's
 * inner state we look at where in its input it is, and in whose value.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the lexer's header needs it */

#include "plain_cursor.h"

#include <fe_utils/psqlscan_int.h>

#include "plain_quote.h"
#include "plain_unterminated.h"

/* Flex's own, which the lexer's header does not declare. */
extern char *psql_yyget_text(yyscan_t scanner);
extern int psql_yyget_leng(yyscan_t scanner);

static char *get_variable(const char *name, PsqlScanQuoteType quote, void *passthrough);
static bool is_being_expanded(const Cursor *cursor, const char *name);
static void begin_statement(Cursor *cursor);
static bool feed(Cursor *cursor);
static void stop_feeding(Cursor *cursor);
static bool end_script(Cursor *cursor, Item *item, size_t *offset, Error *error);
static void end_statement(Cursor *cursor);
static void next_part(Cursor *cursor);
static bool is_in_value(const Cursor *cursor);
static size_t lexer_offset(const Cursor *cursor);
static size_t line_end(const Cursor *cursor, size_t offset);
static size_t next_line(const Cursor *cursor, size_t offset);
static bool may_continue_string(const Cursor *cursor, size_t offset);
static bool is_end_mark(const Cursor *cursor, size_t line, size_t end);

static const PsqlScanCallbacks callbacks = {get_variable};

bool
cursor_open(Cursor *cursor, Error *error)
{
	cursor->lexer = psql_scan_create(&callbacks);
	psql_scan_set_passthrough(cursor->lexer, cursor);
	cursor->output = createPQExpBuffer();
	if (cursor->output == NULL)
		return error_out_of_memory(error);
	return true;
}

void
cursor_close(Cursor *cursor)
{
	if (cursor->lexer != NULL)
	{
		stop_feeding(cursor);
		psql_scan_destroy(cursor->lexer);
	}
	destroyPQExpBuffer(cursor->output);
	spans_free(&cursor->spans);
	memset(cursor, 0, sizeof(*cursor));
}

bool
cursor_next(Cursor *cursor, bool inactive, Item *item, size_t *offset, Error *error)
{
	promptStatus_t prompt;

	if (!cursor->begun && !cursor_is_last(cursor))
	{
		next_part(cursor);
		*item = ITEM_STATEMENT;
		return true;
	}
	if (!cursor->begun)
		begin_statement(cursor);
	cursor->inactive = inactive;

	for (;;)
	{
		PsqlScanResult result;

		if (!cursor->feeding && !feed(cursor))
			return end_script(cursor, item, offset, error);
		result = psql_scan(cursor->lexer, cursor->output, &prompt);
		if (PQExpBufferBroken(cursor->output) || cursor->spans.broken)
			return error_out_of_memory(error);
		if (cursor->failed)
		{
			*offset = cursor->spans.run_source;
			error_set(error, ERROR_SCRIPT, "a variable's value cannot be quoted in the client's encoding");
			error_sqlstate(error, "22021");
			return false;
		}

		switch (result)
		{
			case PSCAN_SEMICOLON:
				cursor->open = false;
				if (!is_in_value(cursor))
					cursor->offset = lexer_offset(cursor);
				if (inactive)
					break;
				end_statement(cursor);
				*item = ITEM_STATEMENT;
				return true;
			case PSCAN_BACKSLASH:
				if (is_in_value(cursor))
				{
					*offset = cursor->spans.run_source;
					error_set(error, ERROR_SCRIPT, "a meta-command in a variable's value is not allowed");
					error_sqlstate(error, "0A000");
					error_hint(error, "Write it in the script itself.");
					return false;
				}
				cursor->offset = lexer_offset(cursor);
				spans_close_run(&cursor->spans, cursor->text, cursor->offset - 1, cursor->output->data, cursor->output->len);
				spans_begin_run(&cursor->spans, cursor->offset, cursor->output->len);
				stop_feeding(cursor);
				cursor->begun = true;
				*item = ITEM_COMMAND;
				return true;
			default:
				cursor->open = result == PSCAN_INCOMPLETE && cursor->output->len > 0;
				cursor->offset = cursor->piece_end;
				stop_feeding(cursor);
		}
	}
}

bool
cursor_is_last(const Cursor *cursor)
{
	return cursor->to >= cursor->whole;
}

size_t
cursor_line_end(const Cursor *cursor)
{
	size_t end = line_end(cursor, cursor->offset);

	return cursor->cut > 0 && cursor->cut < end ? cursor->cut : end;
}

void
cursor_skip(Cursor *cursor, size_t offset)
{
	cursor->offset = offset;
	spans_begin_run(&cursor->spans, offset, cursor->output->len);
}

bool
cursor_end_statement(Cursor *cursor)
{
	if (cursor->output->len == 0)
		return false;
	end_statement(cursor);
	psql_scan_reset(cursor->lexer);
	return true;
}

void
cursor_forget_statement(Cursor *cursor)
{
	if (cursor->begun && cursor->output->len > 0)
		cursor->ordinal--;
	cursor->begun = false;
	cursor->open = false;
	psql_scan_reset(cursor->lexer);
}

void
cursor_finish(Cursor *cursor)
{
	stop_feeding(cursor);
	cursor->cut = 0;
	cursor->offset = cursor->length;
}

void
cursor_mark(const Cursor *cursor, CursorMark *mark)
{
	mark->length = cursor->output->len;
	mark->paren_depth = cursor->lexer->paren_depth;
	mark->begin_depth = cursor->lexer->begin_depth;
}

void
cursor_discard(Cursor *cursor, const CursorMark *mark)
{
	cursor->output->len = mark->length;
	cursor->output->data[mark->length] = '\0';
	cursor->lexer->paren_depth = mark->paren_depth;
	cursor->lexer->begin_depth = mark->begin_depth;
	spans_truncate(&cursor->spans, mark->length);
}

bool
cursor_take_data(Cursor *cursor, size_t *start, size_t *length, Error *error)
{
	size_t at;

	if (cursor->cut == 0)
	{
		cursor->cut = cursor->resume = next_line(cursor, cursor->offset);
		if (cursor->feeding && cursor->piece_end > cursor->cut)
		{
			if (is_in_value(cursor))
			{
				error_set(error, ERROR_SCRIPT, "COPY FROM STDIN in a variable's value is not allowed here");
				error_sqlstate(error, "0A000");
				return false;
			}
			stop_feeding(cursor);
		}
	}

	*start = at = cursor->resume;
	while (at < cursor->length)
	{
		size_t next = next_line(cursor, at);

		if (is_end_mark(cursor, at, next))
		{
			*length = at - *start;
			cursor->resume = next;
			return true;
		}
		at = next;
	}
	*length = at - *start;
	cursor->resume = at;
	return true;
}

/* The lexer's question for a variable's value, NULL where the reference is to be left as it stands. */
static char *
get_variable(const char *name, PsqlScanQuoteType quote, void *passthrough)
{
	Cursor *cursor = passthrough;
	const char *reference = psql_yyget_text(cursor->lexer->scanner);
	bool is_test = strncmp(reference, ":{?", 3) == 0;
	bool is_outer = !is_in_value(cursor);
	const char *value = NULL;
	char *result = NULL;
	VariableState state;

	if (cursor->variables == NULL || cursor->inactive)
		return NULL;
	state = variables_get(cursor->variables, name, &value);
	if (state == VARIABLE_UNSURE)
		cursor->unsure = true;
	if (state == VARIABLE_SET && !(quote == PQUOTE_PLAIN && !is_test && is_being_expanded(cursor, name)))
	{
		result = quote == PQUOTE_PLAIN ? strdup(value)
									   : quote_value(cursor->connection, value, quote == PQUOTE_SQL_IDENT ? '"' : '\'');
		cursor->failed = cursor->failed || result == NULL;
	}

	if (is_outer && (result != NULL || is_test))
	{
		size_t offset = cursor->piece + (size_t) (reference - cursor->lexer->scanbuf);

		spans_close_run(&cursor->spans, cursor->text, offset, cursor->output->data, cursor->output->len);
		spans_add_value(&cursor->spans, name, offset, (size_t) psql_yyget_leng(cursor->lexer->scanner), cursor->output->len);
	}
	return result;
}

static bool
is_being_expanded(const Cursor *cursor, const char *name)
{
	const StackElem *element;

	for (element = cursor->lexer->buffer_stack; element != NULL; element = element->next)
	{
		if (element->varname != NULL && strcmp(element->varname, name) == 0)
			return true;
	}
	return false;
}

/* What is left of a value belongs to the reference before. */
static void
begin_statement(Cursor *cursor)
{
	size_t source = cursor->spans.run_source;
	bool in_value = is_in_value(cursor);

	/* Before the rest of a value: the setting is that of the value's beginning. */
	if (cursor->feeding && cursor->fed_strings != cursor->standard_strings && !in_value)
		stop_feeding(cursor);

	resetPQExpBuffer(cursor->output);
	spans_reset(&cursor->spans, in_value ? source : cursor->offset);
	if (in_value)
		spans_add_value(&cursor->spans, cursor->lexer->buffer_stack->varname, source, 0, 0);
	cursor->unsure = false;
	cursor->open = false;
	cursor->from = cursor->to = cursor->whole = 0;
	cursor->ordinal++;
}

/* False at the script's end. */
static bool
feed(Cursor *cursor)
{
	size_t end;

	if (cursor->cut > 0 && cursor->offset >= cursor->cut)
	{
		if (cursor->output->len > 0)
			spans_close_run(&cursor->spans, cursor->text, cursor->cut, cursor->output->data, cursor->output->len);
		cursor->offset = cursor->resume;
		cursor->cut = 0;
		spans_begin_run(&cursor->spans, cursor->offset, cursor->output->len);
	}
	if (cursor->offset >= cursor->length)
		return false;

	end = next_line(cursor, cursor->offset);
	while (cursor->cut == 0 && may_continue_string(cursor, end))
		end = next_line(cursor, end);
	psql_scan_setup(cursor->lexer, cursor->text + cursor->offset, (int) (end - cursor->offset),
					cursor->encoding, cursor->standard_strings);
	cursor->feeding = true;
	cursor->fed_strings = cursor->standard_strings;
	cursor->piece = cursor->offset;
	cursor->piece_end = end;
	return true;
}

static void
stop_feeding(Cursor *cursor)
{
	if (cursor->feeding)
		psql_scan_finish(cursor->lexer);
	cursor->feeding = false;
}

/* psql sends what there is, ended or not; the server's error would be a worse one. */
static bool
end_script(Cursor *cursor, Item *item, size_t *offset, Error *error)
{
	if (cursor->output->len == 0 || cursor->inactive)
	{
		cursor->ordinal--;
		cursor->begun = false;
		*item = ITEM_END;
		return true;
	}
	if (cursor->open)
	{
		const char *variable;
		size_t at;

		spans_close_run(&cursor->spans, cursor->text, cursor->offset, cursor->output->data, cursor->output->len);
		if (!unterminated_explain(cursor->output->data, cursor->output->len, cursor->standard_strings, &at, error))
			return false;
		*offset = spans_source(&cursor->spans, at, &variable);
		return false;
	}
	end_statement(cursor);
	*item = ITEM_STATEMENT;
	return true;
}

static void
end_statement(Cursor *cursor)
{
	if (!is_in_value(cursor))
		spans_close_run(&cursor->spans, cursor->text, cursor->offset, cursor->output->data, cursor->output->len);
	cursor->begun = false;
	cursor->whole = cursor->output->len;
	cursor->to = 0;
	next_part(cursor);
	cursor->ordinal--; /* the first has been counted */
}

static void
next_part(Cursor *cursor)
{
	cursor->from = cursor->to;
	cursor->to = spans_part_end(&cursor->spans, cursor->from, cursor->whole);
	cursor->ordinal++;
}

static bool
is_in_value(const Cursor *cursor)
{
	return cursor->feeding && cursor->lexer->buffer_stack != NULL;
}

/* Behind what the lexer read last. */
static size_t
lexer_offset(const Cursor *cursor)
{
	const char *text = psql_yyget_text(cursor->lexer->scanner);

	return cursor->piece + (size_t) (text - cursor->lexer->scanbuf) + (size_t) psql_yyget_leng(cursor->lexer->scanner);
}

static size_t
line_end(const Cursor *cursor, size_t offset)
{
	const char *newline = memchr(cursor->text + offset, '\n', cursor->length - offset);

	return newline != NULL ? (size_t) (newline - cursor->text) : cursor->length;
}

static size_t
next_line(const Cursor *cursor, size_t offset)
{
	size_t end = line_end(cursor, offset);

	return end < cursor->length ? end + 1 : end;
}

/* Does a line begin as the rest of a string does that the line before has ended? */
static bool
may_continue_string(const Cursor *cursor, size_t offset)
{
	while (offset < cursor->length && strchr(" \t\n\r\f", cursor->text[offset]) != NULL)
		offset++;
	return offset < cursor->length &&
		   (cursor->text[offset] == '\'' || (cursor->text[offset] == '-' && cursor->text[offset + 1] == '-'));
}

static bool
is_end_mark(const Cursor *cursor, size_t line, size_t end)
{
	const char *text = cursor->text + line;
	size_t length = end - line;

	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length > 0 && text[length - 1] == '\r')
		length--;
	return length == 2 && text[0] == '\\' && text[1] == '.';
}

/*-------------------------------------------------------------------------
 *
 * plain_reader.c
 *	  A script as psql reads it: with its meta-commands carried out.
 *
 * The same reader serves for checking a script and for running it.  While a
 * script is checked, queries give no values: what depends on them is unsure,
 * and is looked at when it is run.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the string buffer's header needs it */

#include "plain_reader.h"

#include <pqexpbuffer.h>

#include "notice.h"
#include "plain_command.h"
#include "plain_include.h"
#include "plain_session.h"
#include "text.h"

/* Deeper than anybody nests. */
#define DEEPEST_INCLUDE 100

static bool set_psql_variables(Reader *reader, Error *error);
static bool push_frame(Reader *reader, const Script *script, Error *error);
static bool pop_frame(Reader *reader, bool *more, Error *error);
static void free_frame(Reader *reader);
static bool note_included(Reader *reader, size_t index, Error *error);
static void take_step(const Reader *reader, Step *step);

bool
reader_open(Reader *reader, const Script *script, const json_t *variables, Error *error)
{
	reader->standard_strings = reader->first_strings = session_standard_strings(reader->session);
	reader->variables = variables_make();
	if (reader->variables == NULL)
		return error_out_of_memory(error);
	notice_conceal(reader->variables);
	return set_psql_variables(reader, error) &&
		   variables_set_all(reader->variables, variables, error) &&
		   push_frame(reader, script, error);
}

void
reader_close(Reader *reader)
{
	while (reader->frame != NULL)
		free_frame(reader);
	notice_conceal(NULL);
	variables_free(reader->variables);
	free(reader->restricted);
	free(reader->prefix);
	free(reader->included);
	memset(reader, 0, sizeof(*reader));
}

bool
reader_next(Reader *reader, Step *step, bool *more, Error *error)
{
	for (;;)
	{
		Cursor *cursor = &reader->frame->cursor;
		bool is_new = cursor_is_last(cursor);
		bool sends = false;
		size_t offset = 0;
		Item item;

		cursor->standard_strings = reader->checking ? reader->standard_strings : session_standard_strings(reader->session);
		cursor->encoding = reader->checking ? pg_char_to_encoding("UTF8") : PQclientEncoding(reader->session->connection);
		if (is_new)
			reader->how = HOW_SEND;

		*more = true;
		if (!cursor_next(cursor, !reader_is_active(reader), &item, &offset, error))
		{
			reader_place(reader, offset, cursor->ordinal, error);
			return false;
		}
		switch (item)
		{
			case ITEM_STATEMENT:
				take_step(reader, step);
				return true;
			case ITEM_COMMAND:
				if (!command_run(reader, &sends, error))
					return false;
				if (sends)
				{
					take_step(reader, step);
					return true;
				}
				break;
			case ITEM_END:
				if (!pop_frame(reader, more, error))
					return false;
				if (!*more)
					return true;
		}
	}
}

void
reader_place(const Reader *reader, size_t offset, long ordinal, Error *error)
{
	const Frame *frame = reader->frame;
	Position position = {1, 1};

	text_advance(&position, frame->cursor.text, 0, offset < frame->cursor.length ? offset : frame->cursor.length);
	error_place(error, frame->script->name, position.line, position.column, ordinal);

	/* Where it is read from, which is where it may have to be put right. */
	for (frame = frame->parent; frame != NULL; frame = frame->parent)
	{
		char *detail = NULL;

		position.line = position.column = 1;
		text_advance(&position, frame->cursor.text, 0, frame->command);
		if (asprintf(&detail, "%s%sIncluded from %s:%ld:%ld.", error->detail != NULL ? error->detail : "",
					 error->detail != NULL ? " " : "", frame->script->name, position.line, position.column) < 0)
			return;
		error_detail(error, detail);
		free(detail);
	}
}

void
reader_place_step(const Reader *reader, const Step *step, size_t offset, Error *error)
{
	const Cursor *cursor = &reader->frame->cursor;
	const char *variable;

	reader_place(reader, spans_source(&cursor->spans, cursor->from + offset, &variable), step->ordinal, error);
}

void
reader_tokens(const Reader *reader, const Step *step, TokenCursor *cursor)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->text = step->text;
	cursor->end = step->length;
	cursor->standard_strings = reader->frame->cursor.fed_strings;
}

/* Reads another file, before it goes on with this one. */
bool
reader_include(Reader *reader, const char *path, bool relative, Error *error)
{
	const Frame *frame;
	size_t index;
	int depth = 0;

	if (!include_find(reader->bundle, reader->frame->script->name, path, relative, &index, error))
		return false;
	for (frame = reader->frame; frame != NULL; frame = frame->parent)
	{
		if (frame->script == &reader->bundle->scripts[index])
		{
			reader->found_cycle = true;
			error_set(error, ERROR_SCRIPT, "file \"%s\" includes itself", frame->script->name);
			error_sqlstate(error, "22023");
			error_hint(error, "Take out one of the \\i or \\ir commands that lead here.");
			return false;
		}
		if (++depth > DEEPEST_INCLUDE)
		{
			error_set(error, ERROR_SCRIPT, "files include each other more than %d deep", DEEPEST_INCLUDE);
			error_sqlstate(error, "54000");
			return false;
		}
	}
	return note_included(reader, index, error) && push_frame(reader, &reader->bundle->scripts[index], error);
}

/* While checking: is it not known whether this will be run? */
bool
reader_is_unsure(const Reader *reader)
{
	const Frame *frame;
	const If *each;

	for (frame = reader->frame; frame != NULL; frame = frame->parent)
	{
		for (each = frame->ifs; each != NULL; each = each->outer)
		{
			if (each->branch == BRANCH_PERHAPS)
				return true;
		}
	}
	return false;
}

/* Is the reader in no branch that is not taken? */
bool
reader_is_active(const Reader *reader)
{
	const If *innermost = reader->frame->ifs;

	return innermost == NULL || innermost->branch == BRANCH_TAKEN || innermost->branch == BRANCH_PERHAPS;
}

/* Those of the variables that psql itself sets which scripts ask for. */
static bool
set_psql_variables(Reader *reader, Error *error)
{
	PGconn *connection = reader->session->connection;
	int number = PQserverVersion(connection);
	char version_number[16];
	const char *version_name = PQparameterStatus(connection, "server_version");

	snprintf(version_number, sizeof(version_number), "%d", number);
	return variables_set_builtin(reader->variables, "DBNAME", PQdb(connection), error) &&
		   variables_set_builtin(reader->variables, "USER", PQuser(connection), error) &&
		   variables_set_builtin(reader->variables, "ENCODING", pg_encoding_to_char(PQclientEncoding(connection)), error) &&
		   variables_set_builtin(reader->variables, "SERVER_VERSION_NAME", version_name != NULL ? version_name : "", error) &&
		   variables_set_builtin(reader->variables, "SERVER_VERSION_NUM", version_number, error) &&
		   variables_set_builtin(reader->variables, "ON_ERROR_STOP", "on", error);
}

static bool
push_frame(Reader *reader, const Script *script, Error *error)
{
	Frame *frame = calloc(1, sizeof(*frame));
	size_t mark = strncmp(script->body, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0 ? strlen(BYTE_ORDER_MARK) : 0;

	if (frame == NULL)
		return error_out_of_memory(error);
	frame->script = script;
	frame->cursor.text = script->body + mark;
	frame->cursor.length = (reader->frame == NULL && reader->length > 0 ? reader->length : script->length) - mark;
	frame->cursor.variables = reader->variables;
	frame->cursor.connection = reader->session->connection;
	frame->parent = reader->frame;
	reader->frame = frame;
	return cursor_open(&frame->cursor, error);
}

/* Goes back to the file that included this one; "more" is false where there is none. */
static bool
pop_frame(Reader *reader, bool *more, Error *error)
{
	const If *open = reader->frame->ifs;

	if (open != NULL)
	{
		error_set(error, ERROR_SCRIPT, "\\if without \\endif");
		error_sqlstate(error, "42601");
		reader_place(reader, open->offset, 0, error);
		return false;
	}
	*more = reader->frame->parent != NULL;
	if (*more)
		free_frame(reader);
	return true;
}

static void
free_frame(Reader *reader)
{
	Frame *frame = reader->frame;

	while (frame->ifs != NULL)
	{
		If *outer = frame->ifs->outer;

		free(frame->ifs);
		frame->ifs = outer;
	}
	cursor_close(&frame->cursor);
	reader->frame = frame->parent;
	free(frame);
}

static bool
note_included(Reader *reader, size_t index, Error *error)
{
	size_t *longer;
	size_t i;

	for (i = 0; i < reader->included_count; i++)
	{
		if (reader->included[i] == index)
			return true;
	}
	longer = realloc(reader->included, (reader->included_count + 1) * sizeof(*longer));
	if (longer == NULL)
		return error_out_of_memory(error);
	reader->included = longer;
	longer[reader->included_count++] = index;
	if (reader->mentioned != NULL)
		reader->mentioned[index] = true;
	return true;
}

static void
take_step(const Reader *reader, Step *step)
{
	const Cursor *cursor = &reader->frame->cursor;

	step->how = cursor_is_last(cursor) ? reader->how : HOW_SEND;
	step->unsure = cursor->unsure || reader_is_unsure(reader);
	step->text = cursor->output->data + cursor->from;
	step->length = cursor->to - cursor->from;
	step->ordinal = cursor->ordinal;
}

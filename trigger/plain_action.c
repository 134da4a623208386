/*-------------------------------------------------------------------------
 *
 * plain_action.c
 *	  What psql's meta-commands do, but for the conditional ones.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "options.h"
#include "plain_argument.h"
#include "plain_session.h"

static char *join(const Call *call, size_t first, const char *separator);
static bool refuse_name(const char *name, Error *error);
static bool send(Reader *reader, const Call *call, How how, bool *sends, Error *error);

bool
action_none(Reader *reader, const Call *call, bool *sends, Error *error)
{
	(void) reader;
	(void) call;
	(void) sends;
	(void) error;
	return true;
}

/* With an argument it would write a file. */
bool
action_none_alone(Reader *reader, const Call *call, bool *sends, Error *error)
{
	(void) reader;
	(void) sends;
	return call->count == 0 || command_refuse(call->name, HINT_SHELL, error);
}

/*
 * psql would begin a new session.  To the database that we are in, that comes
 * to the settings with which a script begins.
 */
bool
action_connect(Reader *reader, const Call *call, bool *sends, Error *error)
{
	const char *database = call->count > 0 ? call->arguments[0] : "-";
	const char *current = PQdb(reader->session->connection);

	(void) sends;
	if (call->unsure && reader->checking)
		return true;
	if (call->count > 1 || (strcmp(database, "-") != 0 && strcmp(database, current) != 0))
	{
		command_fail(error, "0A000", "\\%s to another database or as another user is not allowed in a script", call->name);
		error_hint(error, "Apply the rest of the script there.");
		return false;
	}
	reader->standard_strings = reader->first_strings;
	if (reader->checking)
		return true;
	return reader->outside ? session_for_script_outside(reader->session, error) : session_for_script(reader->session, error);
}

bool
action_echo(Reader *reader, const Call *call, bool *sends, Error *error)
{
	bool no_newline = call->count > 0 && strcmp(call->arguments[0], "-n") == 0;
	char *text;
	char *concealed;

	(void) sends;
	if (reader->checking)
		return true;
	text = join(call, no_newline ? 1 : 0, " ");
	if (text == NULL)
		return error_out_of_memory(error);
	concealed = variables_conceal(reader->variables, text);
	log_line(strcmp(call->name, "warn") == 0 ? LEVEL_WARN : LEVEL_INFO, NULL, "%s", concealed != NULL ? concealed : text);
	free(concealed);
	free(text);
	return true;
}

bool
action_encoding(Reader *reader, const Call *call, bool *sends, Error *error)
{
	Parameter parameter = {call->count > 0 ? call->arguments[0] : NULL, 0};

	(void) sends;
	if (call->count == 0 || reader->checking)
		return true;
	return query_run_parameters(reader->session, "SELECT pg_catalog.set_config('client_encoding', $1, false)", 1,
								&parameter, NULL, error) &&
		   variables_set_builtin(reader->variables, "ENCODING",
								 pg_encoding_to_char(PQclientEncoding(reader->session->connection)), error);
}

/* Options in parentheses shape the output; anything else is a file, or a pipe to a program. */
bool
action_g(Reader *reader, const Call *call, bool *sends, Error *error)
{
	if (call->count > 0 && call->arguments[0][0] != '(' && strcmp(call->name, "crosstabview") != 0)
	{
		command_refuse(call->name, HINT_SHELL, error);
		error_reword(error, "psql's meta-command \"\\%s %s\" is not allowed in a script", call->name,
					 call->arguments[0][0] == '|' ? "|program" : "file");
		return false;
	}
	return send(reader, call, HOW_SEND, sends, error);
}

bool
action_gexec(Reader *reader, const Call *call, bool *sends, Error *error)
{
	return send(reader, call, HOW_GEXEC, sends, error);
}

bool
action_gset(Reader *reader, const Call *call, bool *sends, Error *error)
{
	const char *prefix = call->count > 0 ? call->arguments[0] : "";

	if (reader->checking && !variables_make_prefix_unsure(reader->variables, call->unsure ? "" : prefix, error))
		return false;
	free(reader->prefix);
	reader->prefix = strdup(prefix);
	if (reader->prefix == NULL)
		return error_out_of_memory(error);
	return send(reader, call, HOW_GSET, sends, error);
}

bool
action_include(Reader *reader, const Call *call, bool *sends, Error *error)
{
	bool relative = strcmp(call->name, "ir") == 0 || strcmp(call->name, "include_relative") == 0;

	(void) sends;
	if (command_argument(call, error) == NULL)
		return false;
	argument_strip_quotes(call->arguments[0]);
	if (reader->checking && call->unsure)
		return true;
	if (reader->checking && reader_is_unsure(reader))
	{
		Error ignored = ERROR_NONE;
		bool ok = reader_include(reader, call->arguments[0], relative, &ignored);

		/* Whether it is read is not known yet, and so whether it has to be there. */
		if (!ok && !reader->found_cycle)
			error_free(&ignored);
		*error = ignored;
		return ok || !reader->found_cycle;
	}
	return reader_include(reader, call->arguments[0], relative, error);
}

/* Ends the file that it stands in. */
bool
action_quit(Reader *reader, const Call *call, bool *sends, Error *error)
{
	(void) call;
	(void) sends;
	(void) error;
	if (reader->checking && reader_is_unsure(reader))
		return true;
	while (reader->frame->ifs != NULL)
	{
		If *outer = reader->frame->ifs->outer;

		free(reader->frame->ifs);
		reader->frame->ifs = outer;
	}
	cursor_finish(&reader->frame->cursor);
	return true;
}

bool
action_reset(Reader *reader, const Call *call, bool *sends, Error *error)
{
	(void) call;
	(void) sends;
	(void) error;
	cursor_forget_statement(&reader->frame->cursor);
	return true;
}

bool
action_restrict(Reader *reader, const Call *call, bool *sends, Error *error)
{
	const char *key = command_argument(call, error);

	(void) sends;
	if (key == NULL)
		return false;
	reader->restricted = strdup(key);
	return reader->restricted != NULL || error_out_of_memory(error);
}

bool
action_unrestrict(Reader *reader, const Call *call, bool *sends, Error *error)
{
	const char *key = command_argument(call, error);

	(void) sends;
	if (key == NULL)
		return false;
	if (reader->restricted == NULL)
		return command_fail(error, "42601", "\\unrestrict without \\restrict");
	if (strcmp(key, reader->restricted) != 0)
		return command_fail(error, "22023", "\\unrestrict with another key than \\restrict");
	free(reader->restricted);
	reader->restricted = NULL;
	return true;
}

bool
action_set(Reader *reader, const Call *call, bool *sends, Error *error)
{
	const char *name;
	char *value;
	bool ok;

	(void) sends;
	if (call->count == 0)
		return true; /* it would list the variables */
	name = call->arguments[0];
	if (!options_is_name(name))
		return refuse_name(name, error);
	if (reader->checking && (call->unsure || reader_is_unsure(reader)))
		return variables_make_unsure(reader->variables, name, error);

	value = join(call, 1, "");
	ok = value != NULL ? variables_set(reader->variables, name, value, error) : error_out_of_memory(error);
	free(value);
	return ok;
}

bool
action_unset(Reader *reader, const Call *call, bool *sends, Error *error)
{
	const char *name = command_argument(call, error);

	(void) sends;
	if (name == NULL)
		return false;
	if (!options_is_name(name))
		return refuse_name(name, error);
	if (reader->checking && reader_is_unsure(reader))
		return variables_make_unsure(reader->variables, name, error);
	return variables_unset(reader->variables, name, error);
}

static char *
join(const Call *call, size_t first, const char *separator)
{
	size_t size = 1;
	char *text;
	size_t i;

	for (i = first; i < call->count; i++)
		size += strlen(call->arguments[i]) + strlen(separator);
	text = calloc(1, size);
	for (i = first; text != NULL && i < call->count; i++)
	{
		if (i > first)
			strcat(text, separator);
		strcat(text, call->arguments[i]);
	}
	return text;
}

static bool
refuse_name(const char *name, Error *error)
{
	command_fail(error, "42602", "invalid variable name: \"%s\"", name);
	error_hint(error, "Letters, digits and underscores make a name.");
	return false;
}

static bool
send(Reader *reader, const Call *call, How how, bool *sends, Error *error)
{
	if (!cursor_end_statement(&reader->frame->cursor))
	{
		command_fail(error, "42601", "\\%s without a statement before it", call->name);
		error_hint(error, "It ends a statement, in the place of the semicolon.");
		return false;
	}
	reader->how = how;
	*sends = true;
	return true;
}

/*-------------------------------------------------------------------------
 *
 * plain_command.c
 *	  psql's meta-commands: which there are, and which are allowed.
 *
 * Those that only shape what psql prints are passed over.  Those that would
 * reach out of the database, into files, environment or shell, are refused,
 * wherever they stand; and so are those that psql does not know.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plain_argument.h"
#include "plain_include.h"

typedef struct Command
{
	const char *name;
	Handler run;      /* NULL: it is refused … */
	const char *hint; /* … and what to do instead */
	bool takes_line;  /* its argument is the rest of the line */
} Command;

#define HINT_DIALOGUE "Nobody is there to answer: give the value by the option \"variables\"."
#define HINT_ENVIRONMENT "The server's environment is not a script's: give the value by the option \"variables\"."
#define HINT_COPY "Use COPY … FROM stdin, with the data behind it."
#define HINT_OUTPUT "What a script returns is dropped: leave the command out."

#define RUN(name, handler) \
	{ \
		name, handler, NULL, false \
	}
#define PASS(name) RUN(name, action_none)
#define PASS_LINE(name) \
	{ \
		name, action_none, NULL, true \
	}
#define REFUSE(name, hint) \
	{ \
		name, NULL, hint, false \
	}

static const Command commands[] = {
	REFUSE("!", HINT_SHELL),
	PASS_LINE("?"),
	PASS("C"),
	PASS("H"),
	PASS("T"),
	PASS("a"),
	REFUSE("bind", HINT_OUTPUT),
	RUN("c", action_connect),
	REFUSE("cd", HINT_SHELL),
	RUN("connect", action_connect),
	PASS("conninfo"),
	REFUSE("copy", HINT_COPY),
	PASS("copyright"),
	RUN("crosstabview", action_g),
	REFUSE("e", HINT_DIALOGUE),
	RUN("echo", action_echo),
	REFUSE("edit", HINT_DIALOGUE),
	REFUSE("ef", HINT_DIALOGUE),
	RUN("elif", conditional_elif),
	RUN("else", conditional_else),
	RUN("encoding", action_encoding),
	RUN("endif", conditional_endif),
	PASS("errverbose"),
	REFUSE("ev", HINT_DIALOGUE),
	PASS("f"),
	RUN("g", action_g),
	RUN("gdesc", action_reset),
	REFUSE("getenv", HINT_ENVIRONMENT),
	RUN("gexec", action_gexec),
	RUN("gset", action_gset),
	RUN("gx", action_g),
	PASS_LINE("h"),
	PASS_LINE("help"),
	PASS("html"),
	RUN("i", action_include),
	RUN("if", conditional_if),
	RUN("include", action_include),
	RUN("include_relative", action_include),
	RUN("ir", action_include),
	PASS("l"),
	PASS("l+"),
	PASS("list"),
	PASS("list+"),
	{"o", action_none_alone, HINT_SHELL, false},
	{"out", action_none_alone, HINT_SHELL, false},
	PASS("p"),
	REFUSE("password", HINT_DIALOGUE),
	PASS("print"),
	REFUSE("prompt", HINT_DIALOGUE),
	PASS("pset"),
	RUN("q", action_quit),
	RUN("qecho", action_echo),
	RUN("quit", action_quit),
	RUN("r", action_reset),
	RUN("reset", action_reset),
	RUN("restrict", action_restrict),
	{"s", action_none_alone, HINT_SHELL, false},
	RUN("set", action_set),
	REFUSE("setenv", HINT_ENVIRONMENT),
	PASS_LINE("sf"),
	PASS_LINE("sf+"),
	PASS_LINE("sv"),
	PASS_LINE("sv+"),
	PASS("t"),
	PASS("timing"),
	RUN("unrestrict", action_unrestrict),
	RUN("unset", action_unset),
	REFUSE("w", HINT_SHELL),
	RUN("warn", action_echo),
	REFUSE("watch", HINT_OUTPUT),
	REFUSE("write", HINT_SHELL),
	PASS("x"),
	PASS("z")};

static bool run(Reader *reader, Arguments *arguments, Call *call, bool *sends, Error *error);
static const Command *find(const char *name);
static bool is_conditional(const Command *command);
static bool read_arguments(Reader *reader, const Command *command, Arguments *arguments, Call *call, Error *error);
static void note_mentioned(Reader *reader, const Command *command, const Call *call);

bool
command_run(Reader *reader, bool *sends, Error *error)
{
	Frame *frame = reader->frame;
	Arguments arguments = {0};
	Call call = {0};
	bool ok;
	size_t i;

	frame->command = frame->cursor.offset - 1;
	arguments.at = frame->cursor.text + frame->cursor.offset;
	arguments.end = frame->cursor.text + cursor_line_end(&frame->cursor);
	arguments.variables = reader->variables;
	arguments.connection = reader->session->connection;
	arguments.inactive = !reader_is_active(reader);

	call.name = argument_name(&arguments);
	if (call.name == NULL)
		ok = error_out_of_memory(error);
	else
		ok = run(reader, &arguments, &call, sends, error);
	if (!ok && error->file == NULL)
		reader_place(reader, frame->command, 0, error);

	for (i = 0; i < call.count; i++)
		free(call.arguments[i]);
	free(call.arguments);
	free(call.name);
	return ok;
}

bool
command_refuse(const char *name, const char *hint, Error *error)
{
	command_fail(error, "0A000", "psql's meta-command \"\\%s\" is not allowed in a script", name);
	error_hint(error, "%s", hint);
	return false;
}

bool
command_fail(Error *error, const char *sqlstate, const char *format, ...)
{
	va_list values;
	char *message = NULL;

	va_start(values, format);
	if (vasprintf(&message, format, values) < 0)
		message = NULL;
	va_end(values);
	error_set(error, ERROR_SCRIPT, "%s", message != NULL ? message : "out of memory");
	error_sqlstate(error, sqlstate);
	free(message);
	return false;
}

const char *
command_argument(const Call *call, Error *error)
{
	if (call->count > 0)
		return call->arguments[0];
	command_fail(error, "42601", "\\%s: missing required argument", call->name);
	return NULL;
}

static bool
run(Reader *reader, Arguments *arguments, Call *call, bool *sends, Error *error)
{
	bool active = reader_is_active(reader);
	const Command *command = find(call->name);
	Cursor *cursor = &reader->frame->cursor;

	if (command == NULL)
		return command_fail(error, "42601", "psql has no meta-command \"\\%s\"", call->name);
	if (reader->restricted != NULL && command->run != action_unrestrict)
		return command_fail(error, "0A000", "meta-command \"\\%s\" is not allowed between \\restrict and \\unrestrict", call->name);
	if (command->run == NULL)
		return command_refuse(call->name, command->hint, error);

	if (command->takes_line)
		arguments->at = arguments->end;
	else if (!read_arguments(reader, command, arguments, call, error) || !argument_end(arguments, error))
		return false;
	cursor_skip(cursor, (size_t) (arguments->at - cursor->text));
	if (!active && !is_conditional(command))
	{
		note_mentioned(reader, command, call);
		return true;
	}
	return command->run(reader, call, sends, error);
}

static const Command *
find(const char *name)
{
	static const Command large_object = REFUSE("lo_", HINT_SHELL);
	static const Command describe = PASS_LINE("d");
	static const Command shell = REFUSE("!", HINT_SHELL);
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
	{
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	if (strcasecmp(name, "copy") == 0)
		return find("copy");
	if (strncmp(name, "lo_", 3) == 0)
		return &large_object;
	if (name[0] == 'd')
		return &describe;
	return name[0] == '!' ? &shell : NULL;
}

static bool
is_conditional(const Command *command)
{
	return command->run == conditional_if || command->run == conditional_elif ||
		   command->run == conditional_else || command->run == conditional_endif;
}

/* In a branch that is not taken no condition is looked at, but that of \elif. */
static bool
read_arguments(Reader *reader, const Command *command, Arguments *arguments, Call *call, Error *error)
{
	char *argument;

	if (command->run == conditional_elif && reader->frame->ifs != NULL)
		arguments->inactive = reader->frame->ifs->branch == BRANCH_DONE || reader->frame->ifs->branch == BRANCH_TAKEN;
	while (argument_next(arguments, &argument, error))
	{
		char **longer;

		call->unsure = arguments->unsure;
		if (argument == NULL)
			return true;
		longer = realloc(call->arguments, (call->count + 1) * sizeof(*longer));
		if (longer == NULL)
		{
			free(argument);
			return error_out_of_memory(error);
		}
		call->arguments = longer;
		longer[call->count++] = argument;
	}
	return false;
}

/* What is a part of another script is one, even where that does not read it this time. */
static void
note_mentioned(Reader *reader, const Command *command, const Call *call)
{
	Error ignored = ERROR_NONE;
	size_t index;

	if (reader->mentioned == NULL || command->run != action_include || call->count == 0)
		return;
	argument_strip_quotes(call->arguments[0]);
	if (include_find(reader->bundle, reader->frame->script->name, call->arguments[0],
					 strchr(call->name, 'r') != NULL, &index, &ignored))
		reader->mentioned[index] = true;
	error_free(&ignored);
}

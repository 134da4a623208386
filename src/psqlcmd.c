/*-------------------------------------------------------------------------
 *
 * psqlcmd.c
 *	  psql's meta-commands: see psql's manual page for what each does.
 *
 * Those that only shape what psql prints are passed over.  Those that would
 * reach out of the database, into the server's files, environment or shell,
 * are refused, wherever they stand; and so are those that psql does not know.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "psqlcmd.h"
#include "script_text.h"

typedef struct Command
{
	const char *name;
	RdsHandler run;   /* NULL: it is refused … */
	const char *hint; /* … and what to do instead */
	bool takes_line;  /* its argument is the rest of the line */
} Command;

static bool pass_over(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool pass_over_alone(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_connect(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_echo(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_encoding(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_g(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_gexec(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_gset(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_include(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_quit(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_reset(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_restrict(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_unrestrict(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_set(RdsReader *reader, const RdsCall *call, RdsStep *step);
static bool run_unset(RdsReader *reader, const RdsCall *call, RdsStep *step);

#define HINT_SHELL "Nothing is run in a shell here, and no file but a script's own is read or written."
#define HINT_DIALOGUE "Nobody is there to answer: give the value by the option \"variables\"."
#define HINT_ENVIRONMENT "The server's environment is not a script's: give the value by the option \"variables\"."
#define HINT_COPY "Use COPY … FROM stdin, with the data behind it."
#define HINT_OUTPUT "What a script returns is dropped: leave the command out."

static const Command commands[] = {
	{"!", NULL, HINT_SHELL},
	{"?", pass_over, NULL, true},
	{"C", pass_over},
	{"H", pass_over},
	{"T", pass_over},
	{"a", pass_over},
	{"bind", NULL, HINT_OUTPUT},
	{"c", run_connect},
	{"cd", NULL, HINT_SHELL},
	{"connect", run_connect},
	{"conninfo", pass_over},
	{"copy", NULL, HINT_COPY},
	{"copyright", pass_over},
	{"crosstabview", run_g},
	{"e", NULL, HINT_DIALOGUE},
	{"echo", run_echo},
	{"edit", NULL, HINT_DIALOGUE},
	{"ef", NULL, HINT_DIALOGUE},
	{"elif", rds_run_elif},
	{"else", rds_run_else},
	{"encoding", run_encoding},
	{"endif", rds_run_endif},
	{"errverbose", pass_over},
	{"ev", NULL, HINT_DIALOGUE},
	{"f", pass_over},
	{"g", run_g},
	{"gdesc", run_reset},
	{"getenv", NULL, HINT_ENVIRONMENT},
	{"gexec", run_gexec},
	{"gset", run_gset},
	{"gx", run_g},
	{"h", pass_over, NULL, true},
	{"help", pass_over, NULL, true},
	{"html", pass_over},
	{"i", run_include},
	{"if", rds_run_if},
	{"include", run_include},
	{"include_relative", run_include},
	{"ir", run_include},
	{"l", pass_over},
	{"l+", pass_over},
	{"list", pass_over},
	{"list+", pass_over},
	{"o", pass_over_alone, HINT_SHELL},
	{"out", pass_over_alone, HINT_SHELL},
	{"p", pass_over},
	{"password", NULL, HINT_DIALOGUE},
	{"print", pass_over},
	{"prompt", NULL, HINT_DIALOGUE},
	{"pset", pass_over},
	{"q", run_quit},
	{"qecho", run_echo},
	{"quit", run_quit},
	{"r", run_reset},
	{"reset", run_reset},
	{"restrict", run_restrict},
	{"s", pass_over_alone, HINT_SHELL},
	{"set", run_set},
	{"setenv", NULL, HINT_ENVIRONMENT},
	{"sf", pass_over, NULL, true},
	{"sf+", pass_over, NULL, true},
	{"sv", pass_over, NULL, true},
	{"sv+", pass_over, NULL, true},
	{"t", pass_over},
	{"timing", pass_over},
	{"unrestrict", run_unrestrict},
	{"unset", run_unset},
	{"w", NULL, HINT_SHELL},
	{"warn", run_echo},
	{"watch", NULL, HINT_OUTPUT},
	{"write", NULL, HINT_SHELL},
	{"x", pass_over},
	{"z", pass_over},
};

static bool is_escape(RdsReader *reader, const char *line, Size length);
static const Command *find_command(const char *name);
static void parse_call(RdsReader *reader, const Command *command, RdsArguments *arguments, RdsCall *call);
static bool is_conditional(const Command *command);
rds_noreturn static void refuse(const char *name, const char *hint);
static const char *required_argument(const RdsCall *call);
static bool send(RdsReader *reader, const RdsCall *call, RdsStep *step, RdsHow how);

/*
 * rds_meta_command
 *		Carries out the meta-command that the reader's cursor is at.
 *
 * Returns true where it sends the statement that has begun before it.
 */
bool
rds_meta_command(RdsReader *reader, RdsStep *step)
{
	RdsCursor *cursor = rds_reader_cursor(reader);
	RdsArguments arguments = {0};
	const Command *command;
	const char *line;
	Size length;
	RdsCall call = {0};
	bool sends = false;

	line = rds_cursor_line(cursor, &length);
	if (is_escape(reader, line, length))
		return false;

	/* errors from here on are the command's, and not the statement's around it */
	reader->frame->place.position = text_position(cursor, cursor->next);
	reader->frame->place.at_command = true;

	arguments.at = line;
	arguments.end = line + length;
	arguments.variables = reader->variables;
	arguments.inactive = !rds_reader_is_active(reader);

	call.name = rds_argument_name(&arguments);
	command = find_command(call.name);
	if (command == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("psql has no meta-command \"\\%s\"", call.name)));
	if (reader->restricted != NULL && command->run != run_unrestrict)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("meta-command \"\\%s\" is not allowed between \\restrict and \\unrestrict", call.name)));
	if (command->run == NULL)
		refuse(call.name, command->hint);

	parse_call(reader, command, &arguments, &call);
	rds_arguments_end(&arguments);
	rds_cursor_skip(cursor, arguments.at - line);
	if (rds_reader_is_active(reader) || is_conditional(command))
		sends = command->run(reader, &call, step);

	reader->frame->place.at_command = false;
	return sends;
}

/* "\;" and "\:" are to psql what follows the backslash, and nothing more. */
static bool
is_escape(RdsReader *reader, const char *line, Size length)
{
	RdsCursor *cursor = rds_reader_cursor(reader);

	if (length == 0 || !rds_reader_is_active(reader))
		return false;
	if (line[0] == ';')
		rds_cursor_skip(cursor, 0);
	else if (line[0] == ':')
	{
		/* taken for a value, it is no reference */
		text_replace(cursor, cursor->next, 2, ":", NULL);
	}
	else
		return false;
	return true;
}

static const Command *
find_command(const char *name)
{
	static const Command large_object = {"lo_", NULL, HINT_SHELL};
	static const Command describe = {"d", pass_over, NULL, true};
	static const Command shell = {"!", NULL, HINT_SHELL};

	for (int i = 0; i < lengthof(commands); i++)
	{
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	if (pg_strcasecmp(name, "copy") == 0)
		return find_command("copy");
	if (strncmp(name, "lo_", 3) == 0)
		return &large_object;
	if (name[0] == 'd')
		return &describe;
	if (name[0] == '!')
		return &shell;
	return NULL;
}

static void
parse_call(RdsReader *reader, const Command *command, RdsArguments *arguments, RdsCall *call)
{
	char *argument;

	if (command->takes_line)
	{
		(void) rds_argument_rest(arguments);
		return;
	}

	/* in a branch that is not taken no condition is looked at, but that of \elif */
	if (command->run == rds_run_elif && reader->frame->ifs != NIL)
		arguments->inactive = ((RdsIf *) linitial(reader->frame->ifs))->branch == RDS_DONE;
	while ((argument = rds_argument_next(arguments)) != NULL)
		call->arguments = lappend(call->arguments, argument);
	call->unsure = arguments->unsure;
}

static bool
is_conditional(const Command *command)
{
	return command->run == rds_run_if || command->run == rds_run_elif ||
		   command->run == rds_run_else || command->run == rds_run_endif;
}

static void
refuse(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("psql's meta-command \"\\%s\" is not allowed in a script", name),
			 errhint("%s", hint)));
}

static const char *
required_argument(const RdsCall *call)
{
	if (call->arguments == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\%s: missing required argument", call->name)));
	return linitial(call->arguments);
}

static bool
pass_over(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	return false;
}

/* With an argument it would write a file. */
static bool
pass_over_alone(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	if (call->arguments != NIL)
		refuse(call->name, HINT_SHELL);
	return false;
}

/*
 * psql would begin a new session.  To the database that we are in, that comes
 * to what the caller's settings are.
 */
static bool
run_connect(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	const char *database = call->arguments != NIL ? linitial(call->arguments) : "-";

	if (call->unsure && reader->checking)
		return false;
	if (list_length(call->arguments) > 1 ||
		(strcmp(database, "-") != 0 && strcmp(database, get_database_name(MyDatabaseId)) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\\%s to another database or as another user is not allowed in a script", call->name),
				 errhint("Apply the rest of the script there.")));

	AtEOXact_GUC(false, reader->nest_level);
	reader->nest_level = NewGUCNestLevel();
	return false;
}

static bool
run_echo(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	StringInfoData text;
	ListCell *cell;

	if (reader->checking)
		return false;

	initStringInfo(&text);
	foreach(cell, call->arguments)
	{
		if (cell == list_head(call->arguments) && strcmp(lfirst(cell), "-n") == 0)
			continue;
		appendStringInfo(&text, "%s%s", text.len > 0 ? " " : "", (char *) lfirst(cell));
	}
	ereport(strcmp(call->name, "warn") == 0 ? WARNING : NOTICE, (errmsg("%s", text.data)));
	return false;
}

/* What it means for a file's bytes is for the cursor to see. */
static bool
run_encoding(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	if (call->arguments != NIL && !call->unsure)
		(void) set_config_option("client_encoding", linitial(call->arguments), PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SET, true, 0, false);
	return false;
}

/* Options in parentheses shape the output; anything else is a file, or a pipe to a program. */
static bool
run_g(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	if (call->arguments != NIL && ((char *) linitial(call->arguments))[0] != '(' &&
		strcmp(call->name, "crosstabview") != 0)
		refuse(psprintf("%s %s", call->name, ((char *) linitial(call->arguments))[0] == '|' ? "|program" : "file"),
			   HINT_SHELL);
	return send(reader, call, step, RDS_SEND);
}

static bool
run_gexec(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	return send(reader, call, step, RDS_GEXEC);
}

static bool
run_gset(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	const char *prefix = call->arguments != NIL ? linitial(call->arguments) : "";

	if (reader->checking)
		rds_variables_make_unsure(reader->variables, call->unsure ? "" : prefix);
	step->prefix = pstrdup(prefix);
	return send(reader, call, step, RDS_GSET);
}

static bool
run_include(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	char *path = (char *) required_argument(call);
	bool relative = strcmp(call->name, "ir") == 0 || strcmp(call->name, "include_relative") == 0;

	rds_argument_strip_quotes(path);
	if (reader->checking && (call->unsure || rds_reader_is_unsure(reader)))
		return false;

	reader->frame->place.at_command = true;
	rds_reader_include(reader, path, relative);
	return false;
}

static bool
run_quit(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	RdsCursor *cursor = rds_reader_cursor(reader);

	if (reader->checking && rds_reader_is_unsure(reader))
		return false;
	list_free(reader->frame->ifs);
	reader->frame->ifs = NIL;
	rds_cursor_finish(cursor);
	/* as at the end of a file, what has begun is sent */
	return cursor->begun && send(reader, call, step, RDS_SEND);
}

static bool
run_reset(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	rds_cursor_forget_statement(rds_reader_cursor(reader));
	return false;
}

static bool
run_restrict(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	reader->restricted = MemoryContextStrdup(reader->context, required_argument(call));
	return false;
}

static bool
run_unrestrict(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	const char *key = required_argument(call);

	if (reader->restricted == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\unrestrict without \\restrict")));
	if (strcmp(key, reader->restricted) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\\unrestrict with another key than \\restrict")));
	reader->restricted = NULL;
	return false;
}

static bool
run_set(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	const char *name;
	StringInfoData value;
	ListCell *cell;

	if (call->arguments == NIL)
		return false; /* it would list the variables */
	name = linitial(call->arguments);
	if (!rds_variable_is_name(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid variable name: \"%s\"", name),
				 errhint("Letters, digits and underscores make a name.")));

	initStringInfo(&value);
	for_each_from(cell, call->arguments, 1)
		appendStringInfoString(&value, lfirst(cell));

	if (reader->checking && (call->unsure || rds_reader_is_unsure(reader)))
		rds_variable_make_unsure(reader->variables, name);
	else
		rds_variable_set(reader->variables, name, value.data);
	return false;
}

static bool
run_unset(RdsReader *reader, const RdsCall *call, RdsStep *step)
{
	const char *name = required_argument(call);

	if (!rds_variable_is_name(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid variable name: \"%s\"", name),
				 errhint("Letters, digits and underscores make a name.")));
	if (reader->checking && rds_reader_is_unsure(reader))
		rds_variable_make_unsure(reader->variables, name);
	else
		rds_variable_unset(reader->variables, name);
	return false;
}

static bool
send(RdsReader *reader, const RdsCall *call, RdsStep *step, RdsHow how)
{
	RdsCursor *cursor = rds_reader_cursor(reader);

	if (!cursor->begun)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\%s without a statement before it", call->name),
				 errhint("It ends a statement, in the place of the semicolon.")));
	rds_cursor_end_statement(cursor);
	step->how = how;
	return true;
}

/*-------------------------------------------------------------------------
 *
 * reader.c
 *	  A script as psql reads it: with its meta-commands carried out.
 *
 * The same reader serves for checking a script and for running it.  While a
 * script is checked, queries give no values: what depends on them is unsure,
 * and is looked at when it is run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "options.h"
#include "reader.h"

/* Deeper than anybody nests, and short of the stack's end. */
#define DEEPEST_INCLUDE 100

static void set_psql_variables(RdsVariables *variables);
static void push_frame(RdsReader *reader, const RdsScript *script);
static bool pop_frame(RdsReader *reader);
static void check_unchanged(RdsReader *reader, const RdsScript *script, pg_crc32c sum);

/*
 * rds_reader_open
 *		A reader before the first step of a script, in the current memory context.
 *
 * From then on the settings are in a nest of their own, which rds_reader_close
 * undoes, and errors say where the reader is.
 */
RdsReader *
rds_reader_open(const RdsScript *script, RdsFiles *files, bool checking, RdsErrorContext *errctx)
{
	RdsReader *reader = palloc0(sizeof(RdsReader));
	ListCell *cell;

	reader->files = files;
	reader->checking = checking;
	reader->errctx = errctx;
	reader->context = CurrentMemoryContext;
	reader->nest_level = NewGUCNestLevel();
	reader->variables = rds_variables_make();
	set_psql_variables(reader->variables);
	foreach(cell, files->options->variables)
	{
		const RdsOptionVariable *variable = lfirst(cell);

		rds_variable_set(reader->variables, variable->name, variable->value);
	}
	errctx->variables = reader->variables;

	push_frame(reader, script);
	return reader;
}

/*
 * rds_reader_next
 *		Moves to the next step: a statement, which the reader's cursor is at.  False
 *		where the script ends.
 */
bool
rds_reader_next(RdsReader *reader, RdsStep *step)
{
	for (;;)
	{
		RdsCursor *cursor = rds_reader_cursor(reader);

		step->how = RDS_SEND;
		step->prefix = NULL;

		switch (rds_reader_is_active(reader) ? rds_cursor_next(cursor) : rds_cursor_next_command(cursor))
		{
			case RDS_STATEMENT:
				step->unsure = cursor->unsure || rds_reader_is_unsure(reader);
				reader->count++;
				return true;
			case RDS_META_COMMAND:
				if (rds_meta_command(reader, step))
				{
					step->unsure = cursor->unsure || rds_reader_is_unsure(reader);
					reader->count++;
					return true;
				}
				break;
			case RDS_END:
				if (!pop_frame(reader))
					return false;
				break;
		}
	}
}

/* The cursor over the file that is being read. */
RdsCursor *
rds_reader_cursor(const RdsReader *reader)
{
	return reader->frame->place.cursor;
}

/* Ends a reading: settings are as before. */
void
rds_reader_close(RdsReader *reader)
{
	Assert(reader->frame == NULL);
	AtEOXact_GUC(false, reader->nest_level);
	reader->errctx->variables = NULL;
	pfree(reader);
}

/* Reads another file, before it goes on with this one. */
void
rds_reader_include(RdsReader *reader, const char *path, bool relative)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(reader->context);
	const RdsScript *script = rds_files_find(reader->files, reader->frame->script->name, path, relative);
	int depth = 0;

	MemoryContextSwitchTo(oldcontext);

	for (const RdsFrame *frame = reader->frame; frame != NULL; frame = frame->parent)
	{
		if (strcmp(frame->script->name, script->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("file \"%s\" includes itself", script->name),
					 errhint("Take out one of the \\i or \\ir commands that the context names.")));
		if (++depth > DEEPEST_INCLUDE)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("files include each other more than %d deep", DEEPEST_INCLUDE)));
	}
	push_frame(reader, script);
}

/* Is the reader in no branch that is not taken? */
bool
rds_reader_is_active(const RdsReader *reader)
{
	RdsBranch branch;

	if (reader->frame->ifs == NIL)
		return true;
	branch = ((RdsIf *) linitial(reader->frame->ifs))->branch;
	return branch == RDS_TAKEN || branch == RDS_PERHAPS;
}

/* While checking: is it not known whether this will be run? */
bool
rds_reader_is_unsure(const RdsReader *reader)
{
	for (const RdsFrame *frame = reader->frame; frame != NULL; frame = frame->parent)
	{
		ListCell *cell;

		foreach(cell, frame->ifs)
		{
			if (((RdsIf *) lfirst(cell))->branch == RDS_PERHAPS)
				return true;
		}
	}
	return false;
}

/* Those of the variables that psql itself sets which scripts ask for. */
static void
set_psql_variables(RdsVariables *variables)
{
	rds_variable_set_builtin(variables, "DBNAME", get_database_name(MyDatabaseId));
	rds_variable_set_builtin(variables, "USER", GetUserNameFromId(GetUserId(), false));
	rds_variable_set_builtin(variables, "ENCODING", GetDatabaseEncodingName());
	rds_variable_set_builtin(variables, "SERVER_VERSION_NAME", PG_VERSION);
	rds_variable_set_builtin(variables, "SERVER_VERSION_NUM", CppAsString2(PG_VERSION_NUM));
	rds_variable_set_builtin(variables, "ON_ERROR_STOP", "on");
}

static void
push_frame(RdsReader *reader, const RdsScript *script)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(reader->context);
	RdsFrame *frame = palloc0(sizeof(RdsFrame));

	frame->script = script;
	frame->parent = reader->frame;
	frame->place.script = script->name;
	frame->place.included_from = reader->frame != NULL ? &reader->frame->place : NULL;

	/* from here on an error is the included file's */
	reader->errctx->place = &frame->place;
	frame->place.cursor = rds_cursor_open(rds_source_copy(script->source), reader->variables);
	reader->frame = frame;
	if (frame->parent != NULL)
		reader->included = lappend(reader->included, pstrdup(script->name));
	MemoryContextSwitchTo(oldcontext);
}

/* Goes back to the file that included this one; false where there is none. */
static bool
pop_frame(RdsReader *reader)
{
	RdsFrame *frame = reader->frame;
	RdsFrame *parent = frame->parent;

	if (frame->ifs != NIL)
	{
		RdsIf *open = linitial(frame->ifs);

		frame->place.at_command = true;
		frame->place.position = open->position;
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\\if without \\endif")));
	}

	reader->errctx->place = parent != NULL ? &parent->place : NULL;
	reader->frame = parent;
	if (parent != NULL)
		parent->place.at_command = false;
	check_unchanged(reader, frame->script, rds_cursor_close(frame->place.cursor));
	pfree(frame);

	return parent != NULL;
}

/* A file that was checked must be the file that is run. */
static void
check_unchanged(RdsReader *reader, const RdsScript *script, pg_crc32c sum)
{
	RdsScript *known;

	if (script->source->path == NULL)
		return;
	known = rds_files_remember(reader->files, script);
	if (reader->checking)
		known->sum = sum;
	else if (known->sum != 0 && known->sum != sum)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("file \"%s\" changed while it was applied", script->name),
				 errhint("Apply it again.")));
}

/*-------------------------------------------------------------------------
 *
 * plain_conditional.c
 *	  \if, \elif, \else and \endif.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_command.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"

static If *innermost(Reader *reader, const Call *call, Error *error);
static void switch_branch(Reader *reader, If *each, Branch next);
static Branch evaluate(const Reader *reader, const Call *call);
static bool is_boolean(const Call *call, bool *value);

bool
conditional_if(Reader *reader, const Call *call, bool *sends, Error *error)
{
	If *new = calloc(1, sizeof(*new));

	(void) sends;
	if (new == NULL)
		return error_out_of_memory(error);
	new->branch = reader_is_active(reader) ? evaluate(reader, call) : BRANCH_DONE;
	new->offset = reader->frame->command;
	cursor_mark(&reader->frame->cursor, &new->mark);
	new->outer = reader->frame->ifs;
	reader->frame->ifs = new;
	return true;
}

bool
conditional_elif(Reader *reader, const Call *call, bool *sends, Error *error)
{
	If *current = innermost(reader, call, error);
	Branch next;

	(void) sends;
	if (current == NULL)
		return false;
	if (current->in_else)
		return command_fail(error, "42601", "\\elif behind \\else");
	next = current->branch;
	if (next == BRANCH_TAKEN)
		next = BRANCH_DONE;
	else if (next == BRANCH_WAITING)
		next = evaluate(reader, call);
	switch_branch(reader, current, next);
	return true;
}

bool
conditional_else(Reader *reader, const Call *call, bool *sends, Error *error)
{
	If *current = innermost(reader, call, error);
	Branch next;

	(void) sends;
	if (current == NULL)
		return false;
	if (current->in_else)
		return command_fail(error, "42601", "\\else behind \\else");
	current->in_else = true;
	next = current->branch;
	if (next == BRANCH_TAKEN)
		next = BRANCH_DONE;
	else if (next == BRANCH_WAITING)
		next = BRANCH_TAKEN;
	switch_branch(reader, current, next);
	return true;
}

bool
conditional_endif(Reader *reader, const Call *call, bool *sends, Error *error)
{
	If *current = innermost(reader, call, error);

	(void) sends;
	if (current == NULL)
		return false;
	switch_branch(reader, current, current->branch);
	reader->frame->ifs = current->outer;
	free(current);
	return true;
}

static If *
innermost(Reader *reader, const Call *call, Error *error)
{
	if (reader->frame->ifs == NULL)
		command_fail(error, "42601", "\\%s without \\if", call->name);
	return reader->frame->ifs;
}

/* What a branch that is not taken has added to a statement goes. */
static void
switch_branch(Reader *reader, If *each, Branch next)
{
	Cursor *cursor = &reader->frame->cursor;

	if (each->branch == BRANCH_TAKEN || each->branch == BRANCH_PERHAPS)
		cursor_mark(cursor, &each->mark);
	else
	{
		cursor_discard(cursor, &each->mark);
		cursor_skip(cursor, cursor->offset);
	}
	each->branch = next;
}

/* psql takes what is no boolean for false, and says so. */
static Branch
evaluate(const Reader *reader, const Call *call)
{
	bool value = false;

	if (call->unsure)
		return BRANCH_PERHAPS;
	if (!is_boolean(call, &value) && !reader->checking)
		log_line(LEVEL_WARN, NULL, "%s: unrecognized value of \"\\%s\", taken for false: a boolean is expected",
				 reader->frame->script->name, call->name);
	return value ? BRANCH_TAKEN : BRANCH_WAITING;
}

/* Or the beginning of such a word, as long as that tells it from the others. */
static bool
is_boolean(const Call *call, bool *value)
{
	static const struct
	{
		const char *word;
		size_t shortest;
		bool value;
	} words[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false}, {"on", 2, true}, {"off", 2, false}, {"1", 1, true}, {"0", 1, false}};
	size_t length;
	size_t i;

	if (call->count != 1)
		return false;
	length = strlen(call->arguments[0]);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (length >= words[i].shortest && strncasecmp(call->arguments[0], words[i].word, length) == 0)
		{
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

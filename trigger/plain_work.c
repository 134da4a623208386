/*-------------------------------------------------------------------------
 *
 * plain_work.c
 *	  A script of the bundle, and what its name and its sections mean.
 *
 * The rules are in ../src/shared, for the extension as well.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_work.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/*
 * Only a migration has sections; any script may begin with a comment that asks
 * for no transaction.
 */
bool
work_look(Work *work, Error *error)
{
	const Script *script = work->script;

	rds_naming(script->name, &work->naming);
	if (work->naming.version != NULL)
	{
		work->version = malloc(work->naming.length + 1);
		if (work->version == NULL)
			return error_out_of_memory(error);
		rds_version_canonical(work->naming.version, work->naming.length, work->version);
	}

	rds_sections_begin(&work->sections);
	if (work->naming.kind == RDS_VERSIONED)
		rds_sections_text(&work->sections, script->body, script->length);
	else
		rds_sections_leading(&work->sections, script->body, script->length);
	rds_sections_end(&work->sections);
	if (work->naming.kind != RDS_VERSIONED)
	{
		work->sections.has_down = false;
		work->sections.problem = NULL;
	}
	work->no_transaction = work->sections.no_transaction || script->no_transaction;
	return true;
}

void
work_free(Work *work)
{
	free(work->version);
	free(work->included);
}

bool
work_check(const Work *work, Error *error)
{
	const char *name = work->script->name;

	if (work->naming.problem != NULL)
	{
		error_set(error, ERROR_SCRIPT, "script \"%s\" %s", name, work->naming.problem);
		error_sqlstate(error, "42602");
		error_hint(error, "%s", work->naming.hint);
		return false;
	}
	if (work->sections.problem != NULL)
	{
		error_set(error, ERROR_SCRIPT, "script \"%s\" has %s", name, work->sections.problem);
		error_sqlstate(error, "42601");
		error_hint(error, "%s", work->sections.hint);
		error_place(error, name, (long) work->sections.problem_line, 1, 0);
		return false;
	}
	return true;
}

size_t
work_length(const Work *work)
{
	return work->sections.has_down && work->sections.problem == NULL ? work->sections.down.offset
																	 : work->script->length;
}

/* Of a section the lines are those of the file: errors will say where they are. */
bool
work_undo(const Work *work, const char **name, char **text, Error *error)
{
	const Script *script = work->undo != NULL ? work->undo : work->script;
	size_t from = work->undo != NULL ? 0 : work->sections.down.offset;
	size_t padding = work->undo != NULL ? 0 : work->sections.down.line - 1;
	size_t length;

	*name = NULL;
	*text = NULL;
	if (work->undo == NULL && !work->sections.has_down)
		return true;

	if (from == 0 && strncmp(script->body, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		from = strlen(BYTE_ORDER_MARK);
	length = script->length - from;
	if (text_valid_length(script->body + from, length) != length)
	{
		error_set(error, ERROR_SCRIPT, "what takes version %s back is not in UTF-8, and cannot be kept in the history",
				  work->version);
		error_place(error, script->name, 0, 0, 0);
		return false;
	}
	*text = malloc(padding + length + 1);
	if (*text == NULL)
		return error_out_of_memory(error);
	memset(*text, '\n', padding);
	memcpy(*text + padding, script->body + from, length);
	(*text)[padding + length] = '\0';
	*name = script->name;
	return true;
}

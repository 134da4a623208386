/*-------------------------------------------------------------------------
 *
 * outcome.c
 *	  What an invocation has come to so far.
 *
 *-------------------------------------------------------------------------
 */
#include "outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_strings(ScriptOutcome *script);

bool
outcome_add(Outcome *outcome, const ScriptOutcome *script, Error *error)
{
	ScriptOutcome copy = *script;

	if (outcome->count == outcome->room)
	{
		size_t room = outcome->room > 0 ? outcome->room * 2 : 8;
		ScriptOutcome *scripts = realloc(outcome->scripts, room * sizeof(*scripts));

		if (scripts == NULL)
			return error_out_of_memory(error);
		outcome->scripts = scripts;
		outcome->room = room;
	}

	copy.name = strdup(script->name);
	copy.outcome = strdup(script->outcome);
	copy.checksum = script->checksum != NULL ? strdup(script->checksum) : NULL;
	if (copy.name == NULL || copy.outcome == NULL || (copy.checksum == NULL && script->checksum != NULL))
	{
		free_strings(&copy);
		return error_out_of_memory(error);
	}
	outcome->scripts[outcome->count++] = copy;
	return true;
}

/* Plain it is, and why. */
bool
outcome_plain(Outcome *outcome, Error *error, const char *reason, ...)
{
	va_list arguments;

	outcome->mode = "plain";
	free(outcome->reason);

	va_start(arguments, reason);
	if (vasprintf(&outcome->reason, reason, arguments) < 0)
		outcome->reason = NULL;
	va_end(arguments);
	return outcome->reason != NULL || error_out_of_memory(error);
}

void
outcome_truncate(Outcome *outcome, size_t count)
{
	while (outcome->count > count)
		free_strings(&outcome->scripts[--outcome->count]);
}

void
outcome_free(Outcome *outcome)
{
	outcome_truncate(outcome, 0);
	free(outcome->scripts);
	free(outcome->reason);
	free(outcome->database);
	free(outcome->plan);
	memset(outcome, 0, sizeof(*outcome));
}

static void
free_strings(ScriptOutcome *script)
{
	free(script->name);
	free(script->outcome);
	free(script->checksum);
}

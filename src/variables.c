/*-------------------------------------------------------------------------
 *
 * variables.c
 *	  psql's variables.
 *
 * While a script is only checked, some values cannot be known: a query's
 * result, or what an \if decides on one.  Such a variable is unsure, and what
 * refers to it is checked when it is run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "variables.h"

/* A value shorter than this is no secret, and stands in every other message. */
#define SHORTEST_SECRET 4

typedef struct Variable
{
	char *name;
	char *value; /* NULL: unset */
	bool unsure;
	bool is_builtin; /* no secret: anybody can ask the server */
} Variable;

struct RdsVariables
{
	MemoryContext context;
	List *list;            /* of Variable */
	List *former;          /* of Variable: values that they had before, which are not to be shown either */
	List *unsure_prefixes; /* those with this prefix may have got another value */
};

static void keep_former(RdsVariables *variables, const Variable *variable);
static char *conceal(const List *list, char *text);
static Variable *find(const RdsVariables *variables, const char *name);
static Variable *find_or_add(RdsVariables *variables, const char *name);
static bool is_name_character(char c);

/* No variables, in the current memory context. */
RdsVariables *
rds_variables_make(void)
{
	RdsVariables *variables = palloc0(sizeof(RdsVariables));

	variables->context = CurrentMemoryContext;
	return variables;
}

/* A name that psql takes: letters, digits, underscores, and all that is not ASCII. */
bool
rds_variable_is_name(const char *name)
{
	const char *at = name;

	while (is_name_character(*at))
		at++;
	return at > name && *at == '\0';
}

void
rds_variable_set(RdsVariables *variables, const char *name, const char *value)
{
	Variable *variable = find_or_add(variables, name);

	keep_former(variables, variable);
	variable->value = MemoryContextStrdup(variables->context, value);
	variable->unsure = false;
	variable->is_builtin = false;
}

/* One that psql sets by itself. */
void
rds_variable_set_builtin(RdsVariables *variables, const char *name, const char *value)
{
	rds_variable_set(variables, name, value);
	find(variables, name)->is_builtin = true;
}

void
rds_variable_unset(RdsVariables *variables, const char *name)
{
	Variable *variable = find_or_add(variables, name);

	keep_former(variables, variable);
	variable->value = NULL;
	variable->unsure = false;
}

void
rds_variable_make_unsure(RdsVariables *variables, const char *name)
{
	find_or_add(variables, name)->unsure = true;
}

/* All variables whose names begin so, those that are not there yet included. */
void
rds_variables_make_unsure(RdsVariables *variables, const char *prefix)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(variables->context);
	ListCell *cell;

	variables->unsure_prefixes = lappend(variables->unsure_prefixes, pstrdup(prefix));
	MemoryContextSwitchTo(oldcontext);

	foreach(cell, variables->list)
	{
		Variable *variable = lfirst(cell);

		if (strncmp(variable->name, prefix, strlen(prefix)) == 0)
			variable->unsure = true;
	}
}

/* A variable's value, which is the variables' own; untouched unless it is set. */
RdsVariableState
rds_variable_get(const RdsVariables *variables, const char *name, const char **value)
{
	const Variable *variable = find(variables, name);
	ListCell *cell;

	if (variable != NULL)
	{
		if (variable->unsure)
			return RDS_VARIABLE_UNSURE;
		if (variable->value == NULL)
			return RDS_VARIABLE_UNSET;
		*value = variable->value;
		return RDS_VARIABLE_SET;
	}

	foreach(cell, variables->unsure_prefixes)
	{
		if (strncmp(name, lfirst(cell), strlen(lfirst(cell))) == 0)
			return RDS_VARIABLE_UNSURE;
	}
	return RDS_VARIABLE_UNSET;
}

/*
 * rds_reference_read
 *		The reference that begins with the colon at a text's start.
 *
 * The name is in the current memory context.
 */
void
rds_reference_read(const char *text, RdsReference *reference)
{
	const char *opening = "";
	const char *closing = "";
	const char *name;
	const char *end;

	reference->length = 0;
	reference->form = ':';
	if (text[1] == '\'' || text[1] == '"')
	{
		opening = closing = text[1] == '"' ? "\"" : "'";
		reference->form = text[1];
	}
	else if (text[1] == '{' && text[2] == '?')
	{
		opening = "{?";
		closing = "}";
		reference->form = '?';
	}

	name = text + 1 + strlen(opening);
	for (end = name; is_name_character(*end); end++)
		;
	if (end == name || strncmp(end, closing, strlen(closing)) != 0)
		return;

	reference->name = pnstrdup(name, end - name);
	reference->length = end + strlen(closing) - text;
}

/* Does what begins with a colon reach its text's end, where a reference could go on? */
bool
rds_reference_reaches_end(const char *text)
{
	const char *at = text + 1;

	if (*at == '\'' || *at == '"' || *at == '{')
		at++;
	if (*at == '?')
		at++;
	while (is_name_character(*at))
		at++;
	return *at == '\0';
}

/*
 * rds_reference_resolve
 *		Appends what a reference stands for.
 *
 * Appends nothing where the variable is unset, and the reference is left as it
 * stands; nor where its value is not known.
 */
RdsVariableState
rds_reference_resolve(const RdsVariables *variables, const RdsReference *reference, StringInfo value)
{
	const char *text = NULL;
	RdsVariableState state = rds_variable_get(variables, reference->name, &text);

	if (state == RDS_VARIABLE_UNSURE)
		return state;
	if (reference->form == '?')
	{
		appendStringInfoString(value, state == RDS_VARIABLE_SET ? "TRUE" : "FALSE");
		return RDS_VARIABLE_SET;
	}
	if (state == RDS_VARIABLE_UNSET)
		return state;

	if (reference->form == '\'')
	{
		char *literal = quote_literal_cstr(text);

		/* psql puts a space before E'…', so that it sticks to no word before it */
		if (literal[0] == 'E')
			appendStringInfoChar(value, ' ');
		appendStringInfoString(value, literal);
		pfree(literal);
	}
	else if (reference->form == '"')
	{
		/* always quoted, as psql does: a value is no keyword */
		appendStringInfoChar(value, '"');
		for (const char *at = text; *at != '\0'; at++)
		{
			if (*at == '"')
				appendStringInfoChar(value, '"');
			appendStringInfoChar(value, *at);
		}
		appendStringInfoChar(value, '"');
	}
	else
		appendStringInfoString(value, text);
	return state;
}

/*
 * rds_variables_conceal
 *		A text in which no variable's value is shown: the text itself, or a copy.
 *
 * Values of fewer than four bytes are no secrets, and stand in every other text.
 */
char *
rds_variables_conceal(const RdsVariables *variables, char *text)
{
	return text != NULL ? conceal(variables->former, conceal(variables->list, text)) : NULL;
}

static char *
conceal(const List *list, char *text)
{
	ListCell *cell;

	foreach(cell, list)
	{
		const Variable *variable = lfirst(cell);
		StringInfoData concealed;
		const char *rest = text;
		const char *found;

		if (variable->value == NULL || variable->is_builtin || strlen(variable->value) < SHORTEST_SECRET ||
			strstr(text, variable->value) == NULL)
			continue;

		initStringInfo(&concealed);
		while ((found = strstr(rest, variable->value)) != NULL)
		{
			appendBinaryStringInfo(&concealed, rest, found - rest);
			appendStringInfo(&concealed, ":%s", variable->name);
			rest = found + strlen(variable->value);
		}
		appendStringInfoString(&concealed, rest);
		text = concealed.data;
	}
	return text;
}

/* A value that is set, and now goes: what has used it is still there. */
static void
keep_former(RdsVariables *variables, const Variable *variable)
{
	MemoryContext oldcontext;
	Variable *former;

	if (variable->value == NULL || variable->is_builtin || strlen(variable->value) < SHORTEST_SECRET)
		return;
	oldcontext = MemoryContextSwitchTo(variables->context);
	former = palloc(sizeof(Variable));
	*former = *variable;
	variables->former = lappend(variables->former, former);
	MemoryContextSwitchTo(oldcontext);
}

static Variable *
find(const RdsVariables *variables, const char *name)
{
	ListCell *cell;

	foreach(cell, variables->list)
	{
		Variable *variable = lfirst(cell);

		if (strcmp(variable->name, name) == 0)
			return variable;
	}
	return NULL;
}

static Variable *
find_or_add(RdsVariables *variables, const char *name)
{
	Variable *variable = find(variables, name);
	MemoryContext oldcontext;

	if (variable != NULL)
		return variable;

	oldcontext = MemoryContextSwitchTo(variables->context);
	variable = palloc0(sizeof(Variable));
	variable->name = pstrdup(name);
	variables->list = lappend(variables->list, variable);
	MemoryContextSwitchTo(oldcontext);

	return variable;
}

static bool
is_name_character(char c)
{
	return isalnum((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

/*-------------------------------------------------------------------------
 *
 * plain_variables.c
 *	  psql's variables.
 *
 * While a script is only checked, some values cannot be known: a query's
 * result, or what an \if decides on one.  Such a variable is unsure, and what
 * refers to it is checked when it is run.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_variables.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"

/* A value shorter than this is no secret, and stands in every other message. */
#define SHORTEST_SECRET 4

/* So much of a longer one, cut off with "...", tells it from other text. */
#define TELLING 16

typedef struct Variable
{
	char *name;
	char *value; /* NULL: unset */
	bool unsure;
	bool is_builtin; /* no secret: anybody can ask the server */
} Variable;

struct Variables
{
	Variable *list;
	size_t count;
	char **prefixes; /* variables with these may have got another value */
	size_t prefix_count;
};

static Variable *find(const Variables *variables, const char *name);
static Variable *find_or_add(Variables *variables, const char *name);
static bool has_prefix(const char *text, const char *prefix);
static char *conceal(const Variable *variable, const char *text);
static size_t shown_length(const char *text, const char *found, const char *value);
static void conceal_field(const Variables *variables, char **field);

Variables *
variables_make(void)
{
	return calloc(1, sizeof(Variables));
}

void
variables_free(Variables *variables)
{
	size_t i;

	if (variables == NULL)
		return;
	for (i = 0; i < variables->count; i++)
	{
		free(variables->list[i].name);
		free(variables->list[i].value);
	}
	for (i = 0; i < variables->prefix_count; i++)
		free(variables->prefixes[i]);
	free(variables->list);
	free(variables->prefixes);
	free(variables);
}

bool
variables_set(Variables *variables, const char *name, const char *value, Error *error)
{
	char *copy = strdup(value); /* which may be the old one */
	Variable *variable = find_or_add(variables, name);

	if (variable == NULL || copy == NULL)
	{
		free(copy);
		return error_out_of_memory(error);
	}
	free(variable->value);
	variable->value = copy;
	variable->unsure = false;
	variable->is_builtin = false;
	return true;
}

bool
variables_set_all(Variables *variables, const json_t *object, Error *error)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) object, name, value)
	{
		if (!variables_set(variables, name, json_string_value(value), error))
			return false;
	}
	return true;
}

bool
variables_unset(Variables *variables, const char *name, Error *error)
{
	Variable *variable = find_or_add(variables, name);

	if (variable == NULL)
		return error_out_of_memory(error);
	free(variable->value);
	variable->value = NULL;
	variable->unsure = false;
	return true;
}

bool
variables_set_builtin(Variables *variables, const char *name, const char *value, Error *error)
{
	if (!variables_set(variables, name, value, error))
		return false;
	find(variables, name)->is_builtin = true;
	return true;
}

bool
variables_make_unsure(Variables *variables, const char *name, Error *error)
{
	Variable *variable = find_or_add(variables, name);

	if (variable == NULL)
		return error_out_of_memory(error);
	variable->unsure = true;
	return true;
}

/* All variables whose names begin so, those that are not there yet included. */
bool
variables_make_prefix_unsure(Variables *variables, const char *prefix, Error *error)
{
	char **longer = realloc(variables->prefixes, (variables->prefix_count + 1) * sizeof(*longer));
	char *copy = strdup(prefix);
	size_t i;

	if (longer != NULL)
		variables->prefixes = longer;
	if (longer == NULL || copy == NULL)
	{
		free(copy);
		return error_out_of_memory(error);
	}
	longer[variables->prefix_count++] = copy;

	for (i = 0; i < variables->count; i++)
	{
		if (has_prefix(variables->list[i].name, prefix))
			variables->list[i].unsure = true;
	}
	return true;
}

VariableState
variables_get(const Variables *variables, const char *name, const char **value)
{
	const Variable *variable = find(variables, name);
	size_t i;

	if (variable != NULL)
	{
		if (variable->unsure)
			return VARIABLE_UNSURE;
		if (variable->value == NULL)
			return VARIABLE_UNSET;
		*value = variable->value;
		return VARIABLE_SET;
	}
	for (i = 0; i < variables->prefix_count; i++)
	{
		if (has_prefix(name, variables->prefixes[i]))
			return VARIABLE_UNSURE;
	}
	return VARIABLE_UNSET;
}

char *
variables_conceal(const Variables *variables, const char *text)
{
	char *concealed = NULL;
	size_t i;

	for (i = 0; text != NULL && i < variables->count; i++)
	{
		char *next = conceal(&variables->list[i], concealed != NULL ? concealed : text);

		if (next == NULL)
			continue;
		free(concealed);
		concealed = next;
	}
	return concealed;
}

void
variables_conceal_error(const Variables *variables, Error *error)
{
	conceal_field(variables, &error->message);
	conceal_field(variables, &error->detail);
	conceal_field(variables, &error->hint);
}

static void
conceal_field(const Variables *variables, char **field)
{
	char *concealed = variables_conceal(variables, *field);

	if (concealed == NULL)
		return;
	free(*field);
	*field = concealed;
}

/* NULL: the value is not in the text.  Where memory is out, nothing of it is shown. */
static char *
conceal(const Variable *variable, const char *text)
{
	size_t value_length = variable->value != NULL ? strlen(variable->value) : 0;
	const char *rest = text;
	const char *found;
	char *concealed;
	size_t used = 0;
	size_t name_length = strlen(variable->name);
	char start[TELLING + 1] = "";
	bool any = false;

	if (variable->is_builtin || value_length < SHORTEST_SECRET)
		return NULL;
	strncat(start, variable->value, TELLING);
	if (strstr(text, start) == NULL)
		return NULL;

	/* Each occurrence has four bytes at least, and becomes a colon and the name. */
	concealed = malloc(strlen(text) + (strlen(text) / SHORTEST_SECRET) * (name_length + 1) + 1);
	if (concealed == NULL)
		return strdup("");
	while ((found = strstr(rest, start)) != NULL)
	{
		size_t length = shown_length(text, found, variable->value);
		size_t kept = (size_t) (found - rest) + (length == 0);

		memcpy(concealed + used, rest, kept);
		used += kept;
		rest += kept + length;
		if (length == 0)
			continue;
		concealed[used++] = ':';
		memcpy(concealed + used, variable->name, name_length);
		used += name_length;
		any = true;
	}
	strcpy(concealed + used, rest);
	if (any)
		return concealed;
	free(concealed);
	return NULL;
}

/*
 * How much of the text that was found is the value; 0: it is none.  Only whole
 * words are taken for one, or the beginning of one where the server cut it.
 */
static size_t
shown_length(const char *text, const char *found, const char *value)
{
	size_t length = 0;

	if (found > text && options_is_name_character(found[-1]) && options_is_name_character(value[0]))
		return 0;
	while (value[length] != '\0' && found[length] == value[length])
		length++;
	if (value[length] == '\0')
		return options_is_name_character(found[length]) && options_is_name_character(value[length - 1]) ? 0 : length;
	return strncmp(found + length, "...", 3) == 0 ? length : 0;
}

static Variable *
find(const Variables *variables, const char *name)
{
	size_t i;

	for (i = 0; i < variables->count; i++)
	{
		if (strcmp(variables->list[i].name, name) == 0)
			return &variables->list[i];
	}
	return NULL;
}

static Variable *
find_or_add(Variables *variables, const char *name)
{
	Variable *variable = find(variables, name);
	Variable *longer;

	if (variable != NULL)
		return variable;
	longer = realloc(variables->list, (variables->count + 1) * sizeof(*longer));
	if (longer == NULL)
		return NULL;
	variables->list = longer;
	variable = &longer[variables->count];
	memset(variable, 0, sizeof(*variable));
	variable->name = strdup(name);
	if (variable->name == NULL)
		return NULL;
	variables->count++;
	return variable;
}

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

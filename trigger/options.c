/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The option "variables": psql's variables, from outside of the scripts.
 *
 *-------------------------------------------------------------------------
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_of(const json_t *value);

json_t *
options_variables(const json_t *json)
{
	json_t *variables = json_object();
	const char *name;
	json_t *value;

	if (variables == NULL || !json_is_object(json))
		goto failed;
	json_object_foreach((json_t *) json, name, value)
	{
		if (!options_is_name(name) || json_object_set_new(variables, name, text_of(value)) != 0)
			goto failed;
	}
	return variables;

failed:
	json_decref(variables);
	return NULL;
}

bool
options_is_name(const char *name)
{
	const char *at = name;

	while (options_is_name_character(*at))
		at++;
	return at > name && *at == '\0';
}

bool
options_is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   ((unsigned char) c & 0x80) != 0;
}

/* NULL for what is no value of a variable. */
static json_t *
text_of(const json_t *value)
{
	char text[64];

	if (json_is_string(value))
		return json_string(json_string_value(value));
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "true" : "false");
	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
	{
		/* The shortest that is the same number. */
		snprintf(text, sizeof(text), "%.15g", json_real_value(value));
		if (strtod(text, NULL) != json_real_value(value))
			snprintf(text, sizeof(text), "%.17g", json_real_value(value));
	}
	else
		return NULL;
	return json_string(text);
}

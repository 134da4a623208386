/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The option "variables": psql's variables, from outside of the scripts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <jansson.h>
#include <stdbool.h>

/* What a value of the option must be, for errors, which never repeat it. */
#define OPTIONS_VARIABLES_EXPECTED \
	"a JSON object of variables: names of letters, digits and underscores," \
	" and values that are strings, numbers or booleans"

/* A new object in which all values are strings; NULL: the JSON is not such an option. */
extern json_t *options_variables(const json_t *json);

/* A name that psql takes: letters, digits, underscores, and all that is not ASCII. */
extern bool options_is_name(const char *name);
extern bool options_is_name_character(char c);

#endif /* OPTIONS_H */

/*-------------------------------------------------------------------------
 *
 * plain_variables.h
 *	  psql's variables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_VARIABLES_H
#define PLAIN_VARIABLES_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"

typedef enum VariableState
{
	VARIABLE_UNSET,
	VARIABLE_SET,
	VARIABLE_UNSURE /* not to be known before the script is run */
} VariableState;

typedef struct Variables Variables;

/* None at first; NULL: out of memory. */
extern Variables *variables_make(void);
extern void variables_free(Variables *variables);

/* These return false, with the error set, only where memory is out. */
extern bool variables_set(Variables *variables, const char *name, const char *value, Error *error);
extern bool variables_set_all(Variables *variables, const json_t *object, Error *error);
extern bool variables_unset(Variables *variables, const char *name, Error *error);

/* One that psql sets by itself, and that is no secret. */
extern bool variables_set_builtin(Variables *variables, const char *name, const char *value, Error *error);

/* While a script is only checked: a value that it will be known only when it is run. */
extern bool variables_make_unsure(Variables *variables, const char *name, Error *error);
extern bool variables_make_prefix_unsure(Variables *variables, const char *prefix, Error *error);

/* The value is the variables' own; untouched unless it is set. */
extern VariableState variables_get(const Variables *variables, const char *name, const char **value);

/*
 * A text with the variables' names, as in :name, in the place of their values.
 * NULL: nothing of them is in it.  To be freed.
 */
extern char *variables_conceal(const Variables *variables, const char *text);
extern void variables_conceal_error(const Variables *variables, Error *error);

#endif /* PLAIN_VARIABLES_H */

/*-------------------------------------------------------------------------
 *
 * variables.h
 *	  psql's variables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_VARIABLES_H
#define RDS_VARIABLES_H

#include "lib/stringinfo.h"

typedef enum RdsVariableState
{
	RDS_VARIABLE_UNSET,
	RDS_VARIABLE_SET,
	RDS_VARIABLE_UNSURE /* not to be known before the script is run */
} RdsVariableState;

typedef struct RdsVariables RdsVariables;

extern RdsVariables *rds_variables_make(void);
extern bool rds_variable_is_name(const char *name);
extern void rds_variable_set(RdsVariables *variables, const char *name, const char *value);
extern void rds_variable_set_builtin(RdsVariables *variables, const char *name, const char *value);
extern void rds_variable_unset(RdsVariables *variables, const char *name);
extern void rds_variable_make_unsure(RdsVariables *variables, const char *name);
extern void rds_variables_make_unsure(RdsVariables *variables, const char *prefix);
extern RdsVariableState rds_variable_get(const RdsVariables *variables, const char *name,
										 const char **value);

/*
 * A reference to a variable, at a text's start: ":name", ":'name'", ":\"name\"",
 * ":{?name}".
 */
typedef struct RdsReference
{
	Size length; /* of the whole; 0: it is none */
	char *name;
	char form; /* ':', '\'', '"' or '?' */
} RdsReference;

extern bool rds_reference_reaches_end(const char *text);
extern void rds_reference_read(const char *text, RdsReference *reference);
extern RdsVariableState rds_reference_resolve(const RdsVariables *variables,
											  const RdsReference *reference, StringInfo value);

/* Puts a variable's name in the place of its value, wherever a text shows that. */
extern char *rds_variables_conceal(const RdsVariables *variables, char *text);

#endif /* RDS_VARIABLES_H */

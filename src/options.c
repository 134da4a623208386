/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The options of a call: a JSON object, whose keys are all known ones.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/numeric.h"

#include "options.h"
#include "variables.h"

/* One minute: long enough for a usual deployment to end, short of a Lambda's own. */
#define DEFAULT_RETRY_FOR 60000

/* Two seconds: others wait behind us no longer. */
#define DEFAULT_LOCK_TIMEOUT 2000

static void set_option(RdsOptions *options, const char *key, const JsonbValue *value);
static bool boolean_option(const char *key, const JsonbValue *value);
static int duration_option(const char *key, const JsonbValue *value);
static RdsResume resume_option(const char *key, const JsonbValue *value);
static List *names_option(const char *key, const JsonbValue *value);
static List *variables_option(const char *key, const JsonbValue *value);
static char *scalar_text(const JsonbValue *value);

/*
 * rds_options_parse
 *		Reads a call's options; NULL stands for none.
 *
 * Raises an error for what is no object, for a key that is not known (a
 * misspelt option would be silently without effect) and for a value that the
 * key does not take.
 */
void
rds_options_parse(RdsOptions *options, Jsonb *json)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;

	memset(options, 0, sizeof(*options));
	options->retry_for = DEFAULT_RETRY_FOR;
	options->lock_timeout = DEFAULT_LOCK_TIMEOUT;

	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));

	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char *key = pnstrdup(value.val.string.val, value.val.string.len);

			(void) JsonbIteratorNext(&iterator, &value, true);
			set_option(options, key, &value);
			pfree(key);
		}
	}
}

static void
set_option(RdsOptions *options, const char *key, const JsonbValue *value)
{
	if (strcmp(key, "force") == 0)
		options->force = boolean_option(key, value);
	else if (strcmp(key, "out_of_order") == 0)
		options->out_of_order = boolean_option(key, value);
	else if (strcmp(key, "allow_changed") == 0)
		options->allow_changed = boolean_option(key, value);
	else if (strcmp(key, "allow_missing") == 0)
		options->allow_missing = boolean_option(key, value);
	else if (strcmp(key, "allow_data_loss") == 0)
		options->allow_data_loss = boolean_option(key, value);
	else if (strcmp(key, "trust_history") == 0)
		options->trust_history = boolean_option(key, value);
	else if (strcmp(key, "lock_timeout") == 0)
		options->lock_timeout = duration_option(key, value);
	else if (strcmp(key, "retry_for") == 0)
		options->retry_for = duration_option(key, value);
	else if (strcmp(key, "timeout") == 0)
		options->timeout = duration_option(key, value);
	else if (strcmp(key, "resume") == 0)
		options->resume = resume_option(key, value);
	else if (strcmp(key, "no_transaction") == 0)
		options->no_transaction = names_option(key, value);
	else if (strcmp(key, "variables") == 0)
		options->variables = variables_option(key, value);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown option \"%s\"", key),
				 errhint("The options are \"allow_changed\", \"allow_data_loss\", \"allow_missing\", \"force\", \"lock_timeout\","
						 " \"no_transaction\", \"out_of_order\", \"resume\", \"retry_for\", \"timeout\", \"trust_history\" and \"variables\".")));
}

static bool
boolean_option(const char *key, const JsonbValue *value)
{
	if (value->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be true or false", key)));
	return value->val.boolean;
}

/* A length of time as the server's settings have it: "2s", or milliseconds. */
static int
duration_option(const char *key, const JsonbValue *value)
{
	char *text = value->type == jbvBool ? NULL : scalar_text(value);
	const char *hint = NULL;
	int result = 0;

	if (text == NULL || !parse_int(text, &result, GUC_UNIT_MS, &hint) || result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a length of time", key),
				 errhint("%s", hint ? hint : "Write it as \"500ms\", \"2s\" or \"1min\"; a number counts milliseconds.")));
	return result;
}

static RdsResume
resume_option(const char *key, const JsonbValue *value)
{
	const char *text = value->type == jbvString ? scalar_text(value) : "";

	if (strcmp(text, "skip") == 0)
		return RDS_RESUME_SKIP;
	if (strcmp(text, "again") == 0)
		return RDS_RESUME_AGAIN;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be \"skip\" or \"again\"", key)));
}

/* An array of names, in the current memory context. */
static List *
names_option(const char *key, const JsonbValue *value)
{
	List *names = NIL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	bool valid = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);

	if (valid)
	{
		iterator = JsonbIteratorInit(value->val.binary.data);
		while (valid && (token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		{
			if (token != WJB_ELEM)
				continue;
			valid = item.type == jbvString;
			if (valid)
				names = lappend(names, scalar_text(&item));
		}
	}
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a JSON array of scripts' names", key)));
	return names;
}

/* An object of psql's variables, in the current memory context. */
static List *
variables_option(const char *key, const JsonbValue *value)
{
	List *variables = NIL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a JSON object", key)));

	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		RdsOptionVariable *variable;

		if (token != WJB_KEY)
			continue;
		variable = palloc(sizeof(RdsOptionVariable));
		variable->name = pnstrdup(item.val.string.val, item.val.string.len);
		(void) JsonbIteratorNext(&iterator, &item, true);
		variable->value = scalar_text(&item);

		if (!rds_variable_is_name(variable->name))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("invalid variable name: \"%s\"", variable->name),
					 errhint("Letters, digits and underscores make a name.")));
		if (variable->value == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("variable \"%s\" must be a string, a number or a boolean", variable->name)));
		variables = lappend(variables, variable);
	}
	return variables;
}

/* NULL for what is no string, number or boolean. */
static char *
scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

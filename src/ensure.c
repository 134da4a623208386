/*-------------------------------------------------------------------------
 *
 * ensure.c
 *	  A database that is there afterwards.
 *
 * CREATE DATABASE runs in no transaction: a background worker runs it, with the
 * caller's rights.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "ensure.h"
#include "worker.h"

/* An option, as CREATE DATABASE has it. */
typedef struct Option
{
	const char *key;
	const char *keyword;
	enum
	{
		IDENTIFIER,
		TEXT,
		NUMBER,
		BOOLEAN
	} type;
} Option;

static const Option known_options[] = {
	{"owner", "OWNER", IDENTIFIER},
	{"template", "TEMPLATE", IDENTIFIER},
	{"tablespace", "TABLESPACE", IDENTIFIER},
	{"encoding", "ENCODING", TEXT},
	{"locale", "LOCALE", TEXT},
	{"lc_collate", "LC_COLLATE", TEXT},
	{"lc_ctype", "LC_CTYPE", TEXT},
	{"locale_provider", "LOCALE_PROVIDER", IDENTIFIER},
	{"icu_locale", "ICU_LOCALE", TEXT},
	{"icu_rules", "ICU_RULES", TEXT},
	{"builtin_locale", "BUILTIN_LOCALE", TEXT},
	{"strategy", "STRATEGY", IDENTIFIER},
	{"connection_limit", "CONNECTION LIMIT", NUMBER},
	{"allow_connections", "ALLOW_CONNECTIONS", BOOLEAN},
	{"is_template", "IS_TEMPLATE", BOOLEAN},
};

static void append_options(StringInfo command, Jsonb *options);
static void append_option(StringInfo command, const char *key, const JsonbValue *value);
static const Option *option_named(const char *key);
static bool create(const char *name, const char *command);
static bool run_create(RdsWorker *worker, const char *command);

/*
 * rds_ensure_database
 *		Creates a database unless there is one of that name; true: created.
 *
 * Of one that is there, nothing is changed.
 */
bool
rds_ensure_database(const char *name, Jsonb *options)
{
	StringInfoData command;

	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of a database has between 1 and %d bytes", NAMEDATALEN - 1)));
	initStringInfo(&command);
	appendStringInfo(&command, "CREATE DATABASE %s", quote_identifier(name));
	append_options(&command, options);

	return !OidIsValid(get_database_oid(name, true)) && create(name, command.data);
}

static void
append_options(StringInfo command, Jsonb *options)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;

	if (options == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	iterator = JsonbIteratorInit(&options->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char *key = pnstrdup(value.val.string.val, value.val.string.len);

			(void) JsonbIteratorNext(&iterator, &value, true);
			append_option(command, key, &value);
		}
	}
}

static void
append_option(StringInfo command, const char *key, const JsonbValue *value)
{
	const Option *option = option_named(key);
	bool valid = value->type == jbvString;

	if (option == NULL)
	{
		StringInfoData all;

		initStringInfo(&all);
		for (int i = 0; i < lengthof(known_options); i++)
			appendStringInfo(&all, "%s\"%s\"", i > 0 ? ", " : "", known_options[i].key);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown option \"%s\"", key),
				 errhint("The options are %s.", all.data)));
	}
	if (option->type == NUMBER)
		valid = value->type == jbvNumeric;
	else if (option->type == BOOLEAN)
		valid = value->type == jbvBool;
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a %s", key,
						option->type == NUMBER ? "number" : option->type == BOOLEAN ? "boolean"
																					: "string")));

	appendStringInfo(command, " %s = ", option->keyword);
	switch (option->type)
	{
		case IDENTIFIER:
			appendStringInfoString(command, quote_identifier(pnstrdup(value->val.string.val, value->val.string.len)));
			break;
		case TEXT:
			appendStringInfoString(command, quote_literal_cstr(pnstrdup(value->val.string.val, value->val.string.len)));
			break;
		case NUMBER:
			appendStringInfo(command, "%d", DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value->val.numeric))));
			break;
		case BOOLEAN:
			appendStringInfoString(command, value->val.boolean ? "true" : "false");
			break;
	}
}

static const Option *
option_named(const char *key)
{
	for (int i = 0; i < lengthof(known_options); i++)
	{
		if (strcmp(known_options[i].key, key) == 0)
			return &known_options[i];
	}
	return NULL;
}

static bool
create(const char *name, const char *command)
{
	RdsWorker *worker = rds_worker_start(name);
	bool volatile created = false;

	PG_ENSURE_ERROR_CLEANUP(rds_worker_kill, PointerGetDatum(worker));
	{
		created = run_create(worker, command);
	}
	PG_END_ENSURE_ERROR_CLEANUP(rds_worker_kill, PointerGetDatum(worker));
	rds_worker_end(worker);

	return created;
}

/* Somebody who is quicker to create it is as good. */
static bool
run_create(RdsWorker *worker, const char *command)
{
	MemoryContext context = CurrentMemoryContext;
	RdsTask task = {0};
	int retries = 0;
	bool volatile created = false;

	task.where = RDS_AT_TOP;
	task.text = command;
	PG_TRY();
	{
		(void) rds_worker_run(worker, &task, &retries);
		created = true;
	}
	PG_CATCH();
	{
		int code = geterrcode();

		/* the other's name may have come into the index before its row was seen */
		if (code != ERRCODE_DUPLICATE_DATABASE && code != ERRCODE_UNIQUE_VIOLATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();

	return created;
}

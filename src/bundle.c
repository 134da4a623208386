/*-------------------------------------------------------------------------
 *
 * bundle.c
 *	  The scripts of a call: their names and their order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "bundle.h"

/* A history row's name is an index key: it must fit into an index tuple. */
#define MAX_NAME_LENGTH 1024

static void check_name(const char *name);
static void check_names_differ(List *bundle);

/*
 * rds_script_make
 *		A script of the given name and source, in the current memory context.
 *
 * Both are kept, not copied.  Raises an error for a name that cannot be one,
 * and for a file that cannot be read.
 */
RdsScript *
rds_script_make(const char *name, RdsSource *source)
{
	RdsScript *script = palloc0(sizeof(RdsScript));

	check_name(name);
	script->name = name;
	script->source = source;
	rds_source_checksum(source, script->checksum, &script->may_include);

	return script;
}

/*
 * rds_bundle_make
 *		The scripts of a bundle, in the order given, in the current memory context.
 *
 * Raises an error unless there are as many names as bodies, at least one, none
 * of them NULL, and each name once.  The bodies are kept, not copied.
 */
List *
rds_bundle_make(ArrayType *names, ArrayType *bodies)
{
	List *bundle = NIL;
	Datum *name;
	Datum *body;
	bool *name_is_null;
	bool *body_is_null;
	int count;
	int body_count;

	if (ARR_NDIM(names) > 1 || ARR_NDIM(bodies) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("names and scripts must be one-dimensional arrays")));

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &name, &name_is_null, &count);
	deconstruct_array(bodies, TEXTOID, -1, false, TYPALIGN_INT, &body, &body_is_null, &body_count);

	if (count != body_count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a bundle needs as many names as scripts"),
				 errdetail("There are %d names and %d scripts.", count, body_count)));
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the bundle is empty"),
				 errhint("Give at least one script.")));

	for (int i = 0; i < count; i++)
	{
		text *script;

		if (name_is_null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the name of script %d must not be null", i + 1)));
		if (body_is_null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("script \"%s\" must not be null", TextDatumGetCString(name[i]))));
		script = DatumGetTextPP(body[i]);
		bundle = lappend(bundle, rds_script_make(TextDatumGetCString(name[i]),
												 rds_source_memory(VARDATA_ANY(script),
																   VARSIZE_ANY_EXHDR(script))));
	}
	check_names_differ(bundle);

	return bundle;
}

/*
 * A name is shown in errors, logs and tables, line by line: whoever can choose
 * one must not be able to forge such a line.
 */
static void
check_name(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a script must not be empty"),
				 errhint("A script is known by its name: give the file's.")));
	if (strlen(name) > MAX_NAME_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a script is longer than %d bytes", MAX_NAME_LENGTH)));
	for (const char *at = name; *at != '\0'; at++)
	{
		if ((unsigned char) *at < 0x20 || *at == 0x7F)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the name of a script must not hold a control character")));
	}
}

static void
check_names_differ(List *bundle)
{
	List *sorted = list_copy(bundle);

	list_sort(sorted, rds_script_compare);
	for (int i = 1; i < list_length(sorted); i++)
	{
		const RdsScript *script = list_nth(sorted, i);

		if (strcmp(script->name, ((RdsScript *) list_nth(sorted, i - 1))->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("the bundle has two scripts named \"%s\"", script->name),
					 errhint("A script is known by its name: give each its own.")));
	}
	list_free(sorted);
}

/* The order of names, for list_sort. */
int
rds_script_compare(const ListCell *a, const ListCell *b)
{
	return strcmp(((RdsScript *) lfirst(a))->name, ((RdsScript *) lfirst(b))->name);
}

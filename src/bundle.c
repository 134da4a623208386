/*-------------------------------------------------------------------------
 *
 * bundle.c
 *	  The scripts of a call: their names and their order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "bundle.h"

/* A history row's name is an index key: it must fit into an index tuple. */
#define MAX_NAME_LENGTH 1024

/* How much of a file is looked at at a time. */
#define SECTIONS_PIECE (64 * 1024)

static void check_name(const char *name);
static void look_at_sections(RdsScript *script);
static void look_at_file(RdsScript *script);
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

	rds_naming(name, &script->naming);
	if (script->naming.version != NULL)
	{
		script->version = palloc(script->naming.length + 1);
		rds_version_canonical(script->naming.version, script->naming.length, script->version);
	}
	look_at_sections(script);

	return script;
}

/*
 * Only a migration has sections; any script may begin with a comment that asks
 * for no transaction.  A section that goes down is not read with the rest.
 */
static void
look_at_sections(RdsScript *script)
{
	RdsSections *sections = &script->sections;

	rds_sections_begin(sections);
	if (script->source->path != NULL)
		look_at_file(script);
	else if (script->naming.kind == RDS_VERSIONED)
		rds_sections_text(sections, script->source->bytes, script->source->length);
	else
		rds_sections_leading(sections, script->source->bytes, script->source->length);
	rds_sections_end(sections);

	if (script->naming.kind != RDS_VERSIONED)
	{
		sections->has_down = false;
		sections->problem = NULL;
	}
	else if (sections->has_down && sections->problem == NULL)
		script->source->end = Max(sections->down.offset, 1);
	script->no_transaction = sections->no_transaction;
}

/* The same of a file, of which no more than a piece is kept. */
static void
look_at_file(RdsScript *script)
{
	RdsSections *sections = &script->sections;
	RdsSource *source = rds_source_copy(script->source);
	char *piece = palloc(SECTIONS_PIECE);
	Size offset = 0;
	Size got;
	bool in_line = false; /* of which the beginning has been looked at */

	rds_source_open(source);
	while ((got = rds_source_read(source, offset, piece, SECTIONS_PIECE)) > 0 &&
		   (sections->leading || script->naming.kind == RDS_VERSIONED))
	{
		char *newline = memrchr(piece, '\n', got);
		Size whole = newline != NULL ? newline + 1 - piece : got;

		CHECK_FOR_INTERRUPTS();
		if (in_line)
		{
			char *end = memchr(piece, '\n', got);

			/* the rest of a line longer than a piece */
			whole = end != NULL ? end + 1 - piece : got;
			sections->next.offset += whole;
			in_line = end == NULL;
		}
		else
		{
			rds_sections_text(sections, piece, whole);
			in_line = newline == NULL;
		}
		offset += whole;
	}
	(void) rds_source_close(source);
	pfree(piece);
}

/*
 * rds_script_undo
 *		The text that takes a version back, with its name; NULL where the bundle has
 *		none.
 *
 * Of a section the lines are those of the file: errors will say where they are.
 */
char *
rds_script_undo(const RdsScript *script, const char **name)
{
	StringInfoData text;

	if (script->undo != NULL)
	{
		*name = script->undo->name;
		return rds_source_text(script->undo->source, 0);
	}
	if (!script->sections.has_down)
		return NULL;

	*name = script->name;
	initStringInfo(&text);
	for (Size line = 1; line < script->sections.down.line; line++)
		appendStringInfoChar(&text, '\n');
	appendStringInfoString(&text, rds_source_text(script->source, script->sections.down.offset));
	return text.data;
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

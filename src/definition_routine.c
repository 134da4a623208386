/*-------------------------------------------------------------------------
 *
 * definition_routine.c
 *	  What is said of a function or procedure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "definition.h"

/* What pg_proc and functioncmds.c have where nothing is said. */
#define USUAL_COST 100
#define USUAL_ROWS 1000

static bool is_usual(HeapTuple row);
static void append_arguments(StringInfo out, HeapTuple row);
static char **names_of(HeapTuple row, int count);
static void append_attributes(StringInfo out, const Form_pg_proc routine);
static void append_body(StringInfo out, HeapTuple row);

/*
 * rds_append_routine
 *		What pg_get_functiondef says, without the line's end, by the routine's row.
 *
 * That looks for the row once more, which takes longer than to write what it says
 * of most routines.
 */
void
rds_append_routine(StringInfo out, HeapTuple row)
{
	const Form_pg_proc routine = (Form_pg_proc) GETSTRUCT(row);
	bool is_function = routine->prokind != PROKIND_PROCEDURE;

	if (!is_usual(row))
	{
		rds_append_result(out, "", pg_get_functiondef, ObjectIdGetDatum(routine->oid), (Datum) 0, "");
		while (out->len > 0 && out->data[out->len - 1] == '\n')
			out->data[--out->len] = '\0';
		return;
	}

	appendStringInfo(out, "CREATE OR REPLACE %s %s(", is_function ? "FUNCTION" : "PROCEDURE",
					 rds_qualified_name(routine->pronamespace, NameStr(routine->proname), NULL));
	append_arguments(out, row);
	appendStringInfoString(out, ")\n");
	if (is_function)
	{
		appendStringInfoString(out, routine->proretset ? " RETURNS SETOF " : " RETURNS ");
		appendStringInfoString(out, format_type_be(routine->prorettype));
		appendStringInfoChar(out, '\n');
	}
	appendStringInfo(out, " LANGUAGE %s\n", quote_identifier(get_language_name(routine->prolang, false)));
	append_attributes(out, routine);
	append_body(out, row);
}

/* All arguments go in, and there is nothing of what few routines have. */
static bool
is_usual(HeapTuple row)
{
	static const AttrNumber unusual[] = {Anum_pg_proc_proallargtypes, Anum_pg_proc_proargmodes, Anum_pg_proc_protrftypes,
										 Anum_pg_proc_probin, Anum_pg_proc_prosqlbody, Anum_pg_proc_proconfig};
	const Form_pg_proc routine = (Form_pg_proc) GETSTRUCT(row);

	if ((routine->prokind != PROKIND_FUNCTION && routine->prokind != PROKIND_PROCEDURE) || OidIsValid(routine->prosupport) ||
		routine->prolang == INTERNALlanguageId || rds_schema_name(routine->pronamespace, NULL) == NULL)
		return false;
	for (int i = 0; i < lengthof(unusual); i++)
	{
		bool isnull;

		(void) SysCacheGetAttr(PROCOID, row, unusual[i], &isnull);
		if (!isnull)
			return false;
	}
	return true;
}

static void
append_arguments(StringInfo out, HeapTuple row)
{
	const Form_pg_proc routine = (Form_pg_proc) GETSTRUCT(row);
	char **names = names_of(row, routine->pronargs);
	List *defaults = NIL;
	int first_default;

	if (routine->pronargdefaults > 0)
	{
		bool isnull;
		Datum value = SysCacheGetAttr(PROCOID, row, Anum_pg_proc_proargdefaults, &isnull);

		if (!isnull)
			defaults = castNode(List, stringToNode(TextDatumGetCString(value)));
	}
	first_default = routine->pronargs - list_length(defaults);
	for (int i = 0; i < routine->pronargs; i++)
	{
		appendStringInfoString(out, i == 0 ? "" : ", ");
		if (routine->prokind == PROKIND_PROCEDURE)
			appendStringInfoString(out, "IN ");
		if (names != NULL && names[i][0] != '\0')
			appendStringInfo(out, "%s ", quote_identifier(names[i]));
		appendStringInfoString(out, format_type_be(routine->proargtypes.values[i]));
		if (i >= first_default)
			appendStringInfo(out, " DEFAULT %s", deparse_expression(list_nth(defaults, i - first_default), NIL, false, false));
	}
}

/* NULL where the arguments have none. */
static char **
names_of(HeapTuple row, int count)
{
	bool isnull;
	Datum array = SysCacheGetAttr(PROCOID, row, Anum_pg_proc_proargnames, &isnull);
	Datum *elements;
	char **names;
	int found;

	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &found);
	names = palloc(count * sizeof(char *));
	for (int i = 0; i < count; i++)
		names[i] = i < found ? TextDatumGetCString(elements[i]) : "";
	return names;
}

/* On a line of their own, where one is not as usual. */
static void
append_attributes(StringInfo out, const Form_pg_proc routine)
{
	int before = out->len;

	if (routine->provolatile == PROVOLATILE_IMMUTABLE)
		appendStringInfoString(out, " IMMUTABLE");
	else if (routine->provolatile == PROVOLATILE_STABLE)
		appendStringInfoString(out, " STABLE");
	if (routine->proparallel == PROPARALLEL_SAFE)
		appendStringInfoString(out, " PARALLEL SAFE");
	else if (routine->proparallel == PROPARALLEL_RESTRICTED)
		appendStringInfoString(out, " PARALLEL RESTRICTED");
	if (routine->proisstrict)
		appendStringInfoString(out, " STRICT");
	if (routine->prosecdef)
		appendStringInfoString(out, " SECURITY DEFINER");
	if (routine->proleakproof)
		appendStringInfoString(out, " LEAKPROOF");
	if (routine->procost != USUAL_COST)
		appendStringInfo(out, " COST %g", routine->procost);
	if (routine->prorows > 0 && routine->prorows != USUAL_ROWS)
		appendStringInfo(out, " ROWS %g", routine->prorows);
	if (out->len > before)
		appendStringInfoChar(out, '\n');
}

/* Between dollars, with a word that is not in it. */
static void
append_body(StringInfo out, HeapTuple row)
{
	const Form_pg_proc routine = (Form_pg_proc) GETSTRUCT(row);
	bool isnull;
	char *body = TextDatumGetCString(SysCacheGetAttr(PROCOID, row, Anum_pg_proc_prosrc, &isnull));
	StringInfoData quote;

	initStringInfo(&quote);
	appendStringInfoString(&quote, routine->prokind == PROKIND_PROCEDURE ? "$procedure" : "$function");
	while (strstr(body, quote.data) != NULL)
		appendStringInfoChar(&quote, 'x');
	appendStringInfoString(out, "AS ");
	appendBinaryStringInfo(out, quote.data, quote.len);
	appendStringInfoChar(out, '$');
	appendStringInfoString(out, body);
	appendBinaryStringInfo(out, quote.data, quote.len);
	appendStringInfoChar(out, '$');
}

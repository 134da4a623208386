/*-------------------------------------------------------------------------
 *
 * definition_index.c
 *	  What is said of an index.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"
#include "kinds_relation.h"

static bool append_usual_index(StringInfo out, HeapTuple class_row, HeapTuple index_row);
static bool append_usual_columns(StringInfo out, HeapTuple index_row, const List *expressions, List *context);
static bool append_expression(StringInfo out, Node *expression, List *context);
static bool is_usual_class(Oid class, Oid type);
static char *read_text(HeapTuple index_row, AttrNumber column);
static bool has_case(const char *expression);
static Datum get_vector(HeapTuple index_row, AttrNumber column);

/*
 * rds_append_index
 *		What pg_get_indexdef says, by the index's row in pg_class.
 *
 * That finds each column's default operator class among those of all types, which
 * takes longer than all else that is written of an index.  An index that has only
 * what is usual, as most have, is written here.
 */
void
rds_append_index(StringInfo out, HeapTuple class_row)
{
	Oid index = ((Form_pg_class) GETSTRUCT(class_row))->oid;
	HeapTuple index_row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	int before = out->len;

	if (HeapTupleIsValid(index_row))
	{
		bool done = append_usual_index(out, class_row, index_row);

		ReleaseSysCache(index_row);
		if (done)
			return;
		out->len = before;
		out->data[before] = '\0';
	}
	rds_append_result(out, "", pg_get_indexdef, ObjectIdGetDatum(index), (Datum) 0, "");
}

/*
 * False where there is more to it; then, what is appended means nothing.
 *
 * The server spreads a CASE over several lines.
 */
static bool
append_usual_index(StringInfo out, HeapTuple class_row, HeapTuple index_row)
{
	const Form_pg_class class = (Form_pg_class) GETSTRUCT(class_row);
	const Form_pg_index index = (Form_pg_index) GETSTRUCT(index_row);
	const char *predicate = read_text(index_row, Anum_pg_index_indpred);
	const char *expressions = read_text(index_row, Anum_pg_index_indexprs);
	HeapTuple table_row;
	const char *table = rds_relation_name(index->indrelid, NULL, &table_row);
	const char *method = get_am_name(class->relam);
	List *context;
	bool has_no_options;

	if (method == NULL || table == NULL || ((Form_pg_class) GETSTRUCT(table_row))->relnamespace == PG_CATALOG_NAMESPACE)
		return false;
	if (has_case(predicate) || has_case(expressions))
		return false;
	(void) SysCacheGetAttr(RELOID, class_row, Anum_pg_class_reloptions, &has_no_options);
	if (!has_no_options || index->indnatts != index->indnkeyatts)
		return false;

	appendStringInfo(out, "CREATE %sINDEX %s ON %s%s USING %s (", index->indisunique ? "UNIQUE " : "",
					 quote_identifier(NameStr(class->relname)), class->relkind == RELKIND_PARTITIONED_INDEX ? "ONLY " : "", table,
					 quote_identifier(method));
	context = deparse_context_for(NameStr(((Form_pg_class) GETSTRUCT(table_row))->relname), index->indrelid);
	if (!append_usual_columns(out, index_row, expressions == NULL ? NIL : castNode(List, stringToNode(expressions)), context))
		return false;
	appendStringInfoChar(out, ')');
	if (index->indnullsnotdistinct)
		appendStringInfoString(out, " NULLS NOT DISTINCT");
	if (predicate != NULL)
		appendStringInfo(out, " WHERE %s", deparse_expression(stringToNode(predicate), context, false, false));
	return true;
}

/* False where one has another operator class or collation than its type, an order, or an expression not known here. */
static bool
append_usual_columns(StringInfo out, HeapTuple index_row, const List *expressions, List *context)
{
	const Form_pg_index index = (Form_pg_index) GETSTRUCT(index_row);
	const oidvector *collations = (const oidvector *) DatumGetPointer(get_vector(index_row, Anum_pg_index_indcollation));
	const oidvector *classes = (const oidvector *) DatumGetPointer(get_vector(index_row, Anum_pg_index_indclass));
	const int2vector *options = (const int2vector *) DatumGetPointer(get_vector(index_row, Anum_pg_index_indoption));
	int expression = 0;

	for (int i = 0; i < index->indnkeyatts; i++)
	{
		AttrNumber column = index->indkey.values[i];
		Oid type;
		Oid collation;

		appendStringInfoString(out, i == 0 ? "" : ", ");
		if (column != 0)
		{
			int32 modifier;

			appendStringInfoString(out, quote_identifier(get_attname(index->indrelid, column, false)));
			get_atttypetypmodcoll(index->indrelid, column, &type, &modifier, &collation);
		}
		else
		{
			Node *node;

			if (expression >= list_length(expressions))
				return false;
			node = list_nth(expressions, expression++);
			if (!append_expression(out, node, context))
				return false;
			type = exprType(node);
			collation = exprCollation(node);
		}
		if (options->values[i] != 0 || (OidIsValid(collations->values[i]) && collations->values[i] != collation) ||
			!is_usual_class(classes->values[i], type) || get_attoptions(index->indexrelid, i + 1) != (Datum) 0)
			return false;
	}
	return true;
}

/* What looks like a function's call stands without parentheses: of others than these it is not known here. */
static bool
append_expression(StringInfo out, Node *expression, List *context)
{
	bool is_call = IsA(expression, FuncExpr) && ((const FuncExpr *) expression)->funcformat == COERCE_EXPLICIT_CALL;

	if (!is_call && !IsA(expression, OpExpr))
		return false;
	appendStringInfo(out, is_call ? "%s" : "(%s)", deparse_expression(expression, context, false, false));
	return true;
}

/* The default of exactly this type is what is found, if it is looked for; a domain's own never is. */
static bool
is_usual_class(Oid class, Oid type)
{
	HeapTuple row = SearchSysCache1(CLAOID, ObjectIdGetDatum(class));
	bool is_usual;

	if (!HeapTupleIsValid(row))
		return false;
	is_usual = ((Form_pg_opclass) GETSTRUCT(row))->opcdefault && ((Form_pg_opclass) GETSTRUCT(row))->opcintype == type &&
			   (type < FirstGenbkiObjectId || getBaseType(type) == type);
	ReleaseSysCache(row);
	return is_usual;
}

/* An expression's text; NULL where there is none. */
static char *
read_text(HeapTuple index_row, AttrNumber column)
{
	bool isnull;
	Datum value = SysCacheGetAttr(INDEXRELID, index_row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Does it look as if there were one in an expression's text? */
static bool
has_case(const char *expression)
{
	return expression != NULL && strstr(expression, "{CASE") != NULL;
}

/* One that is never NULL. */
static Datum
get_vector(HeapTuple index_row, AttrNumber column)
{
	bool isnull;

	return SysCacheGetAttr(INDEXRELID, index_row, column, &isnull);
}

/* What is not said by the definition of an index, or of its constraint. */
void
rds_append_index_state(StringInfo out, Oid index)
{
	HeapTuple row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	HeapTuple class;

	if (HeapTupleIsValid(row))
	{
		const Form_pg_index form = (Form_pg_index) GETSTRUCT(row);

		appendStringInfo(out, "%s%s%s", form->indisvalid ? "" : "\nINVALID", form->indisclustered ? "\nCLUSTER" : "",
						 form->indisreplident ? "\nREPLICA IDENTITY" : "");
		ReleaseSysCache(row);
	}
	if (!rds_may_have_settings(index))
		return;
	class = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	if (HeapTupleIsValid(class))
	{
		rds_append_tablespace(out, ((Form_pg_class) GETSTRUCT(class))->reltablespace);
		ReleaseSysCache(class);
	}
}

/* Targets of columns that are expressions. */
void
rds_append_index_statistics(StringInfo out, Oid index)
{
	HeapTuple row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool has_none = true;
	int count = 0;

	if (HeapTupleIsValid(row))
	{
		count = ((Form_pg_index) GETSTRUCT(row))->indnatts;
		(void) SysCacheGetAttr(INDEXRELID, row, Anum_pg_index_indexprs, &has_none);
		ReleaseSysCache(row);
	}
	if (has_none)
		return;
	for (int i = 1; i <= count; i++)
	{
		HeapTuple column = SearchSysCache2(ATTNUM, ObjectIdGetDatum(index), Int16GetDatum(i));
		bool isnull;
		Datum target;

		if (!HeapTupleIsValid(column))
			continue;
		target = SysCacheGetAttr(ATTNUM, column, Anum_pg_attribute_attstattarget, &isnull);
		if (!isnull && DatumGetInt32(target) >= 0)
			appendStringInfo(out, "\nSTATISTICS %d %d", i, DatumGetInt32(target));
		ReleaseSysCache(column);
	}
}

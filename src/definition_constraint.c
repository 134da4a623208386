/*-------------------------------------------------------------------------
 *
 * definition_constraint.c
 *	  What is said of a constraint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "definition.h"

static bool append_usual_check(StringInfo out, HeapTuple row);
static bool append_usual_key(StringInfo out, HeapTuple row);
static bool is_usual_index(Oid index);

/*
 * rds_append_constraint
 *		What pg_get_constraintdef says, by the constraint's row.
 *
 * That looks for the row once more, which takes longer than to write what it says
 * of most constraints.
 */
void
rds_append_constraint(StringInfo out, HeapTuple row)
{
	const Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(row);
	bool is_usual = !constraint->condeferrable && constraint->convalidated;

	if (is_usual && constraint->contype == CONSTRAINT_CHECK && append_usual_check(out, row))
		return;
	if (is_usual && (constraint->contype == CONSTRAINT_PRIMARY || constraint->contype == CONSTRAINT_UNIQUE) &&
		append_usual_key(out, row))
		return;
	rds_append_result(out, "", pg_get_constraintdef, ObjectIdGetDatum(constraint->oid), (Datum) 0, "");
}

static bool
append_usual_check(StringInfo out, HeapTuple row)
{
	const Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(row);
	bool isnull;
	Datum expression = SysCacheGetAttr(CONSTROID, row, Anum_pg_constraint_conbin, &isnull);

	if (isnull)
		return false;
	rds_append_result(out, "CHECK (", pg_get_expr, expression, ObjectIdGetDatum(constraint->conrelid),
					  constraint->connoinherit ? ") NO INHERIT" : ")");
	return true;
}

static bool
append_usual_key(StringInfo out, HeapTuple row)
{
	const Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(row);
	bool isnull;
	Datum columns = SysCacheGetAttr(CONSTROID, row, Anum_pg_constraint_conkey, &isnull);
	Datum *numbers;
	int count;

	if (isnull || rds_has_period(constraint) || !is_usual_index(constraint->conindid))
		return false;
	deconstruct_array(DatumGetArrayTypeP(columns), INT2OID, sizeof(int16), true, TYPALIGN_SHORT, &numbers, NULL, &count);
	appendStringInfoString(out, constraint->contype == CONSTRAINT_PRIMARY ? "PRIMARY KEY (" : "UNIQUE (");
	for (int i = 0; i < count; i++)
	{
		appendStringInfoString(out, i == 0 ? "" : ", ");
		appendStringInfoString(out, quote_identifier(get_attname(constraint->conrelid, DatumGetInt16(numbers[i]), false)));
	}
	appendStringInfoChar(out, ')');
	return true;
}

/* Without columns that are only included, and with nulls that differ. */
static bool
is_usual_index(Oid index)
{
	HeapTuple row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool is_usual;

	if (!HeapTupleIsValid(row))
		return false;
	is_usual = ((Form_pg_index) GETSTRUCT(row))->indnatts == ((Form_pg_index) GETSTRUCT(row))->indnkeyatts &&
			   !((Form_pg_index) GETSTRUCT(row))->indnullsnotdistinct;
	ReleaseSysCache(row);
	return is_usual;
}

/*-------------------------------------------------------------------------
 *
 * kinds_type.c
 *	  How types are read from the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"
#include "kinds.h"

static bool name_type(RdsObject *object, HeapTuple row, Snapshot snapshot);
static void define_type(StringInfo out, HeapTuple row);
static void define_base(StringInfo out, HeapTuple row);
static void define_composite(StringInfo out, HeapTuple row);
static void define_domain(StringInfo out, HeapTuple row);
static void define_enum(StringInfo out, HeapTuple row);
static void define_range(StringInfo out, HeapTuple row);
static void append_function(StringInfo out, const char *label, Oid function);
static char *default_of(HeapTuple row);
static const char *name_of_bool(bool value);

const RdsObjectKind rds_kinds_of_types[] = {
	{.catalog = TypeRelationId, .name = name_type, .define = define_type},
	{0}};

/* Each table has a composite type, each type an array, each range a multirange: they go with those. */
static bool
name_type(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_type type = (Form_pg_type) GETSTRUCT(row);

	if (type->oid < FirstNormalObjectId || type->typtype == TYPTYPE_MULTIRANGE ||
		(OidIsValid(type->typelem) && type->typsubscript == F_ARRAY_SUBSCRIPT_HANDLER) ||
		rds_is_temporary_schema(type->typnamespace, snapshot))
		return false;
	/* as of an old snapshot tables' types are named as well: nothing is kept by these names */
	if (type->typtype == TYPTYPE_COMPOSITE && snapshot == NULL && get_rel_relkind(type->typrelid) != RELKIND_COMPOSITE_TYPE)
		return false;
	if (snapshot == NULL && rds_is_of_extension(TypeRelationId, type->oid))
		return false;
	object->kind = type->typtype == TYPTYPE_DOMAIN ? "domain" : "type";
	object->identity = rds_qualified_name(type->typnamespace, NameStr(type->typname), snapshot);
	return object->identity != NULL;
}

static void
define_type(StringInfo out, HeapTuple row)
{
	switch (((Form_pg_type) GETSTRUCT(row))->typtype)
	{
		case TYPTYPE_BASE:
			define_base(out, row);
			break;
		case TYPTYPE_COMPOSITE:
			define_composite(out, row);
			break;
		case TYPTYPE_DOMAIN:
			define_domain(out, row);
			break;
		case TYPTYPE_ENUM:
			define_enum(out, row);
			break;
		case TYPTYPE_RANGE:
			define_range(out, row);
			break;
		default:
			appendStringInfoString(out, "SHELL");
			break;
	}
}

static void
define_base(StringInfo out, HeapTuple row)
{
	const Form_pg_type type = (Form_pg_type) GETSTRUCT(row);
	const char *value = default_of(row);

	appendStringInfoString(out, "BASE");
	append_function(out, "INPUT", type->typinput);
	append_function(out, "OUTPUT", type->typoutput);
	append_function(out, "RECEIVE", type->typreceive);
	append_function(out, "SEND", type->typsend);
	append_function(out, "TYPMOD_IN", type->typmodin);
	append_function(out, "TYPMOD_OUT", type->typmodout);
	append_function(out, "ANALYZE", type->typanalyze);
	append_function(out, "SUBSCRIPT", type->typsubscript);
	if (OidIsValid(type->typelem))
		appendStringInfo(out, "\nELEMENT %s", format_type_be(type->typelem));
	appendStringInfo(out, "\nLENGTH %d BYVALUE %s ALIGN %c STORAGE %c", type->typlen, name_of_bool(type->typbyval),
					 type->typalign, type->typstorage);
	appendStringInfo(out, " CATEGORY %c PREFERRED %s DELIMITER %c COLLATABLE %s", type->typcategory,
					 name_of_bool(type->typispreferred), type->typdelim, name_of_bool(OidIsValid(type->typcollation)));
	if (value != NULL)
		appendStringInfo(out, "\nDEFAULT %s", quote_literal_cstr(value));
}

static void
define_composite(StringInfo out, HeapTuple row)
{
	appendStringInfoChar(out, '(');
	rds_append_columns(out, ((Form_pg_type) GETSTRUCT(row))->typrelid);
	appendStringInfoString(out, "\n)");
}

static void
define_domain(StringInfo out, HeapTuple row)
{
	const Form_pg_type type = (Form_pg_type) GETSTRUCT(row);
	const char *value = default_of(row);
	bool isnull;
	Datum expression = SysCacheGetAttr(TYPEOID, row, Anum_pg_type_typdefaultbin, &isnull);

	appendStringInfo(out, "DOMAIN %s", format_type_with_typemod(type->typbasetype, type->typtypmod));
	if (type->typcollation != get_typcollation(type->typbasetype))
		rds_append_collation(out, type->typcollation);
	if (type->typnotnull)
		appendStringInfoString(out, " NOT NULL");
	if (!isnull)
		rds_append_result(out, " DEFAULT ", pg_get_expr, expression, ObjectIdGetDatum(InvalidOid), "");
	else if (value != NULL)
		appendStringInfo(out, " DEFAULT %s", quote_literal_cstr(value));
}

static void
define_enum(StringInfo out, HeapTuple row)
{
	Relation catalog = table_open(EnumRelationId, AccessShareLock);
	Relation in_order = index_open(EnumTypIdSortOrderIndexId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple label;
	const char *before = "";

	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(((Form_pg_type) GETSTRUCT(row))->oid));
	scan = systable_beginscan_ordered(catalog, in_order, NULL, 1, &key);
	appendStringInfoString(out, "ENUM (");
	while (HeapTupleIsValid(label = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		appendStringInfo(out, "%s%s", before, quote_literal_cstr(NameStr(((Form_pg_enum) GETSTRUCT(label))->enumlabel)));
		before = ", ";
	}
	appendStringInfoChar(out, ')');
	systable_endscan_ordered(scan);
	index_close(in_order, AccessShareLock);
	table_close(catalog, AccessShareLock);
}

static void
define_range(StringInfo out, HeapTuple row)
{
	HeapTuple range_row = SearchSysCache1(RANGETYPE, ObjectIdGetDatum(((Form_pg_type) GETSTRUCT(row))->oid));
	HeapTuple class_row;
	HeapTuple multirange_row;
	Form_pg_range range;

	if (!HeapTupleIsValid(range_row))
		return;
	range = (Form_pg_range) GETSTRUCT(range_row);
	appendStringInfo(out, "RANGE OF %s", format_type_be(range->rngsubtype));
	if (OidIsValid(range->rngcollation))
		rds_append_collation(out, range->rngcollation);
	append_function(out, "CANONICAL", range->rngcanonical);
	append_function(out, "SUBTYPE_DIFF", range->rngsubdiff);

	class_row = SearchSysCache1(CLAOID, ObjectIdGetDatum(range->rngsubopc));
	if (HeapTupleIsValid(class_row))
	{
		const Form_pg_opclass class = (Form_pg_opclass) GETSTRUCT(class_row);

		appendStringInfo(out, "\nOPCLASS %s", rds_qualified_name(class->opcnamespace, NameStr(class->opcname), NULL));
		ReleaseSysCache(class_row);
	}
	multirange_row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(range->rngmultitypid));
	if (HeapTupleIsValid(multirange_row))
	{
		const Form_pg_type type = (Form_pg_type) GETSTRUCT(multirange_row);

		appendStringInfo(out, "\nMULTIRANGE %s", rds_qualified_name(type->typnamespace, NameStr(type->typname), NULL));
		ReleaseSysCache(multirange_row);
	}
	ReleaseSysCache(range_row);
}

/* Where there is one. */
static void
append_function(StringInfo out, const char *label, Oid function)
{
	if (OidIsValid(function))
		appendStringInfo(out, "\n%s %s", label,
						 DatumGetCString(DirectFunctionCall1(regprocedureout, ObjectIdGetDatum(function))));
}

/* As it was written; NULL where there is none. */
static char *
default_of(HeapTuple row)
{
	bool isnull;
	Datum value = SysCacheGetAttr(TYPEOID, row, Anum_pg_type_typdefault, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static const char *
name_of_bool(bool value)
{
	return value ? "t" : "f";
}

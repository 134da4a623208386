/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  Pieces of which the definitions of objects are made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication_namespace.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_seclabel.h"
#include "catalog/pg_type.h"
#include "commands/tablespace.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"

/* In every catalog that has one. */
#define OID_COLUMN 1

static Oid index_of_part(Oid catalog);
static int take_range(Relation catalog, const Oid *oids, int count, Snapshot snapshot, RdsRowTaker take, void *argument);
static HeapTuple row_of_type(Oid type, Snapshot snapshot);
static bool is_index(const Form_pg_class class);
static void append_owner(StringInfo out, Relation catalog, HeapTuple row, Oid *owner);
static void append_granted(StringInfo out, Relation catalog, HeapTuple row, Oid owner);
static bool are_usual(Datum privileges, Acl *usual);
static void append_labels(StringInfo out, Oid catalog, Oid oid);
static char *list_privileges(Datum privileges);
static char **sorted_elements(Datum array, Oid element_type, int *count);
static bool may_be_secret(const char *option);
static int compare_strings(const void *a, const void *b);

/*
 * rds_catalog_row
 *		A copy of an object's row in its catalog, or NULL.
 */
HeapTuple
rds_catalog_row(Relation catalog, Oid oid, Snapshot snapshot)
{
	Oid by_oid = index_of_part(RelationGetRelid(catalog));
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;

	if (!OidIsValid(by_oid))
	{
		if (snapshot == NULL)
			return get_catalog_object_by_oid(catalog, OID_COLUMN, oid);
		by_oid = get_object_oid_index(RelationGetRelid(catalog));
	}
	ScanKeyInit(&key, OID_COLUMN, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, by_oid, true, snapshot, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);

	return row;
}

/* The index by OID, where the server's list of catalogs lacks one that is a part of another; else none. */
static Oid
index_of_part(Oid catalog)
{
	switch (catalog)
	{
		case AttrDefaultRelationId:
			return AttrDefaultOidIndexId;
		case PublicationRelRelationId:
			return PublicationRelObjectIndexId;
		case PublicationNamespaceRelationId:
			return PublicationNamespaceObjectIndexId;
		default:
			return InvalidOid;
	}
}

HeapTuple
rds_catalog_row_of(Oid catalog, Oid oid, Snapshot snapshot)
{
	Relation relation = table_open(catalog, AccessShareLock);
	HeapTuple row = rds_catalog_row(relation, oid, snapshot);

	table_close(relation, AccessShareLock);
	return row;
}

/*
 * rds_catalog_rows
 *		Gives the rows of several OIDs, which are in order, to somebody.
 *
 * What was made by one script has OIDs that are close to each other: all rows
 * between the first and the last are read, unless there are too many others there.
 */
void
rds_catalog_rows(Relation catalog, const Oid *oids, int count, Snapshot snapshot, RdsRowTaker take, void *argument)
{
	int done = count < RDS_FEWEST_AT_ONCE ? 0 : take_range(catalog, oids, count, snapshot, take, argument);

	for (int i = done; i < count; i++)
	{
		HeapTuple row = rds_catalog_row(catalog, oids[i], snapshot);

		take(i, row, argument);
		if (HeapTupleIsValid(row))
			heap_freetuple(row);
	}
}

/* As far as it was worth it: how many OIDs' rows were given. */
static int
take_range(Relation catalog, const Oid *oids, int count, Snapshot snapshot, RdsRowTaker take, void *argument)
{
	Oid by_oid = index_of_part(RelationGetRelid(catalog));
	int64 most = (int64) count * RDS_ROWS_FOR_ONE;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row = NULL;
	int done = 0;

	if (!OidIsValid(by_oid))
		by_oid = get_object_oid_index(RelationGetRelid(catalog));
	ScanKeyInit(&keys[0], OID_COLUMN, BTGreaterEqualStrategyNumber, F_OIDGE, ObjectIdGetDatum(oids[0]));
	ScanKeyInit(&keys[1], OID_COLUMN, BTLessEqualStrategyNumber, F_OIDLE, ObjectIdGetDatum(oids[count - 1]));
	scan = systable_beginscan(catalog, by_oid, true, snapshot, lengthof(keys), keys);
	for (int64 rows = 0; rows < most && HeapTupleIsValid(row = systable_getnext(scan)); rows++)
	{
		Oid oid = rds_catalog_oid(catalog, row);

		while (done < count && oids[done] < oid)
			take(done++, NULL, argument);
		if (done < count && oids[done] == oid)
			take(done++, row, argument);
	}
	/* there are no more */
	while (!HeapTupleIsValid(row) && done < count)
		take(done++, NULL, argument);
	systable_endscan(scan);
	return done;
}

/*
 * rds_catalog_scan_own
 *		Begins to scan a catalog's rows of what is not the system's, of which there are
 *		thousands, by an index that begins with the OID; without an index, all rows.
 */
SysScanDesc
rds_catalog_scan_own(Relation catalog, Oid index, Snapshot snapshot)
{
	ScanKeyData key;

	ScanKeyInit(&key, OID_COLUMN, BTGreaterEqualStrategyNumber, F_OIDGE, ObjectIdGetDatum(FirstNormalObjectId));
	return systable_beginscan(catalog, index, OidIsValid(index), snapshot, OidIsValid(index) ? 1 : 0, &key);
}

/*
 * rds_catalog_members
 *		The OIDs in a column of all rows that a catalog has of a relation, by an index
 *		that begins with the relation.  Nothing but the catalog is locked for it.
 */
List *
rds_catalog_members(Oid catalog, Oid index, AttrNumber column, Oid relation, AttrNumber member)
{
	Relation opened = table_open(catalog, AccessShareLock);
	List *members = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(opened, index, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool isnull;

		members = lappend_oid(members, DatumGetObjectId(heap_getattr(row, member, RelationGetDescr(opened), &isnull)));
	}
	systable_endscan(scan);
	table_close(opened, AccessShareLock);
	return members;
}

bool
rds_catalog_is_empty(Oid catalog)
{
	Relation relation = table_open(catalog, AccessShareLock);
	SysScanDesc scan = rds_catalog_scan_own(relation, InvalidOid, NULL);
	bool is_empty = !HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return is_empty;
}

/* The OID of what a row of any catalog is about. */
Oid
rds_catalog_oid(Relation catalog, HeapTuple row)
{
	bool isnull;

	return DatumGetObjectId(heap_getattr(row, OID_COLUMN, RelationGetDescr(catalog), &isnull));
}

/* NULL where it is not there. */
char *
rds_schema_name(Oid schema, Snapshot snapshot)
{
	HeapTuple row;

	if (snapshot == NULL)
		return get_namespace_name(schema);
	row = rds_catalog_row_of(NamespaceRelationId, schema, snapshot);
	return HeapTupleIsValid(row) ? pstrdup(NameStr(((Form_pg_namespace) GETSTRUCT(row))->nspname)) : NULL;
}

bool
rds_is_temporary_schema(Oid schema, Snapshot snapshot)
{
	const char *name = rds_schema_name(schema, snapshot);

	return name != NULL && (strncmp(name, "pg_temp_", 8) == 0 || strncmp(name, "pg_toast_temp_", 14) == 0);
}

/* As it is written in SQL; NULL where the schema is not there. */
char *
rds_qualified_name(Oid schema, const char *name, Snapshot snapshot)
{
	char *schema_name = rds_schema_name(schema, snapshot);

	return schema_name == NULL ? NULL : quote_qualified_identifier(schema_name, name);
}

/* As it is written in SQL, and its row; NULL where it is not there. */
char *
rds_relation_name(Oid relation, Snapshot snapshot, HeapTuple *row)
{
	Form_pg_class class;

	*row = rds_catalog_row_of(RelationRelationId, relation, snapshot);
	if (!HeapTupleIsValid(*row))
		return NULL;
	class = (Form_pg_class) GETSTRUCT(*row);
	return rds_qualified_name(class->relnamespace, NameStr(class->relname), snapshot);
}

/* A type's name by the catalog alone: int4, int4[], shop.money. */
char *
rds_type_name(Oid type, Snapshot snapshot)
{
	HeapTuple row = row_of_type(type, snapshot);
	HeapTuple element = NULL;
	Form_pg_type form;
	const char *name;
	char *schema;

	if (!HeapTupleIsValid(row))
		return pstrdup("");
	form = (Form_pg_type) GETSTRUCT(row);
	schema = form->typnamespace == PG_CATALOG_NAMESPACE ? NULL : rds_schema_name(form->typnamespace, snapshot);
	name = quote_identifier(NameStr(form->typname));
	if (OidIsValid(form->typelem) && form->typsubscript == F_ARRAY_SUBSCRIPT_HANDLER)
		element = row_of_type(form->typelem, snapshot);
	if (HeapTupleIsValid(element))
		name = psprintf("%s[]", quote_identifier(NameStr(((Form_pg_type) GETSTRUCT(element))->typname)));
	return schema == NULL ? pstrdup(name) : psprintf("%s.%s", quote_identifier(schema), name);
}

static HeapTuple
row_of_type(Oid type, Snapshot snapshot)
{
	return snapshot == NULL ? SearchSysCacheCopy1(TYPEOID, ObjectIdGetDatum(type))
							: rds_catalog_row_of(TypeRelationId, type, snapshot);
}

/* What a function that returns text says, between two pieces of text; nothing where that is NULL. */
void
rds_append_result(StringInfo out, const char *before, PGFunction function, Datum first, Datum second, const char *after)
{
	LOCAL_FCINFO(call, 2);
	Datum result;

	InitFunctionCallInfoData(*call, NULL, 2, InvalidOid, NULL, NULL);
	call->args[0].value = first;
	call->args[0].isnull = false;
	call->args[1].value = second;
	call->args[1].isnull = false;
	result = function(call);
	if (!call->isnull)
		appendStringInfo(out, "%s%s%s", before, TextDatumGetCString(result), after);
}

/* Options, in order of name and in parentheses; no value that could be a secret. */
void
rds_append_options(StringInfo out, const char *before, Datum options)
{
	int count;
	char **all = sorted_elements(options, TEXTOID, &count);

	if (count == 0)
		return;
	appendStringInfo(out, "%s(", before);
	for (int i = 0; i < count; i++)
	{
		const char *equals = strchr(all[i], '=');

		appendStringInfoString(out, i == 0 ? "" : ", ");
		if (equals != NULL && may_be_secret(all[i]))
			appendStringInfo(out, "%.*s=***", (int) (equals - all[i]), all[i]);
		else
			appendStringInfoString(out, all[i]);
	}
	appendStringInfoChar(out, ')');
}

/* By the name of an option. */
static bool
may_be_secret(const char *option)
{
	static const char *const words[] = {"pass", "secret", "token", "credential", "access_key", "accesskey",
										"api_key", "apikey", "private_key", "privatekey"};
	char *name = pnstrdup(option, strcspn(option, "="));

	for (char *at = name; *at != '\0'; at++)
		*at = pg_ascii_tolower((unsigned char) *at);
	for (int i = 0; i < lengthof(words); i++)
	{
		if (strstr(name, words[i]) != NULL)
			return true;
	}
	return false;
}

/* An array of aclitem, unless it is empty. */
void
rds_append_privileges(StringInfo out, const char *before, Datum privileges)
{
	if (ACL_NUM(DatumGetAclP(privileges)) > 0)
		appendStringInfo(out, "%s%s", before, list_privileges(privileges));
}

static char *
list_privileges(Datum privileges)
{
	StringInfoData list;
	int count;
	char **items = sorted_elements(privileges, ACLITEMOID, &count);

	if (count == 0)
		return pstrdup("none");
	initStringInfo(&list);
	for (int i = 0; i < count; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ", items[i]);
	return list.data;
}

/* The elements of an array, text or aclitem, as text, in order. */
static char **
sorted_elements(Datum array, Oid element_type, int *count)
{
	Datum *elements;
	bool *nulls;
	char **all;
	int16 length;
	bool by_value;
	char align;
	int kept = 0;

	get_typlenbyvalalign(element_type, &length, &by_value, &align);
	deconstruct_array(DatumGetArrayTypeP(array), element_type, length, by_value, align, &elements, &nulls, count);
	all = palloc(Max(*count, 1) * sizeof(char *));
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			continue;
		all[kept++] = element_type == TEXTOID ? TextDatumGetCString(elements[i])
											  : DatumGetCString(DirectFunctionCall1(aclitemout, elements[i]));
	}
	*count = kept;
	qsort(all, kept, sizeof(char *), compare_strings);

	return all;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Where it is not the database's own. */
void
rds_append_tablespace(StringInfo out, Oid tablespace)
{
	const char *name = OidIsValid(tablespace) ? get_tablespace_name(tablespace) : NULL;

	if (name != NULL)
		appendStringInfo(out, "\nTABLESPACE %s", quote_identifier(name));
}

void
rds_append_collation(StringInfo out, Oid collation)
{
	appendStringInfo(out, " COLLATE %s", DatumGetCString(DirectFunctionCall1(regcollationout, ObjectIdGetDatum(collation))));
}

void
rds_append_comment(StringInfo out, Oid catalog, Oid oid)
{
	const char *comment = rds_comment_in(rds_comments_on(catalog, oid), 0);

	if (comment != NULL)
		appendStringInfo(out, "\nCOMMENT %s", quote_literal_cstr(comment));
}

/*
 * rds_append_end
 *		The lines with which a definition ends: owner, privileges unless they are what
 *		nobody has changed, comment, labels.
 */
void
rds_append_end(StringInfo out, Relation relation, HeapTuple row, bool has_labels)
{
	Oid catalog = RelationGetRelid(relation);
	Oid owner = InvalidOid;
	Oid oid = rds_catalog_oid(relation, row);

	append_owner(out, relation, row, &owner);
	append_granted(out, relation, row, owner);
	rds_append_comment(out, catalog, oid);
	if (!has_labels)
		return;
	append_labels(out, catalog, oid);
	if (catalog == TypeRelationId && OidIsValid(((Form_pg_type) GETSTRUCT(row))->typrelid))
		append_labels(out, RelationRelationId, ((Form_pg_type) GETSTRUCT(row))->typrelid);
}

static bool
is_index(const Form_pg_class class)
{
	return class->relkind == RELKIND_INDEX || class->relkind == RELKIND_PARTITIONED_INDEX;
}

/* An extension's owner is who has restored it; an index's, its table's. */
static void
append_owner(StringInfo out, Relation catalog, HeapTuple row, Oid *owner)
{
	AttrNumber column = get_object_attnum_owner(RelationGetRelid(catalog));
	Datum name;
	bool isnull;

	if (column == InvalidAttrNumber || RelationGetRelid(catalog) == ExtensionRelationId)
		return;
	if (RelationGetRelid(catalog) == RelationRelationId && is_index((Form_pg_class) GETSTRUCT(row)))
		return;
	*owner = DatumGetObjectId(heap_getattr(row, column, RelationGetDescr(catalog), &isnull));
	name = DirectFunctionCall1(pg_get_userbyid, ObjectIdGetDatum(*owner));
	appendStringInfo(out, "\nOWNER %s", quote_identifier(NameStr(*DatumGetName(name))));
}

static void
append_granted(StringInfo out, Relation catalog, HeapTuple row, Oid owner)
{
	AttrNumber column = get_object_attnum_acl(RelationGetRelid(catalog));
	ObjectType type;
	Datum privileges;
	bool isnull;

	if (column == InvalidAttrNumber)
		return;
	privileges = heap_getattr(row, column, RelationGetDescr(catalog), &isnull);
	if (isnull)
		return;
	switch (RelationGetRelid(catalog))
	{
		case RelationRelationId:
			type = ((Form_pg_class) GETSTRUCT(row))->relkind == RELKIND_SEQUENCE ? OBJECT_SEQUENCE : OBJECT_TABLE;
			break;
		case ProcedureRelationId:
			type = OBJECT_FUNCTION;
			break;
		case TypeRelationId:
			type = OBJECT_TYPE;
			break;
		case NamespaceRelationId:
			type = OBJECT_SCHEMA;
			break;
		case LanguageRelationId:
			type = OBJECT_LANGUAGE;
			break;
		case ForeignDataWrapperRelationId:
			type = OBJECT_FDW;
			break;
		case ForeignServerRelationId:
			type = OBJECT_FOREIGN_SERVER;
			break;
		default:
			return;
	}
	if (!are_usual(privileges, acldefault(type, owner)))
		appendStringInfo(out, "\nPRIVILEGES %s", list_privileges(privileges));
}

/* The same, in whatever order? */
static bool
are_usual(Datum privileges, Acl *usual)
{
	Acl *granted = DatumGetAclPCopy(privileges);

	aclitemsort(granted);
	aclitemsort(usual);
	return aclequal(granted, usual);
}

/* The index has them in order of provider. */
static void
append_labels(StringInfo out, Oid catalog, Oid oid)
{
	Relation relation = table_open(SecLabelRelationId, AccessShareLock);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&keys[0], Anum_pg_seclabel_objoid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	ScanKeyInit(&keys[1], Anum_pg_seclabel_classoid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
	ScanKeyInit(&keys[2], Anum_pg_seclabel_objsubid, BTGreaterEqualStrategyNumber, F_INT4GE, Int32GetDatum(0));
	scan = systable_beginscan(relation, SecLabelObjectIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		int column = ((FormData_pg_seclabel *) GETSTRUCT(row))->objsubid;
		bool isnull;
		Datum provider = heap_getattr(row, Anum_pg_seclabel_provider, RelationGetDescr(relation), &isnull);
		Datum label = heap_getattr(row, Anum_pg_seclabel_label, RelationGetDescr(relation), &isnull);

		appendStringInfoString(out, "\nSECURITY LABEL ");
		if (column != 0)
			appendStringInfo(out, "ON %s ", quote_identifier(get_attname(oid, column, false)));
		appendStringInfo(out, "%s %s", quote_identifier(TextDatumGetCString(provider)), quote_literal_cstr(TextDatumGetCString(label)));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

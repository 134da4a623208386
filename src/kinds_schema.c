/*-------------------------------------------------------------------------
 *
 * kinds_schema.c
 *	  How schemas, extensions, functions and procedures are read from the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "aside.h"
#include "definition.h"
#include "kinds.h"

static bool name_schema(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool name_extension(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool name_routine(RdsObject *object, HeapTuple row, Snapshot snapshot);
static void define_schema(StringInfo out, HeapTuple row);
static void define_extension(StringInfo out, HeapTuple row);

const RdsObjectKind rds_kinds_of_schemas[] = {
	{.catalog = NamespaceRelationId, .has_pinned = true, .name = name_schema, .define = define_schema},
	{.catalog = ExtensionRelationId, .has_pinned = true, .name = name_extension, .define = define_extension},
	{.catalog = ProcedureRelationId, .name = name_routine, .define = rds_append_routine},
	{0}};

/* The schema "public" is for users to change. */
static bool
name_schema(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_namespace schema = (Form_pg_namespace) GETSTRUCT(row);

	if (schema->oid < FirstNormalObjectId && strcmp(NameStr(schema->nspname), "public") != 0)
		return false;
	if (rds_is_temporary_schema(schema->oid, snapshot) ||
		(snapshot == NULL && rds_is_of_extension(NamespaceRelationId, schema->oid)))
		return false;
	object->kind = "schema";
	object->identity = pstrdup(quote_identifier(NameStr(schema->nspname)));
	return true;
}

static bool
name_extension(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_extension extension = (Form_pg_extension) GETSTRUCT(row);

	if (strcmp(NameStr(extension->extname), "rdsinit") == 0)
		return false;
	object->kind = "extension";
	object->identity = pstrdup(quote_identifier(NameStr(extension->extname)));
	return true;
}

/* Aggregates are read in SQL. */
static bool
name_routine(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_proc routine = (Form_pg_proc) GETSTRUCT(row);
	StringInfoData identity;
	char *name;

	if (routine->oid < FirstNormalObjectId || routine->prokind == PROKIND_AGGREGATE ||
		rds_is_temporary_schema(routine->pronamespace, snapshot) ||
		(snapshot == NULL && rds_is_of_extension(ProcedureRelationId, routine->oid)))
		return false;
	name = rds_qualified_name(routine->pronamespace, NameStr(routine->proname), snapshot);
	if (name == NULL)
		return false;

	initStringInfo(&identity);
	appendStringInfo(&identity, "%s(", name);
	for (int i = 0; i < routine->proargtypes.dim1; i++)
		appendStringInfo(&identity, "%s%s", i == 0 ? "" : ", ", rds_type_name(routine->proargtypes.values[i], snapshot));
	appendStringInfoChar(&identity, ')');
	object->kind = routine->prokind == PROKIND_PROCEDURE ? "procedure" : "function";
	object->identity = identity.data;
	return true;
}

static void
define_schema(StringInfo out, HeapTuple row)
{
	appendStringInfoString(out, "SCHEMA");
}

/* Its owner is who has restored it. */
static void
define_extension(StringInfo out, HeapTuple row)
{
	const Form_pg_extension extension = (Form_pg_extension) GETSTRUCT(row);
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	bool isnull;
	Datum version = heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(catalog), &isnull);
	const char *schema = get_namespace_name(extension->extnamespace);

	appendStringInfo(out, "EXTENSION VERSION %s SCHEMA %s", quote_literal_cstr(TextDatumGetCString(version)),
					 quote_identifier(schema != NULL ? schema : ""));
	table_close(catalog, AccessShareLock);
}

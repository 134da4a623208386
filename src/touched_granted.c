/*-------------------------------------------------------------------------
 *
 * touched_granted.c
 *	  What scripts have changed the rights of.
 *
 * The server tells nothing of it, and GRANT names many objects in many ways: the
 * rows of the catalogs are looked at that this transaction has written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"

#include "definition.h"
#include "touched.h"

/* Where rights are; pg_attribute is looked at with pg_class. */
static const struct
{
	Oid catalog;
	ObjectType type;
	bool has_pinned; /* also objects of the system's are kept: the schema "public" is */
} granting[] = {
	{RelationRelationId, OBJECT_TABLE},
	{ProcedureRelationId, OBJECT_FUNCTION},
	{NamespaceRelationId, OBJECT_SCHEMA, true},
	{TypeRelationId, OBJECT_TYPE},
	{LanguageRelationId, OBJECT_LANGUAGE},
	{ForeignDataWrapperRelationId, OBJECT_FDW},
	{ForeignServerRelationId, OBJECT_FOREIGN_SERVER},
};

static void collect_written(RdsTouched *touched, Oid catalog, AttrNumber column, Oid index, Oid as);

/* Rights on objects of this type were changed, but not for tables that were named. */
void
rds_touched_note_grant(RdsTouched *touched, ObjectType type)
{
	if (type == OBJECT_SEQUENCE || type == OBJECT_COLUMN)
		type = OBJECT_TABLE;
	else if (type == OBJECT_PROCEDURE || type == OBJECT_ROUTINE || type == OBJECT_AGGREGATE)
		type = OBJECT_FUNCTION;
	else if (type == OBJECT_DOMAIN)
		type = OBJECT_TYPE;
	for (int i = 0; i < lengthof(granting); i++)
	{
		if (granting[i].type == type)
			touched->granted |= 1 << i;
	}
}

/* Rights on anything may have been changed. */
void
rds_touched_note_all_grants(RdsTouched *touched)
{
	touched->granted = (1 << lengthof(granting)) - 1;
}

/* Of what have the rights been changed by the script that has run until now? */
void
rds_touched_collect_granted(RdsTouched *touched)
{
	uint32 granted = touched->granted;

	touched->granted = 0;
	for (int i = 0; i < lengthof(granting); i++)
	{
		if ((granted & (1 << i)) == 0)
			continue;
		collect_written(touched, granting[i].catalog, get_object_attnum_oid(granting[i].catalog),
						granting[i].has_pinned ? InvalidOid : get_object_oid_index(granting[i].catalog), granting[i].catalog);
		if (granting[i].catalog == RelationRelationId)
			collect_written(touched, AttributeRelationId, Anum_pg_attribute_attrelid, AttributeRelidNumIndexId,
							RelationRelationId);
	}
	touched->since = GetCurrentCommandId(false);
}

/*
 * Adds the objects whose row in a catalog this transaction has written; with an
 * index that begins with the column, only those that are not the system's.
 */
static void
collect_written(RdsTouched *touched, Oid catalog, AttrNumber column, Oid index, Oid as)
{
	Relation relation = table_open(catalog, AccessShareLock);
	SysScanDesc scan;
	HeapTuple tuple;

	scan = rds_catalog_scan_own(relation, index, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		HeapTupleHeader header = tuple->t_data;
		bool isnull;

		if (HeapTupleHeaderXminFrozen(header) || !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header)) ||
			HeapTupleHeaderGetCmin(header) < touched->since)
			continue;
		rds_touched_add_altered(touched, as,
								DatumGetObjectId(heap_getattr(tuple, column, RelationGetDescr(relation), &isnull)));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

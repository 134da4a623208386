/*-------------------------------------------------------------------------
 *
 * touched_family.c
 *	  What a command changes in the partitions, heirs and sequences of its table.
 *
 * An index or a constraint that becomes a part of its parent's, or ceases to be,
 * is another object to whoever reads the schema, and the server tells nothing of
 * it; nor of a column that is NOT NULL since its parent has a primary key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "touched.h"

static void add_list(RdsTouched *touched, Oid catalog, const List *oids);
static void add_of_relation(RdsTouched *touched, Oid catalog, Oid index, AttrNumber column, Oid relation, AttrNumber member, Oid as);

/* May a table have partitions or heirs?  It may have had them once. */
bool
rds_touched_may_have_heirs(Oid relation)
{
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool may_have;

	if (!HeapTupleIsValid(row))
		return false;
	may_have = ((Form_pg_class) GETSTRUCT(row))->relhassubclass;
	ReleaseSysCache(row);
	return may_have;
}

/*
 * rds_touched_add_family
 *		Adds a table or an index, what inherits from it, and the indexes and constraints of those.
 */
void
rds_touched_add_family(RdsTouched *touched, Oid relation)
{
	List *family = find_all_inheritors(relation, NoLock, NULL);
	ListCell *cell;

	add_list(touched, RelationRelationId, family);
	foreach(cell, family)
	{
		add_of_relation(touched, IndexRelationId, IndexIndrelidIndexId, Anum_pg_index_indrelid, lfirst_oid(cell),
						Anum_pg_index_indexrelid, RelationRelationId);
		add_of_relation(touched, ConstraintRelationId, ConstraintRelidTypidNameIndexId, Anum_pg_constraint_conrelid,
						lfirst_oid(cell), Anum_pg_constraint_oid, ConstraintRelationId);
	}
	list_free(family);
}

/* Adds an index, and those that it is a part of: with their last part they become valid. */
void
rds_touched_add_ancestors(RdsTouched *touched, Oid index)
{
	rds_touched_add_altered(touched, RelationRelationId, index);
	add_list(touched, RelationRelationId, get_partition_ancestors(index));
}

/* Adds the sequences of a table's columns, which are logged where the table is. */
void
rds_touched_add_sequences(RdsTouched *touched, Oid relation)
{
	add_list(touched, RelationRelationId, getOwnedSequences(relation));
}

static void
add_list(RdsTouched *touched, Oid catalog, const List *oids)
{
	ListCell *cell;

	foreach(cell, oids)
		rds_touched_add_altered(touched, catalog, lfirst_oid(cell));
}

/* Adds what a catalog has of a relation.  Nothing is locked for it. */
static void
add_of_relation(RdsTouched *touched, Oid catalog, Oid index, AttrNumber column, Oid relation, AttrNumber member, Oid as)
{
	Relation opened = table_open(catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(opened, index, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool isnull;

		rds_touched_add_altered(touched, as, DatumGetObjectId(heap_getattr(row, member, RelationGetDescr(opened), &isnull)));
	}
	systable_endscan(scan);
	table_close(opened, AccessShareLock);
}

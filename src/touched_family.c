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

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "utils/syscache.h"

#include "definition.h"
#include "touched.h"

static void add_list(RdsTouched *touched, Oid catalog, const List *oids);

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
		add_list(touched, RelationRelationId,
				 rds_catalog_members(IndexRelationId, IndexIndrelidIndexId, Anum_pg_index_indrelid, lfirst_oid(cell),
									 Anum_pg_index_indexrelid));
		add_list(touched, ConstraintRelationId,
				 rds_catalog_members(ConstraintRelationId, ConstraintRelidTypidNameIndexId, Anum_pg_constraint_conrelid,
									 lfirst_oid(cell), Anum_pg_constraint_oid));
	}
}

/* Adds those that an index is a part of: with their last part they become valid. */
void
rds_touched_add_ancestors(RdsTouched *touched, Oid index)
{
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

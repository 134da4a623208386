/*-------------------------------------------------------------------------
 *
 * distributed.c
 *	  Tables whose rows are on other servers.
 *
 * Citus leaves an empty table where it has distributed one, and sees to it by
 * hooks that statements reach the rows.  What goes by the hooks would find none,
 * or add some that nobody sees.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "distributed.h"

/*
 * Citus lists its tables in pg_catalog, where no user can make a table: the list
 * is Citus's, or there is none.
 */
bool
rds_is_distributed(Oid relation)
{
	Oid oid = get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE);
	AttrNumber column = OidIsValid(oid) ? get_attnum(oid, "logicalrelid") : InvalidAttrNumber;
	Relation list;
	ScanKeyData key;
	SysScanDesc scan;
	bool found;

	if (column == InvalidAttrNumber || get_atttype(oid, column) != REGCLASSOID)
		return false;

	list = table_open(oid, AccessShareLock);
	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(list, InvalidOid, false, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(list, AccessShareLock);

	return found;
}

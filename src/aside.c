/*-------------------------------------------------------------------------
 *
 * aside.c
 *	  What the catalog says of objects elsewhere than in their own rows: that an
 *	  extension has made them, that there is a comment on them.
 *
 * Of most objects it says neither, and to find that out takes a descent of an
 * index for each.  Where many objects are read, those of which it does are read
 * first, all at once, unless they are too many themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "aside.h"

/* For fewer objects it is not worth the trouble. */
#define FEWEST 100

/* So many rows are read at once in the time that it takes to look for one object. */
#define ROWS_FOR_ONE 4

/* An object by its catalog; or by its OID alone, where that is enough to rule most of them out. */
typedef struct Key
{
	Oid catalog;
	Oid oid;
} Key;

/* NULL: not read. */
static HTAB *members = NULL;
static HTAB *commented = NULL;

static HTAB *read_members(int64 most);
static bool read_members_of(Oid extension, Relation depend, HTAB *all, int64 most);
static HTAB *read_commented(int64 most);
static HTAB *make(const char *name);

/*
 * rds_aside_begin
 *		From here on so many objects will be asked about.
 *
 * What is read lives in the current memory context, until rds_aside_end.
 */
void
rds_aside_begin(int objects)
{
	members = commented = NULL;
	if (objects < FEWEST)
		return;
	members = read_members((int64) objects * ROWS_FOR_ONE);
	commented = read_commented((int64) objects * ROWS_FOR_ONE);
}

void
rds_aside_end(void)
{
	if (members != NULL)
		hash_destroy(members);
	if (commented != NULL)
		hash_destroy(commented);
	members = commented = NULL;
}

/* Has an extension made the object? */
bool
rds_is_of_extension(Oid catalog, Oid oid)
{
	Key key = {.catalog = catalog, .oid = oid};

	if (members == NULL || oid < FirstNormalObjectId)
		return OidIsValid(getExtensionOfObject(catalog, oid));
	return hash_search(members, &key, HASH_FIND, NULL) != NULL;
}

/* Can there be a comment on an object with this OID, or on a column of it? */
bool
rds_may_have_comment(Oid oid)
{
	Key key = {.oid = oid};

	return commented == NULL || oid < FirstNormalObjectId || hash_search(commented, &key, HASH_FIND, NULL) != NULL;
}

/* NULL where there are more than that. */
static HTAB *
read_members(int64 most)
{
	HTAB *all = make("rdsinit members of extensions");
	Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
	Relation depend = table_open(DependRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(extensions, InvalidOid, false, NULL, 0, NULL);
	HeapTuple row;
	bool done = true;

	while (done && HeapTupleIsValid(row = systable_getnext(scan)))
		done = read_members_of(((Form_pg_extension) GETSTRUCT(row))->oid, depend, all, most);
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	table_close(extensions, AccessShareLock);
	if (done)
		return all;
	hash_destroy(all);
	return NULL;
}

static bool
read_members_of(Oid extension, Relation depend, HTAB *all, int64 most)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;
	bool done = true;

	CHECK_FOR_INTERRUPTS();
	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(ExtensionRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, lengthof(keys), keys);
	while (done && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		const FormData_pg_depend *form = (const FormData_pg_depend *) GETSTRUCT(row);
		Key key = {.catalog = form->classid, .oid = form->objid};

		if (form->deptype != DEPENDENCY_EXTENSION)
			continue;
		(void) hash_search(all, &key, HASH_ENTER, NULL);
		done = hash_get_num_entries(all) <= most;
	}
	systable_endscan(scan);
	return done;
}

/* NULL where there are more than that. */
static HTAB *
read_commented(int64 most)
{
	HTAB *all = make("rdsinit objects with comments");
	Relation relation = table_open(DescriptionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	int64 rows = 0;

	ScanKeyInit(&key, Anum_pg_description_objoid, BTGreaterEqualStrategyNumber, F_OIDGE, ObjectIdGetDatum(FirstNormalObjectId));
	scan = systable_beginscan(relation, DescriptionObjIndexId, true, NULL, 1, &key);
	while (rows <= most && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Key commented_on = {.oid = ((const FormData_pg_description *) GETSTRUCT(row))->objoid};

		CHECK_FOR_INTERRUPTS();
		(void) hash_search(all, &commented_on, HASH_ENTER, NULL);
		rows++;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (rows <= most)
		return all;
	hash_destroy(all);
	return NULL;
}

static HTAB *
make(const char *name)
{
	HASHCTL control = {0};

	control.keysize = sizeof(Key);
	control.entrysize = sizeof(Key);
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

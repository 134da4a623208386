/*-------------------------------------------------------------------------
 *
 * dependents.c
 *	  What reads differently when something has another name, or other columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"

#include "touched.h"

typedef struct Walk
{
	Relation depend;
	bool queries;  /* only what is a query, and what leads to one */
	HTAB *seen;    /* of RdsTouchKey */
	List *pending; /* of RdsTouchKey */
} Walk;

static bool leads_on(const RdsTouchKey *key, const RdsTouch *root);
static bool may_be_query(Oid catalog);
static void add_pending(Walk *walk, Oid catalog, Oid oid);
static void add_referencing(Walk *walk, const RdsTouchKey *key);
static void add_view_of(Walk *walk, const RdsTouchKey *rule);

/*
 * rds_touched_add_dependents
 *		Adds all that depends on something that was renamed, by its script; and of
 *		something that was only reshaped, what holds queries with it.
 *
 * From a view's rule it is one step to the view.
 */
void
rds_touched_add_dependents(RdsTouched *touched, const RdsTouch *root)
{
	Walk walk = {.queries = !root->renamed, .pending = NIL};
	HASHCTL control = {0};
	int script = root->script;

	control.keysize = control.entrysize = sizeof(RdsTouchKey);
	control.hcxt = CurrentMemoryContext;
	walk.seen = hash_create("rdsinit dependents", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	walk.depend = table_open(DependRelationId, AccessShareLock);
	add_pending(&walk, root->key.catalog, root->key.oid);
	while (walk.pending != NIL)
	{
		RdsTouchKey key = *(RdsTouchKey *) llast(walk.pending);

		CHECK_FOR_INTERRUPTS();
		walk.pending = list_delete_last(walk.pending);
		rds_touched_add(touched, key.catalog, key.oid, script, false, true);
		if (!walk.queries || leads_on(&key, root))
			add_referencing(&walk, &key);
		if (key.catalog == RewriteRelationId)
			add_view_of(&walk, &key);
	}
	table_close(walk.depend, AccessShareLock);
	hash_destroy(walk.seen);
}

static void
add_pending(Walk *walk, Oid catalog, Oid oid)
{
	RdsTouchKey key = {.catalog = catalog, .oid = oid};
	bool found;
	RdsTouchKey *entry = hash_search(walk->seen, &key, HASH_ENTER, &found);

	if (!found)
		walk->pending = lappend(walk->pending, entry);
}

/* A table's row has a type, which functions return: these stand in queries as the table does. */
static bool
leads_on(const RdsTouchKey *key, const RdsTouch *root)
{
	return key->catalog == TypeRelationId || key->catalog == ProcedureRelationId ||
		   (key->catalog == root->key.catalog && key->oid == root->key.oid);
}

static bool
may_be_query(Oid catalog)
{
	return catalog == RewriteRelationId || catalog == ProcedureRelationId || catalog == PolicyRelationId ||
		   catalog == TypeRelationId;
}

/* The members of an extension are its own. */
static void
add_referencing(Walk *walk, const RdsTouchKey *key)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(key->catalog));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(key->oid));
	scan = systable_beginscan(walk->depend, DependReferenceIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		const Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(row);

		if (depend->deptype != DEPENDENCY_EXTENSION && (!walk->queries || may_be_query(depend->classid)))
			add_pending(walk, depend->classid, depend->objid);
	}
	systable_endscan(scan);
}

static void
add_view_of(Walk *walk, const RdsTouchKey *rule)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule->catalog));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule->oid));
	scan = systable_beginscan(walk->depend, DependDependerIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		const Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(row);

		if (depend->deptype == DEPENDENCY_INTERNAL)
			add_pending(walk, depend->refclassid, depend->refobjid);
	}
	systable_endscan(scan);
}

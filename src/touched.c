/*-------------------------------------------------------------------------
 *
 * touched.c
 *	  What scripts have made, altered and dropped.
 *
 * The server tells it through object_access_hook, for nearly all that it does.
 * Of what it does not tell, touched_command.c and touched_granted.c find out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_config_map.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "touched.h"

/* Whoever collects in this session, NULL: nobody. */
static RdsTouched *current = NULL;

static void forget_new(RdsTouched *touched, Oid catalog, Oid oid);
static void reshape(RdsTouched *touched, Oid relation);
static void see_transaction(XactEvent event, void *arg);
static void add_relation_of_constraint(RdsTouched *touched, Oid constraint);

/* Once in a process. */
void
rds_touched_install(void)
{
	RegisterXactCallback(see_transaction, NULL);
}

/*
 * rds_touched_begin
 *		Begins to collect what is touched, until rds_touched_end, which an error has
 *		to be followed by, too.
 *
 * Outside of a transaction, what was there before is for the caller to find out.
 */
RdsTouched *
rds_touched_begin(bool in_transaction)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "rdsinit touched objects", ALLOCSET_DEFAULT_SIZES);
	RdsTouched *touched = MemoryContextAllocZero(context, sizeof(RdsTouched));
	HASHCTL control = {0};

	control.keysize = sizeof(RdsTouchKey);
	control.entrysize = sizeof(RdsTouch);
	control.hcxt = context;
	touched->context = context;
	touched->objects = hash_create("rdsinit touched objects", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (in_transaction)
	{
		touched->before = RegisterSnapshot(GetLatestSnapshot());
		touched->since = GetCurrentCommandId(false);
	}
	current = touched;
	return touched;
}

/* From here on it is this script that touches. */
void
rds_touched_script(RdsTouched *touched, const char *name)
{
	MemoryContext oldcontext;

	rds_touched_collect_granted(touched);
	oldcontext = MemoryContextSwitchTo(touched->context);
	touched->scripts = lappend(touched->scripts, pstrdup(name));
	MemoryContextSwitchTo(oldcontext);
	touched->active = true;
	touched->renaming = touched->replacing = false;
	NameStr(touched->last_name)[0] = '\0';
}

/* The scripts are done: nothing more is collected. */
void
rds_touched_finish(RdsTouched *touched)
{
	rds_touched_collect_granted(touched);
	touched->active = touched->renaming = false;
}

void
rds_touched_end(RdsTouched *touched)
{
	if (touched->before != NULL)
		UnregisterSnapshot(touched->before);
	rds_touched_abandon();
}

/* The same when the transaction is over, if there is anything to end. */
void
rds_touched_abandon(void)
{
	if (current != NULL)
		MemoryContextDelete(current->context);
	current = NULL;
}

/* Whoever collects what the script that runs touches; NULL: nobody, or no script does. */
RdsTouched *
rds_touched_current(void)
{
	return current != NULL && current->active ? current : NULL;
}

void
rds_touched_add(RdsTouched *touched, Oid catalog, Oid oid, int script, bool is_new, bool implied)
{
	RdsTouchKey key = {.catalog = catalog, .oid = oid};
	bool found;
	RdsTouch *touch = hash_search(touched->objects, &key, HASH_ENTER, &found);

	if (!found)
	{
		touch->is_new = is_new;
		touch->implied = implied;
		touch->renamed = touch->reshaped = false;
	}
	else if (implied && !touch->implied)
	{
		touch->is_new = false;
		return;
	}
	touch->implied = implied;
	touch->script = found ? Max(touch->script, script) : script;
	if (touched->renaming)
	{
		touch->renamed = touched->renames = true;
		touch->is_new = false;
	}
}

void
rds_touched_see_access(ObjectAccessType access, Oid catalog, Oid oid, int sub, const void *argument)
{
	RdsTouched *touched = rds_touched_current();

	if (touched == NULL)
		return;
	if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)
		return;

	if (catalog == AttrDefaultRelationId)
	{
		/* to find its relation takes as long as all else here: the next default in its place will tell */
		if (access == OAT_DROP && touched->replacing && (((const ObjectAccessDrop *) argument)->dropflags & PERFORM_DELETION_INTERNAL) != 0)
			return;
		/* by its relation when it is made, by its own OID when it goes */
		if (access == OAT_DROP)
			oid = GetAttrDefaultColumnAddress(oid).objectId;
		catalog = RelationRelationId;
		access = OAT_POST_ALTER;
	}
	else if (catalog == IndexRelationId || catalog == InheritsRelationId || catalog == ForeignTableRelationId)
		catalog = RelationRelationId;
	else if (catalog == TSConfigMapRelationId)
		catalog = TSConfigRelationId;
	else if (catalog == ConstraintRelationId && access == OAT_DROP)
		add_relation_of_constraint(touched, oid);
	rds_touched_add(touched, catalog, oid, list_length(touched->scripts) - 1,
					access == OAT_POST_CREATE && sub == 0, false);
	if (catalog == RelationRelationId && sub > 0 && access != OAT_POST_ALTER)
		reshape(touched, oid);
	if (access == OAT_DROP)
		forget_new(touched, catalog, oid);
}

/* Since PostgreSQL 18 a child's column is NOT NULL no more when that constraint goes with its parent's. */
static void
add_relation_of_constraint(RdsTouched *touched, Oid constraint)
{
	HeapTuple row = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));

	if (!HeapTupleIsValid(row))
		return;
	rds_touched_add_altered(touched, RelationRelationId, ((Form_pg_constraint) GETSTRUCT(row))->conrelid);
	ReleaseSysCache(row);
}

/* Queries with a join or a row of the relation show the names of all of its columns. */
static void
reshape(RdsTouched *touched, Oid relation)
{
	RdsTouchKey key = {.catalog = RelationRelationId, .oid = relation};
	RdsTouch *touch = hash_search(touched->objects, &key, HASH_FIND, NULL);

	if (!touch->is_new)
		touch->reshaped = touched->reshapes = true;
}

/*
 * What was replaced was told to be made.  As long as its name is the same that
 * makes no difference; when it goes, its name is needed.
 */
static void
forget_new(RdsTouched *touched, Oid catalog, Oid oid)
{
	RdsTouchKey key = {.catalog = catalog, .oid = oid};
	RdsTouch *touch = hash_search(touched->objects, &key, HASH_FIND, NULL);

	touch->is_new = false;
}

/* By the script that runs, which has not made it; InvalidOid: nothing. */
void
rds_touched_add_altered(RdsTouched *touched, Oid catalog, Oid oid)
{
	if (OidIsValid(oid))
		rds_touched_add(touched, catalog, oid, list_length(touched->scripts) - 1, false, false);
}

/* A statement outside of a transaction may have many of its own. */
static void
see_transaction(XactEvent event, void *arg)
{
	if (current == NULL || current->before != NULL)
		return;
	if (event == XACT_EVENT_PRE_COMMIT && current->granted != 0)
		rds_touched_collect_granted(current);
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		current->since = FirstCommandId;
}

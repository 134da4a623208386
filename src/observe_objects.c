/*-------------------------------------------------------------------------
 *
 * observe_objects.c
 *	  What a statement made, altered and dropped.
 *
 * The server tells of each object: of one that is dropped before it is, of any
 * other before the catalog can be read again.  So the first is named at once,
 * and the others are when the statement has ended.  What comes and goes with a
 * table, its row type or the indexes of its constraints, goes without saying.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/objectaccess.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "observe.h"

/* What an event is told once for. */
typedef struct EventKey
{
	int access;
	Oid class;
	Oid object;
	int column;
} EventKey;

typedef struct Event
{
	EventKey key;
	char *name; /* of what is dropped */
	Oid table;  /* whose part it is; or 0 */
} Event;

/* Where the catalog says to which table something belongs. */
typedef struct Belonging
{
	Oid class;
	Oid index;
	int oid;
	int table;
} Belonging;

static const Belonging belongings[] = {
	{TriggerRelationId, TriggerOidIndexId, Anum_pg_trigger_oid, Anum_pg_trigger_tgrelid},
	{RewriteRelationId, RewriteOidIndexId, Anum_pg_rewrite_oid, Anum_pg_rewrite_ev_class},
	{PolicyRelationId, PolicyOidIndexId, Anum_pg_policy_oid, Anum_pg_policy_polrelid},
	{ConstraintRelationId, ConstraintOidIndexId, Anum_pg_constraint_oid, Anum_pg_constraint_conrelid},
};

static bool is_internal(ObjectAccessType access, const void *argument);
static Event *remember(RdsObserver *observer, const EventKey *key);
static bool is_known(const RdsObserver *observer, ObjectAccessType access, Oid class, Oid object, int column);
static bool goes_without_saying(const EventKey *key);
static Oid table_of(const EventKey *key);
static char *name_of(const EventKey *key);
static void on_relation(RdsObserver *observer, Oid oid, bool is_drop);
static void on_drop_constraint(RdsObserver *observer, Oid oid);

/* What the server tells of an object, while a statement runs. */
void
rds_observe_event(RdsObserver *observer, int access, Oid class, Oid object, int column, void *argument)
{
	EventKey key;
	Event *event;

	if (access == OAT_TRUNCATE)
		rds_observe_ask(observer, object, false, RDS_ASKS_TRUNCATE);
	if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)
		return;
	if (access == OAT_POST_CREATE && class == RelationRelationId && column == 0)
		rds_observe_made(observer, object);
	else if (class == RelationRelationId)
		on_relation(observer, object, access == OAT_DROP);
	if (is_internal(access, argument))
		return;
	if (access == OAT_DROP && class == ConstraintRelationId)
		on_drop_constraint(observer, object);

	memset(&key, 0, sizeof(key));
	key.access = access;
	key.class = class;
	key.object = object;
	key.column = column;
	if (access == OAT_DROP && goes_without_saying(&key))
		return;
	event = remember(observer, &key);
	if (event != NULL && access == OAT_DROP)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(observer->context);

		event->table = table_of(&key);
		event->name = name_of(&key);
		MemoryContextSwitchTo(oldcontext);
	}
}

static bool
is_internal(ObjectAccessType access, const void *argument)
{
	switch (access)
	{
		case OAT_POST_CREATE:
			return argument != NULL && ((const ObjectAccessPostCreate *) argument)->is_internal;
		case OAT_POST_ALTER:
			return argument != NULL && ((const ObjectAccessPostAlter *) argument)->is_internal;
		case OAT_DROP:
			return argument != NULL && (((const ObjectAccessDrop *) argument)->dropflags & PERFORM_DELETION_INTERNAL) != 0;
		default:
			return false;
	}
}

/* NULL: it is known already. */
static Event *
remember(RdsObserver *observer, const EventKey *key)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(observer->scratch);
	Event *event;
	bool found;

	if (observer->told == NULL)
	{
		HASHCTL control = {0};

		control.keysize = sizeof(EventKey);
		control.entrysize = sizeof(Event);
		control.hcxt = observer->scratch;
		observer->told = hash_create("rdsinit: events", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	event = hash_search(observer->told, key, HASH_ENTER, &found);
	if (!found)
	{
		event->name = NULL;
		event->table = InvalidOid;
		observer->events = lappend(observer->events, event);
	}
	MemoryContextSwitchTo(oldcontext);

	return found ? NULL : event;
}

static bool
is_known(const RdsObserver *observer, ObjectAccessType access, Oid class, Oid object, int column)
{
	EventKey key;

	memset(&key, 0, sizeof(key));
	key.access = access;
	key.class = class;
	key.object = object;
	key.column = column;
	return hash_search(observer->told, &key, HASH_FIND, NULL) != NULL;
}

/* When a statement has ended: its events become names. */
void
rds_observe_objects_of_step(RdsObserver *observer)
{
	RdsPlanStep *step = observer->step;
	ListCell *cell;

	foreach(cell, observer->events)
	{
		Event *event = lfirst(cell);
		const EventKey *key = &event->key;
		List **list = key->access == OAT_DROP ? &step->dropped : key->access == OAT_POST_CREATE ? &step->made
																								: &step->altered;
		MemoryContext oldcontext;

		if (key->access != OAT_DROP)
		{
			if (goes_without_saying(key))
				continue;
			event->table = table_of(key);
			if (key->access == OAT_POST_ALTER &&
				(is_known(observer, OAT_POST_CREATE, key->class, key->object, key->column) ||
				 is_known(observer, OAT_POST_CREATE, key->class, key->object, 0)))
				continue;
		}
		/* what an inner block has dropped may be there again */
		else if (name_of(key) != NULL)
			continue;
		if (OidIsValid(event->table) && is_known(observer, key->access, RelationRelationId, event->table, 0))
			continue;
		if (key->column != 0 && is_known(observer, key->access, key->class, key->object, 0) && key->access == OAT_DROP)
			continue;

		oldcontext = MemoryContextSwitchTo(observer->context);
		if (event->name == NULL)
			event->name = name_of(key);
		if (event->name != NULL)
			*list = lappend(*list, event->name);
		MemoryContextSwitchTo(oldcontext);
	}
}

static bool
goes_without_saying(const EventKey *key)
{
	bool result = false;
	HeapTuple tuple;

	if (!is_objectclass_supported(key->class))
		return true;
	switch (key->class)
	{
		case AttrDefaultRelationId:
		case InheritsRelationId:
			return true;
		case RelationRelationId:
			return IsToastNamespace(get_rel_namespace(key->object));
		case TypeRelationId:
			/* a table's row type, or an array */
			tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(key->object));
			if (!HeapTupleIsValid(tuple))
				return false;
			{
				const FormData_pg_type *type = (const FormData_pg_type *) GETSTRUCT(tuple);

				result = (OidIsValid(type->typrelid) && get_rel_relkind(type->typrelid) != RELKIND_COMPOSITE_TYPE) ||
						 type->typcategory == TYPCATEGORY_ARRAY || type->typtype == TYPTYPE_MULTIRANGE;
			}
			ReleaseSysCache(tuple);
			return result;
		case ConstraintRelationId:
			tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->object));
			if (HeapTupleIsValid(tuple))
			{
				/* NOT NULL is one since PostgreSQL 18 */
				result = ((Form_pg_constraint) GETSTRUCT(tuple))->contype == 'n';
				ReleaseSysCache(tuple);
			}
			return result;
		default:
			return false;
	}
}

/* 0: none. */
static Oid
table_of(const EventKey *key)
{
	Oid table = InvalidOid;

	if (key->class == RelationRelationId && key->column == 0)
	{
		char kind = get_rel_relkind(key->object);

		return kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX ? IndexGetRelation(key->object, true) : InvalidOid;
	}
	if (key->class == RelationRelationId)
		return key->object;

	for (int i = 0; i < lengthof(belongings); i++)
	{
		const Belonging *belonging = &belongings[i];
		Relation catalog;
		SysScanDesc scan;
		ScanKeyData scan_key;
		HeapTuple tuple;
		bool isnull;

		if (belonging->class != key->class)
			continue;
		catalog = table_open(belonging->class, AccessShareLock);
		ScanKeyInit(&scan_key, belonging->oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(key->object));
		scan = systable_beginscan(catalog, belonging->index, true, NULL, 1, &scan_key);
		tuple = systable_getnext(scan);
		if (HeapTupleIsValid(tuple))
			table = DatumGetObjectId(heap_getattr(tuple, belonging->table, RelationGetDescr(catalog), &isnull));
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
	return table;
}

/* Kind and identity, as pg_identify_object has them; NULL: it is gone already. */
static char *
name_of(const EventKey *key)
{
	ObjectAddress address;
	char *kind;
	char *identity;

	ObjectAddressSubSet(address, key->class, key->object, key->column);
	identity = getObjectIdentity(&address, true);
	kind = identity != NULL ? getObjectTypeDescription(&address, true) : NULL;
	if (kind == NULL || (key->class == RewriteRelationId && strncmp(identity, "\"_RETURN\" ", strlen("\"_RETURN\" ")) == 0))
		return NULL;
	return psprintf("%s %s", kind, identity);
}

static void
on_relation(RdsObserver *observer, Oid oid, bool is_drop)
{
	rds_observe_touch(observer, oid);
	if (is_drop && oid >= FirstNormalObjectId)
		rds_observe_measure(rds_observe_relation(observer, oid));
}

/* Of a foreign key: the other table is locked as well. */
static void
on_drop_constraint(RdsObserver *observer, Oid oid)
{
	HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid));

	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_FOREIGN)
		rds_observe_ask(observer, ((Form_pg_constraint) GETSTRUCT(tuple))->confrelid, false, RDS_ASKS_REFERENCED);
	ReleaseSysCache(tuple);
}

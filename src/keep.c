/*-------------------------------------------------------------------------
 *
 * keep.c
 *	  The objects kept as scripts have left them.
 *
 * Only what the scripts have touched is looked at, and, where they have renamed
 * something, what depends on that.  What an object was called before is read
 * under the snapshot of that time.  The first time in a database everything is
 * kept: what no script has touched was there before rdsinit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_publication_namespace.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "keep.h"
#include "kept.h"

/* What in the catalog is a part of something else's definition; of what, and which. */
static const struct
{
	Oid catalog;
	const char *query;
} wholes[] = {
	{AttrDefaultRelationId, "SELECT 1259::oid, x.adrelid, x.oid::text FROM pg_attrdef AS x WHERE x.oid = ANY ($1)"},
	{RewriteRelationId, "SELECT 1259::oid, x.ev_class, x.oid::text FROM pg_rewrite AS x WHERE x.oid = ANY ($1) AND x.rulename = '_RETURN'"},
	{TriggerRelationId, "SELECT 2606::oid, x.tgconstraint, x.oid::text FROM pg_trigger AS x WHERE x.oid = ANY ($1) AND x.tgisinternal AND x.tgconstraint <> 0"},
	{RelationRelationId, "SELECT 2606::oid, k.oid, x.indexrelid::text FROM pg_index AS x JOIN pg_constraint AS k ON k.conrelid = x.indrelid AND k.conindid = x.indexrelid"
						 " WHERE x.indexrelid = ANY ($1)"
						 " UNION ALL SELECT 1247::oid, x.reltype, x.oid::text FROM pg_class AS x WHERE x.oid = ANY ($1) AND x.relkind = 'c'"},
	{AccessMethodOperatorRelationId, "SELECT 2753::oid, x.amopfamily, x.oid::text FROM pg_amop AS x WHERE x.oid = ANY ($1)"},
	{AccessMethodProcedureRelationId, "SELECT 2753::oid, x.amprocfamily, x.oid::text FROM pg_amproc AS x WHERE x.oid = ANY ($1)"},
	{PublicationRelRelationId, "SELECT 6104::oid, x.prpubid, x.oid::text FROM pg_publication_rel AS x WHERE x.oid = ANY ($1)"},
	{PublicationNamespaceRelationId, "SELECT 6104::oid, x.pnpubid, x.oid::text FROM pg_publication_namespace AS x WHERE x.oid = ANY ($1)"},
};

/* What depends on objects of a catalog; from a view's rule it is one step to the view. */
#define DEPENDENTS \
	"WITH RECURSIVE t (catalog, oid, root) AS (SELECT %u::oid, o, o FROM unnest($1) AS o UNION" \
	" SELECT d.catalog, d.oid, t.root FROM t CROSS JOIN LATERAL (" \
	"SELECT p.classid, p.objid FROM pg_depend AS p WHERE p.refclassid = t.catalog AND p.refobjid = t.oid AND p.deptype <> 'e'" \
	" UNION ALL SELECT p.refclassid, p.refobjid FROM pg_depend AS p" \
	" WHERE p.classid = t.catalog AND p.objid = t.oid AND p.deptype = 'i' AND t.catalog = 2618) AS d (catalog, oid))" \
	" SELECT catalog, oid, root::text FROM t"

/* How an object was called before. */
typedef struct Former
{
	RdsTouchKey key;
	char *kind;
	char *identity;
} Former;

typedef struct Work
{
	RdsTouched *touched;
	RdsKept *kept;
	Snapshot now;
	bool first;   /* nothing is kept */
	HTAB *former; /* of Former */
	Oid source;   /* the catalog that others are found from */
	MemoryContext context;
	MemoryContext outer;
} Work;

typedef bool (*Choice)(const RdsTouch *touch);

static void keep_all(void);
static void begin(Work *work, RdsReading *reading, RdsTouched *touched);
static void end(Work *work, RdsReading *reading);
static void add_wholes(Work *work);
static void add_dependents(Work *work);
static void read_former(Work *work);
static void forget_former(Work *work);
static void keep_touched(Work *work);
static Oid *choose(const Work *work, Oid catalog, Choice choice, const char *relkinds, int *count);
static HTAB *make_former(MemoryContext context);
static void take_implied(const RdsObject *object, void *argument);
static void take_former(const RdsObject *object, void *argument);
static void take_definition(const RdsObject *object, void *argument);
static bool was_there(const RdsTouch *touch);
static bool was_renamed(const RdsTouch *touch);

/*
 * rds_keep
 *		Keeps what was touched, as it is now, in the current transaction.
 */
void
rds_keep(RdsTouched *touched)
{
	Work work = {0};
	RdsReading reading;

	rds_touched_finish(touched);
	if (hash_get_num_entries(touched->objects) == 0)
	{
		rds_keep_first();
		return;
	}

	begin(&work, &reading, touched);
	add_wholes(&work);
	if (work.first)
		rds_objects_read_all(true, work.now, take_definition, &work);
	else
	{
		add_dependents(&work);
		read_former(&work);
		forget_former(&work);
		keep_touched(&work);
	}
	end(&work, &reading);
}

/* Where nothing is kept yet, keeps everything: it was there before rdsinit. */
void
rds_keep_first(void)
{
	RdsKept *kept = rds_kept_open(true);
	bool first = rds_kept_is_empty(kept);

	rds_kept_close(kept);
	if (first)
		keep_all();
}

static void
keep_all(void)
{
	Work work = {0};
	RdsReading reading;

	begin(&work, &reading, NULL);
	rds_objects_read_all(true, work.now, take_definition, &work);
	end(&work, &reading);
}

/* Takes note of all objects' names, where no snapshot can be kept. */
void
rds_keep_know(RdsTouched *touched)
{
	Work work = {0};
	RdsReading reading;

	begin(&work, &reading, touched);
	touched->known = make_former(touched->context);
	work.former = touched->known;
	rds_objects_read_all(false, work.now, take_former, &work);
	end(&work, &reading);
}

static void
begin(Work *work, RdsReading *reading, RdsTouched *touched)
{
	CommandCounterIncrement();
	work->context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit keep", ALLOCSET_DEFAULT_SIZES);
	work->outer = MemoryContextSwitchTo(work->context);
	work->touched = touched;
	work->now = RegisterSnapshot(GetLatestSnapshot());
	work->kept = rds_kept_open(true);
	work->first = rds_kept_is_empty(work->kept);
	work->former = make_former(CurrentMemoryContext);
	rds_objects_begin(reading);
}

static void
end(Work *work, RdsReading *reading)
{
	rds_objects_end(reading);
	rds_kept_close(work->kept);
	UnregisterSnapshot(work->now);
	MemoryContextSwitchTo(work->outer);
	MemoryContextDelete(work->context);
}

/* Of what are those a part that were touched? */
static void
add_wholes(Work *work)
{
	for (int i = 0; i < lengthof(wholes); i++)
	{
		int count;
		/* a new index is there with its constraint, and what else is new may be a part of something old */
		Oid *oids = choose(work, wholes[i].catalog, wholes[i].catalog == RelationRelationId ? was_there : NULL, NULL, &count);

		if (count == 0)
			continue;
		work->source = wholes[i].catalog;
		rds_objects_query(wholes[i].query, oids, count, work->now, take_implied, work);
		if (work->touched->before != NULL)
			rds_objects_query(wholes[i].query, oids, count, work->touched->before, take_implied, work);
	}
}

/* Of the same script as what it was found from. */
static void
take_implied(const RdsObject *object, void *argument)
{
	const Work *work = argument;
	RdsTouchKey key = {.catalog = work->source, .oid = atooid(object->kind)};
	const RdsTouch *touch = hash_search(work->touched->objects, &key, HASH_FIND, NULL);

	rds_touched_add(work->touched, object->catalog, object->oid, touch->script, false, true);
}

/* What depends on something that was renamed reads differently now. */
static void
add_dependents(Work *work)
{
	List *catalogs = NIL;
	HASH_SEQ_STATUS status;
	const RdsTouch *touch;
	ListCell *cell;

	if (!work->touched->renames)
		return;
	hash_seq_init(&status, work->touched->objects);
	while ((touch = hash_seq_search(&status)) != NULL)
	{
		if (touch->renamed)
			catalogs = list_append_unique_oid(catalogs, touch->key.catalog);
	}
	foreach(cell, catalogs)
	{
		int count;
		Oid *oids = choose(work, lfirst_oid(cell), was_renamed, NULL, &count);

		work->source = lfirst_oid(cell);
		rds_objects_query(psprintf(DEPENDENTS, lfirst_oid(cell)), oids, count, work->now, take_implied, work);
	}
	add_wholes(work);
}

/* How what was touched was called before. */
static void
read_former(Work *work)
{
	if (work->touched->before == NULL)
	{
		if (work->touched->known != NULL)
			work->former = work->touched->known;
		return;
	}
	for (const RdsObjectKind *kind = rds_kind_next(NULL); kind != NULL; kind = rds_kind_next(kind))
	{
		int count;
		Oid *oids = choose(work, kind->catalog, was_there, NULL, &count);

		if (count > 0)
			rds_objects_read(kind, oids, count, false, work->touched->before, take_former, work);
	}
}

static void
take_former(const RdsObject *object, void *argument)
{
	const Work *work = argument;
	RdsTouchKey key = {.catalog = object->catalog, .oid = object->oid};
	MemoryContext oldcontext = MemoryContextSwitchTo(work->touched->context);
	Former *former = hash_search(work->former, &key, HASH_ENTER, NULL);

	former->kind = pstrdup(object->kind);
	former->identity = pstrdup(object->identity);
	MemoryContextSwitchTo(oldcontext);
}

static void
forget_former(Work *work)
{
	HASH_SEQ_STATUS status;
	const RdsTouch *touch;

	hash_seq_init(&status, work->touched->objects);
	while ((touch = hash_seq_search(&status)) != NULL)
	{
		const Former *former = hash_search(work->former, &touch->key, HASH_FIND, NULL);

		if (former != NULL)
			rds_kept_remove(work->kept, former->kind, former->identity);
	}
}

static void
keep_touched(Work *work)
{
	for (const RdsObjectKind *kind = rds_kind_next(NULL); kind != NULL; kind = rds_kind_next(kind))
	{
		int count;
		Oid *oids = choose(work, kind->catalog, NULL, kind->relkinds, &count);

		if (count > 0)
			rds_objects_read(kind, oids, count, true, work->now, take_definition, work);
	}
}

static void
take_definition(const RdsObject *object, void *argument)
{
	Work *work = argument;
	RdsTouchKey key = {.catalog = object->catalog, .oid = object->oid};
	const RdsTouch *touch = work->touched == NULL ? NULL : hash_search(work->touched->objects, &key, HASH_FIND, NULL);

	if (!work->first)
		rds_kept_remove(work->kept, object->kind, object->identity);
	rds_kept_add(work->kept, object, touch == NULL ? NULL : list_nth(work->touched->scripts, touch->script));
}

/* The touched objects of a catalog. */
static Oid *
choose(const Work *work, Oid catalog, Choice choice, const char *relkinds, int *count)
{
	Oid *oids = palloc(hash_get_num_entries(work->touched->objects) * sizeof(Oid));
	HASH_SEQ_STATUS status;
	const RdsTouch *touch;

	*count = 0;
	hash_seq_init(&status, work->touched->objects);
	while ((touch = hash_seq_search(&status)) != NULL)
	{
		if (touch->key.catalog != catalog || (choice != NULL && !choice(touch)))
			continue;
		if (relkinds != NULL)
		{
			char relkind = get_rel_relkind(touch->key.oid);

			if (relkind == '\0' || strchr(relkinds, relkind) == NULL)
				continue;
		}
		oids[(*count)++] = touch->key.oid;
	}
	return oids;
}

static bool
was_there(const RdsTouch *touch)
{
	return !touch->is_new;
}

static bool
was_renamed(const RdsTouch *touch)
{
	return touch->renamed;
}

static HTAB *
make_former(MemoryContext context)
{
	HASHCTL control = {0};

	control.keysize = sizeof(RdsTouchKey);
	control.entrysize = sizeof(Former);
	control.hcxt = context;
	return hash_create("rdsinit former names", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

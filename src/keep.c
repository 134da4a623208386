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

#include <limits.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_namespace.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "portability/instr_time.h"
#include "rewrite/rewriteSupport.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "aside.h"
#include "definition.h"
#include "keep.h"
#include "kept.h"

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
	bool first;                /* nothing is kept */
	HTAB *former;              /* of Former */
	const RdsTouch **arranged; /* the touched objects, by catalog and OID */
	int arranged_count;
	const RdsReading *reading;
	MemoryContext context;
	MemoryContext outer;
} Work;

typedef bool (*Choice)(const Work *work, const RdsTouch *touch);

/* Touched parts of something in a catalog. */
typedef struct PartsOf
{
	Work *work;
	Oid catalog;
	const Oid *oids;
} PartsOf;

static void keep(RdsTouched *touched);
static void keep_all(void);
static void begin(Work *work, RdsReading *reading, RdsTouched *touched);
static void end(Work *work, RdsReading *reading);
static void add_wholes(Work *work);
static bool may_be_part(const Work *work, const RdsTouch *touch);
static void add_whole(int number, HeapTuple row, void *argument);
static void add_operator(RdsTouched *touched, Oid oid, int script);
static bool is_whole(Oid relation);
static bool whole_of(Oid catalog, HeapTuple row, RdsTouchKey *whole);
static void add_dependents(Work *work);
static void read_former(Work *work);
static void forget_former(Work *work);
static void keep_touched(Work *work);
static void arrange(Work *work);
static int compare_touches(const void *a, const void *b);
static Oid *choose(Work *work, Oid catalog, Choice choice, int *count);
static HTAB *make_former(MemoryContext context);
static void take_former(const RdsObject *object, void *argument);
static void take_definition(const RdsObject *object, void *argument);
static bool may_have_another_name(const Work *work, const RdsTouch *touch);

/*
 * rds_keep
 *		Keeps what was touched, as it is now, in the current transaction.
 *
 * A DEBUG1 message says what that took, for who measures it.
 */
void
rds_keep(RdsTouched *touched)
{
	instr_time start;
	instr_time duration;

	INSTR_TIME_SET_CURRENT(start);
	keep(touched);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	elog(DEBUG1, "kept %ld touched objects in %.3f ms", hash_get_num_entries(touched->objects),
		 INSTR_TIME_GET_MILLISEC(duration));
}

static void
keep(RdsTouched *touched)
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
		rds_objects_read_all(&reading, true, work.now, take_definition, &work);
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
	rds_objects_read_all(&reading, true, work.now, take_definition, &work);
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
	rds_objects_read_all(&reading, false, work.now, take_former, &work);
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
	if (!work->first && touched != NULL)
		rds_kept_expect(work->kept, hash_get_num_entries(touched->objects));
	work->former = make_former(CurrentMemoryContext);
	rds_objects_begin(reading, work->first || touched == NULL ? INT_MAX : hash_get_num_entries(touched->objects));
	work->reading = reading;
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
	static const Oid parts[] = {RewriteRelationId, TriggerRelationId, RelationRelationId, AttrDefaultRelationId,
								OperatorRelationId, AccessMethodOperatorRelationId, AccessMethodProcedureRelationId,
								PublicationRelRelationId, PublicationNamespaceRelationId};

	for (int i = 0; i < lengthof(parts); i++)
	{
		int count;
		PartsOf parts_of = {.work = work, .catalog = parts[i]};

		parts_of.oids = choose(work, parts[i], parts[i] == RelationRelationId ? may_be_part : NULL, &count);
		if (count > 0)
		{
			Relation catalog = table_open(parts[i], AccessShareLock);

			rds_catalog_rows(catalog, parts_of.oids, count, NULL, add_whole, &parts_of);
			table_close(catalog, AccessShareLock);
		}
	}
}

/* A new index is there with its constraint, and of a table's OID there is nothing to be found. */
static bool
may_be_part(const Work *work, const RdsTouch *touch)
{
	return !touch->is_new && !is_whole(touch->key.oid);
}

static void
add_whole(int number, HeapTuple row, void *argument)
{
	const PartsOf *parts = argument;
	RdsTouched *touched = parts->work->touched;
	RdsTouchKey key = {.catalog = parts->catalog, .oid = parts->oids[number]};
	const RdsTouch *touch = hash_search(touched->objects, &key, HASH_FIND, NULL);

	if (!HeapTupleIsValid(row) && touched->before != NULL)
		row = rds_catalog_row_of(key.catalog, key.oid, touched->before);
	if (!HeapTupleIsValid(row))
		return;
	if (key.catalog == OperatorRelationId)
	{
		add_operator(touched, ((Form_pg_operator) GETSTRUCT(row))->oprcom, touch->script);
		add_operator(touched, ((Form_pg_operator) GETSTRUCT(row))->oprnegate, touch->script);
	}
	else if (whole_of(key.catalog, row, &key))
		rds_touched_add(touched, key.catalog, key.oid, touch->script, false, true);
}

/* One that names the touched one, too, since that was made, and no more when it is gone. */
static void
add_operator(RdsTouched *touched, Oid oid, int script)
{
	if (OidIsValid(oid))
		rds_touched_add(touched, OperatorRelationId, oid, script, false, true);
}

/* Is there a relation that is no part of anything? */
static bool
is_whole(Oid relation)
{
	char kind = get_rel_relkind(relation);

	return kind != '\0' && kind != RELKIND_INDEX && kind != RELKIND_PARTITIONED_INDEX && kind != RELKIND_COMPOSITE_TYPE;
}

/* What in the catalog is a part of something else's definition: of what? */
static bool
whole_of(Oid catalog, HeapTuple row, RdsTouchKey *whole)
{
	const void *form = GETSTRUCT(row);

	whole->catalog = RelationRelationId;
	switch (catalog)
	{
		case RewriteRelationId:
			whole->oid = ((const FormData_pg_rewrite *) form)->ev_class;
			return strcmp(NameStr(((const FormData_pg_rewrite *) form)->rulename), ViewSelectRuleName) == 0;
		case TriggerRelationId:
			whole->catalog = ConstraintRelationId;
			whole->oid = ((const FormData_pg_trigger *) form)->tgconstraint;
			return ((const FormData_pg_trigger *) form)->tgisinternal && OidIsValid(whole->oid);
		case RelationRelationId:
			if (((const FormData_pg_class *) form)->relkind == RELKIND_COMPOSITE_TYPE)
			{
				whole->catalog = TypeRelationId;
				whole->oid = ((const FormData_pg_class *) form)->reltype;
				break;
			}
			whole->catalog = ConstraintRelationId;
			whole->oid = rds_constraint_of(((const FormData_pg_class *) form)->oid);
			return OidIsValid(whole->oid);
		case AttrDefaultRelationId:
			whole->oid = ((const FormData_pg_attrdef *) form)->adrelid;
			break;
		case AccessMethodOperatorRelationId:
			whole->catalog = OperatorFamilyRelationId;
			whole->oid = ((const FormData_pg_amop *) form)->amopfamily;
			break;
		case AccessMethodProcedureRelationId:
			whole->catalog = OperatorFamilyRelationId;
			whole->oid = ((const FormData_pg_amproc *) form)->amprocfamily;
			break;
		case PublicationRelRelationId:
			whole->catalog = PublicationRelationId;
			whole->oid = ((const FormData_pg_publication_rel *) form)->prpubid;
			break;
		case PublicationNamespaceRelationId:
			whole->catalog = PublicationRelationId;
			whole->oid = ((const FormData_pg_publication_namespace *) form)->pnpubid;
			break;
		default:
			return false;
	}
	return true;
}

/* What depends on something that was renamed, or has other columns, reads differently now. */
static void
add_dependents(Work *work)
{
	List *roots = NIL;
	HASH_SEQ_STATUS status;
	const RdsTouch *touch;
	ListCell *cell;

	if (!work->touched->renames && !work->touched->reshapes)
		return;
	hash_seq_init(&status, work->touched->objects);
	while ((touch = hash_seq_search(&status)) != NULL)
	{
		if (touch->renamed || touch->reshaped)
			roots = lappend(roots, (void *) touch);
	}
	foreach(cell, roots)
		rds_touched_add_dependents(work->touched, lfirst(cell));
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
		Oid *oids = choose(work, kind->catalog, may_have_another_name, &count);

		if (count > 0)
			rds_objects_read(work->reading, kind, oids, count, false, work->touched->before, take_former, work);
	}
}

/*
 * A view can have been a table: then it was of another kind.  An index that is a
 * constraint's now, and a constraint that is a part of a parent's, are no objects of
 * their own any more.
 */
static bool
may_have_another_name(const Work *work, const RdsTouch *touch)
{
	HeapTuple row;
	char kind;

	if (touch->is_new)
		return false;
	if (work->touched->renames)
		return true;
	row = rds_catalog_row_of(touch->key.catalog, touch->key.oid, NULL);
	if (!HeapTupleIsValid(row))
		return true;
	switch (touch->key.catalog)
	{
		case RelationRelationId:
			kind = ((Form_pg_class) GETSTRUCT(row))->relkind;
			return kind == RELKIND_VIEW || kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX;
		case ConstraintRelationId:
			return OidIsValid(((Form_pg_constraint) GETSTRUCT(row))->conparentid);
		default:
			return false;
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
		Oid *oids = choose(work, kind->catalog, NULL, &count);

		if (kind->may_be != NULL && count > 0 && !rds_kind_may_have_some(kind))
			count = 0;
		else if (kind->may_be != NULL)
		{
			int kept = 0;

			for (int i = 0; i < count; i++)
			{
				if (kind->may_be(oids[i]))
					oids[kept++] = oids[i];
			}
			count = kept;
		}
		if (count > 0)
			rds_objects_read(work->reading, kind, oids, count, true, work->now, take_definition, work);
	}
}

static void
take_definition(const RdsObject *object, void *argument)
{
	Work *work = argument;
	RdsTouchKey key = {.catalog = object->catalog, .oid = object->oid};
	const RdsTouch *touch = work->touched == NULL ? NULL : hash_search(work->touched->objects, &key, HASH_FIND, NULL);
	const char *script = touch == NULL ? NULL : list_nth(work->touched->scripts, touch->script);

	if (work->first)
		rds_kept_add(work->kept, object, script);
	else
		rds_kept_put(work->kept, object, script);
}

/* The touched objects of a catalog, in order of OID. */
static Oid *
choose(Work *work, Oid catalog, Choice choice, int *count)
{
	int first = 0;
	int last;
	Oid *oids;

	arrange(work);
	last = work->arranged_count;
	while (first < last)
	{
		int middle = (first + last) / 2;

		if (work->arranged[middle]->key.catalog < catalog)
			first = middle + 1;
		else
			last = middle;
	}
	while (last < work->arranged_count && work->arranged[last]->key.catalog == catalog)
		last++;

	oids = palloc(Max(last - first, 1) * sizeof(Oid));
	*count = 0;
	for (int i = first; i < last; i++)
	{
		if (choice == NULL || choice(work, work->arranged[i]))
			oids[(*count)++] = work->arranged[i]->key.oid;
	}
	return oids;
}

/* Brings the touched objects into order, again whenever there are more. */
static void
arrange(Work *work)
{
	int count = hash_get_num_entries(work->touched->objects);
	HASH_SEQ_STATUS status;
	const RdsTouch *touch;

	if (work->arranged_count == count)
		return;
	work->arranged = palloc(count * sizeof(RdsTouch *));
	work->arranged_count = 0;
	hash_seq_init(&status, work->touched->objects);
	while ((touch = hash_seq_search(&status)) != NULL)
		work->arranged[work->arranged_count++] = touch;
	qsort(work->arranged, count, sizeof(RdsTouch *), compare_touches);
}

static int
compare_touches(const void *a, const void *b)
{
	const RdsTouchKey *one = &(*(RdsTouch *const *) a)->key;
	const RdsTouchKey *other = &(*(RdsTouch *const *) b)->key;

	if (one->catalog != other->catalog)
		return one->catalog < other->catalog ? -1 : 1;
	return one->oid < other->oid ? -1 : one->oid > other->oid;
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

/*-------------------------------------------------------------------------
 *
 * aside.c
 *	  What the catalog says of objects elsewhere than in their own rows: that an
 *	  extension has made them, that there is a comment on them; and of relations,
 *	  that they have parents, settings, or a constraint that they are the index of.
 *
 * Of most objects it says none of it, and to find that out takes a descent of an
 * index for each.  Where many objects are read, what it says is read first, all
 * at once, unless that is too much itself.
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
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "aside.h"
#include "definition.h"

/* For fewer objects it is not worth the trouble. */
#define FEWEST 100

/* So many bytes of comments are kept in memory. */
#define MOST_TEXT (16 * 1024 * 1024)

typedef struct Key
{
	Oid catalog;
	Oid oid;
} Key;

/* An object, or its columns, on which there are comments. */
typedef struct Commented
{
	Key key;
	List *comments; /* of RdsComment */
} Commented;

/* What a row of a catalog says of a relation. */
typedef struct Said
{
	Oid relation;
	Oid object;
} Said;

typedef bool (*Hear)(HeapTuple row, Said *said);

/* NULL: not read. */
static HTAB *members = NULL;     /* of Key */
static HTAB *commented = NULL;   /* of Commented */
static HTAB *children = NULL;    /* of Said: with parents */
static HTAB *adjusted = NULL;    /* of Said: with options, or in a tablespace */
static HTAB *constrained = NULL; /* of Said: indexes, by which constraint */

static HTAB *read_members(int64 most);
static bool read_members_of(Oid extension, Relation depend, HTAB *all, int64 most);
static HTAB *read_commented(int64 most);
static RdsComment *comment_of(Relation relation, HeapTuple row);
static HTAB *read_said(Oid catalog, Oid index, Hear hear, int64 most);
static bool hear_of_parents(HeapTuple row, Said *said);
static bool hear_of_settings(HeapTuple row, Said *said);
static bool hear_of_constraint(HeapTuple row, Said *said);
static HTAB *make(const char *name, Size key, Size entry);
static void drop(HTAB **table);

/*
 * rds_aside_begin
 *		From here on so many objects will be asked about.
 *
 * What is read lives in the current memory context, until rds_aside_end.
 */
void
rds_aside_begin(int objects)
{
	int64 most = (int64) objects * RDS_ROWS_FOR_ONE;

	members = commented = children = adjusted = constrained = NULL;
	if (objects < FEWEST)
		return;
	members = read_members(most);
	commented = read_commented(most);
	children = read_said(InheritsRelationId, InheritsRelidSeqnoIndexId, hear_of_parents, most);
	adjusted = read_said(RelationRelationId, ClassOidIndexId, hear_of_settings, most);
	constrained = read_said(ConstraintRelationId, ConstraintOidIndexId, hear_of_constraint, most);
}

void
rds_aside_end(void)
{
	drop(&members);
	drop(&commented);
	drop(&children);
	drop(&adjusted);
	drop(&constrained);
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

/* Can it be that the relation has parents? */
bool
rds_may_have_parents(Oid relation)
{
	return children == NULL || hash_search(children, &relation, HASH_FIND, NULL) != NULL;
}

/* Can it be that the relation has options, or is in another tablespace than the database? */
bool
rds_may_have_settings(Oid relation)
{
	return adjusted == NULL || hash_search(adjusted, &relation, HASH_FIND, NULL) != NULL;
}

/* The constraint that has made the index; InvalidOid: none. */
Oid
rds_constraint_of(Oid index)
{
	const Said *said;

	if (constrained == NULL)
		return get_index_constraint(index);
	said = hash_search(constrained, &index, HASH_FIND, NULL);
	return said == NULL ? InvalidOid : said->object;
}

/* The comments on an object and on its columns, a list of RdsComment in order of column. */
List *
rds_comments_on(Oid catalog, Oid oid)
{
	Key key = {.catalog = catalog, .oid = oid};
	Relation relation;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;
	List *comments = NIL;

	if (commented != NULL && oid >= FirstNormalObjectId)
	{
		const Commented *found = hash_search(commented, &key, HASH_FIND, NULL);

		return found == NULL ? NIL : found->comments;
	}
	relation = table_open(DescriptionRelationId, AccessShareLock);
	ScanKeyInit(&keys[0], Anum_pg_description_objoid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	ScanKeyInit(&keys[1], Anum_pg_description_classoid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
	scan = systable_beginscan(relation, DescriptionObjIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		comments = lappend(comments, comment_of(relation, row));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return comments;
}

/* The comment on a column, 0: on the object itself; NULL where there is none. */
const char *
rds_comment_in(const List *comments, int column)
{
	ListCell *cell;

	foreach(cell, comments)
	{
		const RdsComment *comment = lfirst(cell);

		if (comment->column == column)
			return comment->text;
	}
	return NULL;
}

/* NULL where there are more than that. */
static HTAB *
read_members(int64 most)
{
	HTAB *all = make("rdsinit members of extensions", sizeof(Key), sizeof(Key));
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

/* NULL where there are more rows than that, or too much text in them. */
static HTAB *
read_commented(int64 most)
{
	HTAB *all = make("rdsinit objects with comments", sizeof(Key), sizeof(Commented));
	Relation relation = table_open(DescriptionRelationId, AccessShareLock);
	SysScanDesc scan;
	HeapTuple row;
	int64 rows = 0;
	Size text = 0;

	scan = rds_catalog_scan_own(relation, DescriptionObjIndexId, NULL);
	while (rows <= most && text <= MOST_TEXT && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		const FormData_pg_description *form = (const FormData_pg_description *) GETSTRUCT(row);
		Key on = {.catalog = form->classoid, .oid = form->objoid};
		bool found;
		Commented *entry;

		CHECK_FOR_INTERRUPTS();
		entry = hash_search(all, &on, HASH_ENTER, &found);
		if (!found)
			entry->comments = NIL;
		entry->comments = lappend(entry->comments, comment_of(relation, row));
		text += row->t_len;
		rows++;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (rows <= most && text <= MOST_TEXT)
		return all;
	hash_destroy(all);
	return NULL;
}

static RdsComment *
comment_of(Relation relation, HeapTuple row)
{
	RdsComment *comment = palloc(sizeof(RdsComment));
	bool isnull;

	comment->column = ((const FormData_pg_description *) GETSTRUCT(row))->objsubid;
	comment->text = TextDatumGetCString(heap_getattr(row, Anum_pg_description_description, RelationGetDescr(relation), &isnull));
	return comment;
}

/* By an index that begins with a relation's or an object's OID; NULL where there are more rows than that. */
static HTAB *
read_said(Oid catalog, Oid index, Hear hear, int64 most)
{
	HTAB *all = make("rdsinit relations of which is said", sizeof(Oid), sizeof(Said));
	Relation relation = table_open(catalog, AccessShareLock);
	SysScanDesc scan;
	HeapTuple row;
	int64 rows = 0;

	scan = rds_catalog_scan_own(relation, index, NULL);
	while (rows <= most && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Said said = {0};

		CHECK_FOR_INTERRUPTS();
		if (hear(row, &said))
			((Said *) hash_search(all, &said.relation, HASH_ENTER, NULL))->object = said.object;
		rows++;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (rows <= most)
		return all;
	hash_destroy(all);
	return NULL;
}

static bool
hear_of_parents(HeapTuple row, Said *said)
{
	said->relation = ((Form_pg_inherits) GETSTRUCT(row))->inhrelid;
	return true;
}

static bool
hear_of_settings(HeapTuple row, Said *said)
{
	said->relation = ((Form_pg_class) GETSTRUCT(row))->oid;
	return OidIsValid(((Form_pg_class) GETSTRUCT(row))->reltablespace) || !heap_attisnull(row, Anum_pg_class_reloptions, NULL);
}

/* As get_index_constraint: what refers to an index has not made it. */
static bool
hear_of_constraint(HeapTuple row, Said *said)
{
	const Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(row);

	said->relation = constraint->conindid;
	said->object = constraint->oid;
	return constraint->contype == CONSTRAINT_PRIMARY || constraint->contype == CONSTRAINT_UNIQUE ||
		   constraint->contype == CONSTRAINT_EXCLUSION;
}

static HTAB *
make(const char *name, Size key, Size entry)
{
	HASHCTL control = {0};

	control.keysize = key;
	control.entrysize = entry;
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
drop(HTAB **table)
{
	if (*table != NULL)
		hash_destroy(*table);
	*table = NULL;
}

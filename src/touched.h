/*-------------------------------------------------------------------------
 *
 * touched.h
 *	  What scripts have made, altered and dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_TOUCHED_H
#define RDS_TOUCHED_H

#include "catalog/objectaccess.h"
#include "nodes/parsenodes.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

typedef struct RdsTouchKey
{
	Oid catalog;
	Oid oid;
} RdsTouchKey;

/* An object that was touched; by OID, which may be dangling. */
typedef struct RdsTouch
{
	RdsTouchKey key;
	int script;    /* that did it last, from 0 */
	bool is_new;   /* it was made, or replaced, and not renamed or dropped since */
	bool renamed;  /* or moved: what depends on it reads differently */
	bool reshaped; /* it has got or lost columns: queries with it read differently */
	bool implied;  /* not itself, but what is in its definition */
} RdsTouch;

typedef struct RdsTouched
{
	MemoryContext context;
	HTAB *objects;   /* of RdsTouch */
	List *scripts;   /* their names */
	Snapshot before; /* what was there before; NULL: see known */
	HTAB *known;     /* what was there before, for keep.c to look at; NULL: nothing is known */
	bool renames;    /* something was renamed */
	bool reshapes;   /* … or reshaped */
	uint32 granted;  /* the catalogs of which rights may have changed */
	CommandId since; /* by which commands of this transaction */
	bool active;     /* a script runs */
	bool renaming;   /* … a command of it that renames */
	bool replacing;  /* … that puts defaults in the place of others */

	/*
	 * The relation that was named last, with its schema: it is touched by this
	 * script already.  What means another one from here on is told by the hooks:
	 * only what renames is not.
	 */
	NameData last_schema;
	NameData last_name;
} RdsTouched;

/* What a utility command names that it touches, which the hooks do not tell. */
typedef struct RdsTouchedNames
{
	NodeTag command; /* T_Invalid: none */
	ObjectType type;
	Node *name;
	RangeVar *part;    /* what becomes a partition, or ceases to be one */
	char *index;       /* what becomes a constraint's */
	List *constraints; /* what is added, by name */
	bool heirs;        /* what inherits is changed, too */
	bool sequences;    /* … or the sequences of the columns */
	bool renames;
} RdsTouchedNames;

extern void rds_touched_install(void);
extern RdsTouched *rds_touched_begin(bool in_transaction);
extern void rds_touched_script(RdsTouched *touched, const char *name);
extern void rds_touched_finish(RdsTouched *touched);
extern void rds_touched_end(RdsTouched *touched);
extern void rds_touched_abandon(void);
extern RdsTouched *rds_touched_current(void);
extern void rds_touched_add(RdsTouched *touched, Oid catalog, Oid oid, int script, bool is_new, bool implied);
extern void rds_touched_add_altered(RdsTouched *touched, Oid catalog, Oid oid);
extern void rds_touched_add_dependents(RdsTouched *touched, const RdsTouch *root);

/* What the hooks tell. */
extern void rds_touched_see_access(ObjectAccessType access, Oid catalog, Oid oid, int sub, const void *argument);
extern RdsTouchedNames rds_touched_before_utility(const Node *command);
extern void rds_touched_after_utility(const RdsTouchedNames *names);

/* What is changed along with a table. */
extern bool rds_touched_may_have_heirs(Oid relation);
extern void rds_touched_add_family(RdsTouched *touched, Oid relation);
extern void rds_touched_add_ancestors(RdsTouched *touched, Oid index);
extern void rds_touched_add_sequences(RdsTouched *touched, Oid relation);

/* Rights, of which they do not. */
extern void rds_touched_note_grant(RdsTouched *touched, ObjectType type);
extern void rds_touched_note_all_grants(RdsTouched *touched);
extern void rds_touched_collect_granted(RdsTouched *touched);

#endif /* RDS_TOUCHED_H */

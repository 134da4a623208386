/*-------------------------------------------------------------------------
 *
 * kinds.h
 *	  The kinds of objects that a schema is made of, and how each is read from the
 *	  catalog.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_KINDS_H
#define RDS_KINDS_H

#include "access/htup.h"
#include "lib/stringinfo.h"
#include "utils/snapshot.h"

typedef struct RdsObject
{
	Oid catalog;
	Oid oid;
	const char *kind;
	char *identity;
	char *definition; /* NULL: not asked for */
} RdsObject;

/*
 * A kind.  Those that schemas have many of are read in C: "name" fills in kind and
 * identity from the catalog's row, by the caches or as of a snapshot, and says
 * whether the object is one of the schema's; "define" writes its definition.
 * The others are read in SQL, where the object's catalog is x; with the identity
 * alone no function may be called that looks into a cache: it has to be right
 * under an old snapshot, too.
 *
 * Neither writes what is said of all alike: owner, privileges, comment, labels.
 */
typedef struct RdsObjectKind
{
	Oid catalog;
	bool (*may_be)(Oid oid); /* is an object of the catalog of this kind?  NULL: any */
	Oid rows;                /* the catalog that has a row for each of this kind; 0: that one */
	Oid rows_by_oid;         /* its index */

	bool has_pinned; /* read in C: some of the system's are of the schema, too */
	bool (*name)(RdsObject *object, HeapTuple row, Snapshot snapshot);
	void (*define)(StringInfo definition, HeapTuple row);

	const char *kind;
	const char *identity;
	const char *definition;
	const char *from;
	const char *condition;
} RdsObjectKind;

/* Each ends with one that has no catalog. */
extern const RdsObjectKind rds_kinds_of_relations[];
extern const RdsObjectKind rds_kinds_of_parts[];
extern const RdsObjectKind rds_kinds_of_schemas[];
extern const RdsObjectKind rds_kinds_of_types[];
extern const RdsObjectKind rds_kinds_of_code[];
extern const RdsObjectKind rds_kinds_of_foreign_data[];
extern const RdsObjectKind rds_kinds_of_the_rest[];

/* Pieces of SQL, in an argument of which "x" is the object. */

/* An object of the system's, and a member of an extension, is none of the schema's. */
#define RDS_OID_OF(catalog) CppAsString2(catalog)
#define RDS_OWN "x.oid >= 16384"
#define RDS_NO_MEMBER(catalog, object) \
	" AND NOT EXISTS (SELECT FROM pg_depend AS m WHERE m.classid = " RDS_OID_OF(catalog) " AND m.objid = " object \
																						 " AND m.deptype = 'e')"
#define RDS_NOT_TEMPORARY " AND n.nspname !~ '^pg_(toast_)?temp_'"

#define RDS_QUALIFIED(schema, name) "concat(quote_ident(" schema "), '.', quote_ident(" name "))"

/* A type's name by the catalog alone, as rds_type_name writes it: int4, int4[], shop.money. */
#define RDS_TYPE(type) \
	"(SELECT concat(CASE WHEN tn.nspname <> 'pg_catalog' THEN quote_ident(tn.nspname) || '.' END," \
	" coalesce(quote_ident(te.typname) || '[]', quote_ident(tt.typname)))" \
	" FROM pg_type AS tt JOIN pg_namespace AS tn ON tn.oid = tt.typnamespace" \
	" LEFT JOIN pg_type AS te ON te.oid = tt.typelem AND tt.typsubscript = 'array_subscript_handler'::regproc" \
	" WHERE tt.oid = " type ")"

#define RDS_ROLE(role) "quote_ident(pg_get_userbyid(" role "))"
#define RDS_LIST(privileges) "(SELECT coalesce(string_agg(p::text, ', ' ORDER BY p::text COLLATE \"C\"), 'none') FROM unnest(" privileges ") AS p)"

/* One more argument of concat: a function's name, where there is one. */
#define RDS_FUNCTION(label, column) ", E'\\n" label " ' || nullif(" column "::oid, 0)::regprocedure"

#define RDS_JOIN_SCHEMA(column) " JOIN pg_namespace AS n ON n.oid = x." column
#define RDS_IN_SCHEMA(catalog) RDS_OWN RDS_NOT_TEMPORARY RDS_NO_MEMBER(catalog, "x.oid")

#endif /* RDS_KINDS_H */

/*-------------------------------------------------------------------------
 *
 * definition.h
 *	  Pieces of which the definitions of objects are made.
 *
 * All are what the caches know now; where a snapshot is given, what was there then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_DEFINITION_H
#define RDS_DEFINITION_H

#include "access/genam.h"
#include "access/htup.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

extern HeapTuple rds_catalog_row(Relation catalog, Oid oid, Snapshot snapshot);
extern HeapTuple rds_catalog_row_of(Oid catalog, Oid oid, Snapshot snapshot);

/* Given the row of one of several OIDs, by its number; NULL: there is none. */
typedef void (*RdsRowTaker)(int number, HeapTuple row, void *argument);
extern void rds_catalog_rows(Relation catalog, const Oid *oids, int count, Snapshot snapshot, RdsRowTaker take, void *argument);
extern SysScanDesc rds_catalog_scan_own(Relation catalog, Oid index, Snapshot snapshot);
extern List *rds_catalog_members(Oid catalog, Oid index, AttrNumber column, Oid relation, AttrNumber member);
extern bool rds_catalog_is_empty(Oid catalog);
extern Oid rds_catalog_oid(Relation catalog, HeapTuple row);

extern bool rds_is_temporary_schema(Oid schema, Snapshot snapshot);
extern char *rds_schema_name(Oid schema, Snapshot snapshot);
extern char *rds_qualified_name(Oid schema, const char *name, Snapshot snapshot);
extern char *rds_relation_name(Oid relation, Snapshot snapshot, HeapTuple *row);
extern char *rds_type_name(Oid type, Snapshot snapshot);

extern void rds_append_result(StringInfo out, const char *before, PGFunction function, Datum first, Datum second,
							  const char *after);
extern void rds_append_options(StringInfo out, const char *before, Datum options);
extern void rds_append_privileges(StringInfo out, const char *before, Datum privileges);
extern void rds_append_tablespace(StringInfo out, Oid tablespace);
extern void rds_append_collation(StringInfo out, Oid collation);
extern void rds_append_comment(StringInfo out, Oid catalog, Oid oid);
extern void rds_append_columns(StringInfo out, Oid relation);
extern void rds_append_constraint(StringInfo out, HeapTuple row);
extern void rds_append_routine(StringInfo out, HeapTuple row);
extern void rds_append_end(StringInfo out, Relation catalog, HeapTuple row, bool has_labels);

#endif /* RDS_DEFINITION_H */

/*-------------------------------------------------------------------------
 *
 * kinds_relation.h
 *	  What the definitions of constraints have in common with those of indexes, and
 *	  how an index is written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_KINDS_RELATION_H
#define RDS_KINDS_RELATION_H

#include "access/htup.h"
#include "lib/stringinfo.h"

extern void rds_append_reloptions(StringInfo out, const char *before, HeapTuple row);
extern void rds_append_index(StringInfo out, HeapTuple class_row);
extern void rds_append_index_state(StringInfo out, Oid index);
extern void rds_append_index_statistics(StringInfo out, Oid index);

#endif /* RDS_KINDS_RELATION_H */

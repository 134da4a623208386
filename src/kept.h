/*-------------------------------------------------------------------------
 *
 * kept.h
 *	  What is kept of the objects: rdsinit.object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_KEPT_H
#define RDS_KEPT_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "objects.h"

/* So many rows are inserted at once. */
#define RDS_KEPT_AT_ONCE 100

typedef struct RdsKept
{
	Relation table;
	Relation by_hash;
	HTAB *hashes;   /* all that there are; NULL: not read */
	EState *estate; /* NULL: only to be read */
	ResultRelInfo *result_relation;
	TupleTableSlot *slots[RDS_KEPT_AT_ONCE]; /* rows that are to be inserted */
	int slot_count;
	MemoryContext context; /* of those rows */
} RdsKept;

/* A row, while it is read. */
typedef struct RdsKeptRow
{
	char *kind;
	char *identity;
	char *definition;
	char *script; /* NULL: it was there before rdsinit */
} RdsKeptRow;

typedef void (*RdsKeptTaker)(const RdsKeptRow *row, void *argument);

extern RdsKept *rds_kept_open(bool to_write);
extern void rds_kept_close(RdsKept *kept);
extern bool rds_kept_is_empty(const RdsKept *kept);
extern void rds_kept_expect(RdsKept *kept, int objects);
extern bool rds_kept_remove(const RdsKept *kept, const char *kind, const char *identity);
extern void rds_kept_add(RdsKept *kept, const RdsObject *object, const char *script);
extern void rds_kept_put(RdsKept *kept, const RdsObject *object, const char *script);
extern void rds_kept_read(const RdsKept *kept, Snapshot snapshot, RdsKeptTaker take, void *argument);

/* Columns of rdsinit.object, in their order. */
enum
{
	RDS_OBJECT_HASH,
	RDS_OBJECT_KIND,
	RDS_OBJECT_IDENTITY,
	RDS_OBJECT_DEFINITION,
	RDS_OBJECT_SCRIPT,
	RDS_OBJECT_COUNT
};

#endif /* RDS_KEPT_H */

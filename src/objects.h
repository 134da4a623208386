/*-------------------------------------------------------------------------
 *
 * objects.h
 *	  The objects of the database's schema, as text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_OBJECTS_H
#define RDS_OBJECTS_H

#include <limits.h>

#include "common/sha2.h"
#include "nodes/pg_list.h"
#include "utils/snapshot.h"

#include "kinds.h"

/* SHA-256. */
typedef struct RdsDigest
{
	uint8 bytes[PG_SHA256_DIGEST_LENGTH];
} RdsDigest;

/* The same in hexadecimal, with its NUL. */
typedef char RdsHexDigest[PG_SHA256_DIGEST_STRING_LENGTH];

/* Is given one object after another; what it is given does not last. */
typedef void (*RdsObjectTaker)(const RdsObject *object, void *argument);

/* Settings of our own, and a connection to SPI, from begin to end. */
typedef struct RdsReading
{
	int nest_level;
	bool has_labels; /* there are security labels */
} RdsReading;

extern void rds_objects_begin(RdsReading *reading, int objects);
extern void rds_objects_end(RdsReading *reading);
extern void rds_objects_read(const RdsReading *reading, const RdsObjectKind *kind, const Oid *oids, int count,
							 bool with_definition, Snapshot snapshot, RdsObjectTaker take, void *argument);
extern void rds_objects_read_all(const RdsReading *reading, bool with_definition, Snapshot snapshot,
								 RdsObjectTaker take, void *argument);
extern bool rds_kind_may_have_some(const RdsObjectKind *kind);
extern const RdsObjectKind *rds_kind_next(const RdsObjectKind *kind);
extern RdsDigest rds_digest_utf8(const char *text);
extern RdsDigest rds_object_digest(const char *text);
extern void rds_digest_hex(const RdsDigest *digest, RdsHexDigest hex);
extern char *rds_object_utf8(const char *text);

#endif /* RDS_OBJECTS_H */

/*-------------------------------------------------------------------------
 *
 * objects.h
 *	  The objects of the database's schema, as text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_OBJECTS_H
#define RDS_OBJECTS_H

#include "nodes/pg_list.h"
#include "utils/snapshot.h"

#include "kinds.h"

/* SHA-256 in hexadecimal, with its NUL. */
typedef char RdsDigest[65];

/* Is given one object after another; what it is given does not last. */
typedef void (*RdsObjectTaker)(const RdsObject *object, void *argument);

/* Settings of our own, and a connection to SPI, from begin to end. */
typedef struct RdsReading
{
	int nest_level;
	bool has_labels; /* there are security labels */
} RdsReading;

extern void rds_objects_begin(RdsReading *reading);
extern void rds_objects_end(RdsReading *reading);
extern void rds_objects_read(const RdsReading *reading, const RdsObjectKind *kind, const Oid *oids, int count,
							 bool with_definition, Snapshot snapshot, RdsObjectTaker take, void *argument);
extern void rds_objects_read_all(const RdsReading *reading, bool with_definition, Snapshot snapshot,
								 RdsObjectTaker take, void *argument);
extern const RdsObjectKind *rds_kind_next(const RdsObjectKind *kind);
extern void rds_digest_utf8(const char *text, RdsDigest digest);
extern void rds_object_digest(const char *text, RdsDigest digest);
extern char *rds_object_utf8(const char *text);

#endif /* RDS_OBJECTS_H */

/*-------------------------------------------------------------------------
 *
 * bundle.h
 *	  The scripts of a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_BUNDLE_H
#define RDS_BUNDLE_H

#include "common/sha2.h"
#include "utils/array.h"

typedef struct RdsScript
{
	const char *name;
	const char *body;                              /* without a byte-order mark */
	Size length;                                   /* of the body, in bytes */
	char checksum[PG_SHA256_DIGEST_STRING_LENGTH]; /* in hexadecimal */

	/* what apply does with it */
	int total; /* statements that the body holds */

	/* what became of it: a row of rdsinit.outcome */
	const char *outcome;
	int64 statements; /* run, without BEGIN and COMMIT */
	int64 rows;       /* inserted, updated, deleted, merged, copied */
	int64 duration;   /* microseconds */
} RdsScript;

/* Values of rdsinit.outcome's column outcome. */
#define RDS_APPLIED "applied"
#define RDS_UNCHANGED "unchanged"

extern RdsScript *rds_script_make(const char *name, char *body);
extern List *rds_bundle_make(ArrayType *names, ArrayType *bodies);

#endif /* RDS_BUNDLE_H */

/*-------------------------------------------------------------------------
 *
 * bundle.h
 *	  The scripts of a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_BUNDLE_H
#define RDS_BUNDLE_H

#include "nodes/pg_list.h"
#include "utils/array.h"

#include "options.h"
#include "source.h"

typedef struct RdsScript
{
	const char *name;
	RdsSource *source;
	RdsChecksum checksum; /* of the script, and of what it includes */
	bool may_include;     /* it has a "\i" somewhere */

	/* what apply does with it */
	bool is_part;  /* another script includes it: it is not applied by itself */
	int total;     /* steps, as far as they can be counted beforehand */
	pg_crc32c sum; /* of its files, when they were checked */

	/* what became of it: a row of rdsinit.outcome */
	const char *outcome;
	int64 statements; /* run, without BEGIN and COMMIT */
	int64 rows;       /* inserted, updated, deleted, merged, copied */
	int64 duration;   /* microseconds */
} RdsScript;

/* Values of rdsinit.outcome's column outcome. */
#define RDS_APPLIED "applied"
#define RDS_UNCHANGED "unchanged"

extern RdsScript *rds_script_make(const char *name, RdsSource *source);
extern int rds_script_compare(const ListCell *a, const ListCell *b);
extern List *rds_bundle_make(ArrayType *names, ArrayType *bodies);

#endif /* RDS_BUNDLE_H */

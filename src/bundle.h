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
#include "shared/pending.h"
#include "shared/sections.h"
#include "source.h"

typedef struct RdsScript
{
	const char *name;
	RdsSource *source;
	RdsChecksum checksum; /* of the script, and of what it includes */
	bool may_include;     /* it has a "\i" somewhere */

	/* what its name and its comments say */
	RdsNaming naming;
	char *version; /* canonical; NULL: none */
	RdsSections sections;
	bool no_transaction;

	/* what apply does with it */
	RdsState state;
	struct RdsScript *undo; /* in the bundle, that takes it back; NULL: none */
	const char *undoes;     /* the name of the script that this one takes back; NULL: none */

	/* where it is run without a transaction */
	List *steps;                          /* of RdsStatement */
	const struct RdsVariables *variables; /* whose values no error shows */
	bool is_part;                         /* another script includes it: it is not applied by itself */
	int total;                            /* steps, as far as they can be counted beforehand */
	pg_crc32c sum;                        /* of its files, when they were checked */

	/* what became of it: a row of rdsinit.outcome */
	const char *outcome;
	int64 statements; /* run, without BEGIN and COMMIT */
	int64 rows;       /* inserted, updated, deleted, merged, copied */
	int64 duration;   /* microseconds */
	int retries;      /* how often it was tried again, or statements of it, with those that were run together with it: of the first of them */
} RdsScript;

/* Values of rdsinit.outcome's column outcome that are not in the history. */
#define RDS_OUTCOME_UNCHANGED "unchanged"

extern RdsScript *rds_script_make(const char *name, RdsSource *source);
extern char *rds_script_undo(const RdsScript *script, const char **name);
extern int rds_script_compare(const ListCell *a, const ListCell *b);
extern List *rds_bundle_make(ArrayType *names, ArrayType *bodies);

#endif /* RDS_BUNDLE_H */

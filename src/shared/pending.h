/*-------------------------------------------------------------------------
 *
 * pending.h
 *	  What of a bundle is to be applied, for the extension and the trigger alike.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_PENDING_H
#define RDS_PENDING_H

#include "naming.h"

typedef enum RdsState
{
	RDS_STATE_PENDING,      /* to be applied */
	RDS_STATE_OUT_OF_ORDER, /* the same, but below the newest version that was */
	RDS_STATE_UNCHANGED,    /* applied as it is */
	RDS_STATE_CHANGED,      /* applied, but it was another body */
	RDS_STATE_BASELINE,     /* at or below what the database is said to have had */
	RDS_STATE_UNDO          /* not to be applied */
} RdsState;

/* A script of the bundle. */
typedef struct RdsCandidate
{
	const char *name;
	RdsKind kind;
	const char *version;       /* canonical; NULL: none */
	const char *checksum;      /* of its body */
	const char *last_checksum; /* of a repeatable when it was last applied; NULL: never */
	RdsState state;
	void *script; /* the caller's */
} RdsCandidate;

/* A version that the ledger has as applied. */
typedef struct RdsAppliedVersion
{
	const char *version;
	const char *name;
	const char *checksum; /* NULL: whatever there is, is taken for it */
	bool found;           /* it is in the bundle */
} RdsAppliedVersion;

typedef struct RdsPending
{
	RdsCandidate *items; /* afterwards in the order in which they are applied */
	size_t item_count;
	RdsAppliedVersion *versions; /* afterwards in order */
	size_t version_count;
	const char *baseline; /* canonical; NULL: none */

	/* the call's options */
	bool whole; /* the bundle is all that there is: what it does not have is missing */
	bool force;
	bool out_of_order;
	bool allow_changed;
	bool allow_missing;
} RdsPending;

typedef enum RdsTroubleKind
{
	RDS_NO_TROUBLE,
	RDS_SAME_VERSION,
	RDS_CHANGED,
	RDS_MISSING,
	RDS_OUT_OF_ORDER
} RdsTroubleKind;

/* Why a bundle cannot be applied as it is: whole sentences, but for the message. */
typedef struct RdsTrouble
{
	RdsTroubleKind kind;
	char message[2600];
	char detail[200]; /* empty: none */
	char hint[200];
} RdsTrouble;

extern void rds_pending_decide(RdsPending *pending);
extern bool rds_pending_trouble(const RdsPending *pending, RdsTrouble *trouble);

#endif /* RDS_PENDING_H */

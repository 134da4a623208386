/*-------------------------------------------------------------------------
 *
 * history.h
 *	  The ledger: rdsinit.history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_HISTORY_H
#define RDS_HISTORY_H

#include "utils/relcache.h"

#include "bundle.h"

typedef struct RdsLedger
{
	Relation table;
	Relation by_name; /* the index on (name, id) */
	Oid sequence;     /* of the ids */
	char *applied_by; /* the role that made the call */
} RdsLedger;

extern RdsLedger *rds_history_open(void);
extern bool rds_history_is_applied(const RdsLedger *ledger, const RdsScript *script);
extern void rds_history_insert(const RdsLedger *ledger, const RdsScript *script);
extern void rds_history_close(RdsLedger *ledger);

#endif /* RDS_HISTORY_H */

/*-------------------------------------------------------------------------
 *
 * trust.h
 *	  Whose word counts for whom.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_TRUST_H
#define RDS_TRUST_H

#include "history.h"

extern void rds_trust_check_own(Oid relation);
extern bool rds_trust_owner_of_history(Oid relation);
extern bool rds_trust_owner_with_rights(Oid relation);
extern char *rds_owner_name(Oid relation);
extern void rds_trust_check_undo(const RdsLedger *ledger, const RdsLedgerVersion *version);

#endif /* RDS_TRUST_H */

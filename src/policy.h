/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  Which statements a script may hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_POLICY_H
#define RDS_POLICY_H

#include "compat.h"

typedef enum RdsVerdict
{
	RDS_RUN,      /* an ordinary statement */
	RDS_TAKEN_OUT /* BEGIN or COMMIT: the call is the transaction */
} RdsVerdict;

extern RdsVerdict rds_policy_check(const RawStmt *statement);
extern bool rds_is_query(const RawStmt *statement);
extern bool rds_policy_is_transactional(const RawStmt *statement);

#endif /* RDS_POLICY_H */

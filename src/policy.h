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

/* How a statement of a script that asks for no transaction is run. */
typedef enum RdsPlaceToRun
{
	RDS_WITHIN,    /* in a transaction, together with its row in the history */
	RDS_AT_TOP,    /* with none around it */
	RDS_AS_SETTING /* the same; what it does ends with the session */
} RdsPlaceToRun;

extern RdsPlaceToRun rds_policy_check_outside(const RawStmt *statement);
extern RdsVerdict rds_policy_check(const RawStmt *statement);
extern bool rds_changes_reading(const VariableSetStmt *statement);
extern bool rds_is_query(const RawStmt *statement);
extern bool rds_policy_is_transactional(const RawStmt *statement);

#endif /* RDS_POLICY_H */

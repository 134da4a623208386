/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  One statement, parsed and run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_STATEMENT_H
#define RDS_STATEMENT_H

#include "nodes/parsenodes.h"
#include "tcop/dest.h"

extern RawStmt *rds_statement_parse(char *text, Size length);
extern RawStmt *rds_statement_try_parse(char *text, Size length);
extern int64 rds_statement_run_within(RawStmt *statement, const char *whole, const char *text,
									  DestReceiver *receiver);
extern int64 rds_statement_run_at_top(RawStmt *statement, const char *text);
extern int64 rds_statement_run(RawStmt *statement, const char *text, DestReceiver *receiver);

#endif /* RDS_STATEMENT_H */

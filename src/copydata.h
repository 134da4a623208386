/*-------------------------------------------------------------------------
 *
 * copydata.h
 *	  COPY between a table and a script.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_COPYDATA_H
#define RDS_COPYDATA_H

#include "script.h"

extern bool rds_is_copy_from_script(const RawStmt *statement);
extern bool rds_is_copy_to_client(const RawStmt *statement);
extern int64 rds_copy_from_script(const RawStmt *statement, const char *text, RdsCursor *cursor);
extern void rds_copy_to_nowhere(const RawStmt *statement, const char *text);

#endif /* RDS_COPYDATA_H */

/*-------------------------------------------------------------------------
 *
 * versions.h
 *	  A database's version, said or taken back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_VERSIONS_H
#define RDS_VERSIONS_H

#include "errctx.h"
#include "files.h"

extern void rds_baseline(const char *version, RdsFiles *files);
extern void rds_undo(const char *version, RdsFiles *files, RdsErrorContext *errctx);

#endif /* RDS_VERSIONS_H */

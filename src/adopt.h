/*-------------------------------------------------------------------------
 *
 * adopt.h
 *	  The history of another tool, taken over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ADOPT_H
#define RDS_ADOPT_H

#include "files.h"

extern void rds_adopt(Oid table, RdsFiles *files);

#endif /* RDS_ADOPT_H */

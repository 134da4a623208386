/*-------------------------------------------------------------------------
 *
 * ensure.h
 *	  A database that is there afterwards.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ENSURE_H
#define RDS_ENSURE_H

#include "utils/jsonb.h"

extern bool rds_ensure_database(const char *name, Jsonb *options);

#endif /* RDS_ENSURE_H */

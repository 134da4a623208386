/*-------------------------------------------------------------------------
 *
 * keep.h
 *	  The objects kept as scripts have left them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_KEEP_H
#define RDS_KEEP_H

#include "touched.h"

extern void rds_keep(RdsTouched *touched);
extern void rds_keep_first(void);
extern void rds_keep_know(RdsTouched *touched);

#endif /* RDS_KEEP_H */

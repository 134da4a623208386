/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  The data-loss guard: what holds rows is not dropped by mistake.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_GUARD_H
#define RDS_GUARD_H

#include "catalog/objectaccess.h"
#include "nodes/pg_list.h"

extern void rds_guard_install(void);
extern void rds_guard_see_access(ObjectAccessType access, Oid class, Oid object, int column, void *argument);
extern void rds_guard_begin(bool allow_data_loss);
extern void rds_guard_end(void);
extern char *rds_guard_take_losses(void);
extern List *rds_guard_list_losses(void);
extern void rds_guard_forget_losses(void);

#endif /* RDS_GUARD_H */

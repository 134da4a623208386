/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  The server's hooks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_HOOKS_H
#define RDS_HOOKS_H

extern void rds_hooks_install(void);
extern bool rds_hooks_are_alone(void);

#endif /* RDS_HOOKS_H */

/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  What pg_stat_activity shows of a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ACTIVITY_H
#define RDS_ACTIVITY_H

extern char *rds_activity_save(void);
extern void rds_activity_report(const char *format, ...) pg_attribute_printf(1, 2);
extern void rds_activity_at(const char *script, int line, int statement, int total);
extern void rds_activity_restore(const char *saved);

#endif /* RDS_ACTIVITY_H */

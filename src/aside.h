/*-------------------------------------------------------------------------
 *
 * aside.h
 *	  What the catalog says of objects elsewhere than in their own rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ASIDE_H
#define RDS_ASIDE_H

extern void rds_aside_begin(int objects);
extern void rds_aside_end(void);
extern bool rds_is_of_extension(Oid catalog, Oid oid);
extern bool rds_may_have_comment(Oid oid);

#endif /* RDS_ASIDE_H */

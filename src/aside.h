/*-------------------------------------------------------------------------
 *
 * aside.h
 *	  What the catalog says of objects elsewhere than in their own rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_ASIDE_H
#define RDS_ASIDE_H

#include "nodes/pg_list.h"

/* So many of a catalog's rows are read one after the other in the time that it takes to look for one. */
#define RDS_ROWS_FOR_ONE 4

/* For fewer it is not worth the trouble. */
#define RDS_FEWEST_AT_ONCE 8

typedef struct RdsComment
{
	int column; /* 0: on the object itself */
	char *text;
} RdsComment;

extern void rds_aside_begin(int objects);
extern void rds_aside_end(void);
extern bool rds_is_of_extension(Oid catalog, Oid oid);
extern bool rds_may_have_parents(Oid relation);
extern bool rds_may_have_settings(Oid relation);
extern Oid rds_constraint_of(Oid index);
extern List *rds_comments_on(Oid catalog, Oid oid);
extern const char *rds_comment_in(const List *comments, int column);

#endif /* RDS_ASIDE_H */

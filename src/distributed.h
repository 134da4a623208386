/*-------------------------------------------------------------------------
 *
 * distributed.h
 *	  Tables whose rows are on other servers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_DISTRIBUTED_H
#define RDS_DISTRIBUTED_H

/* Has Citus taken this table's rows over?  What is here is empty then. */
extern bool rds_is_distributed(Oid relation);

#endif /* RDS_DISTRIBUTED_H */

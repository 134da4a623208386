/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  Many statements of a script parsed at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_BATCH_H
#define RDS_BATCH_H

#include "files.h"
#include "script.h"

/* Statements that stand one behind the other in a cursor's text. */
typedef struct RdsBatch
{
	List *statements; /* of RawStmt; NIL: the next has to be looked at by itself */
	Size from;        /* where in the text they begin … */
	Size to;          /* … and end */
} RdsBatch;

/* A statement of a batch, ready to be run. */
typedef struct RdsBatchStatement
{
	RawStmt *statement;
	char *text;
	bool is_alone; /* parsed by itself: the tree's locations count from its own start, not the batch's */
} RdsBatchStatement;

extern void rds_batch_parse(RdsCursor *cursor, Size most, RdsBatch *batch);
extern List *rds_batch_parse_to_run(const RdsFiles *files, const RdsScript *script, RdsCursor *cursor, Size most,
									RdsBatch *batch);
extern void rds_batch_go_to(RdsCursor *cursor, const RdsBatch *batch, const RawStmt *statement, bool is_alone);
extern void rds_batch_leave(RdsCursor *cursor, Size offset);

#endif /* RDS_BATCH_H */

/*-------------------------------------------------------------------------
 *
 * observe.h
 *	  What one statement after the other does, for a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_OBSERVE_H
#define RDS_OBSERVE_H

#include "catalog/objectaccess.h"
#include "portability/instr_time.h"

#include "plan.h"

/* While a plan is made. */
typedef struct RdsObserver
{
	RdsPlan *plan;
	MemoryContext context; /* of what is kept */
	MemoryContext scratch; /* of what one statement needs */
	Snapshot before;       /* what the catalog was */
	Oid last_namespace;
	const char *last_namespace_name;
	HTAB *relations; /* of RdsPlanRelation */
	List *weak;      /* of RdsPlanRelation: those that could be locked more strongly */
	List *touched;   /* of RdsPlanRelation, by this statement */
	List *events;    /* what the server told of objects, in this statement */
	HTAB *told;      /* … each once */
	instr_time begun;
	uint64 wal_before;
	int waited_before;
	RdsPlanStep *step;            /* that is run; NULL: none */
	bool saw_utility;             /* it was, or ran, a utility command */
	struct RdsPlanMarkers *marks; /* in the list of our own locks */
} RdsObserver;

/* Once in a process. */

extern RdsObserver *rds_observe_begin(RdsPlan *plan);
extern void rds_observe_end(void);
extern void rds_observe_attempt(RdsObserver *observer);
extern void rds_observe_finish(RdsObserver *observer);

/* Around each statement. */
extern void rds_observe_before(RdsObserver *observer, const char *script, RdsPosition position, const RawStmt *statement);
extern void rds_observe_after(RdsObserver *observer, int64 rows);

/* What the hooks tell. */
extern void rds_observe_see_access(ObjectAccessType access, Oid class, Oid object, int column, void *argument);
extern void rds_observe_see_query(const PlannedStmt *plan);
extern void rds_observe_see_utility(const Node *statement);
extern void rds_observe_not_run(RdsObserver *observer, const RdsScript *script);

/* In observe_relations.c: relations as they were before. */
extern RdsPlanRelation *rds_observe_relation(RdsObserver *observer, Oid oid);
extern void rds_observe_made(RdsObserver *observer, Oid oid);
extern void rds_observe_measure(RdsPlanRelation *relation);
extern void rds_observe_touch(RdsObserver *observer, Oid oid);
extern void rds_observe_relations_of_step(RdsObserver *observer);

/* In observe_locks.c: what this process has locked. */
typedef void (*RdsLockCallback)(RdsObserver *observer, Oid relation, LOCKMASK mask, const PROCLOCK *own);
extern void rds_observe_locks_begin(RdsObserver *observer);
extern void rds_observe_locks(RdsObserver *observer, RdsLockCallback callback);

/* In observe_objects.c: what was made, altered and dropped. */
extern void rds_observe_event(RdsObserver *observer, int access, Oid class, Oid object, int column, void *argument);
extern void rds_observe_objects_of_step(RdsObserver *observer);

/* In observe_utility.c: what a utility command asks for. */
extern void rds_observe_utility(RdsObserver *observer, const Node *statement);
extern void rds_observe_ask(RdsObserver *observer, Oid oid, bool inherit, int asks);

#endif /* RDS_OBSERVE_H */

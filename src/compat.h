/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between the PostgreSQL versions that rdsinit supports.
 *
 * Every test of PG_VERSION_NUM lives here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_COMPAT_H
#define RDS_COMPAT_H

#include "commands/copy.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 200000
#error "rdsinit supports PostgreSQL 15 to 19"
#endif

/* A function that SQL can call.  PostgreSQL 16's own macro exports it where nothing else is exported, 15's does not. */
#define RDS_SQL_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/* PostgreSQL 18 took run_once away: a portal is always run once. */
#if PG_VERSION_NUM >= 180000
#define rds_PortalRun(portal, at_top, dest, qc) \
	PortalRun(portal, FETCH_ALL, at_top, dest, dest, qc)
#else
#define rds_PortalRun(portal, at_top, dest, qc) \
	PortalRun(portal, FETCH_ALL, at_top, true, dest, dest, qc)
#endif

/* PostgreSQL 16 added onlySummarizing, 19 made the booleans one set of flags. */
#if PG_VERSION_NUM >= 190000
#define rds_ExecInsertIndexTuples(result_relation, slot, estate) \
	ExecInsertIndexTuples(result_relation, estate, 0, slot, NIL, NULL)
#elif PG_VERSION_NUM >= 160000
#define rds_ExecInsertIndexTuples(result_relation, slot, estate) \
	ExecInsertIndexTuples(result_relation, slot, estate, false, false, NULL, NIL, false)
#else
#define rds_ExecInsertIndexTuples(result_relation, slot, estate) \
	ExecInsertIndexTuples(result_relation, slot, estate, false, false, NULL, NIL)
#endif

/*
 * PostgreSQL 16 keeps the rights that are asked for in a list of their own.  What
 * reads columns adds that it has to, so this comes before it is transformed.
 */
static inline void
rds_ask_for_insert(ParseNamespaceItem *item)
{
#if PG_VERSION_NUM >= 160000
	item->p_perminfo->requiredPerms = ACL_INSERT;
#else
	item->p_rte->requiredPerms = ACL_INSERT;
#endif
}

/* … and of these columns, and whatever else was added. */
static inline void
rds_check_rights(ParseState *state, ParseNamespaceItem *item, Bitmapset *columns)
{
#if PG_VERSION_NUM >= 160000
	item->p_perminfo->insertedCols = columns;
	ExecCheckPermissions(state->p_rtable, list_make1(item->p_perminfo), true);
#else
	item->p_rte->insertedCols = columns;
	ExecCheckRTPerms(state->p_rtable, true);
#endif
}

/* PostgreSQL 16 added a callback for the data. */
static inline CopyToState
rds_BeginCopyTo(ParseState *state, Relation relation, RawStmt *query, List *columns, List *options)
{
	Oid id = relation != NULL ? RelationGetRelid(relation) : InvalidOid;

#if PG_VERSION_NUM >= 160000
	return BeginCopyTo(state, relation, query, id, NULL, false, NULL, columns, options);
#else
	return BeginCopyTo(state, relation, query, id, NULL, false, columns, options);
#endif
}

/* Before PostgreSQL 17 COPY took MERGE in its grammar alone. */
static inline void
rds_refuse_copy_merge(const CopyStmt *copy)
{
#if PG_VERSION_NUM < 170000
	if (IsA(copy->query, MergeStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("MERGE not supported in COPY")));
#endif
}

/* PostgreSQL 18 has the mark of a function that never returns in front of it. */
#if PG_VERSION_NUM >= 180000
#define rds_noreturn pg_noreturn
#else
#define rds_noreturn pg_attribute_noreturn()
#endif

/* The process of a virtual transaction, NULL where it has ended. */
#if PG_VERSION_NUM >= 170000
#define rds_virtual_transaction_process(vxid) ProcNumberGetProc((vxid).procNumber)
#else
#define rds_virtual_transaction_process(vxid) BackendIdGetProc((vxid).backendId)
#endif

/* PostgreSQL 19 keeps a log_min_messages for each type of process. */
#if PG_VERSION_NUM >= 190000
#define rds_log_min_messages (log_min_messages[MyBackendType])
#else
#define rds_log_min_messages log_min_messages
#endif

/*
 * Lets the scanner follow the settings as they are now, which a script may
 * have changed since scanner_init.  PostgreSQL 19 has one way to read a
 * string constant.
 */
static inline void
rds_scanner_follow_settings(core_yy_extra_type *extra)
{
	extra->backslash_quote = backslash_quote;
#if PG_VERSION_NUM < 190000
	extra->standard_conforming_strings = standard_conforming_strings;
	/* the parser warns; to warn here as well would say it twice */
	extra->escape_string_warning = false;
#endif
}

/* Is a backslash in a string no escape? */
static inline bool
rds_strings_are_standard(void)
{
#if PG_VERSION_NUM < 190000
	return standard_conforming_strings;
#else
	return true;
#endif
}

/* PostgreSQL 17 lets a background worker be a role that cannot log in. */
#if PG_VERSION_NUM >= 170000
#define rds_worker_flags BGWORKER_BYPASS_ROLELOGINCHECK
#else
#define rds_worker_flags 0
#endif

/* PostgreSQL 17 asks whether a stronger lock will do. */
#if PG_VERSION_NUM >= 170000
#define rds_LockHeldByMe(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define rds_LockHeldByMe(tag, mode) LockHeldByMe(tag, mode)
#endif

/*
 * Walks over the locks of a partition that this process has in the shared table;
 * the partition has to be locked.
 */
#if PG_VERSION_NUM >= 160000
#define rds_foreach_own_lock(partition, lock) \
	{ \
		dlist_iter own_lock_iterator; \
		dlist_foreach(own_lock_iterator, &MyProc->myProcLocks[partition]) \
		{ \
			PROCLOCK *lock = dlist_container(PROCLOCK, procLink, own_lock_iterator.cur);
#define rds_end_foreach_own_lock \
	} \
	}
#define rds_foreach_own_lock_backwards(partition, lock) \
	{ \
		dlist_iter own_lock_iterator; \
		dlist_reverse_foreach(own_lock_iterator, &MyProc->myProcLocks[partition]) \
		{ \
			PROCLOCK *lock = dlist_container(PROCLOCK, procLink, own_lock_iterator.cur);
#else
#define rds_foreach_own_lock(partition, lock) \
	{ \
		SHM_QUEUE *own_lock_queue = &MyProc->myProcLocks[partition]; \
		for (PROCLOCK *lock = (PROCLOCK *) SHMQueueNext(own_lock_queue, own_lock_queue, offsetof(PROCLOCK, procLink)); \
			 lock != NULL; \
			 lock = (PROCLOCK *) SHMQueueNext(own_lock_queue, &lock->procLink, offsetof(PROCLOCK, procLink))) \
		{
#define rds_end_foreach_own_lock \
	} \
	}
#define rds_foreach_own_lock_backwards(partition, lock) \
	{ \
		SHM_QUEUE *own_lock_queue = &MyProc->myProcLocks[partition]; \
		for (PROCLOCK *lock = (PROCLOCK *) SHMQueuePrev(own_lock_queue, own_lock_queue, offsetof(PROCLOCK, procLink)); \
			 lock != NULL; \
			 lock = (PROCLOCK *) SHMQueuePrev(own_lock_queue, &lock->procLink, offsetof(PROCLOCK, procLink))) \
		{
#endif

/*
 * The slots in which this process has weak locks: three bits each, for modes 1
 * to 3.  PostgreSQL 18 has groups of them, as many as a setting says.
 */
#if PG_VERSION_NUM >= 180000
#define rds_fast_path_slots() FastPathLockSlotsPerBackend()
#define rds_fast_path_word(slot) (MyProc->fpLockBits[(slot) / FP_LOCK_SLOTS_PER_GROUP])
#define rds_fast_path_shift(slot) (3 * ((slot) % FP_LOCK_SLOTS_PER_GROUP))
#else
#define rds_fast_path_slots() FP_LOCK_SLOTS_PER_BACKEND
#define rds_fast_path_word(slot) (MyProc->fpLockBits)
#define rds_fast_path_shift(slot) (3 * (slot))
#endif
#define rds_fast_path_bits(slot) ((uint32) (rds_fast_path_word(slot) >> rds_fast_path_shift(slot)) & 7)

/* How often a relation was scanned; PostgreSQL 16 dropped a prefix. */
#if PG_VERSION_NUM >= 160000
#define rds_numscans(entry) ((entry)->counts.numscans)
#else
#define rds_numscans(entry) ((entry)->t_counts.t_numscans)
#endif

/* Scans all of a table; PostgreSQL 19 asks for options. */
#if PG_VERSION_NUM >= 190000
#define rds_table_beginscan(relation, snapshot) table_beginscan(relation, snapshot, 0, NULL, 0)
#else
#define rds_table_beginscan(relation, snapshot) table_beginscan(relation, snapshot, 0, NULL)
#endif

/* All settings; PostgreSQL 16 keeps them in no array. */
static inline struct config_generic **
rds_settings(int *count)
{
#if PG_VERSION_NUM >= 160000
	return get_guc_variables(count);
#else
	*count = GetNumConfigOptions();
	return get_guc_variables();
#endif
}

/* Sends a message, waiting for room. */
#define rds_shm_mq_send(queue, length, data) shm_mq_send(queue, length, data, false, true)

/* PostgreSQL 18 has keys without overlaps. */
#if PG_VERSION_NUM >= 180000
#define rds_has_period(constraint) ((constraint)->conperiod)
#else
#define rds_has_period(constraint) false
#endif

/* PostgreSQL 19 made CLUSTER a form of REPACK. */
#if PG_VERSION_NUM >= 190000
typedef RepackStmt RdsClusterStmt;
#define RDS_CLUSTER_TAG T_RepackStmt
#else
typedef ClusterStmt RdsClusterStmt;
#define RDS_CLUSTER_TAG T_ClusterStmt
#endif

static inline bool
rds_is_cluster(const Node *statement)
{
	return nodeTag(statement) == RDS_CLUSTER_TAG;
}

/* … without a table. */
static inline bool
rds_is_cluster_all(const Node *statement)
{
	return rds_is_cluster(statement) && ((const RdsClusterStmt *) statement)->relation == NULL;
}

/* The table that CLUSTER names, which PostgreSQL 19 has in another place; NULL: none. */
static inline const RangeVar *
rds_table_to_rewrite(const Node *statement)
{
#if PG_VERSION_NUM >= 190000
	if (IsA(statement, RepackStmt) && ((const RepackStmt *) statement)->relation != NULL)
		return ((const RepackStmt *) statement)->relation->relation;
#else
	if (IsA(statement, ClusterStmt))
		return ((const ClusterStmt *) statement)->relation;
#endif
	return NULL;
}

#endif /* RDS_COMPAT_H */

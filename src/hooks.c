/*-------------------------------------------------------------------------
 *
 * hooks.c
 *	  The server's hooks, and who listens to them.
 *
 * While no call is under way, each listener is a test of a pointer.  Hooks that
 * others have installed are called as well; ours stay where they are, since others
 * may have put theirs on top.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "parser/analyze.h"
#include "tcop/utility.h"

#include "guard.h"
#include "hooks.h"
#include "observe.h"
#include "touched.h"

static object_access_hook_type next_object_access = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ProcessUtility_hook_type next_utility = NULL;

static void on_object_access(ObjectAccessType access, Oid class, Oid object, int column, void *argument);
static void on_executor_start(QueryDesc *query, int eflags);
static void on_utility(PlannedStmt *statement, const char *source, bool read_only_tree, ProcessUtilityContext context,
					   ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
					   QueryCompletion *completion);

/* Once in a process. */
void
rds_hooks_install(void)
{
	next_object_access = object_access_hook;
	object_access_hook = on_object_access;
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = on_executor_start;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}

/* Does nobody else get to see the texts of the statements that are run? */
bool
rds_hooks_are_alone(void)
{
	return ProcessUtility_hook == on_utility && next_utility == NULL &&
		   ExecutorStart_hook == on_executor_start && next_executor_start == NULL &&
		   post_parse_analyze_hook == NULL;
}

static void
on_object_access(ObjectAccessType access, Oid class, Oid object, int column, void *argument)
{
	if (next_object_access != NULL)
		next_object_access(access, class, object, column, argument);
	rds_guard_see_access(access, class, object, column, argument);
	rds_observe_see_access(access, class, object, column, argument);
	rds_touched_see_access(access, class, object, column, argument);
}

static void
on_executor_start(QueryDesc *query, int eflags)
{
	rds_observe_see_query(query->plannedstmt);
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
on_utility(PlannedStmt *statement, const char *source, bool read_only_tree, ProcessUtilityContext context,
		   ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = next_utility != NULL ? next_utility : standard_ProcessUtility;
	RdsTouchedNames touches = rds_touched_before_utility(statement->utilityStmt);

	rds_observe_see_utility(statement->utilityStmt);
	next(statement, source, read_only_tree, context, params, environment, receiver, completion);
	rds_touched_after_utility(&touches);
}

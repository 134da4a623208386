/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  One statement, parsed and run.
 *
 * A statement goes the way that the simple-query protocol sends it, through a
 * portal of its own.  The portal's source text is the statement's own text:
 * the server looks there to tell where in it a function's body went wrong, and
 * hooks that keep the text get this statement and not the whole script.  Only of
 * a utility command that was parsed as part of a longer text, it is that one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "parser/analyze.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "policy.h"
#include "statement.h"

static int64 run(RawStmt *statement, const char *whole, const char *text, DestReceiver *receiver, bool at_top);
static void locate_within(List *plans, const char *text);
static int64 changed_rows(const QueryCompletion *completion);

/*
 * rds_statement_parse
 *		The raw parse tree of one statement's text, in the current memory context.
 *
 * Raises the parser's errors, with a position that counts from the text's
 * first character.  Afterwards the text is cut to the length of the statement.
 */
RawStmt *
rds_statement_parse(char *text, Size length)
{
	List *statements = raw_parser(text, RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1)
		elog(ERROR, "expected one statement, the parser found %d", list_length(statements));
	text[length] = '\0';

	return linitial_node(RawStmt, statements);
}

/* The same, but NULL where it cannot be parsed. */
RawStmt *
rds_statement_try_parse(char *text, Size length)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	RawStmt *volatile statement = NULL;

	PG_TRY();
	{
		statement = rds_statement_parse(text, length);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(oldcontext);
		FlushErrorState();
	}
	PG_END_TRY();
	return statement;
}

/*
 * rds_statement_run
 *		Runs a statement; what it returns to its client goes to the receiver.
 *
 * Returns how many rows it inserted, updated, deleted, merged or copied.  The
 * tree and the text have to outlive the call; what the call allocates is left
 * in the current memory context.
 */
int64
rds_statement_run(RawStmt *statement, const char *text, DestReceiver *receiver)
{
	return run(statement, text, text, receiver, false);
}

/* The same with no transaction around it, or with one that the statement may end. */
int64
rds_statement_run_at_top(RawStmt *statement, const char *text)
{
	return run(statement, text, text, None_Receiver, true);
}

/*
 * rds_statement_run_within
 *		The same of a statement that was parsed as part of a longer text, in which
 *		the tree's locations are.
 */
int64
rds_statement_run_within(RawStmt *statement, const char *whole, const char *text, DestReceiver *receiver)
{
	return run(statement, whole, text, receiver, false);
}

static int64
run(RawStmt *statement, const char *whole, const char *text, DestReceiver *receiver, bool at_top)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	CommandTag tag = CreateCommandTag(statement->stmt);
	const char *source = text;
	bool snapshot_set = false;
	QueryCompletion completion;
	List *plans;
	Portal portal;

	/* current_query() and the loggers of event triggers ask for it */
	debug_query_string = text;

	if (analyze_requires_snapshot(statement))
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		snapshot_set = true;
	}
	plans = pg_analyze_and_rewrite_fixedparams(statement, whole, NULL, 0, NULL);
	plans = pg_plan_queries(plans, whole, CURSOR_OPT_PARALLEL_OK, NULL);
	if (snapshot_set)
		PopActiveSnapshot();
	if (whole != text && rds_is_query(statement))
		locate_within(plans, text);
	else
		source = whole;

	CHECK_FOR_INTERRUPTS();

	portal = CreateNewPortal();
	portal->visible = false;
	PortalDefineQuery(portal, NULL, source, tag, plans, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);

	/* PortalRun leaves the completion alone where a rule takes the query away */
	InitializeQueryCompletion(&completion);
	(void) rds_PortalRun(portal, at_top, receiver, &completion);
	PortalDrop(portal, false);

	CommandCounterIncrement();
	MemoryContextSwitchTo(oldcontext);

	return changed_rows(&completion);
}

/* The executor, and whoever hooks into it, gets the statement's own text, and all of it. */
static void
locate_within(List *plans, const char *text)
{
	ListCell *cell;

	foreach(cell, plans)
	{
		PlannedStmt *plan = lfirst_node(PlannedStmt, cell);

		plan->stmt_location = 0;
		plan->stmt_len = strlen(text);
	}
}

static int64
changed_rows(const QueryCompletion *completion)
{
	switch (completion->commandTag)
	{
		case CMDTAG_INSERT:
		case CMDTAG_UPDATE:
		case CMDTAG_DELETE:
		case CMDTAG_MERGE:
		case CMDTAG_COPY:
		case CMDTAG_SELECT_INTO:
		case CMDTAG_CREATE_TABLE_AS:
			return (int64) completion->nprocessed;
		default:
			return 0;
	}
}

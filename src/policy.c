/*-------------------------------------------------------------------------
 *
 * policy.c
 *	  Which statements a script may hold.
 *
 * Decided from the raw parse tree alone, so that a script is refused before
 * any of its statements has run.  What only the catalog can tell (CLUSTER of a
 * partitioned table, ALTER SUBSCRIPTION … REFRESH) the server refuses when the
 * statement is reached.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_subscription.h"
#include "commands/defrem.h"
#include "tcop/utility.h"

#include "policy.h"

/* A statement that no transaction block allows, and what to do instead. */
typedef struct Outsider
{
	const char *statement; /* NULL: it may run in a transaction block */
	const char *hint;
} Outsider;

static RdsVerdict check_transaction_control(const TransactionStmt *statement);
static void check_transaction_mode(const TransactionStmt *statement);
static void check_set(const VariableSetStmt *statement);
static void check_session(const Node *statement);
static void check_extension(const Node *statement);
static bool is_set_config(const Node *node);
static Outsider outsider(const Node *statement);
static bool has_true_option(List *options, const char *name, bool value_by_default);
rds_noreturn static void refuse(const char *statement, const char *hint);

#define HINT_WHOLE_CALL \
	"All of a call is one transaction, which an error rolls back: leave the statement out."
#define HINT_CALLER \
	"Begin the transaction that calls rdsinit with the modes it is to have."
#define HINT_AFTERWARDS \
	"Run it outside of the script, when the script has been applied."
#define HINT_BEFOREHAND \
	"Run it outside of the script, before the script is applied."
#define HINT_CONCURRENTLY \
	"Without CONCURRENTLY it may stay, and locks the table until the call ends; or put it into a script" \
	" that begins with \"-- rdsinit: no-transaction\", for rdsinit.deploy."

/*
 * rds_policy_check
 *		What to do with a statement; raises an error where a script must not hold it.
 */
RdsVerdict
rds_policy_check(const RawStmt *statement)
{
	const Node *node = statement->stmt;
	Outsider outside;

	if (IsA(node, TransactionStmt))
		return check_transaction_control((const TransactionStmt *) node);

	outside = outsider(node);
	if (outside.statement != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot run inside a transaction block", outside.statement),
				 errdetail("A script is applied within one transaction."),
				 errhint("%s", outside.hint)));

	if (IsA(node, VariableSetStmt))
		check_set((const VariableSetStmt *) node);
	check_session(node);
	check_extension(node);

	return RDS_RUN;
}

/*
 * rds_policy_check_outside
 *		The same for a script that asks for no transaction: how to run the statement.
 */
RdsPlaceToRun
rds_policy_check_outside(const RawStmt *statement)
{
	const Node *node = statement->stmt;

	if (IsA(node, TransactionStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s is not allowed in a script that asks for no transaction", CreateCommandName((Node *) node)),
				 errhint("Each statement of it is committed by itself: leave the statement out.")));
	if (IsA(node, CopyStmt) && ((const CopyStmt *) node)->is_from && ((const CopyStmt *) node)->filename == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("COPY FROM stdin is not allowed in a script that asks for no transaction"),
				 errhint("Put it into a script of its own.")));
	check_session(node);
	check_extension(node);

	if (IsA(node, VariableSetStmt) || is_set_config(node))
		return RDS_AS_SETTING;
	/* which may commit by themselves */
	if (IsA(node, CallStmt) || IsA(node, DoStmt))
		return RDS_AT_TOP;
	/* which no transaction allows where the table is partitioned, or a slot has to be dropped */
	if (IsA(node, ReindexStmt) || rds_is_cluster(node) || IsA(node, AlterSubscriptionStmt) ||
		IsA(node, DropSubscriptionStmt))
		return RDS_AT_TOP;
	return outsider(node).statement != NULL ? RDS_AT_TOP : RDS_WITHIN;
}

/* Does it only call set_config with constants, as dumps do? */
static bool
is_set_config(const Node *node)
{
	const SelectStmt *select = (const SelectStmt *) node;
	ListCell *cell;

	if (!IsA(node, SelectStmt) || select->targetList == NIL || select->fromClause != NIL ||
		select->whereClause != NULL || select->intoClause != NULL || select->withClause != NULL)
		return false;
	foreach(cell, select->targetList)
	{
		const FuncCall *call = (const FuncCall *) lfirst_node(ResTarget, cell)->val;
		ListCell *argument;

		if (!IsA(call, FuncCall) || strcmp(strVal(llast(call->funcname)), "set_config") != 0)
			return false;
		foreach(argument, call->args)
		{
			if (!IsA(lfirst(argument), A_Const))
				return false;
		}
	}
	return true;
}

/* Does a SET change how what follows it in a script is read?  RESET ALL does, perhaps. */
bool
rds_changes_reading(const VariableSetStmt *statement)
{
	static const char *const settings[] = {
		"standard_conforming_strings", "backslash_quote", "client_encoding", "names"};

	if (statement->name == NULL)
		return true;
	for (int i = 0; i < lengthof(settings); i++)
	{
		if (pg_strcasecmp(statement->name, settings[i]) == 0)
			return true;
	}
	return false;
}

/* Is it planned and executed, and no utility command? */
bool
rds_is_query(const RawStmt *statement)
{
	const Node *node = statement->stmt;

	if (IsA(node, SelectStmt))
	{
		const SelectStmt *select = (const SelectStmt *) node;

		/* SELECT INTO is CREATE TABLE AS */
		while (select->larg != NULL)
			select = select->larg;
		return select->intoClause == NULL;
	}
	return IsA(node, InsertStmt) || IsA(node, UpdateStmt) || IsA(node, DeleteStmt) || IsA(node, MergeStmt);
}

/* Can the statement run inside a transaction block? */
bool
rds_policy_is_transactional(const RawStmt *statement)
{
	return outsider(statement->stmt).statement == NULL;
}

/*
 * BEGIN and COMMIT around a script ask for what a call gives anyway.  What
 * would end or divide the call's transaction is refused.
 */
static RdsVerdict
check_transaction_control(const TransactionStmt *statement)
{
	switch (statement->kind)
	{
		case TRANS_STMT_BEGIN:
		case TRANS_STMT_START:
			check_transaction_mode(statement);
			return RDS_TAKEN_OUT;
		case TRANS_STMT_COMMIT:
			if (statement->chain)
				refuse("COMMIT AND CHAIN", HINT_WHOLE_CALL);
			return RDS_TAKEN_OUT;
		case TRANS_STMT_ROLLBACK:
			refuse("ROLLBACK", HINT_WHOLE_CALL);
		case TRANS_STMT_SAVEPOINT:
			refuse("SAVEPOINT",
				   "Where part of a script may fail, write a DO block with BEGIN … EXCEPTION.");
		case TRANS_STMT_RELEASE:
			refuse("RELEASE SAVEPOINT", HINT_WHOLE_CALL);
		case TRANS_STMT_ROLLBACK_TO:
			refuse("ROLLBACK TO SAVEPOINT", HINT_WHOLE_CALL);
		case TRANS_STMT_PREPARE:
			refuse("PREPARE TRANSACTION", HINT_WHOLE_CALL);
		case TRANS_STMT_COMMIT_PREPARED:
			refuse("COMMIT PREPARED", HINT_AFTERWARDS);
		case TRANS_STMT_ROLLBACK_PREPARED:
			refuse("ROLLBACK PREPARED", HINT_AFTERWARDS);
	}
	elog(ERROR, "unrecognized transaction statement: %d", (int) statement->kind);
}

/* BEGIN's modes are those that the transaction has already, or refused. */
static void
check_transaction_mode(const TransactionStmt *statement)
{
	ListCell *cell;

	foreach(cell, statement->options)
	{
		DefElem *mode = lfirst_node(DefElem, cell);
		A_Const *value = castNode(A_Const, mode->arg);
		bool granted;

		if (strcmp(mode->defname, "transaction_isolation") == 0)
			granted = strcmp(strVal(&value->val), GetConfigOption(mode->defname, false, false)) == 0;
		else if (strcmp(mode->defname, "transaction_read_only") == 0)
			granted = (intVal(&value->val) != 0) == XactReadOnly;
		else
			granted = (intVal(&value->val) != 0) == XactDeferrable;

		if (!granted)
			refuse("BEGIN with modes that the transaction does not have", HINT_CALLER);
	}
}

static void
check_set(const VariableSetStmt *statement)
{
	if (statement->kind == VAR_SET_MULTI &&
		strncmp(statement->name, "TRANSACTION", strlen("TRANSACTION")) == 0)
		refuse("SET TRANSACTION", HINT_CALLER);
}

/* What would take from the session what the caller keeps there. */
static void
check_session(const Node *statement)
{
	if (IsA(statement, DiscardStmt))
		refuse("DISCARD", "The session is the caller's: leave the statement out.");
	if (IsA(statement, DeallocateStmt) && ((const DeallocateStmt *) statement)->name == NULL)
		refuse("DEALLOCATE ALL", "The session is the caller's: deallocate by name.");
}

/* What would pull the rug from under us. */
static void
check_extension(const Node *statement)
{
	const char *alter = NULL;

	if (IsA(statement, AlterExtensionStmt))
		alter = ((const AlterExtensionStmt *) statement)->extname;
	else if (IsA(statement, AlterExtensionContentsStmt))
		alter = ((const AlterExtensionContentsStmt *) statement)->extname;
	if (alter != NULL && strcmp(alter, "rdsinit") == 0)
		refuse("ALTER EXTENSION rdsinit", HINT_BEFOREHAND);

	if (IsA(statement, DropStmt) && ((const DropStmt *) statement)->removeType == OBJECT_EXTENSION)
	{
		ListCell *cell;

		foreach(cell, ((const DropStmt *) statement)->objects)
		{
			if (strcmp(strVal(lfirst(cell)), "rdsinit") == 0)
				refuse("DROP EXTENSION rdsinit", HINT_AFTERWARDS);
		}
	}
}

static Outsider
outsider(const Node *statement)
{
	static const Outsider none = {NULL, NULL};

	switch (nodeTag(statement))
	{
		case T_CreatedbStmt:
			return (Outsider){"CREATE DATABASE", HINT_BEFOREHAND};
		case T_DropdbStmt:
			return (Outsider){"DROP DATABASE", HINT_AFTERWARDS};
		case T_AlterDatabaseStmt:
			if (has_true_option(((const AlterDatabaseStmt *) statement)->options, "tablespace", false))
				return (Outsider){"ALTER DATABASE SET TABLESPACE", HINT_AFTERWARDS};
			return none;
		case T_CreateTableSpaceStmt:
			return (Outsider){"CREATE TABLESPACE", HINT_BEFOREHAND};
		case T_DropTableSpaceStmt:
			return (Outsider){"DROP TABLESPACE", HINT_AFTERWARDS};
		case T_AlterSystemStmt:
			return (Outsider){"ALTER SYSTEM", "It changes the server, not this database: use ALTER DATABASE … SET, or run it outside of the script."};
		case T_VacuumStmt:
			if (((const VacuumStmt *) statement)->is_vacuumcmd)
				return (Outsider){"VACUUM", "ANALYZE may stay in the script; put VACUUM into a script that begins with \"-- rdsinit: no-transaction\", for rdsinit.deploy."};
			return none;
		case T_IndexStmt:
			if (((const IndexStmt *) statement)->concurrent)
				return (Outsider){"CREATE INDEX CONCURRENTLY", HINT_CONCURRENTLY};
			return none;
		case T_DropStmt:
			if (((const DropStmt *) statement)->concurrent)
				return (Outsider){"DROP INDEX CONCURRENTLY", HINT_CONCURRENTLY};
			return none;
		case T_ReindexStmt:
		{
			const ReindexStmt *reindex = (const ReindexStmt *) statement;

			if (has_true_option(reindex->params, "concurrently", false))
				return (Outsider){"REINDEX CONCURRENTLY", HINT_CONCURRENTLY};
			if (reindex->kind == REINDEX_OBJECT_SCHEMA)
				return (Outsider){"REINDEX SCHEMA", HINT_AFTERWARDS};
			if (reindex->kind == REINDEX_OBJECT_SYSTEM)
				return (Outsider){"REINDEX SYSTEM", HINT_AFTERWARDS};
			if (reindex->kind == REINDEX_OBJECT_DATABASE)
				return (Outsider){"REINDEX DATABASE", HINT_AFTERWARDS};
			return none;
		}
		case T_AlterTableStmt:
		{
			ListCell *cell;

			foreach(cell, ((const AlterTableStmt *) statement)->cmds)
			{
				const AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);

				if (command->subtype == AT_DetachPartition &&
					((const PartitionCmd *) command->def)->concurrent)
					return (Outsider){"ALTER TABLE … DETACH PARTITION CONCURRENTLY", HINT_CONCURRENTLY};
			}
			return none;
		}
		case T_CreateSubscriptionStmt:
		{
			List *options = ((const CreateSubscriptionStmt *) statement)->options;

			if (has_true_option(options, "connect", true) &&
				has_true_option(options, "create_slot", true))
				return (Outsider){"CREATE SUBSCRIPTION with create_slot", "Make the slot beforehand, and say WITH (create_slot = false)."};
			return none;
		}
		default:
			if (rds_is_cluster_all(statement))
				return (Outsider){"CLUSTER without a table", HINT_AFTERWARDS};
			return none;
	}
}

/*
 * Is an option on?  A value that is no boolean counts as on: it is the
 * server's to judge when the statement runs.
 */
static bool
has_true_option(List *options, const char *name, bool value_by_default)
{
	bool value = value_by_default;
	ListCell *cell;

	foreach(cell, options)
	{
		DefElem *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
		{
			const char *text = option->arg != NULL ? defGetString(option) : "true";

			value = pg_strcasecmp(text, "false") != 0 && pg_strcasecmp(text, "off") != 0 &&
					strcmp(text, "0") != 0;
		}
	}
	return value;
}

static void
refuse(const char *statement, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s is not allowed in a script", statement),
			 errhint("%s", hint)));
}

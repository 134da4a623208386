/*-------------------------------------------------------------------------
 *
 * copydata.c
 *	  COPY between a table and a script.
 *
 * COPY … FROM stdin is fed with the lines that follow it in the script, through
 * the callback that logical replication's table sync uses.  That way does not
 * lead through DoCopy, whose checks are made here: the caller's rights on the
 * columns, row-level security, and a transaction that is read-only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "commands/copy.h"
#include "commands/copyfrom_internal.h"
#include "commands/defrem.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "tcop/dest.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "copydata.h"
#include "distributed.h"
#include "statement.h"

/* Whose data the callback reads, since it is told nothing. */
static RdsCursor *copying = NULL;

static int read_data(void *buffer, int least, int most);
static Node *transform_where(ParseState *state, const CopyStmt *copy, ParseNamespaceItem *item, Relation relation);
static void refuse_distributed(Relation relation);
static void refuse_generated(Node *where, Relation relation);
static void check_rights(ParseState *state, const CopyStmt *copy, ParseNamespaceItem *item, Relation relation);
static List *options_for_script(List *options, const RdsCursor *cursor);
static RawStmt *select_of(const CopyStmt *copy);

/* Is it COPY … FROM stdin, whose data the script holds? */
bool
rds_is_copy_from_script(const RawStmt *statement)
{
	const CopyStmt *copy = (const CopyStmt *) statement->stmt;

	return IsA(copy, CopyStmt) && copy->is_from && copy->filename == NULL;
}

/* Is it COPY … TO stdout? */
bool
rds_is_copy_to_client(const RawStmt *statement)
{
	const CopyStmt *copy = (const CopyStmt *) statement->stmt;

	return IsA(copy, CopyStmt) && !copy->is_from && copy->filename == NULL;
}

/*
 * rds_copy_from_script
 *		Runs COPY … FROM stdin with the data that follows it, behind which the cursor
 *		is afterwards.  Returns how many rows were copied.
 */
int64
rds_copy_from_script(const RawStmt *statement, const char *text, RdsCursor *cursor)
{
	const CopyStmt *copy = (const CopyStmt *) statement->stmt;
	ParseState *state = make_parsestate(NULL);
	Relation relation;
	ParseNamespaceItem *item;
	Node *where;
	CopyFromState from;
	int64 rows = 0;

	state->p_sourcetext = text;
	PushActiveSnapshot(GetTransactionSnapshot());

	relation = table_openrv(copy->relation, RowExclusiveLock);
	item = addRangeTableEntryForRelation(state, relation, RowExclusiveLock, NULL, false, false);
	rds_ask_for_insert(item);
	where = transform_where(state, copy, item, relation);
	check_rights(state, copy, item, relation);
	if (XactReadOnly && !relation->rd_islocaltemp)
		PreventCommandIfReadOnly("COPY FROM");
	refuse_distributed(relation);

	rds_cursor_begin_data(cursor);
	copying = cursor;
	PG_TRY();
	{
		from = BeginCopyFrom(state, relation, where, NULL, false, read_data, copy->attlist,
							 options_for_script(copy->options, cursor));
		cursor->data.line = &from->cur_lineno;
		rows = (int64) CopyFrom(from);
		cursor->data.line = NULL;
		EndCopyFrom(from);
	}
	PG_FINALLY();
	{
		copying = NULL;
	}
	PG_END_TRY();
	rds_cursor_end_data(cursor);

	table_close(relation, NoLock);
	PopActiveSnapshot();
	free_parsestate(state);
	CommandCounterIncrement();

	return rows;
}

/*
 * rds_copy_to_nowhere
 *		Runs COPY … TO stdout; its output is dropped.
 *
 * COPY itself looks at relation and options.  What it would send is read by a
 * query, as COPY does it under row-level security.
 */
void
rds_copy_to_nowhere(const RawStmt *statement, const char *text)
{
	const CopyStmt *copy = (const CopyStmt *) statement->stmt;
	RawStmt *query = select_of(copy);
	ParseState *state = make_parsestate(NULL);
	Relation relation = NULL;
	CopyToState to;

	state->p_sourcetext = text;
	PushActiveSnapshot(GetTransactionSnapshot());
	if (copy->relation != NULL)
		relation = table_openrv(copy->relation, AccessShareLock);
	else
		rds_refuse_copy_merge(copy);
	to = rds_BeginCopyTo(state, relation, relation != NULL ? NULL : copyObject(query),
						 copy->attlist, copy->options);
	EndCopyTo(to);
	if (relation != NULL)
		table_close(relation, NoLock);
	PopActiveSnapshot();
	free_parsestate(state);

	(void) rds_statement_run(query, text, None_Receiver);
}

/* COPY's data source: at least one byte, but for the end. */
static int
read_data(void *buffer, int least, int most)
{
	CHECK_FOR_INTERRUPTS();
	return (int) rds_cursor_read_data(copying, buffer, most);
}

static Node *
transform_where(ParseState *state, const CopyStmt *copy, ParseNamespaceItem *item, Relation relation)
{
	Node *where;

	if (copy->whereClause == NULL)
		return NULL;

	addNSItemToQuery(state, item, false, true, true);
	where = transformExpr(state, copy->whereClause, EXPR_KIND_COPY_WHERE);
	where = coerce_to_boolean(state, where, "WHERE");
	assign_expr_collations(state, where);
	refuse_generated(where, relation);

	where = eval_const_expressions(NULL, where);
	where = (Node *) canonicalize_qual((Expr *) where, false);
	return (Node *) make_ands_implicit((Expr *) where);
}

/* Citus reads the data of COPY from the client alone, and ours would stay in the empty table that it has left. */
static void
refuse_distributed(Relation relation)
{
	if (rds_is_distributed(RelationGetRelid(relation)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("COPY FROM stdin is not supported for table \"%s\", which Citus distributes",
						RelationGetRelationName(relation)),
				 errhint("Copy into a temporary table, and from there by INSERT … SELECT; or use INSERT statements.")));
}

/* Stored generated columns are not computed when WHERE looks at the row. */
static void
refuse_generated(Node *where, Relation relation)
{
	TupleDesc descriptor = RelationGetDescr(relation);
	Bitmapset *columns = NULL;
	bool whole_row;

	pull_varattnos(where, 1, &columns);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns);

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attgenerated &&
			(whole_row || bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, columns)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("generated columns are not supported in COPY FROM WHERE conditions"),
					 errdetail("Column \"%s\" is a generated column.", NameStr(attribute->attname))));
	}
}

static void
check_rights(ParseState *state, const CopyStmt *copy, ParseNamespaceItem *item, Relation relation)
{
	Bitmapset *columns = NULL;
	ListCell *cell;

	foreach(cell, CopyGetAttnums(RelationGetDescr(relation), relation, copy->attlist))
		columns = bms_add_member(columns, lfirst_int(cell) - FirstLowInvalidHeapAttributeNumber);
	rds_check_rights(state, item, columns);

	if (check_enable_rls(RelationGetRelid(relation), InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("COPY FROM not supported with row-level security"),
				 errhint("Use INSERT statements instead.")));
}

/*
 * COPY's options, with the encoding that the data has here: what came through
 * SQL is in the database's by now, whatever it was; a file is what it was.
 *
 * FREEZE is left out.  It asks that no snapshot be older than the table, and
 * there is always the caller's; the rows are the same without it.
 */
static List *
options_for_script(List *options, const RdsCursor *cursor)
{
	List *result = NIL;
	const char *encoding = pg_encoding_to_char(cursor->encoding);
	ListCell *cell;

	foreach(cell, options)
	{
		DefElem *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "encoding") == 0 && cursor->source->path != NULL)
			encoding = defGetString(option);
		else if (strcmp(option->defname, "freeze") == 0)
			(void) defGetBoolean(option);
		else if (strcmp(option->defname, "encoding") != 0)
			result = lappend(result, option);
	}
	return lappend(result, makeDefElem("encoding", (Node *) makeString(pstrdup(encoding)), -1));
}

/* The query whose rows COPY … TO sends. */
static RawStmt *
select_of(const CopyStmt *copy)
{
	RawStmt *query = makeNode(RawStmt);
	SelectStmt *select;
	List *columns = copy->attlist != NIL ? copy->attlist : list_make1(makeNode(A_Star));
	ListCell *cell;

	query->stmt_location = 0;
	query->stmt_len = 0;
	if (copy->query != NULL)
	{
		query->stmt = copy->query;
		return query;
	}

	select = makeNode(SelectStmt);
	foreach(cell, columns)
	{
		ColumnRef *reference = makeNode(ColumnRef);
		ResTarget *target = makeNode(ResTarget);

		reference->fields = list_make1(lfirst(cell));
		reference->location = -1;
		target->val = (Node *) reference;
		target->location = -1;
		select->targetList = lappend(select->targetList, target);
	}
	/* COPY leaves out what inherits from the table */
	select->fromClause = list_make1(copyObject(copy->relation));
	((RangeVar *) linitial(select->fromClause))->inh = false;
	query->stmt = (Node *) select;

	return query;
}

/*-------------------------------------------------------------------------
 *
 * observe_utility.c
 *	  What a utility command asks for, of the tables that it names.
 *
 * This is looked at before the command runs, whoever runs it: the script, or a
 * DO block or function of it.  What it really does is found out afterwards.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "observe.h"

static void ask_alter(RdsObserver *observer, const AlterTableStmt *statement);
static int asks_of_command(RdsObserver *observer, const AlterTableCmd *command);
static int asks_of_column(RdsObserver *observer, const ColumnDef *column);
static int asks_of_constraint(RdsObserver *observer, const Constraint *constraint);
static void ask_alter_domain(RdsObserver *observer, const AlterDomainStmt *statement);
static void ask_users_of_domain(RdsObserver *observer, Oid domain, int asks);
static void ask_reindex(RdsObserver *observer, const RangeVar *name);
static void ask_drop(RdsObserver *observer, const DropStmt *statement);
static void ask_create(RdsObserver *observer, const CreateStmt *statement);
static bool is_serial(const TypeName *type);
static void ask(RdsObserver *observer, const RangeVar *name, int asks);

void
rds_observe_utility(RdsObserver *observer, const Node *statement)
{
	observer->saw_utility = true;
	switch (nodeTag(statement))
	{
		case T_AlterTableStmt:
			ask_alter(observer, (const AlterTableStmt *) statement);
			break;
		case T_AlterDomainStmt:
			ask_alter_domain(observer, (const AlterDomainStmt *) statement);
			break;
		case T_CreateStmt:
			ask_create(observer, (const CreateStmt *) statement);
			break;
		case T_IndexStmt:
			ask(observer, ((const IndexStmt *) statement)->relation, RDS_ASKS_INDEX);
			break;
		case T_ReindexStmt:
			ask_reindex(observer, ((const ReindexStmt *) statement)->relation);
			break;
		case T_RefreshMatViewStmt:
			ask(observer, ((const RefreshMatViewStmt *) statement)->relation, RDS_ASKS_REFRESH);
			break;
		case T_CopyStmt:
			ask(observer, ((const CopyStmt *) statement)->relation, 0);
			break;
		case T_LockStmt:
		{
			ListCell *cell;

			foreach(cell, ((const LockStmt *) statement)->relations)
				ask(observer, lfirst(cell), 0);
			break;
		}
		case T_DropStmt:
			ask_drop(observer, (const DropStmt *) statement);
			break;
		default:
			ask(observer, rds_table_to_rewrite(statement), 0);
			break;
	}
}

/*
 * rds_observe_ask
 *		Notes what the statement asks of a relation, and of those that inherit from
 *		it; one that the call itself has made is nobody's business.
 */
void
rds_observe_ask(RdsObserver *observer, Oid oid, bool inherit, int asks)
{
	RdsPlanRelation *relation = rds_observe_relation(observer, oid);
	RdsPlanTarget *target = NULL;
	MemoryContext oldcontext;
	ListCell *cell;

	if (!relation->existed)
		return;
	foreach(cell, observer->step->targets)
	{
		if (linitial(((RdsPlanTarget *) lfirst(cell))->members) == relation)
			target = lfirst(cell);
	}
	if (target == NULL)
	{
		List *oids = inherit ? find_all_inheritors(oid, NoLock, NULL) : list_make1_oid(oid);

		oldcontext = MemoryContextSwitchTo(observer->context);
		target = palloc0(sizeof(RdsPlanTarget));
		foreach(cell, oids)
		{
			RdsPlanRelation *member = rds_observe_relation(observer, lfirst_oid(cell));

			rds_observe_measure(member);
			if (member->existed)
				target->members = lappend(target->members, member);
		}
		observer->step->targets = lappend(observer->step->targets, target);
		MemoryContextSwitchTo(oldcontext);
		foreach(cell, oids)
			rds_observe_touch(observer, lfirst_oid(cell));
	}
	target->asks |= asks;
}

static void
ask_alter(RdsObserver *observer, const AlterTableStmt *statement)
{
	int asks = 0;
	ListCell *cell;

	foreach(cell, statement->cmds)
		asks |= asks_of_command(observer, lfirst_node(AlterTableCmd, cell));
	ask(observer, statement->relation, asks);
}

static int
asks_of_command(RdsObserver *observer, const AlterTableCmd *command)
{
	switch (command->subtype)
	{
		case AT_SetNotNull:
			return RDS_ASKS_NOT_NULL;
		case AT_AlterColumnType:
			return RDS_ASKS_TYPE;
		case AT_AddColumn:
			return asks_of_column(observer, castNode(ColumnDef, command->def));
		case AT_AddConstraint:
			return asks_of_constraint(observer, castNode(Constraint, command->def));
		case AT_ValidateConstraint:
			return RDS_ASKS_VALIDATE;
		case AT_AttachPartition:
			if (IsA(command->def, PartitionCmd))
				ask(observer, ((const PartitionCmd *) command->def)->name, RDS_ASKS_ATTACH);
			return 0;
		default:
			return 0;
	}
}

static int
asks_of_column(RdsObserver *observer, const ColumnDef *column)
{
	int asks = is_serial(column->typeName) ? RDS_ASKS_DEFAULT : 0;
	ListCell *cell;

	foreach(cell, column->constraints)
	{
		const Constraint *constraint = lfirst_node(Constraint, cell);

		/* of a column that is new, no row has a value that could be null */
		if (constraint->contype != CONSTR_NOTNULL)
			asks |= asks_of_constraint(observer, constraint);
	}
	return asks;
}

static int
asks_of_constraint(RdsObserver *observer, const Constraint *constraint)
{
	switch (constraint->contype)
	{
		case CONSTR_NOTNULL:
			return constraint->skip_validation ? 0 : RDS_ASKS_NOT_NULL;
		case CONSTR_DEFAULT:
		case CONSTR_IDENTITY:
			return RDS_ASKS_DEFAULT;
		case CONSTR_GENERATED:
			return RDS_ASKS_GENERATED;
		case CONSTR_CHECK:
			return constraint->skip_validation ? 0 : RDS_ASKS_CHECK;
		case CONSTR_PRIMARY:
		case CONSTR_UNIQUE:
		case CONSTR_EXCLUSION:
			return constraint->indexname != NULL ? 0 : RDS_ASKS_UNIQUE;
		case CONSTR_FOREIGN:
			ask(observer, constraint->pktable, RDS_ASKS_REFERENCED);
			return constraint->skip_validation ? 0 : RDS_ASKS_FOREIGN_KEY;
		default:
			return 0;
	}
}

/* The server looks through all tables that have a column of the domain. */
static void
ask_alter_domain(RdsObserver *observer, const AlterDomainStmt *statement)
{
	Oid domain = LookupTypeNameOid(NULL, makeTypeNameFromNameList(statement->typeName), true);
	int asks = 0;

	switch (statement->subtype)
	{
		case 'O': /* SET NOT NULL */
			asks = RDS_ASKS_NOT_NULL;
			break;
		case 'C': /* ADD CONSTRAINT */
			asks = castNode(Constraint, statement->def)->skip_validation ? 0 : RDS_ASKS_CHECK;
			break;
		case 'V': /* VALIDATE CONSTRAINT */
			asks = RDS_ASKS_VALIDATE;
			break;
		default:
			break;
	}
	if (asks != 0 && OidIsValid(domain))
		ask_users_of_domain(observer, domain, asks | RDS_ASKS_DOMAIN);
}

static void
ask_users_of_domain(RdsObserver *observer, Oid domain, int asks)
{
	Relation catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	check_stack_depth();
	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(TypeRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(domain));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		const FormData_pg_depend *depend = (const FormData_pg_depend *) GETSTRUCT(tuple);

		if (depend->classid == TypeRelationId && get_typtype(depend->objid) == TYPTYPE_DOMAIN)
			ask_users_of_domain(observer, depend->objid, asks);
		else if (depend->classid == RelationRelationId && depend->objsubid > 0)
			rds_observe_ask(observer, depend->objid, false, asks);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* An index's table is looked through. */
static void
ask_reindex(RdsObserver *observer, const RangeVar *name)
{
	Oid oid = name != NULL ? RangeVarGetRelid(name, NoLock, true) : InvalidOid;

	if (OidIsValid(oid) && get_rel_relkind(oid) == RELKIND_INDEX)
		oid = IndexGetRelation(oid, true);
	if (OidIsValid(oid))
		rds_observe_ask(observer, oid, false, RDS_ASKS_REINDEX);
}

/* Once it is dropped, its size is no more to be had. */
static void
ask_drop(RdsObserver *observer, const DropStmt *statement)
{
	ListCell *cell;

	if (statement->removeType != OBJECT_TABLE && statement->removeType != OBJECT_MATVIEW)
		return;
	foreach(cell, statement->objects)
		ask(observer, makeRangeVarFromNameList(lfirst_node(List, cell)), 0);
}

/* A new table refers to others. */
static void
ask_create(RdsObserver *observer, const CreateStmt *statement)
{
	ListCell *cell;

	foreach(cell, statement->tableElts)
	{
		if (IsA(lfirst(cell), ColumnDef))
			(void) asks_of_column(observer, lfirst(cell));
		else if (IsA(lfirst(cell), Constraint))
			(void) asks_of_constraint(observer, lfirst(cell));
	}
	foreach(cell, statement->constraints)
		(void) asks_of_constraint(observer, lfirst_node(Constraint, cell));
}

/* What the grammar does not know for what it is. */
static bool
is_serial(const TypeName *type)
{
	static const char *const names[] = {"smallserial", "serial2", "serial", "serial4", "bigserial", "serial8"};

	if (type == NULL || list_length(type->names) != 1)
		return false;
	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(strVal(linitial(type->names)), names[i]) == 0)
			return true;
	}
	return false;
}

/* One that is not there is for the command itself to miss. */
static void
ask(RdsObserver *observer, const RangeVar *name, int asks)
{
	Oid oid = name != NULL ? RangeVarGetRelid(name, NoLock, true) : InvalidOid;

	if (OidIsValid(oid))
		rds_observe_ask(observer, oid, name->inh, asks);
}

/*-------------------------------------------------------------------------
 *
 * touched_command.c
 *	  What utility commands touch of which the server tells nothing.
 *
 * It does not call object_access_hook for rights, comments, labels and enums, nor for
 * much that changes along with a table: there it is the statement that says what it
 * names, and what it does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "touched.h"

static bool names_last(const RdsTouched *touched, NodeTag command, ObjectType type, const Node *name);
static void remember(RdsTouched *touched, NodeTag command, ObjectType type, const Node *name);
static bool split_name(NodeTag command, ObjectType type, const Node *name, const char **schema, const char **relation);
static bool grants_on_named_relations(const GrantStmt *grant);
static const RangeVar *look_at_alter_table(const AlterTableStmt *command, RdsTouchedNames *names);
static void look_at_constraint(const Constraint *constraint, RdsTouchedNames *names);
static bool may_have_heirs(const RangeVar *name);
static bool replaces_defaults(const AlterTableStmt *command);
static void add_relation(RdsTouched *touched, const RangeVar *name);
static void add_altered_table(RdsTouched *touched, const RdsTouchedNames *names);
static void add_relations(RdsTouched *touched, const List *names);
static void add_type(RdsTouched *touched, List *name);
static void add_named(RdsTouched *touched, ObjectType type, Node *name);

/*
 * rds_touched_before_utility
 *		What a command names, in a copy: the server may change the tree that it is given.
 *
 * rds_touched_after_utility has to follow; after an error it need not.
 */
RdsTouchedNames
rds_touched_before_utility(const Node *command)
{
	RdsTouchedNames names = {.command = T_Invalid};
	RdsTouched *touched = rds_touched_current();
	const Node *name = NULL;

	if (touched == NULL)
		return names;

	touched->replacing = false;
	names.command = nodeTag(command);
	switch (names.command)
	{
		case T_GrantStmt:
			names.type = ((const GrantStmt *) command)->objtype;
			if (grants_on_named_relations((const GrantStmt *) command))
				name = (const Node *) ((const GrantStmt *) command)->objects;
			break;
		case T_DropOwnedStmt:
			break;
		case T_CommentStmt:
			names.type = ((const CommentStmt *) command)->objtype;
			name = ((const CommentStmt *) command)->object;
			break;
		case T_SecLabelStmt:
			names.type = ((const SecLabelStmt *) command)->objtype;
			name = ((const SecLabelStmt *) command)->object;
			break;
		case T_AlterExtensionContentsStmt:
			names.type = ((const AlterExtensionContentsStmt *) command)->objtype;
			name = ((const AlterExtensionContentsStmt *) command)->object;
			break;
		case T_AlterTableStmt:
			touched->replacing = replaces_defaults((const AlterTableStmt *) command);
			name = (const Node *) look_at_alter_table((const AlterTableStmt *) command, &names);
			break;
		case T_IndexStmt:
			/* indexes that are there already become a part of it */
			names.heirs = may_have_heirs(((const IndexStmt *) command)->relation);
			name = names.heirs ? (const Node *) ((const IndexStmt *) command)->relation : NULL;
			break;
		case T_AlterDomainStmt:
			name = (const Node *) ((const AlterDomainStmt *) command)->typeName;
			break;
		case T_AlterEnumStmt:
			name = (const Node *) ((const AlterEnumStmt *) command)->typeName;
			names.renames = true;
			break;
		case T_RenameStmt:
		case T_AlterObjectSchemaStmt:
			names.renames = true;
			break;
		default:
			names.command = T_Invalid;
			break;
	}
	if (name != NULL && !names.heirs && !names.sequences && names.part == NULL &&
		names_last(touched, names.command, names.type, name))
		names.command = T_Invalid;
	else
		names.name = copyObject(unconstify(Node *, name));
	/* where the command fails and a block catches it, the next one of the kind ends it */
	if (names.renames)
	{
		touched->renaming = true;
		NameStr(touched->last_name)[0] = '\0';
	}
	return names;
}

void
rds_touched_after_utility(const RdsTouchedNames *names)
{
	RdsTouched *touched = rds_touched_current();

	if (touched == NULL)
		return;
	touched->replacing = false;
	if (names->command == T_Invalid)
		return;
	switch (names->command)
	{
		case T_GrantStmt:
			if (names->name != NULL)
				add_relations(touched, (const List *) names->name);
			else
				rds_touched_note_grant(touched, names->type);
			break;
		case T_DropOwnedStmt:
			rds_touched_note_all_grants(touched);
			break;
		case T_CommentStmt:
		case T_SecLabelStmt:
		case T_AlterExtensionContentsStmt:
			add_named(touched, names->type, names->name);
			break;
		case T_AlterTableStmt:
		case T_IndexStmt:
			if (names->name != NULL)
				add_altered_table(touched, names);
			break;
		case T_AlterDomainStmt:
		case T_AlterEnumStmt:
			add_type(touched, (List *) names->name);
			break;
		default:
			break;
	}
	if (names->renames)
		touched->renaming = false;
	else if (names->name != NULL)
		remember(touched, names->command, names->type, names->name);
}

/* Does the command name the relation that the one before it has? */
static bool
names_last(const RdsTouched *touched, NodeTag command, ObjectType type, const Node *name)
{
	const char *schema;
	const char *relation;

	return split_name(command, type, name, &schema, &relation) && strcmp(relation, NameStr(touched->last_name)) == 0 &&
		   strcmp(schema, NameStr(touched->last_schema)) == 0;
}

static void
remember(RdsTouched *touched, NodeTag command, ObjectType type, const Node *name)
{
	const char *schema;
	const char *relation;

	if (!split_name(command, type, name, &schema, &relation))
		return;
	namestrcpy(&touched->last_schema, schema);
	namestrcpy(&touched->last_name, relation);
}

/* The relation, with its schema, that a command is about, where it is one and both are said. */
static bool
split_name(NodeTag command, ObjectType type, const Node *name, const char **schema, const char **relation)
{
	int parts = 2;

	if (command == T_GrantStmt && list_length((const List *) name) == 1)
		name = linitial((const List *) name);
	if (IsA(name, RangeVar))
	{
		*schema = ((const RangeVar *) name)->catalogname == NULL ? ((const RangeVar *) name)->schemaname : NULL;
		*relation = ((const RangeVar *) name)->relname;
		return *schema != NULL;
	}
	switch (type)
	{
		case OBJECT_COLUMN:
			parts = 3;
			break;
		case OBJECT_TABLE:
		case OBJECT_VIEW:
		case OBJECT_MATVIEW:
		case OBJECT_SEQUENCE:
		case OBJECT_FOREIGN_TABLE:
			break;
		default:
			return false;
	}
	if (command != T_CommentStmt || list_length((const List *) name) != parts)
		return false;
	*schema = strVal(linitial((const List *) name));
	*relation = strVal(lsecond((const List *) name));
	return true;
}

/* To look for what was written would take longer, the more tables there are. */
static bool
grants_on_named_relations(const GrantStmt *grant)
{
	return grant->targtype == ACL_TARGET_OBJECT && (grant->objtype == OBJECT_TABLE || grant->objtype == OBJECT_SEQUENCE);
}

/*
 * What does the command change?  The relation is NULL where the hook tells of all
 * that is done to it.  Of row security, and of a replica identity, it says nothing:
 * so only what is known to be told.
 */
static const RangeVar *
look_at_alter_table(const AlterTableStmt *command, RdsTouchedNames *names)
{
	bool is_told = true;
	ListCell *cell;

	foreach(cell, command->cmds)
	{
		const AlterTableCmd *part = lfirst_node(AlterTableCmd, cell);

		switch (part->subtype)
		{
			case AT_AlterColumnType:
			case AT_ColumnDefault:
			case AT_DropColumn:
			case AT_SetStatistics:
				continue;
			case AT_AttachPartition:
			case AT_DetachPartition:
			case AT_DetachPartitionFinalize:
				names->part = copyObject(castNode(PartitionCmd, part->def)->name);
				break;
			case AT_AddConstraint:
				look_at_constraint(castNode(Constraint, part->def), names);
				names->heirs = true;
				break;
			case AT_AddColumn:
			case AT_AlterConstraint:
			case AT_DropConstraint:
			case AT_ValidateConstraint:
			case AT_SetNotNull:
			case AT_DropNotNull:
				names->heirs = true;
				break;
			case AT_SetLogged:
			case AT_SetUnLogged:
				names->sequences = true;
				break;
			default:
				break;
		}
		is_told = false;
	}
	return is_told ? NULL : command->relation;
}

/* Where one of its name is there already, an inherited one, that is changed in its place. */
static void
look_at_constraint(const Constraint *constraint, RdsTouchedNames *names)
{
	if (constraint->indexname != NULL)
		names->index = pstrdup(constraint->indexname);
	if (constraint->conname != NULL && (constraint->contype == CONSTR_CHECK || constraint->contype == CONSTR_NOTNULL))
		names->constraints = lappend(names->constraints, pstrdup(constraint->conname));
}

static bool
may_have_heirs(const RangeVar *name)
{
	Oid relation = RangeVarGetRelid(name, NoLock, true);

	return OidIsValid(relation) && rds_touched_may_have_heirs(relation);
}

/*
 * Does every default that the command sets become one?  NULL, whatever it is cast
 * to, does not: the default that was there is only removed.
 */
static bool
replaces_defaults(const AlterTableStmt *command)
{
	ListCell *cell;

	foreach(cell, command->cmds)
	{
		const AlterTableCmd *part = lfirst_node(AlterTableCmd, cell);
		const Node *value = part->def;

		if (part->subtype != AT_ColumnDefault)
			continue;
		while (value != NULL && IsA(value, TypeCast))
			value = ((const TypeCast *) value)->arg;
		if (value == NULL || !(IsA(value, FuncCall) || (IsA(value, A_Const) && !((const A_Const *) value)->isnull)))
			return false;
	}
	return true;
}

static void
add_relation(RdsTouched *touched, const RangeVar *name)
{
	rds_touched_add_altered(touched, RelationRelationId, RangeVarGetRelid(name, NoLock, true));
}

static void
add_altered_table(RdsTouched *touched, const RdsTouchedNames *names)
{
	Oid relation = RangeVarGetRelid((const RangeVar *) names->name, NoLock, true);
	ListCell *cell;

	if (!OidIsValid(relation))
		return;
	rds_touched_add_altered(touched, RelationRelationId, relation);
	foreach(cell, names->constraints)
		rds_touched_add_altered(touched, ConstraintRelationId, get_relation_constraint_oid(relation, lfirst(cell), true));
	/* where the constraint is called otherwise, its index has been renamed, which the hook tells */
	if (names->index != NULL)
		rds_touched_add_altered(touched, RelationRelationId, get_relname_relid(names->index, get_rel_namespace(relation)));
	if (names->heirs && rds_touched_may_have_heirs(relation))
		rds_touched_add_family(touched, relation);
	if (names->sequences)
		rds_touched_add_sequences(touched, relation);
	if (names->part != NULL)
	{
		Oid part = RangeVarGetRelid(names->part, NoLock, true);

		if (OidIsValid(part))
			rds_touched_add_family(touched, part);
		if (get_rel_relkind(relation) == RELKIND_PARTITIONED_INDEX)
			rds_touched_add_ancestors(touched, relation);
	}
}

static void
add_relations(RdsTouched *touched, const List *names)
{
	ListCell *cell;

	foreach(cell, names)
		add_relation(touched, lfirst_node(RangeVar, cell));
}

static void
add_type(RdsTouched *touched, List *name)
{
	rds_touched_add_altered(touched, TypeRelationId, typenameTypeId(NULL, makeTypeNameFromNameList(name)));
}

/* An object by its name, which a statement has just found. */
static void
add_named(RdsTouched *touched, ObjectType type, Node *name)
{
	Relation relation = NULL;
	ObjectAddress address;

	if (type == OBJECT_DATABASE || type == OBJECT_ROLE || type == OBJECT_TABLESPACE || type == OBJECT_LARGEOBJECT)
		return;
	address = get_object_address(type, name, &relation, AccessShareLock, true);
	rds_touched_add_altered(touched, address.classId, address.objectId);
	if (relation != NULL)
		relation_close(relation, NoLock);
}

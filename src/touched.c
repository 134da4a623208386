/*-------------------------------------------------------------------------
 *
 * touched.c
 *	  What scripts have made, altered and dropped.
 *
 * The server tells it through object_access_hook, for nearly all that it does.
 * Of rights, comments, labels and enums it does not: there the statements are
 * looked at, and for rights, which name many objects in many ways, the rows of
 * the catalog that this transaction has written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_config_map.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "definition.h"
#include "touched.h"

/* Where rights are; pg_attribute is looked at with pg_class. */
static const struct
{
	Oid catalog;
	ObjectType type;
	bool has_pinned; /* also objects of the system's are kept: the schema "public" is */
} granting[] = {
	{RelationRelationId, OBJECT_TABLE},
	{ProcedureRelationId, OBJECT_FUNCTION},
	{NamespaceRelationId, OBJECT_SCHEMA, true},
	{TypeRelationId, OBJECT_TYPE},
	{LanguageRelationId, OBJECT_LANGUAGE},
	{ForeignDataWrapperRelationId, OBJECT_FDW},
	{ForeignServerRelationId, OBJECT_FOREIGN_SERVER},
};

#define ALL_GRANTING ((1 << lengthof(granting)) - 1)

/* Whoever collects in this session, NULL: nobody. */
static RdsTouched *current = NULL;
static bool active = false;    /* within its scripts */
static bool renaming = false;  /* within a statement that renames */
static bool replacing = false; /* … that puts defaults in the place of others */

/*
 * The relation that was named last, with its schema: it is touched by this script
 * already.  What means another one from here on is told by the hooks: only what
 * renames is not.
 */
static NameData last_schema;
static NameData last_name;

static void add_touched(Oid catalog, Oid oid);
static void forget_new(Oid catalog, Oid oid);
static void see_transaction(XactEvent event, void *arg);
static void add_relation_of_constraint(Oid constraint);
static bool grants_on_named_relations(const GrantStmt *grant);
static bool is_told_of(const AlterTableStmt *command);
static bool replaces_defaults(const AlterTableStmt *command);
static bool names_last(NodeTag command, ObjectType type, const Node *name);
static void remember(NodeTag command, ObjectType type, const Node *name);
static bool split_name(NodeTag command, ObjectType type, const Node *name, const char **schema, const char **relation);
static void forget_last(void);
static void add_relation(const RangeVar *name);
static void add_relations(const List *names);
static void add_type(List *name);
static void add_named(ObjectType type, Node *name);
static uint32 flag_of_grant(ObjectType type);
static void collect_granted(RdsTouched *touched);
static void collect_written(RdsTouched *touched, Oid catalog, AttrNumber column, Oid index, Oid as);

/* Once in a process. */
void
rds_touched_install(void)
{
	RegisterXactCallback(see_transaction, NULL);
}

/*
 * rds_touched_begin
 *		Begins to collect what is touched, until rds_touched_end, which an error has
 *		to be followed by, too.
 *
 * Outside of a transaction, what was there before is for the caller to find out.
 */
RdsTouched *
rds_touched_begin(bool in_transaction)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "rdsinit touched objects", ALLOCSET_DEFAULT_SIZES);
	RdsTouched *touched = MemoryContextAllocZero(context, sizeof(RdsTouched));
	HASHCTL control = {0};

	control.keysize = sizeof(RdsTouchKey);
	control.entrysize = sizeof(RdsTouch);
	control.hcxt = context;
	touched->context = context;
	touched->objects = hash_create("rdsinit touched objects", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (in_transaction)
	{
		touched->before = RegisterSnapshot(GetLatestSnapshot());
		touched->since = GetCurrentCommandId(false);
	}
	current = touched;
	active = false;
	renaming = replacing = false;
	forget_last();

	return touched;
}

/* From here on it is this script that touches. */
void
rds_touched_script(RdsTouched *touched, const char *name)
{
	MemoryContext oldcontext;

	collect_granted(touched);
	oldcontext = MemoryContextSwitchTo(touched->context);
	touched->scripts = lappend(touched->scripts, pstrdup(name));
	MemoryContextSwitchTo(oldcontext);
	active = true;
	renaming = replacing = false;
	forget_last();
}

/* The scripts are done: nothing more is collected. */
void
rds_touched_finish(RdsTouched *touched)
{
	collect_granted(touched);
	active = false;
}

void
rds_touched_end(RdsTouched *touched)
{
	if (touched->before != NULL)
		UnregisterSnapshot(touched->before);
	rds_touched_abandon();
}

/* The same when the transaction is over, if there is anything to end. */
void
rds_touched_abandon(void)
{
	if (current != NULL)
		MemoryContextDelete(current->context);
	current = NULL;
	active = false;
	renaming = replacing = false;
}

void
rds_touched_add(RdsTouched *touched, Oid catalog, Oid oid, int script, bool is_new, bool implied)
{
	RdsTouchKey key = {.catalog = catalog, .oid = oid};
	bool found;
	RdsTouch *touch = hash_search(touched->objects, &key, HASH_ENTER, &found);

	if (!found)
	{
		touch->is_new = is_new;
		touch->implied = implied;
		touch->renamed = false;
	}
	else if (implied && !touch->implied)
	{
		touch->is_new = false;
		return;
	}
	touch->implied = implied;
	touch->script = found ? Max(touch->script, script) : script;
	if (renaming)
	{
		touch->renamed = touched->renames = true;
		touch->is_new = false;
	}
}

void
rds_touched_see_access(ObjectAccessType access, Oid catalog, Oid oid, int sub, const void *argument)
{
	if (!active)
		return;
	if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)
		return;

	if (catalog == AttrDefaultRelationId)
	{
		/* to find its relation takes as long as all else here: the next default in its place will tell */
		if (access == OAT_DROP && replacing && (((const ObjectAccessDrop *) argument)->dropflags & PERFORM_DELETION_INTERNAL) != 0)
			return;
		/* by its relation when it is made, by its own OID when it goes */
		if (access == OAT_DROP)
			oid = GetAttrDefaultColumnAddress(oid).objectId;
		catalog = RelationRelationId;
		access = OAT_POST_ALTER;
	}
	else if (catalog == IndexRelationId || catalog == InheritsRelationId || catalog == ForeignTableRelationId)
		catalog = RelationRelationId;
	else if (catalog == TSConfigMapRelationId)
		catalog = TSConfigRelationId;
	else if (catalog == ConstraintRelationId && access == OAT_DROP)
		add_relation_of_constraint(oid);
	rds_touched_add(current, catalog, oid, list_length(current->scripts) - 1,
					access == OAT_POST_CREATE && sub == 0, false);
	if (access == OAT_DROP)
		forget_new(catalog, oid);
}

/* Since PostgreSQL 18 a child's column is NOT NULL no more when that constraint goes with its parent's. */
static void
add_relation_of_constraint(Oid constraint)
{
	HeapTuple row = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));

	if (!HeapTupleIsValid(row))
		return;
	if (OidIsValid(((Form_pg_constraint) GETSTRUCT(row))->conrelid))
		add_touched(RelationRelationId, ((Form_pg_constraint) GETSTRUCT(row))->conrelid);
	ReleaseSysCache(row);
}

/*
 * What was replaced was told to be made.  As long as its name is the same that
 * makes no difference; when it goes, its name is needed.
 */
static void
forget_new(Oid catalog, Oid oid)
{
	RdsTouchKey key = {.catalog = catalog, .oid = oid};
	RdsTouch *touch = hash_search(current->objects, &key, HASH_FIND, NULL);

	touch->is_new = false;
}

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
	const Node *name = NULL;

	if (!active)
		return names;

	replacing = false;
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
			replacing = replaces_defaults((const AlterTableStmt *) command);
			if (!is_told_of((const AlterTableStmt *) command))
				name = (const Node *) ((const AlterTableStmt *) command)->relation;
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
	if (name != NULL && names_last(names.command, names.type, name))
		names.command = T_Invalid;
	else
		names.name = copyObject(unconstify(Node *, name));
	/* where the command fails and a block catches it, the next one of the kind ends it */
	if (names.renames)
	{
		renaming = true;
		forget_last();
	}
	return names;
}

void
rds_touched_after_utility(const RdsTouchedNames *names)
{
	if (!active)
		return;
	replacing = false;
	if (names->command == T_Invalid)
		return;
	switch (names->command)
	{
		case T_GrantStmt:
			if (names->name != NULL)
				add_relations((const List *) names->name);
			else
				current->granted |= flag_of_grant(names->type);
			break;
		case T_DropOwnedStmt:
			current->granted |= ALL_GRANTING;
			break;
		case T_CommentStmt:
		case T_SecLabelStmt:
		case T_AlterExtensionContentsStmt:
			add_named(names->type, names->name);
			break;
		case T_AlterTableStmt:
			if (names->name != NULL)
				add_relation((const RangeVar *) names->name);
			break;
		case T_AlterEnumStmt:
			add_type((List *) names->name);
			break;
		default:
			break;
	}
	if (names->renames)
		renaming = false;
	else if (names->name != NULL)
		remember(names->command, names->type, names->name);
}

/* Does the command name the relation that the one before it has? */
static bool
names_last(NodeTag command, ObjectType type, const Node *name)
{
	const char *schema;
	const char *relation;

	return split_name(command, type, name, &schema, &relation) && strcmp(relation, NameStr(last_name)) == 0 &&
		   strcmp(schema, NameStr(last_schema)) == 0;
}

static void
remember(NodeTag command, ObjectType type, const Node *name)
{
	const char *schema;
	const char *relation;

	if (!split_name(command, type, name, &schema, &relation))
		return;
	namestrcpy(&last_schema, schema);
	namestrcpy(&last_name, relation);
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

static void
forget_last(void)
{
	NameStr(last_name)[0] = '\0';
}

/* To look for what was written would take longer, the more tables there are. */
static bool
grants_on_named_relations(const GrantStmt *grant)
{
	return grant->targtype == ACL_TARGET_OBJECT && (grant->objtype == OBJECT_TABLE || grant->objtype == OBJECT_SEQUENCE);
}

/*
 * Does the hook tell of all that the command does to its table?  Of row security,
 * and of a replica identity, it says nothing: so only what is known to be told.
 */
static bool
is_told_of(const AlterTableStmt *command)
{
	ListCell *cell;

	foreach(cell, command->cmds)
	{
		switch (lfirst_node(AlterTableCmd, cell)->subtype)
		{
			case AT_AddColumn:
			case AT_AlterColumnType:
			case AT_ColumnDefault:
			case AT_DropColumn:
			case AT_SetStatistics:
				break;
			default:
				return false;
		}
	}
	return true;
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

/* By the script that runs, which has not made it. */
static void
add_touched(Oid catalog, Oid oid)
{
	rds_touched_add(current, catalog, oid, list_length(current->scripts) - 1, false, false);
}

static void
add_relation(const RangeVar *name)
{
	Oid relation = RangeVarGetRelid(name, NoLock, true);

	if (OidIsValid(relation))
		add_touched(RelationRelationId, relation);
}

static void
add_relations(const List *names)
{
	ListCell *cell;

	foreach(cell, names)
		add_relation(lfirst_node(RangeVar, cell));
}

static void
add_type(List *name)
{
	add_touched(TypeRelationId, typenameTypeId(NULL, makeTypeNameFromNameList(name)));
}

/* An object by its name, which a statement has just found. */
static void
add_named(ObjectType type, Node *name)
{
	Relation relation = NULL;
	ObjectAddress address;

	if (type == OBJECT_DATABASE || type == OBJECT_ROLE || type == OBJECT_TABLESPACE || type == OBJECT_LARGEOBJECT)
		return;
	address = get_object_address(type, name, &relation, AccessShareLock, true);
	if (OidIsValid(address.objectId))
		add_touched(address.classId, address.objectId);
	if (relation != NULL)
		relation_close(relation, NoLock);
}

static uint32
flag_of_grant(ObjectType type)
{
	if (type == OBJECT_SEQUENCE || type == OBJECT_COLUMN)
		type = OBJECT_TABLE;
	else if (type == OBJECT_PROCEDURE || type == OBJECT_ROUTINE || type == OBJECT_AGGREGATE)
		type = OBJECT_FUNCTION;
	else if (type == OBJECT_DOMAIN)
		type = OBJECT_TYPE;
	for (int i = 0; i < lengthof(granting); i++)
	{
		if (granting[i].type == type)
			return 1 << i;
	}
	return 0;
}

/* Of what have the rights been changed by the script that has run until now? */
static void
collect_granted(RdsTouched *touched)
{
	uint32 granted = touched->granted;

	touched->granted = 0;
	for (int i = 0; i < lengthof(granting); i++)
	{
		if ((granted & (1 << i)) == 0)
			continue;
		collect_written(touched, granting[i].catalog, get_object_attnum_oid(granting[i].catalog),
						granting[i].has_pinned ? InvalidOid : get_object_oid_index(granting[i].catalog), granting[i].catalog);
		if (granting[i].catalog == RelationRelationId)
			collect_written(touched, AttributeRelationId, Anum_pg_attribute_attrelid, AttributeRelidNumIndexId,
							RelationRelationId);
	}
	touched->since = GetCurrentCommandId(false);
}

/*
 * Adds the objects whose row in a catalog this transaction has written; with an
 * index that begins with the column, only those that are not the system's.
 */
static void
collect_written(RdsTouched *touched, Oid catalog, AttrNumber column, Oid index, Oid as)
{
	Relation relation = table_open(catalog, AccessShareLock);
	SysScanDesc scan;
	HeapTuple tuple;

	scan = rds_catalog_scan_own(relation, index, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		HeapTupleHeader header = tuple->t_data;
		bool isnull;

		if (HeapTupleHeaderXminFrozen(header) || !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header)) ||
			HeapTupleHeaderGetCmin(header) < touched->since)
			continue;
		rds_touched_add(touched, as, DatumGetObjectId(heap_getattr(tuple, column, RelationGetDescr(relation), &isnull)),
						list_length(touched->scripts) - 1, false, false);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* A statement outside of a transaction may have many of its own. */
static void
see_transaction(XactEvent event, void *arg)
{
	if (current == NULL || current->before != NULL)
		return;
	if (event == XACT_EVENT_PRE_COMMIT && current->granted != 0)
		collect_granted(current);
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		current->since = FirstCommandId;
}

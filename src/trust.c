/*-------------------------------------------------------------------------
 *
 * trust.c
 *	  Whose word counts for whom.
 *
 * What is in a table was written by somebody.  Where it only says what was
 * applied, whoever owns the database may have written it; where it is going to
 * be run, it must be somebody who could have done all that himself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "trust.h"

static Oid owner_of(Oid relation);
static Oid database_owner(void);
static bool has_rights_of_caller(Oid role);
static const char *find_lesser_writer(Relation relation);
static const char *find_lesser_grantee(int cache, HeapTuple row, AttrNumber column);
rds_noreturn static void refuse(const RdsLedgerVersion *version, const char *role);

/*
 * rds_trust_check_own
 *		Raises an error unless a table is the extension's own.
 *
 * Its owner can drop the extension while a deployment is outside of any transaction,
 * and make something of the same name, whose constraints would be checked with the
 * caller's rights.
 */
void
rds_trust_check_own(Oid relation)
{
	Oid extension = get_extension_oid("rdsinit", true);

	if (!OidIsValid(extension) || getExtensionOfObject(RelationRelationId, relation) != extension)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not of the extension rdsinit",
						quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation))),
				 errhint("Find out who made it; then drop it with its schema, and make the extension anew.")));
}

/*
 * rds_trust_owner_of_history
 *		Could a relation have been made by somebody whose word on what was applied
 *		counts here?
 *
 * Anybody who may create a schema could have made one of that name otherwise.
 */
bool
rds_trust_owner_of_history(Oid relation)
{
	Oid owner = owner_of(relation);

	return OidIsValid(owner) &&
		   (superuser_arg(owner) || owner == GetUserId() || has_privs_of_role(owner, database_owner()));
}

/* Was it made by somebody who has all the rights that the caller has? */
bool
rds_trust_owner_with_rights(Oid relation)
{
	Oid owner = owner_of(relation);

	return OidIsValid(owner) && has_rights_of_caller(owner);
}

char *
rds_owner_name(Oid relation)
{
	return GetUserNameFromId(owner_of(relation), true);
}

/*
 * rds_trust_check_undo
 *		Raises an error unless the script that takes a version back was written by
 *		somebody who has the rights that it would be run with.
 *
 * That is the role that has applied the version; and whoever may write into the
 * history could have written a row in anybody's name.
 */
void
rds_trust_check_undo(const RdsLedger *ledger, const RdsLedgerVersion *version)
{
	Oid applied_by = get_role_oid(version->applied_by, true);
	const char *writer;

	if (!OidIsValid(applied_by) || !has_rights_of_caller(applied_by))
		refuse(version, version->applied_by);
	writer = find_lesser_writer(ledger->table);
	if (writer != NULL)
		refuse(version, writer);
}

static Oid
owner_of(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

static Oid
database_owner(void)
{
	HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);
	return owner;
}

/* A superuser has those of all. */
static bool
has_rights_of_caller(Oid role)
{
	return is_member_of_role(role, GetUserId());
}

/* Somebody who may add or change rows, or columns of them, and has not the caller's rights; NULL: nobody. */
static const char *
find_lesser_writer(Relation relation)
{
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(relation)));
	const char *found = find_lesser_grantee(RELOID, row, Anum_pg_class_relacl);

	for (int i = 1; i <= RelationGetDescr(relation)->natts && found == NULL; i++)
	{
		row = SearchSysCache2(ATTNUM, ObjectIdGetDatum(RelationGetRelid(relation)), Int16GetDatum(i));
		found = find_lesser_grantee(ATTNUM, row, Anum_pg_attribute_attacl);
	}
	return found;
}

/* Releases the row. */
static const char *
find_lesser_grantee(int cache, HeapTuple row, AttrNumber column)
{
	const char *found = NULL;
	bool isnull = true;
	Datum privileges = HeapTupleIsValid(row) ? SysCacheGetAttr(cache, row, column, &isnull) : (Datum) 0;

	if (!isnull)
	{
		const Acl *acl = DatumGetAclP(privileges);
		const AclItem *items = ACL_DAT(acl);

		for (int i = 0; i < ACL_NUM(acl) && found == NULL; i++)
		{
			Oid role = items[i].ai_grantee == ROLE_PG_DATABASE_OWNER ? database_owner() : items[i].ai_grantee;

			if ((ACLITEM_GET_PRIVS(items[i]) & (ACL_INSERT | ACL_UPDATE)) == 0)
				continue;
			if (role == ACL_ID_PUBLIC)
				found = "public";
			else if (!has_rights_of_caller(role))
				found = GetUserNameFromId(role, true);
		}
	}
	if (HeapTupleIsValid(row))
		ReleaseSysCache(row);
	return found;
}

static void
refuse(const RdsLedgerVersion *version, const char *role)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the script that takes version %s back could be of role \"%s\", who has less rights than you",
					version->version, role != NULL ? role : "(none)"),
			 errdetail("It stands in the history, and would be run with your rights."),
			 errhint("SET ROLE to that role and call again; or look at the column undo of rdsinit.history, and call with"
					 " the option {\"trust_history\": true}.")));
}

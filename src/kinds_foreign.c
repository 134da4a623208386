/*-------------------------------------------------------------------------
 *
 * kinds_foreign.c
 *	  How foreign-data wrappers, servers and user mappings are read from the catalog.
 *
 * Of options no value that could be a secret is read; of a user mapping, none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"
#include "kinds.h"

static bool name_wrapper(RdsObject *object, HeapTuple row, Snapshot snapshot);
static bool name_server(RdsObject *object, HeapTuple row, Snapshot snapshot);
static void define_wrapper(StringInfo out, HeapTuple row);
static void define_server(StringInfo out, HeapTuple row);
static void append_quoted(StringInfo out, const char *before, HeapTuple row, AttrNumber column);

/* clang-format off */
const RdsObjectKind rds_kinds_of_foreign_data[] = {
	{.catalog = ForeignDataWrapperRelationId, .name = name_wrapper, .define = define_wrapper},
	{.catalog = ForeignServerRelationId, .name = name_server, .define = define_server},

	/* never its options: a password is among them */
	{.catalog = UserMappingRelationId,
	 .kind = "'user mapping'",
	 .identity = "concat('for ', CASE WHEN x.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(x.usename) END, ' on server ', quote_ident(x.srvname))",
	 .definition = "'USER MAPPING'",
	 .from = "(SELECT u.umid AS oid, u.umuser, u.usename, u.srvname FROM pg_user_mappings AS u) AS x",
	 .condition = RDS_OWN RDS_NO_MEMBER(UserMappingRelationId, "x.oid")},

	{0}};
/* clang-format on */

static bool
name_wrapper(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_foreign_data_wrapper wrapper = (Form_pg_foreign_data_wrapper) GETSTRUCT(row);

	if (wrapper->oid < FirstNormalObjectId ||
		(snapshot == NULL && rds_is_of_extension(ForeignDataWrapperRelationId, wrapper->oid)))
		return false;
	object->kind = "foreign-data wrapper";
	object->identity = pstrdup(quote_identifier(NameStr(wrapper->fdwname)));
	return true;
}

static bool
name_server(RdsObject *object, HeapTuple row, Snapshot snapshot)
{
	const Form_pg_foreign_server server = (Form_pg_foreign_server) GETSTRUCT(row);

	if (server->oid < FirstNormalObjectId ||
		(snapshot == NULL && rds_is_of_extension(ForeignServerRelationId, server->oid)))
		return false;
	object->kind = "server";
	object->identity = pstrdup(quote_identifier(NameStr(server->srvname)));
	return true;
}

static void
define_wrapper(StringInfo out, HeapTuple row)
{
	const Form_pg_foreign_data_wrapper wrapper = (Form_pg_foreign_data_wrapper) GETSTRUCT(row);
	bool isnull;
	Datum options = SysCacheGetAttr(FOREIGNDATAWRAPPEROID, row, Anum_pg_foreign_data_wrapper_fdwoptions, &isnull);

	appendStringInfoString(out, "FOREIGN DATA WRAPPER");
	if (OidIsValid(wrapper->fdwhandler))
		appendStringInfo(out, "\nHANDLER %s", format_procedure(wrapper->fdwhandler));
	if (OidIsValid(wrapper->fdwvalidator))
		appendStringInfo(out, "\nVALIDATOR %s", format_procedure(wrapper->fdwvalidator));
	if (!isnull)
		rds_append_options(out, "\nOPTIONS ", options);
}

static void
define_server(StringInfo out, HeapTuple row)
{
	const Form_pg_foreign_server server = (Form_pg_foreign_server) GETSTRUCT(row);
	const ForeignDataWrapper *wrapper = GetForeignDataWrapperExtended(server->srvfdw, FDW_MISSING_OK);
	bool isnull;
	Datum options = SysCacheGetAttr(FOREIGNSERVEROID, row, Anum_pg_foreign_server_srvoptions, &isnull);

	appendStringInfoString(out, "SERVER");
	append_quoted(out, " TYPE ", row, Anum_pg_foreign_server_srvtype);
	append_quoted(out, " VERSION ", row, Anum_pg_foreign_server_srvversion);
	if (wrapper != NULL)
		appendStringInfo(out, "\nFOREIGN DATA WRAPPER %s", quote_identifier(wrapper->fdwname));
	if (!isnull)
		rds_append_options(out, "\nOPTIONS ", options);
}

/* A text of a server's row, where there is one. */
static void
append_quoted(StringInfo out, const char *before, HeapTuple row, AttrNumber column)
{
	bool isnull;
	Datum value = SysCacheGetAttr(FOREIGNSERVEROID, row, column, &isnull);

	if (!isnull)
		appendStringInfo(out, "%s%s", before, quote_literal_cstr(TextDatumGetCString(value)));
}

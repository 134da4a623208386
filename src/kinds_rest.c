/*-------------------------------------------------------------------------
 *
 * kinds_rest.c
 *	  How schemas, extensions, text search, foreign data, replication and the rest
 *	  of the schema are read from the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"
#include "catalog/pg_user_mapping.h"

#include "kinds.h"

#define JOIN_SCHEMA(column) " JOIN pg_namespace AS n ON n.oid = x." column
#define IN_SCHEMA(catalog) RDS_OWN RDS_NOT_TEMPORARY RDS_NO_MEMBER(catalog, "x.oid")
#define FUNCTION(label, column) " E'\\n" label " ' || nullif(" column "::oid, 0)::regprocedure,"

/* clang-format off */
const RdsObjectKind rds_kinds_of_the_rest[] = {
	{NamespaceRelationId,
	 "'schema'",
	 "quote_ident(x.nspname)",
	 "'SCHEMA', " RDS_OWNER("x.nspowner") ", " RDS_PRIVILEGES("x.nspacl", "n", "x.nspowner") ", " RDS_COMMENT(NamespaceRelationId),
	 "pg_namespace AS x",
	 "(" RDS_OWN " OR x.nspname = 'public') AND x.nspname !~ '^pg_(toast_)?temp_'" RDS_NO_MEMBER(NamespaceRelationId, "x.oid"),
	 NULL},

	 /* its owner is who has restored it */
	{ExtensionRelationId,
	 "'extension'",
	 "quote_ident(x.extname)",
	 "'EXTENSION VERSION ', quote_literal(x.extversion), ' SCHEMA ', quote_ident(n.nspname), " RDS_COMMENT(ExtensionRelationId),
	 "pg_extension AS x" JOIN_SCHEMA("extnamespace"),
	 "x.extname <> 'rdsinit'",
	 NULL},

	 /* the version of a collation is the machine's */
	{CollationRelationId,
	 "'collation'",
	 RDS_QUALIFIED("n.nspname", "x.collname"),
	 "'COLLATION ', to_jsonb(x) - '{oid,collname,collnamespace,collowner,collversion}'::text[], " RDS_OWNER("x.collowner") ", " RDS_COMMENT(CollationRelationId),
	 "pg_collation AS x" JOIN_SCHEMA("collnamespace"),
	 IN_SCHEMA(CollationRelationId),
	 NULL},

	{TSParserRelationId,
	 "'text search parser'",
	 RDS_QUALIFIED("n.nspname", "x.prsname"),
	 "'TEXT SEARCH PARSER'," FUNCTION("START", "x.prsstart") FUNCTION("GETTOKEN", "x.prstoken") FUNCTION("END", "x.prsend")
	 FUNCTION("HEADLINE", "x.prsheadline") FUNCTION("LEXTYPES", "x.prslextype") RDS_COMMENT(TSParserRelationId),
	 "pg_ts_parser AS x" JOIN_SCHEMA("prsnamespace"),
	 IN_SCHEMA(TSParserRelationId),
	 NULL},

	{TSTemplateRelationId,
	 "'text search template'",
	 RDS_QUALIFIED("n.nspname", "x.tmplname"),
	 "'TEXT SEARCH TEMPLATE'," FUNCTION("INIT", "x.tmplinit") FUNCTION("LEXIZE", "x.tmpllexize") RDS_COMMENT(TSTemplateRelationId),
	 "pg_ts_template AS x" JOIN_SCHEMA("tmplnamespace"),
	 IN_SCHEMA(TSTemplateRelationId),
	 NULL},

	{TSDictionaryRelationId,
	 "'text search dictionary'",
	 RDS_QUALIFIED("n.nspname", "x.dictname"),
	 "'TEXT SEARCH DICTIONARY', (SELECT concat(E'\\nTEMPLATE ', quote_ident(tn.nspname), '.', quote_ident(t.tmplname))"
	 " FROM pg_ts_template AS t JOIN pg_namespace AS tn ON tn.oid = t.tmplnamespace WHERE t.oid = x.dicttemplate),"
	 " E'\\nOPTIONS ' || x.dictinitoption, " RDS_OWNER("x.dictowner") ", " RDS_COMMENT(TSDictionaryRelationId),
	 "pg_ts_dict AS x" JOIN_SCHEMA("dictnamespace"),
	 IN_SCHEMA(TSDictionaryRelationId),
	 NULL},

	{TSConfigRelationId,
	 "'text search configuration'",
	 RDS_QUALIFIED("n.nspname", "x.cfgname"),
	 "'TEXT SEARCH CONFIGURATION', (SELECT concat(E'\\nPARSER ', quote_ident(pn.nspname), '.', quote_ident(p.prsname))"
	 " FROM pg_ts_parser AS p JOIN pg_namespace AS pn ON pn.oid = p.prsnamespace WHERE p.oid = x.cfgparser),"
	 " (SELECT string_agg(concat(E'\\nTOKEN ', m.maptokentype, ': ', quote_ident(dn.nspname), '.', quote_ident(d.dictname)), '' ORDER BY m.maptokentype, m.mapseqno)"
	 " FROM pg_ts_config_map AS m JOIN pg_ts_dict AS d ON d.oid = m.mapdict JOIN pg_namespace AS dn ON dn.oid = d.dictnamespace WHERE m.mapcfg = x.oid)," RDS_OWNER("x.cfgowner") ", " RDS_COMMENT(TSConfigRelationId),
	 "pg_ts_config AS x" JOIN_SCHEMA("cfgnamespace"),
	 IN_SCHEMA(TSConfigRelationId),
	 NULL},

	{ForeignDataWrapperRelationId,
	 "'foreign-data wrapper'",
	 "quote_ident(x.fdwname)",
	 "'FOREIGN DATA WRAPPER'," FUNCTION("HANDLER", "x.fdwhandler") FUNCTION("VALIDATOR", "x.fdwvalidator") " E'\\nOPTIONS (' || " RDS_OPTIONS("x.fdwoptions") " || ')', " RDS_OWNER("x.fdwowner") ", " RDS_PRIVILEGES("x.fdwacl", "F", "x.fdwowner") ", " RDS_COMMENT(ForeignDataWrapperRelationId),
	 "pg_foreign_data_wrapper AS x",
	 RDS_OWN RDS_NO_MEMBER(ForeignDataWrapperRelationId, "x.oid"),
	 NULL},

	{ForeignServerRelationId,
	 "'server'",
	 "quote_ident(x.srvname)",
	 "'SERVER', ' TYPE ' || quote_literal(x.srvtype), ' VERSION ' || quote_literal(x.srvversion), E'\\nFOREIGN DATA WRAPPER ', quote_ident(w.fdwname),"
	 " E'\\nOPTIONS (' || " RDS_OPTIONS("x.srvoptions") " || ')', " RDS_OWNER("x.srvowner") ", " RDS_PRIVILEGES("x.srvacl", "S", "x.srvowner") ", " RDS_COMMENT(ForeignServerRelationId),
	 "pg_foreign_server AS x JOIN pg_foreign_data_wrapper AS w ON w.oid = x.srvfdw",
	 RDS_OWN RDS_NO_MEMBER(ForeignServerRelationId, "x.oid"),
	 NULL},

	 /* never its options: a password is among them */
	{UserMappingRelationId,
	 "'user mapping'",
	 "concat('for ', CASE WHEN x.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(x.usename) END, ' on server ', quote_ident(x.srvname))",
	 "'USER MAPPING'",
	 "(SELECT u.umid AS oid, u.umuser, u.usename, u.srvname FROM pg_user_mappings AS u) AS x",
	 RDS_OWN RDS_NO_MEMBER(UserMappingRelationId, "x.oid"),
	 NULL},

	{PublicationRelationId,
	 "'publication'",
	 "quote_ident(x.pubname)",
	 "'PUBLICATION ', to_jsonb(x) - '{oid,pubname,pubowner}'::text[],"
	 " (SELECT string_agg(concat(E'\\nTABLE ', " RDS_QUALIFIED("n.nspname", "c.relname") ","
	 " ' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')',"
	 " ' WHERE ' || pg_get_expr(r.prqual, r.prrelid)), '' ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\")"
	 " FROM pg_publication_rel AS r JOIN pg_class AS c ON c.oid = r.prrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE r.prpubid = x.oid),"
	 " (SELECT string_agg(E'\\nTABLES IN SCHEMA ' || quote_ident(n.nspname), '' ORDER BY n.nspname COLLATE \"C\")"
	 " FROM pg_publication_namespace AS r JOIN pg_namespace AS n ON n.oid = r.pnnspid WHERE r.pnpubid = x.oid)," RDS_OWNER("x.pubowner") ", " RDS_COMMENT(PublicationRelationId),
	 "pg_publication AS x",
	 RDS_OWN RDS_NO_MEMBER(PublicationRelationId, "x.oid"),
	 NULL},

	 /* never how it connects: only a superuser may see that, and a password is in it */
	{SubscriptionRelationId,
	 "'subscription'",
	 "quote_ident(x.subname)",
	 "'SUBSCRIPTION TO ', (SELECT string_agg(quote_ident(p), ', ' ORDER BY p COLLATE \"C\") FROM unnest(x.subpublications) AS p),"
	 " E'\\nENABLED ', x.subenabled, ' BINARY ', x.subbinary, ' STREAMING ', x.substream, ' TWO_PHASE ', x.subtwophasestate <> 'd',"
	 " ' DISABLE_ON_ERROR ', x.subdisableonerr, ' SLOT ', quote_ident(x.subslotname), ' SYNCHRONOUS_COMMIT ', x.subsynccommit," RDS_OWNER("x.subowner") ", " RDS_COMMENT(SubscriptionRelationId),
	 "pg_subscription AS x",
	 "x.subdbid = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())",
	 NULL},

	{EventTriggerRelationId,
	 "'event trigger'",
	 "quote_ident(x.evtname)",
	 "'EVENT TRIGGER ON ', x.evtevent, ' WHEN TAG IN (' || (SELECT string_agg(g, ', ' ORDER BY g COLLATE \"C\") FROM unnest(x.evttags) AS g) || ')',"
	 " CASE x.evtenabled WHEN 'D' THEN ' DISABLE' WHEN 'A' THEN ' ENABLE ALWAYS' WHEN 'R' THEN ' ENABLE REPLICA' END," FUNCTION("FUNCTION", "x.evtfoid") RDS_OWNER("x.evtowner") ", " RDS_COMMENT(EventTriggerRelationId),
	 "pg_event_trigger AS x",
	 RDS_OWN RDS_NO_MEMBER(EventTriggerRelationId, "x.oid"),
	 NULL},

	{DefaultAclRelationId,
	 "'default privileges'",
	 "concat('for ', " RDS_ROLE("x.defaclrole") ", ' in schema ' || quote_ident(n.nspname), ' on ', CASE x.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'"
	 " WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE x.defaclobjtype::text END)",
	 "'DEFAULT PRIVILEGES ', " RDS_LIST("x.defaclacl"),
	 "pg_default_acl AS x LEFT JOIN pg_namespace AS n ON n.oid = x.defaclnamespace",
	 RDS_OWN RDS_NO_MEMBER(DefaultAclRelationId, "x.oid"),
	 NULL},

	{0}};

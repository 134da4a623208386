/*-------------------------------------------------------------------------
 *
 * kinds_rest.c
 *	  How collations, text search, replication and the rest of the schema
 *	  are read from the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"

#include "kinds.h"

/* clang-format off */
const RdsObjectKind rds_kinds_of_the_rest[] = {
	/* the version of a collation is the machine's */
	{.catalog = CollationRelationId,
	 .kind = "'collation'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.collname"),
	 .definition = "'COLLATION ', to_jsonb(x) - '{oid,collname,collnamespace,collowner,collversion}'::text[]",
	 .from = "pg_collation AS x" RDS_JOIN_SCHEMA("collnamespace"),
	 .condition = RDS_IN_SCHEMA(CollationRelationId)},

	{.catalog = TSParserRelationId,
	 .kind = "'text search parser'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.prsname"),
	 .definition = "'TEXT SEARCH PARSER'" RDS_FUNCTION("START", "x.prsstart") RDS_FUNCTION("GETTOKEN", "x.prstoken") RDS_FUNCTION("END", "x.prsend")
	 RDS_FUNCTION("HEADLINE", "x.prsheadline") RDS_FUNCTION("LEXTYPES", "x.prslextype"),
	 .from = "pg_ts_parser AS x" RDS_JOIN_SCHEMA("prsnamespace"),
	 .condition = RDS_IN_SCHEMA(TSParserRelationId)},

	{.catalog = TSTemplateRelationId,
	 .kind = "'text search template'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.tmplname"),
	 .definition = "'TEXT SEARCH TEMPLATE'" RDS_FUNCTION("INIT", "x.tmplinit") RDS_FUNCTION("LEXIZE", "x.tmpllexize"),
	 .from = "pg_ts_template AS x" RDS_JOIN_SCHEMA("tmplnamespace"),
	 .condition = RDS_IN_SCHEMA(TSTemplateRelationId)},

	{.catalog = TSDictionaryRelationId,
	 .kind = "'text search dictionary'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.dictname"),
	 .definition = "'TEXT SEARCH DICTIONARY', (SELECT concat(E'\\nTEMPLATE ', quote_ident(tn.nspname), '.', quote_ident(t.tmplname))"
	 " FROM pg_ts_template AS t JOIN pg_namespace AS tn ON tn.oid = t.tmplnamespace WHERE t.oid = x.dicttemplate),"
	 " E'\\nOPTIONS ' || x.dictinitoption",
	 .from = "pg_ts_dict AS x" RDS_JOIN_SCHEMA("dictnamespace"),
	 .condition = RDS_IN_SCHEMA(TSDictionaryRelationId)},

	{.catalog = TSConfigRelationId,
	 .kind = "'text search configuration'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.cfgname"),
	 .definition = "'TEXT SEARCH CONFIGURATION', (SELECT concat(E'\\nPARSER ', quote_ident(pn.nspname), '.', quote_ident(p.prsname))"
	 " FROM pg_ts_parser AS p JOIN pg_namespace AS pn ON pn.oid = p.prsnamespace WHERE p.oid = x.cfgparser),"
	 " (SELECT string_agg(concat(E'\\nTOKEN ', m.maptokentype, ': ', quote_ident(dn.nspname), '.', quote_ident(d.dictname)), '' ORDER BY m.maptokentype, m.mapseqno)"
	 " FROM pg_ts_config_map AS m JOIN pg_ts_dict AS d ON d.oid = m.mapdict JOIN pg_namespace AS dn ON dn.oid = d.dictnamespace WHERE m.mapcfg = x.oid)",
	 .from = "pg_ts_config AS x" RDS_JOIN_SCHEMA("cfgnamespace"),
	 .condition = RDS_IN_SCHEMA(TSConfigRelationId)},

	{.catalog = PublicationRelationId,
	 .kind = "'publication'",
	 .identity = "quote_ident(x.pubname)",
	 .definition = "'PUBLICATION ', to_jsonb(x) - '{oid,pubname,pubowner}'::text[],"
	 " (SELECT string_agg(concat(E'\\nTABLE ', " RDS_QUALIFIED("n.nspname", "c.relname") ","
	 " ' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')',"
	 " ' WHERE ' || pg_get_expr(r.prqual, r.prrelid)), '' ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\")"
	 " FROM pg_publication_rel AS r JOIN pg_class AS c ON c.oid = r.prrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE r.prpubid = x.oid),"
	 " (SELECT string_agg(E'\\nTABLES IN SCHEMA ' || quote_ident(n.nspname), '' ORDER BY n.nspname COLLATE \"C\")"
	 " FROM pg_publication_namespace AS r JOIN pg_namespace AS n ON n.oid = r.pnnspid WHERE r.pnpubid = x.oid)",
	 .from = "pg_publication AS x",
	 .condition = RDS_OWN RDS_NO_MEMBER(PublicationRelationId, "x.oid")},

	/* never how it connects: only a superuser may see that, and a password is in it */
	{.catalog = SubscriptionRelationId,
	 .kind = "'subscription'",
	 .identity = "quote_ident(x.subname)",
	 .definition = "'SUBSCRIPTION TO ', (SELECT string_agg(quote_ident(p), ', ' ORDER BY p COLLATE \"C\") FROM unnest(x.subpublications) AS p),"
	 " E'\\nENABLED ', x.subenabled, ' BINARY ', x.subbinary, ' STREAMING ', x.substream, ' TWO_PHASE ', x.subtwophasestate <> 'd',"
	 " ' DISABLE_ON_ERROR ', x.subdisableonerr, ' SLOT ', quote_ident(x.subslotname), ' SYNCHRONOUS_COMMIT ', x.subsynccommit",
	 .from = "pg_subscription AS x",
	 .condition = RDS_OWN " AND x.subdbid = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())"},

	{.catalog = EventTriggerRelationId,
	 .kind = "'event trigger'",
	 .identity = "quote_ident(x.evtname)",
	 .definition = "'EVENT TRIGGER ON ', x.evtevent, ' WHEN TAG IN (' || (SELECT string_agg(g, ', ' ORDER BY g COLLATE \"C\") FROM unnest(x.evttags) AS g) || ')',"
	 " CASE x.evtenabled WHEN 'D' THEN ' DISABLE' WHEN 'A' THEN ' ENABLE ALWAYS' WHEN 'R' THEN ' ENABLE REPLICA' END" RDS_FUNCTION("FUNCTION", "x.evtfoid"),
	 .from = "pg_event_trigger AS x",
	 .condition = RDS_OWN RDS_NO_MEMBER(EventTriggerRelationId, "x.oid")},

	{.catalog = DefaultAclRelationId,
	 .kind = "'default privileges'",
	 .identity = "concat('for ', " RDS_ROLE("x.defaclrole") ", ' in schema ' || quote_ident(n.nspname), ' on ', CASE x.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'"
	 " WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE x.defaclobjtype::text END)",
	 .definition = "'DEFAULT PRIVILEGES ', " RDS_LIST("x.defaclacl"),
	 .from = "pg_default_acl AS x LEFT JOIN pg_namespace AS n ON n.oid = x.defaclnamespace",
	 .condition = RDS_OWN RDS_NO_MEMBER(DefaultAclRelationId, "x.oid")},

	{0}};

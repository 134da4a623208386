/*-------------------------------------------------------------------------
 *
 * kinds_relation.c
 *	  How relations, and what belongs to them, are read from the catalog.
 *
 * An index that a constraint has made is a part of that constraint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"

#include "kinds.h"

#define RELATION "pg_class AS x JOIN pg_namespace AS n ON n.oid = x.relnamespace"
#define JOIN_RELATION(relation) " JOIN pg_class AS c ON c.oid = " relation " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
#define NAME_ON(name) "concat(quote_ident(" name "), ' on ', quote_ident(n.nspname), '.', quote_ident(c.relname))"
#define ON_RELATION RDS_OWN " AND c.relpersistence <> 't'" RDS_NO_MEMBER(RelationRelationId, "c.oid")
#define TABLESPACE(relation) "CASE WHEN " relation ".reltablespace <> 0 THEN (SELECT E'\\nTABLESPACE ' || quote_ident(s.spcname) FROM pg_tablespace AS s WHERE s.oid = " relation ".reltablespace) END"
#define WITH(relation) "CASE WHEN " relation ".reloptions IS NOT NULL THEN E'\\nWITH (' || " RDS_OPTIONS(relation ".reloptions") " || ')' END"
#define PARENTS \
	"(SELECT string_agg(" RDS_QUALIFIED("pn.nspname", "p.relname") ", ', ' ORDER BY h.inhseqno) FROM pg_inherits AS h" \
																   " JOIN pg_class AS p ON p.oid = h.inhparent JOIN pg_namespace AS pn ON pn.oid = p.relnamespace WHERE h.inhrelid = x.oid)"
/* What is not said by the definition of an index i, whose relation is c. */
#define OF_INDEX(index) \
	"CASE WHEN NOT i.indisvalid THEN E'\\nINVALID' END," \
	" CASE WHEN i.indisclustered THEN E'\\nCLUSTER' END," \
	" CASE WHEN i.indisreplident THEN E'\\nREPLICA IDENTITY' END, " TABLESPACE(index)
#define EXPRESSION_STATISTICS \
	"(SELECT string_agg(concat(E'\\nSTATISTICS ', a.attnum, ' ', a.attstattarget), '' ORDER BY a.attnum)" \
	" FROM pg_attribute AS a WHERE a.attrelid = x.oid AND a.attstattarget >= 0)"

/* clang-format off */
const RdsObjectKind rds_kinds_of_relations[] = {
	{RelationRelationId,
	 "CASE x.relkind WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END",
	 RDS_QUALIFIED("n.nspname", "x.relname"),
	 "CASE x.relpersistence WHEN 'u' THEN 'UNLOGGED ' END,"
	 " CASE x.relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,"
	 " ' OF ' || nullif(x.reloftype, 0)::regtype,"
	 " ' (', " RDS_COLUMNS("x.oid") ", E'\\n)',"
	 " CASE WHEN x.relkind IN ('r', 'p', 'f') THEN CASE WHEN x.relispartition THEN E'\\nPARTITION OF ' ELSE E'\\nINHERITS ' END || " PARENTS " END,"
	 " CASE WHEN x.relispartition THEN ' ' || pg_get_expr(x.relpartbound, x.oid) END,"
	 " CASE WHEN x.relkind = 'p' THEN E'\\nPARTITION BY ' || pg_get_partkeydef(x.oid) END,"
	 " CASE WHEN x.relam NOT IN (0, 2) THEN (SELECT E'\\nUSING ' || quote_ident(m.amname) FROM pg_am AS m WHERE m.oid = x.relam) END,"
	 " CASE WHEN x.relkind = 'f' THEN (SELECT concat(E'\\nSERVER ', quote_ident(s.srvname), ' OPTIONS (' || " RDS_OPTIONS("g.ftoptions") " || ')')"
	 " FROM pg_foreign_table AS g JOIN pg_foreign_server AS s ON s.oid = g.ftserver WHERE g.ftrelid = x.oid) END," WITH("x") ","
	 " CASE WHEN x.reltoastrelid <> 0 THEN (SELECT E'\\nTOAST WITH (' || " RDS_OPTIONS("o.reloptions") " || ')' FROM pg_class AS o WHERE o.oid = x.reltoastrelid) END," TABLESPACE("x") ","
	 " CASE WHEN x.relrowsecurity THEN E'\\nENABLE ROW LEVEL SECURITY' END,"
	 " CASE WHEN x.relforcerowsecurity THEN E'\\nFORCE ROW LEVEL SECURITY' END,"
	 " CASE WHEN x.relkind NOT IN ('v', 'f') THEN CASE x.relreplident WHEN 'n' THEN E'\\nREPLICA IDENTITY NOTHING' WHEN 'f' THEN E'\\nREPLICA IDENTITY FULL' END END,"
	 " CASE WHEN x.relkind IN ('v', 'm') THEN E'\\nAS' || pg_get_viewdef(x.oid) END," RDS_OWNER("x.relowner") ", " RDS_PRIVILEGES("x.relacl", "r", "x.relowner") ", " RDS_COMMENT(RelationRelationId) ", " RDS_COLUMN_COMMENTS("x.oid"),
	 RELATION,
	 RDS_OWN " AND x.relkind IN ('r', 'p', 'f', 'v', 'm') AND x.relpersistence <> 't'" RDS_NO_MEMBER(RelationRelationId, "x.oid"),
	 "rpfvm"},

	{RelationRelationId,
	 "'sequence'",
	 RDS_QUALIFIED("n.nspname", "x.relname"),
	 "CASE x.relpersistence WHEN 'u' THEN 'UNLOGGED ' END,"
	 " (SELECT concat('SEQUENCE AS ', format_type(q.seqtypid, NULL), ' START ', q.seqstart, ' INCREMENT ', q.seqincrement,"
	 " ' MINVALUE ', q.seqmin, ' MAXVALUE ', q.seqmax, ' CACHE ', q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' END)"
	 " FROM pg_sequence AS q WHERE q.seqrelid = x.oid),"
	 " (SELECT string_agg(concat(E'\\nOWNED BY ', quote_ident(cn.nspname), '.', quote_ident(c.relname), '.', quote_ident(a.attname)), '')"
	 " FROM pg_depend AS b JOIN pg_class AS c ON c.oid = b.refobjid JOIN pg_namespace AS cn ON cn.oid = c.relnamespace"
	 " JOIN pg_attribute AS a ON a.attrelid = b.refobjid AND a.attnum = b.refobjsubid"
	 " WHERE b.classid = 1259 AND b.objid = x.oid AND b.refclassid = 1259 AND b.refobjsubid > 0 AND b.deptype IN ('a', 'i'))," RDS_OWNER("x.relowner") ", " RDS_PRIVILEGES("x.relacl", "s", "x.relowner") ", " RDS_COMMENT(RelationRelationId),
	 RELATION,
	 RDS_OWN " AND x.relkind = 'S' AND x.relpersistence <> 't'" RDS_NO_MEMBER(RelationRelationId, "x.oid"),
	 "S"},

	{RelationRelationId,
	 "'index'",
	 RDS_QUALIFIED("n.nspname", "x.relname"),
	 "pg_get_indexdef(x.oid), CASE WHEN x.relispartition THEN E'\\nPARTITION OF ' || " PARENTS " END," OF_INDEX("x") ", " EXPRESSION_STATISTICS ", " RDS_COMMENT(RelationRelationId),
	 RELATION " JOIN pg_index AS i ON i.indexrelid = x.oid",
	 RDS_OWN " AND x.relkind IN ('i', 'I') AND x.relpersistence <> 't' AND n.nspname <> 'pg_toast'"
	 " AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = i.indrelid AND k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))" RDS_NO_MEMBER(RelationRelationId, "i.indrelid"),
	 "iI"},

	{ConstraintRelationId,
	 "'constraint'",
	 NAME_ON("x.conname"),
	 "pg_get_constraintdef(x.oid), CASE WHEN x.contype <> 'f' THEN (SELECT concat(" OF_INDEX("y") ", " WITH("y") "," RDS_COMMENT_ON(RelationRelationId, "y.oid") ")"
	 " FROM pg_index AS i JOIN pg_class AS y ON y.oid = i.indexrelid WHERE i.indexrelid = x.conindid) END,"
	 " CASE WHEN x.contype = 'f' AND EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgconstraint = x.oid AND g.tgenabled <> 'O')"
	 " THEN E'\\nNOT ALL TRIGGERS ENABLED' END, " RDS_COMMENT(ConstraintRelationId),
	 "pg_constraint AS x" JOIN_RELATION("x.conrelid"),
	 ON_RELATION " AND x.contype <> 't' AND (x.contype <> 'f' OR x.conparentid = 0)",
	 NULL},

	{TriggerRelationId,
	 "'trigger'",
	 NAME_ON("x.tgname"),
	 "pg_get_triggerdef(x.oid), CASE x.tgenabled WHEN 'D' THEN E'\\nDISABLE' WHEN 'A' THEN E'\\nENABLE ALWAYS' WHEN 'R' THEN E'\\nENABLE REPLICA' END," RDS_COMMENT(TriggerRelationId),
	 "pg_trigger AS x" JOIN_RELATION("x.tgrelid"),
	 ON_RELATION " AND NOT x.tgisinternal",
	 NULL},

	{PolicyRelationId,
	 "'policy'",
	 NAME_ON("x.polname"),
	 "'POLICY AS ', CASE WHEN x.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,"
	 " ' FOR ', CASE x.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,"
	 " ' TO ', (SELECT string_agg(r.name, ', ' ORDER BY r.name COLLATE \"C\")"
	 " FROM (SELECT CASE WHEN o = 0 THEN 'PUBLIC' ELSE " RDS_ROLE("o") " END AS name FROM unnest(x.polroles) AS o) AS r),"
	 " E'\\nUSING (' || pg_get_expr(x.polqual, x.polrelid) || ')', E'\\nWITH CHECK (' || pg_get_expr(x.polwithcheck, x.polrelid) || ')'," RDS_COMMENT(PolicyRelationId),
	 "pg_policy AS x" JOIN_RELATION("x.polrelid"),
	 ON_RELATION,
	 NULL},

	{RewriteRelationId,
	 "'rule'",
	 NAME_ON("x.rulename"),
	 "pg_get_ruledef(x.oid), CASE x.ev_enabled WHEN 'D' THEN E'\\nDISABLE' WHEN 'A' THEN E'\\nENABLE ALWAYS' WHEN 'R' THEN E'\\nENABLE REPLICA' END," RDS_COMMENT(RewriteRelationId),
	 "pg_rewrite AS x" JOIN_RELATION("x.ev_class"),
	 ON_RELATION " AND x.rulename <> '_RETURN'",
	 NULL},

	{StatisticExtRelationId,
	 "'statistics object'",
	 RDS_QUALIFIED("n.nspname", "x.stxname"),
	 "pg_get_statisticsobjdef(x.oid), E'\\nSTATISTICS ' || nullif(x.stxstattarget, -1)," RDS_OWNER("x.stxowner") ", " RDS_COMMENT(StatisticExtRelationId),
	 "pg_statistic_ext AS x JOIN pg_namespace AS n ON n.oid = x.stxnamespace",
	 RDS_OWN RDS_NOT_TEMPORARY RDS_NO_MEMBER(RelationRelationId, "x.stxrelid"),
	 NULL},

	{0}};

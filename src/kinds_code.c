/*-------------------------------------------------------------------------
 *
 * kinds_code.c
 *	  How functions, types, operators, casts and what is made of them are read from
 *	  the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_am.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_conversion.h"
#include "catalog/pg_language.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_transform.h"
#include "catalog/pg_type.h"

#include "kinds.h"

#define JOIN_SCHEMA(column) " JOIN pg_namespace AS n ON n.oid = x." column
#define IN_SCHEMA(catalog) RDS_OWN RDS_NOT_TEMPORARY RDS_NO_MEMBER(catalog, "x.oid")
#define ARGUMENTS \
	"(SELECT string_agg(" RDS_TYPE("u.type") ", ', ' ORDER BY u.n) FROM unnest(x.proargtypes) WITH ORDINALITY AS u (type, n))"
#define ROUTINE_NAME "concat(quote_ident(n.nspname), '.', quote_ident(x.proname), '(', " ARGUMENTS ", ')')"
/* A reference, where there is one; in an argument's list of concat. */
#define FUNCTION(label, column) " E'\\n" label " ' || nullif(" column "::oid, 0)::regprocedure,"
#define TYPE(label, column) " E'\\n" label " ' || format_type(nullif(" column ", 0), NULL),"
#define ROUTINE_ENDS RDS_OWNER("x.proowner") ", " RDS_PRIVILEGES("x.proacl", "f", "x.proowner") ", " RDS_COMMENT(ProcedureRelationId)

/* clang-format off */
const RdsObjectKind rds_kinds_of_code[] = {
	{ProcedureRelationId,
	 "CASE x.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END",
	 ROUTINE_NAME,
	 "rtrim(pg_get_functiondef(x.oid), E'\\n'), " ROUTINE_ENDS,
	 "pg_proc AS x" JOIN_SCHEMA("pronamespace"),
	 IN_SCHEMA(ProcedureRelationId) " AND x.prokind <> 'a'",
	 NULL},

	{ProcedureRelationId,
	 "'aggregate'",
	 ROUTINE_NAME,
	 "'AGGREGATE (', pg_get_function_arguments(x.oid), ') RETURNS ', pg_get_function_result(x.oid),"
	 " E'\\nKIND ', g.aggkind, ' DIRECT ', g.aggnumdirectargs, ' PARALLEL ', x.proparallel," FUNCTION("SFUNC", "g.aggtransfn") TYPE("STYPE", "g.aggtranstype") FUNCTION("FINALFUNC", "g.aggfinalfn")
	 FUNCTION("COMBINEFUNC", "g.aggcombinefn") FUNCTION("SERIALFUNC", "g.aggserialfn") FUNCTION("DESERIALFUNC", "g.aggdeserialfn")
	 FUNCTION("MSFUNC", "g.aggmtransfn") FUNCTION("MINVFUNC", "g.aggminvtransfn") TYPE("MSTYPE", "g.aggmtranstype") FUNCTION("MFINALFUNC", "g.aggmfinalfn") " CASE WHEN g.aggfinalextra THEN E'\\nFINALFUNC_EXTRA' END, CASE WHEN g.aggmfinalextra THEN E'\\nMFINALFUNC_EXTRA' END,"
	 " E'\\nMODIFY ', g.aggfinalmodify, g.aggmfinalmodify, ' SPACE ', g.aggtransspace, ' ', g.aggmtransspace,"
	 " E'\\nSORTOP ' || nullif(g.aggsortop, 0)::regoperator, E'\\nINITCOND ' || quote_literal(g.agginitval), E'\\nMINITCOND ' || quote_literal(g.aggminitval)," ROUTINE_ENDS,
	 "pg_proc AS x" JOIN_SCHEMA("pronamespace") " JOIN pg_aggregate AS g ON g.aggfnoid = x.oid",
	 IN_SCHEMA(ProcedureRelationId) " AND x.prokind = 'a'",
	 NULL},

	{TypeRelationId,
	 "CASE x.typtype WHEN 'd' THEN 'domain' ELSE 'type' END",
	 RDS_QUALIFIED("n.nspname", "x.typname"),
	 "CASE x.typtype WHEN 'e' THEN concat('ENUM (', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = x.oid), ')')"
	 " WHEN 'c' THEN concat('(', " RDS_COLUMNS("x.typrelid") ", E'\\n)')"
	 " WHEN 'd' THEN concat('DOMAIN ', format_type(x.typbasetype, x.typtypmod),"
	 " CASE WHEN x.typcollation <> (SELECT b.typcollation FROM pg_type AS b WHERE b.oid = x.typbasetype) THEN ' COLLATE ' || x.typcollation::regcollation END,"
	 " CASE WHEN x.typnotnull THEN ' NOT NULL' END, ' DEFAULT ' || coalesce(pg_get_expr(x.typdefaultbin, 0), quote_literal(x.typdefault)))"
	 " WHEN 'r' THEN (SELECT concat('RANGE OF ', format_type(r.rngsubtype, NULL), ' COLLATE ' || nullif(r.rngcollation, 0)::regcollation," FUNCTION("CANONICAL", "r.rngcanonical") FUNCTION("SUBTYPE_DIFF", "r.rngsubdiff") " E'\\nOPCLASS ', quote_ident(cn.nspname), '.', quote_ident(o.opcname), E'\\nMULTIRANGE ', quote_ident(mn.nspname), '.', quote_ident(m.typname))"
	 " FROM pg_range AS r JOIN pg_opclass AS o ON o.oid = r.rngsubopc JOIN pg_namespace AS cn ON cn.oid = o.opcnamespace"
	 " JOIN pg_type AS m ON m.oid = r.rngmultitypid JOIN pg_namespace AS mn ON mn.oid = m.typnamespace WHERE r.rngtypid = x.oid)"
	 " WHEN 'b' THEN concat('BASE'," FUNCTION("INPUT", "x.typinput") FUNCTION("OUTPUT", "x.typoutput") FUNCTION("RECEIVE", "x.typreceive") FUNCTION("SEND", "x.typsend")
	 FUNCTION("TYPMOD_IN", "x.typmodin") FUNCTION("TYPMOD_OUT", "x.typmodout") FUNCTION("ANALYZE", "x.typanalyze") FUNCTION("SUBSCRIPT", "x.typsubscript")
	 TYPE("ELEMENT", "x.typelem") " E'\\nLENGTH ', x.typlen, ' BYVALUE ', x.typbyval, ' ALIGN ', x.typalign, ' STORAGE ', x.typstorage,"
	 " ' CATEGORY ', x.typcategory, ' PREFERRED ', x.typispreferred, ' DELIMITER ', x.typdelim, ' COLLATABLE ', x.typcollation <> 0,"
	 " E'\\nDEFAULT ' || quote_literal(x.typdefault))"
	 " ELSE 'SHELL' END," RDS_OWNER("x.typowner") ", " RDS_PRIVILEGES("x.typacl", "T", "x.typowner") ", " RDS_COMMENT(TypeRelationId) ", CASE WHEN x.typtype = 'c' THEN concat(" RDS_COLUMN_COMMENTS("x.typrelid") ") END",
	 "pg_type AS x" JOIN_SCHEMA("typnamespace"),
	 IN_SCHEMA(TypeRelationId) " AND x.typtype IN ('b', 'c', 'd', 'e', 'p', 'r') AND NOT (x.typelem <> 0 AND x.typsubscript = 'array_subscript_handler'::regproc)"
	 " AND (x.typtype <> 'c' OR (SELECT c.relkind FROM pg_class AS c WHERE c.oid = x.typrelid) = 'c')",
	 NULL},

	{ConstraintRelationId,
	 "'domain constraint'",
	 "concat(quote_ident(x.conname), ' on ', quote_ident(n.nspname), '.', quote_ident(t.typname))",
	 "pg_get_constraintdef(x.oid), " RDS_COMMENT(ConstraintRelationId),
	 "pg_constraint AS x JOIN pg_type AS t ON t.oid = x.contypid JOIN pg_namespace AS n ON n.oid = t.typnamespace",
	 RDS_OWN RDS_NOT_TEMPORARY RDS_NO_MEMBER(TypeRelationId, "t.oid"),
	 NULL},

	{CastRelationId,
	 "'cast'",
	 "concat('(', " RDS_TYPE("x.castsource") ", ' AS ', " RDS_TYPE("x.casttarget") ", ')')",
	 "'CAST METHOD ', x.castmethod, ' CONTEXT ', x.castcontext," FUNCTION("FUNCTION", "x.castfunc") RDS_COMMENT(CastRelationId),
	 "pg_cast AS x",
	 RDS_OWN RDS_NO_MEMBER(CastRelationId, "x.oid"),
	 NULL},

	{OperatorRelationId,
	 "'operator'",
	 "concat(quote_ident(n.nspname), '.', x.oprname, '(', coalesce(" RDS_TYPE("x.oprleft") ", 'NONE'), ', ', coalesce(" RDS_TYPE("x.oprright") ", 'NONE'), ')')",
	 "'OPERATOR RETURNS ', format_type(nullif(x.oprresult, 0), NULL)," FUNCTION("FUNCTION", "x.oprcode") " E'\\nCOMMUTATOR ' || nullif(x.oprcom, 0)::regoperator, E'\\nNEGATOR ' || nullif(x.oprnegate, 0)::regoperator," FUNCTION("RESTRICT", "x.oprrest") FUNCTION("JOIN", "x.oprjoin") " CASE WHEN x.oprcanhash THEN E'\\nHASHES' END, CASE WHEN x.oprcanmerge THEN E'\\nMERGES' END," RDS_OWNER("x.oprowner") ", " RDS_COMMENT(OperatorRelationId),
	 "pg_operator AS x" JOIN_SCHEMA("oprnamespace"),
	 IN_SCHEMA(OperatorRelationId),
	 NULL},

	{OperatorFamilyRelationId,
	 "'operator family'",
	 "concat(quote_ident(n.nspname), '.', quote_ident(x.opfname), ' USING ', quote_ident(a.amname))",
	 "'OPERATOR FAMILY', (SELECT string_agg(s.line, '' ORDER BY s.line COLLATE \"C\") FROM ("
	 "SELECT concat(E'\\nOPERATOR ', p.amopstrategy, ' ', p.amopopr::regoperator, ' ' || nullif(p.amoppurpose, 's')::text,"
	 " ' ' || (SELECT concat(quote_ident(fn.nspname), '.', quote_ident(f.opfname)) FROM pg_opfamily AS f JOIN pg_namespace AS fn ON fn.oid = f.opfnamespace WHERE f.oid = p.amopsortfamily)) AS line"
	 " FROM pg_amop AS p WHERE p.amopfamily = x.oid UNION ALL "
	 "SELECT concat(E'\\nFUNCTION ', p.amprocnum, ' (', format_type(p.amproclefttype, NULL), ', ', format_type(p.amprocrighttype, NULL), ') ', p.amproc::oid::regprocedure)"
	 " FROM pg_amproc AS p WHERE p.amprocfamily = x.oid) AS s)," RDS_OWNER("x.opfowner") ", " RDS_COMMENT(OperatorFamilyRelationId),
	 "pg_opfamily AS x" JOIN_SCHEMA("opfnamespace") " JOIN pg_am AS a ON a.oid = x.opfmethod",
	 IN_SCHEMA(OperatorFamilyRelationId),
	 NULL},

	{OperatorClassRelationId,
	 "'operator class'",
	 "concat(quote_ident(n.nspname), '.', quote_ident(x.opcname), ' USING ', quote_ident(a.amname))",
	 "'OPERATOR CLASS', CASE WHEN x.opcdefault THEN ' DEFAULT' END, ' FOR TYPE ', format_type(x.opcintype, NULL),"
	 " (SELECT concat(' FAMILY ', quote_ident(fn.nspname), '.', quote_ident(f.opfname)) FROM pg_opfamily AS f JOIN pg_namespace AS fn ON fn.oid = f.opfnamespace WHERE f.oid = x.opcfamily)," TYPE("STORAGE", "x.opckeytype")
	 RDS_OWNER("x.opcowner") ", " RDS_COMMENT(OperatorClassRelationId),
	 "pg_opclass AS x" JOIN_SCHEMA("opcnamespace") " JOIN pg_am AS a ON a.oid = x.opcmethod",
	 IN_SCHEMA(OperatorClassRelationId),
	 NULL},

	{ConversionRelationId,
	 "'conversion'",
	 RDS_QUALIFIED("n.nspname", "x.conname"),
	 "'CONVERSION', CASE WHEN x.condefault THEN ' DEFAULT' END, ' FOR ', pg_encoding_to_char(x.conforencoding), ' TO ', pg_encoding_to_char(x.contoencoding)," FUNCTION("FUNCTION", "x.conproc")
	 RDS_OWNER("x.conowner") ", " RDS_COMMENT(ConversionRelationId),
	 "pg_conversion AS x" JOIN_SCHEMA("connamespace"),
	 IN_SCHEMA(ConversionRelationId),
	 NULL},

	{LanguageRelationId,
	 "'language'",
	 "quote_ident(x.lanname)",
	 "CASE WHEN x.lanpltrusted THEN 'TRUSTED ' END, 'LANGUAGE'," FUNCTION("HANDLER", "x.lanplcallfoid") FUNCTION("INLINE", "x.laninline") FUNCTION("VALIDATOR", "x.lanvalidator")
	 RDS_OWNER("x.lanowner") ", " RDS_PRIVILEGES("x.lanacl", "l", "x.lanowner") ", " RDS_COMMENT(LanguageRelationId),
	 "pg_language AS x",
	 RDS_OWN RDS_NO_MEMBER(LanguageRelationId, "x.oid"),
	 NULL},

	{TransformRelationId,
	 "'transform'",
	 "concat('for ', " RDS_TYPE("x.trftype") ", ' language ', quote_ident(l.lanname))",
	 "'TRANSFORM'," FUNCTION("FROM SQL", "x.trffromsql") FUNCTION("TO SQL", "x.trftosql") RDS_COMMENT(TransformRelationId),
	 "pg_transform AS x JOIN pg_language AS l ON l.oid = x.trflang",
	 RDS_OWN RDS_NO_MEMBER(TransformRelationId, "x.oid"),
	 NULL},

	{AccessMethodRelationId,
	 "'access method'",
	 "quote_ident(x.amname)",
	 "'ACCESS METHOD ', x.amtype," FUNCTION("HANDLER", "x.amhandler") RDS_COMMENT(AccessMethodRelationId),
	 "pg_am AS x",
	 RDS_OWN RDS_NO_MEMBER(AccessMethodRelationId, "x.oid"),
	 NULL},

	{0}};

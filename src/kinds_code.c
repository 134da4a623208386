/*-------------------------------------------------------------------------
 *
 * kinds_code.c
 *	  How aggregates, operators, casts and what is made of them are read from
 *	  the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/indexing.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_am.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_conversion.h"
#include "catalog/pg_language.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_transform.h"
#include "catalog/pg_type.h"
#include "utils/syscache.h"

#include "kinds.h"

#define ARGUMENTS \
	"(SELECT string_agg(" RDS_TYPE("u.type") ", ', ' ORDER BY u.n) FROM unnest(x.proargtypes) WITH ORDINALITY AS u (type, n))"
#define ROUTINE_NAME "concat(quote_ident(n.nspname), '.', quote_ident(x.proname), '(', " ARGUMENTS ", ')')"
/* One more argument of concat: a type's name, where there is one. */
#define TYPE(label, column) ", E'\\n" label " ' || format_type(nullif(" column ", 0), NULL)"

static bool may_be_aggregate(Oid oid);

/* clang-format off */
const RdsObjectKind rds_kinds_of_code[] = {
	{.catalog = ProcedureRelationId,
	 .may_be = may_be_aggregate,
	 .rows = AggregateRelationId,
	 .rows_by_oid = AggregateFnoidIndexId,
	 .kind = "'aggregate'",
	 .identity = ROUTINE_NAME,
	 .definition = "'AGGREGATE (', pg_get_function_arguments(x.oid), ') RETURNS ', pg_get_function_result(x.oid),"
	 " E'\\nKIND ', g.aggkind, ' DIRECT ', g.aggnumdirectargs, ' PARALLEL ', x.proparallel" RDS_FUNCTION("SFUNC", "g.aggtransfn") TYPE("STYPE", "g.aggtranstype") RDS_FUNCTION("FINALFUNC", "g.aggfinalfn")
	 RDS_FUNCTION("COMBINEFUNC", "g.aggcombinefn") RDS_FUNCTION("SERIALFUNC", "g.aggserialfn") RDS_FUNCTION("DESERIALFUNC", "g.aggdeserialfn")
	 RDS_FUNCTION("MSFUNC", "g.aggmtransfn") RDS_FUNCTION("MINVFUNC", "g.aggminvtransfn") TYPE("MSTYPE", "g.aggmtranstype") RDS_FUNCTION("MFINALFUNC", "g.aggmfinalfn") ", CASE WHEN g.aggfinalextra THEN E'\\nFINALFUNC_EXTRA' END, CASE WHEN g.aggmfinalextra THEN E'\\nMFINALFUNC_EXTRA' END,"
	 " E'\\nMODIFY ', g.aggfinalmodify, g.aggmfinalmodify, ' SPACE ', g.aggtransspace, ' ', g.aggmtransspace,"
	 " E'\\nSORTOP ' || nullif(g.aggsortop, 0)::regoperator, E'\\nINITCOND ' || quote_literal(g.agginitval), E'\\nMINITCOND ' || quote_literal(g.aggminitval)",
	 .from = "pg_proc AS x" RDS_JOIN_SCHEMA("pronamespace") " JOIN pg_aggregate AS g ON g.aggfnoid = x.oid",
	 .condition = RDS_IN_SCHEMA(ProcedureRelationId) " AND x.prokind = 'a'"},

	{.catalog = CastRelationId,
	 .kind = "'cast'",
	 .identity = "concat('(', " RDS_TYPE("x.castsource") ", ' AS ', " RDS_TYPE("x.casttarget") ", ')')",
	 .definition = "'CAST METHOD ', x.castmethod, ' CONTEXT ', x.castcontext" RDS_FUNCTION("FUNCTION", "x.castfunc"),
	 .from = "pg_cast AS x",
	 .condition = RDS_OWN RDS_NO_MEMBER(CastRelationId, "x.oid")},

	{.catalog = OperatorRelationId,
	 .kind = "'operator'",
	 .identity = "concat(quote_ident(n.nspname), '.', x.oprname, '(', coalesce(" RDS_TYPE("x.oprleft") ", 'NONE'), ', ', coalesce(" RDS_TYPE("x.oprright") ", 'NONE'), ')')",
	 .definition = "'OPERATOR RETURNS ', format_type(nullif(x.oprresult, 0), NULL)" RDS_FUNCTION("FUNCTION", "x.oprcode") ", E'\\nCOMMUTATOR ' || nullif(x.oprcom, 0)::regoperator, E'\\nNEGATOR ' || nullif(x.oprnegate, 0)::regoperator" RDS_FUNCTION("RESTRICT", "x.oprrest") RDS_FUNCTION("JOIN", "x.oprjoin") ", CASE WHEN x.oprcanhash THEN E'\\nHASHES' END, CASE WHEN x.oprcanmerge THEN E'\\nMERGES' END",
	 .from = "pg_operator AS x" RDS_JOIN_SCHEMA("oprnamespace"),
	 .condition = RDS_IN_SCHEMA(OperatorRelationId)},

	{.catalog = OperatorFamilyRelationId,
	 .kind = "'operator family'",
	 .identity = "concat(quote_ident(n.nspname), '.', quote_ident(x.opfname), ' USING ', quote_ident(a.amname))",
	 .definition = "'OPERATOR FAMILY', (SELECT string_agg(s.line, '' ORDER BY s.line COLLATE \"C\") FROM ("
	 "SELECT concat(E'\\nOPERATOR ', p.amopstrategy, ' ', p.amopopr::regoperator, ' ' || nullif(p.amoppurpose, 's')::text,"
	 " ' ' || (SELECT concat(quote_ident(fn.nspname), '.', quote_ident(f.opfname)) FROM pg_opfamily AS f JOIN pg_namespace AS fn ON fn.oid = f.opfnamespace WHERE f.oid = p.amopsortfamily)) AS line"
	 " FROM pg_amop AS p WHERE p.amopfamily = x.oid UNION ALL "
	 "SELECT concat(E'\\nFUNCTION ', p.amprocnum, ' (', format_type(p.amproclefttype, NULL), ', ', format_type(p.amprocrighttype, NULL), ') ', p.amproc::oid::regprocedure)"
	 " FROM pg_amproc AS p WHERE p.amprocfamily = x.oid) AS s)",
	 .from = "pg_opfamily AS x" RDS_JOIN_SCHEMA("opfnamespace") " JOIN pg_am AS a ON a.oid = x.opfmethod",
	 .condition = RDS_IN_SCHEMA(OperatorFamilyRelationId)},

	{.catalog = OperatorClassRelationId,
	 .kind = "'operator class'",
	 .identity = "concat(quote_ident(n.nspname), '.', quote_ident(x.opcname), ' USING ', quote_ident(a.amname))",
	 .definition = "'OPERATOR CLASS', CASE WHEN x.opcdefault THEN ' DEFAULT' END, ' FOR TYPE ', format_type(x.opcintype, NULL),"
	 " (SELECT concat(' FAMILY ', quote_ident(fn.nspname), '.', quote_ident(f.opfname)) FROM pg_opfamily AS f JOIN pg_namespace AS fn ON fn.oid = f.opfnamespace WHERE f.oid = x.opcfamily)" TYPE("STORAGE", "x.opckeytype"),
	 .from = "pg_opclass AS x" RDS_JOIN_SCHEMA("opcnamespace") " JOIN pg_am AS a ON a.oid = x.opcmethod",
	 .condition = RDS_IN_SCHEMA(OperatorClassRelationId)},

	{.catalog = ConversionRelationId,
	 .kind = "'conversion'",
	 .identity = RDS_QUALIFIED("n.nspname", "x.conname"),
	 .definition = "'CONVERSION', CASE WHEN x.condefault THEN ' DEFAULT' END, ' FOR ', pg_encoding_to_char(x.conforencoding), ' TO ', pg_encoding_to_char(x.contoencoding)" RDS_FUNCTION("FUNCTION", "x.conproc"),
	 .from = "pg_conversion AS x" RDS_JOIN_SCHEMA("connamespace"),
	 .condition = RDS_IN_SCHEMA(ConversionRelationId)},

	{.catalog = LanguageRelationId,
	 .kind = "'language'",
	 .identity = "quote_ident(x.lanname)",
	 .definition = "CASE WHEN x.lanpltrusted THEN 'TRUSTED ' END, 'LANGUAGE'" RDS_FUNCTION("HANDLER", "x.lanplcallfoid") RDS_FUNCTION("INLINE", "x.laninline") RDS_FUNCTION("VALIDATOR", "x.lanvalidator"),
	 .from = "pg_language AS x",
	 .condition = RDS_OWN RDS_NO_MEMBER(LanguageRelationId, "x.oid")},

	{.catalog = TransformRelationId,
	 .kind = "'transform'",
	 .identity = "concat('for ', " RDS_TYPE("x.trftype") ", ' language ', quote_ident(l.lanname))",
	 .definition = "'TRANSFORM'" RDS_FUNCTION("FROM SQL", "x.trffromsql") RDS_FUNCTION("TO SQL", "x.trftosql"),
	 .from = "pg_transform AS x JOIN pg_language AS l ON l.oid = x.trflang",
	 .condition = RDS_OWN RDS_NO_MEMBER(TransformRelationId, "x.oid")},

	{.catalog = AccessMethodRelationId,
	 .kind = "'access method'",
	 .identity = "quote_ident(x.amname)",
	 .definition = "'ACCESS METHOD ', x.amtype" RDS_FUNCTION("HANDLER", "x.amhandler"),
	 .from = "pg_am AS x",
	 .condition = RDS_OWN RDS_NO_MEMBER(AccessMethodRelationId, "x.oid")},

	{0}};
/* clang-format on */

static bool
may_be_aggregate(Oid oid)
{
	HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	bool is_one;

	if (!HeapTupleIsValid(row))
		return false;
	is_one = ((Form_pg_proc) GETSTRUCT(row))->prokind == PROKIND_AGGREGATE;
	ReleaseSysCache(row);
	return is_one;
}

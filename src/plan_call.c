/*-------------------------------------------------------------------------
 *
 * plan_call.c
 *	  What SQL can call to plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "call.h"
#include "compat.h"
#include "plan.h"
#include "request.h"

RDS_SQL_FUNCTION(rdsinit_plan);
RDS_SQL_FUNCTION(rdsinit_plan_bundle);
RDS_SQL_FUNCTION(rdsinit_plan_file);
RDS_SQL_FUNCTION(rdsinit_plan_text);
RDS_SQL_FUNCTION(rdsinit_plan_bundle_text);
RDS_SQL_FUNCTION(rdsinit_plan_file_text);
RDS_SQL_FUNCTION(rdsinit_plan_html);
RDS_SQL_FUNCTION(rdsinit_plan_bundle_html);
RDS_SQL_FUNCTION(rdsinit_plan_file_html);

typedef struct Planning
{
	RdsRequest request;
	RdsPlan *plan;
} Planning;

static Datum script_rows(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum bundle_rows(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum file_rows(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum script_text(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum bundle_text(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum file_text(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum script_html(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum bundle_html(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum file_html(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static RdsPlan *plan_script(FunctionCallInfo fcinfo, const char *function, RdsErrorContext *errctx);
static RdsPlan *plan_bundle(FunctionCallInfo fcinfo, const char *function, RdsErrorContext *errctx);
static RdsPlan *plan_file(FunctionCallInfo fcinfo, const char *function, RdsErrorContext *errctx);
static RdsPlan *make(const char *function, Planning *planning);
static void make_body(void *argument);
static Datum return_rows(const RdsPlan *plan, FunctionCallInfo fcinfo);

/*
 * rdsinit.plan(name text, script text, options jsonb) returns setof rdsinit.plan_step
 */
Datum
rdsinit_plan(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, script_rows);
}

/*
 * rdsinit.plan_bundle(names text[], scripts text[], options jsonb) returns setof rdsinit.plan_step
 */
Datum
rdsinit_plan_bundle(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, bundle_rows);
}

/*
 * rdsinit.plan_file(path text, options jsonb) returns setof rdsinit.plan_step
 */
Datum
rdsinit_plan_file(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, file_rows);
}

/*
 * rdsinit.plan_text(name text, script text, options jsonb) returns text
 */
Datum
rdsinit_plan_text(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, script_text);
}

/*
 * rdsinit.plan_bundle_text(names text[], scripts text[], options jsonb) returns text
 */
Datum
rdsinit_plan_bundle_text(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, bundle_text);
}

/*
 * rdsinit.plan_file_text(path text, options jsonb) returns text
 */
Datum
rdsinit_plan_file_text(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, file_text);
}

/*
 * rdsinit.plan_html(name text, script text, options jsonb) returns text
 */
Datum
rdsinit_plan_html(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, script_html);
}

/*
 * rdsinit.plan_bundle_html(names text[], scripts text[], options jsonb) returns text
 */
Datum
rdsinit_plan_bundle_html(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, bundle_html);
}

/*
 * rdsinit.plan_file_html(path text, options jsonb) returns text
 */
Datum
rdsinit_plan_file_html(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, file_html);
}

static Datum
script_rows(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	return return_rows(plan_script(fcinfo, "rdsinit.plan()", errctx), fcinfo);
}

static Datum
script_text(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	PG_RETURN_TEXT_P(cstring_to_text(rds_plan_text(plan_script(fcinfo, "rdsinit.plan_text()", errctx))));
}

static Datum
script_html(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	PG_RETURN_TEXT_P(cstring_to_text(rds_plan_html(plan_script(fcinfo, "rdsinit.plan_html()", errctx))));
}

static Datum
bundle_rows(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	return return_rows(plan_bundle(fcinfo, "rdsinit.plan_bundle()", errctx), fcinfo);
}

static Datum
bundle_text(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	PG_RETURN_TEXT_P(cstring_to_text(rds_plan_text(plan_bundle(fcinfo, "rdsinit.plan_bundle_text()", errctx))));
}

static Datum
bundle_html(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	PG_RETURN_TEXT_P(cstring_to_text(rds_plan_html(plan_bundle(fcinfo, "rdsinit.plan_bundle_html()", errctx))));
}

static Datum
file_rows(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	return return_rows(plan_file(fcinfo, "rdsinit.plan_file()", errctx), fcinfo);
}

static Datum
file_text(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	PG_RETURN_TEXT_P(cstring_to_text(rds_plan_text(plan_file(fcinfo, "rdsinit.plan_file_text()", errctx))));
}

static Datum
file_html(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	PG_RETURN_TEXT_P(cstring_to_text(rds_plan_html(plan_file(fcinfo, "rdsinit.plan_file_html()", errctx))));
}

static RdsPlan *
plan_script(FunctionCallInfo fcinfo, const char *function, RdsErrorContext *errctx)
{
	Planning planning = {.request.errctx = errctx};
	text *script;

	rds_request_refuse_null(fcinfo, 0, "name");
	rds_request_refuse_null(fcinfo, 1, "script");
	script = PG_GETARG_TEXT_PP(1);
	planning.request.files.scripts = list_make1(rds_script_make(text_to_cstring(PG_GETARG_TEXT_PP(0)),
																rds_source_memory(VARDATA_ANY(script), VARSIZE_ANY_EXHDR(script))));
	rds_request_take_options(fcinfo, 2, &planning.request);
	return make(function, &planning);
}

static RdsPlan *
plan_bundle(FunctionCallInfo fcinfo, const char *function, RdsErrorContext *errctx)
{
	Planning planning = {.request.errctx = errctx};

	rds_request_take_bundle(fcinfo, &planning.request);
	return make(function, &planning);
}

static RdsPlan *
plan_file(FunctionCallInfo fcinfo, const char *function, RdsErrorContext *errctx)
{
	Planning planning = {.request.errctx = errctx};

	rds_request_refuse_null(fcinfo, 0, "path");
	rds_files_check_role();
	rds_files_open(text_to_cstring(PG_GETARG_TEXT_PP(0)), &planning.request.files);
	rds_request_take_options(fcinfo, 1, &planning.request);
	return make(function, &planning);
}

/* What would be lost the plan says; it must not be refused, or the plan would say no more. */
static RdsPlan *
make(const char *function, Planning *planning)
{
	RdsOptions lenient = planning->request.options;

	lenient.allow_data_loss = true;
	rds_call(function, &lenient, make_body, planning);
	return planning->plan;
}

static void
make_body(void *argument)
{
	Planning *planning = argument;

	planning->plan = rds_plan(&planning->request.files, planning->request.errctx);
}

static Datum
return_rows(const RdsPlan *plan, FunctionCallInfo fcinfo)
{
	const ReturnSetInfo *result;

	InitMaterializedSRF(fcinfo, 0);
	result = (const ReturnSetInfo *) fcinfo->resultinfo;
	rds_plan_return(plan, result->setResult, result->setDesc);
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 *
 * rdsinit.c
 *	  What SQL can call.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/portal.h"

#include "adopt.h"
#include "answer.h"
#include "apply.h"
#include "call.h"
#include "compat.h"
#include "deadline.h"
#include "decide.h"
#include "deploy.h"
#include "drift.h"
#include "ensure.h"
#include "guard.h"
#include "hooks.h"
#include "request.h"
#include "touched.h"
#include "versions.h"

PG_MODULE_MAGIC;

RDS_SQL_FUNCTION(rdsinit_apply);
RDS_SQL_FUNCTION(rdsinit_apply_bundle);
RDS_SQL_FUNCTION(rdsinit_apply_file);
RDS_SQL_FUNCTION(rdsinit_deploy);
RDS_SQL_FUNCTION(rdsinit_pending);
RDS_SQL_FUNCTION(rdsinit_baseline);
RDS_SQL_FUNCTION(rdsinit_undo);
RDS_SQL_FUNCTION(rdsinit_adopt);
RDS_SQL_FUNCTION(rdsinit_ensure_database);
RDS_SQL_FUNCTION(rdsinit_statements);
RDS_SQL_FUNCTION(rdsinit_drift);
RDS_SQL_FUNCTION(rdsinit_accept_drift);
RDS_SQL_FUNCTION(rdsinit_objects);
RDS_SQL_FUNCTION(rdsinit_fingerprint);

extern PGDLLEXPORT void _PG_init(void);

/* Once in a process. */
void
_PG_init(void)
{
	rds_cancel_install();
	rds_guard_install();
	rds_touched_install();
	rds_hooks_install();
}

typedef struct Database
{
	const char *name;
	Jsonb *options;
	bool created;
} Database;

typedef struct Acceptance
{
	RdsOptions options;
	int64 count;
} Acceptance;

static Datum apply(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum apply_bundle(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum apply_file(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum deploy(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum pending(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum baseline(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum undo(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum adopt(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum ensure_database(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static Datum statements(FunctionCallInfo fcinfo, RdsErrorContext *errctx);
static void apply_body(void *argument);
static void deploy_body(void *argument);
static void baseline_body(void *argument);
static void undo_body(void *argument);
static void adopt_body(void *argument);
static void ensure_body(void *argument);
static void accept_body(void *argument);
static void run_and_return(FunctionCallInfo fcinfo, const char *function, RdsCallBody body, RdsRequest *request);

/*
 * rdsinit.apply(name text, script text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, apply);
}

/*
 * rdsinit.apply_bundle(names text[], scripts text[], options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply_bundle(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, apply_bundle);
}

/*
 * rdsinit.apply_file(path text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_apply_file(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, apply_file);
}

/*
 * rdsinit.deploy(names text[], scripts text[], options jsonb, inout report jsonb)
 */
Datum
rdsinit_deploy(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, deploy);
}

/*
 * rdsinit.pending(names text[], scripts text[], options jsonb)
 *		returns table (ordinal int, name text, version text, state text)
 */
Datum
rdsinit_pending(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, pending);
}

/*
 * rdsinit.baseline(version text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_baseline(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, baseline);
}

/*
 * rdsinit.undo(version text, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_undo(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, undo);
}

/*
 * rdsinit.adopt(history regclass, options jsonb) returns setof rdsinit.outcome
 */
Datum
rdsinit_adopt(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, adopt);
}

/*
 * rdsinit.ensure_database(name text, options jsonb) returns boolean
 */
Datum
rdsinit_ensure_database(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, ensure_database);
}

/*
 * rdsinit.statements(script text)
 *		returns table (ordinal int, line int, col int, tag text, transactional bool, text text)
 */
Datum
rdsinit_statements(PG_FUNCTION_ARGS)
{
	return rds_request_call(fcinfo, statements);
}

/*
 * rdsinit.drift() returns table (kind text, identity text, change text, expected text, found text, script text)
 */
Datum
rdsinit_drift(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	rds_drift_return((ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/*
 * rdsinit.accept_drift() returns bigint
 */
Datum
rdsinit_accept_drift(PG_FUNCTION_ARGS)
{
	Acceptance acceptance = {{0}};

	rds_options_parse(&acceptance.options, NULL);
	rds_call("rdsinit.accept_drift()", &acceptance.options, accept_body, &acceptance);
	PG_RETURN_INT64(acceptance.count);
}

static void
accept_body(void *argument)
{
	Acceptance *acceptance = argument;

	acceptance->count = rds_drift_accept(&acceptance->options);
}

/*
 * rdsinit.objects() returns table (kind text, identity text, definition text)
 */
Datum
rdsinit_objects(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	rds_objects_return((ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/*
 * rdsinit.fingerprint() returns text
 */
Datum
rdsinit_fingerprint(PG_FUNCTION_ARGS)
{
	RdsHexDigest fingerprint;

	rds_fingerprint(fingerprint);
	PG_RETURN_TEXT_P(cstring_to_text(fingerprint));
}

static Datum
apply(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};
	text *script;

	rds_request_refuse_null(fcinfo, 0, "name");
	rds_request_refuse_null(fcinfo, 1, "script");

	script = PG_GETARG_TEXT_PP(1);
	request.files.scripts = list_make1(rds_script_make(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													   rds_source_memory(VARDATA_ANY(script),
																		 VARSIZE_ANY_EXHDR(script))));
	rds_request_take_options(fcinfo, 2, &request);
	run_and_return(fcinfo, "rdsinit.apply()", apply_body, &request);
	return (Datum) 0;
}

static Datum
apply_bundle(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};

	rds_request_take_bundle(fcinfo, &request);
	run_and_return(fcinfo, "rdsinit.apply_bundle()", apply_body, &request);
	return (Datum) 0;
}

static Datum
apply_file(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};

	rds_request_refuse_null(fcinfo, 0, "path");
	rds_files_check_role();

	rds_files_open(text_to_cstring(PG_GETARG_TEXT_PP(0)), &request.files);
	rds_request_take_options(fcinfo, 1, &request);
	run_and_return(fcinfo, "rdsinit.apply_file()", apply_body, &request);
	return (Datum) 0;
}

static void
apply_body(void *argument)
{
	RdsRequest *request = argument;

	rds_apply(&request->files, request->may_deploy, request->errctx);
}

/*
 * Where it may commit, all that it keeps is in a context that outlives
 * transactions; where it may not, it does what one transaction can.
 */
static Datum
deploy(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	bool atomic = !IsA(fcinfo->context, CallContext) || ((CallContext *) fcinfo->context)->atomic;
	MemoryContext oldcontext = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(PortalContext, "rdsinit deployment", ALLOCSET_DEFAULT_SIZES);
	RdsRequest request = {.errctx = errctx, .may_deploy = true};
	Datum report;

	MemoryContextSwitchTo(context);
	rds_request_take_bundle(fcinfo, &request);
	if (atomic)
		rds_call("rdsinit.deploy()", &request.options, apply_body, &request);
	else
	{
		SPI_connect_ext(SPI_OPT_NONATOMIC);
		MemoryContextSwitchTo(context);
		rds_call("rdsinit.deploy()", &request.options, deploy_body, &request);
		SPI_finish();
	}
	MemoryContextSwitchTo(oldcontext);
	report = rds_return_report(&request.files, fcinfo);
	MemoryContextDelete(context);

	return report;
}

static void
deploy_body(void *argument)
{
	RdsRequest *request = argument;

	rds_deploy(&request->files, request->errctx);
}

static Datum
pending(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};
	RdsLedger *ledger;

	rds_request_take_bundle(fcinfo, &request);
	InitMaterializedSRF(fcinfo, 0);
	ledger = rds_history_open_to_read();
	rds_decide(&request.files, ledger, false, errctx);
	rds_history_close(ledger);
	rds_return_pending(&request.files, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

static Datum
baseline(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};

	rds_request_refuse_null(fcinfo, 0, "version");
	request.version = text_to_cstring(PG_GETARG_TEXT_PP(0));
	rds_request_take_options(fcinfo, 1, &request);
	run_and_return(fcinfo, "rdsinit.baseline()", baseline_body, &request);
	return (Datum) 0;
}

static void
baseline_body(void *argument)
{
	RdsRequest *request = argument;

	rds_baseline(request->version, &request->files);
}

static Datum
undo(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};

	rds_request_refuse_null(fcinfo, 0, "version");
	request.version = text_to_cstring(PG_GETARG_TEXT_PP(0));
	rds_request_take_options(fcinfo, 1, &request);
	run_and_return(fcinfo, "rdsinit.undo()", undo_body, &request);
	return (Datum) 0;
}

static void
undo_body(void *argument)
{
	RdsRequest *request = argument;

	rds_undo(request->version, &request->files, request->errctx);
}

static Datum
adopt(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsRequest request = {.errctx = errctx};

	rds_request_refuse_null(fcinfo, 0, "history");
	request.table = PG_GETARG_OID(0);
	rds_request_take_options(fcinfo, 1, &request);
	run_and_return(fcinfo, "rdsinit.adopt()", adopt_body, &request);
	return (Datum) 0;
}

static void
adopt_body(void *argument)
{
	RdsRequest *request = argument;

	rds_adopt(request->table, &request->files);
}

static Datum
ensure_database(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsOptions none;
	Database database = {0};

	rds_request_refuse_null(fcinfo, 0, "name");
	rds_options_parse(&none, NULL);
	database.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	database.options = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	rds_call("rdsinit.ensure_database()", &none, ensure_body, &database);
	PG_RETURN_BOOL(database.created);
}

static void
ensure_body(void *argument)
{
	Database *database = argument;

	database->created = rds_ensure_database(database->name, database->options);
}

static Datum
statements(FunctionCallInfo fcinfo, RdsErrorContext *errctx)
{
	RdsOptions options;
	RdsFiles files = {0};
	text *script;

	rds_request_refuse_null(fcinfo, 0, "script");
	InitMaterializedSRF(fcinfo, 0);

	rds_options_parse(&options, NULL);
	script = PG_GETARG_TEXT_PP(0);
	files.options = &options;
	files.context = CurrentMemoryContext;
	files.scripts = list_make1(rds_script_make("script", rds_source_memory(VARDATA_ANY(script),
																		   VARSIZE_ANY_EXHDR(script))));
	rds_return_statements(&files, (ReturnSetInfo *) fcinfo->resultinfo, errctx);
	return (Datum) 0;
}

/* Makes a call, and returns the outcomes. */
static void
run_and_return(FunctionCallInfo fcinfo, const char *function, RdsCallBody body, RdsRequest *request)
{
	InitMaterializedSRF(fcinfo, 0);
	rds_call(function, &request->options, body, request);

	rds_return_outcomes(&request->files, (ReturnSetInfo *) fcinfo->resultinfo);
}

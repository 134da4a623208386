/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  A bundle applied to the database, in one way or the other.
 *
 * The two ways keep a ledger each, and a bundle that is in the one would be
 * applied a second time by the other.  So a database stays with the one that it
 * has, until the extension can adopt the other's.
 *
 *-------------------------------------------------------------------------
 */
#include "apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adopt.h"
#include "extension.h"
#include "extension_check.h"
#include "extension_plan.h"
#include "log.h"
#include "plain.h"

/* How often to look again after somebody else was quicker to create it. */
#define MOST_RACES 5

#define INSTALLED \
	"EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'rdsinit')"

/* For this the server reads a file of each extension that there is: it is asked only where the answer can matter. */
#define AVAILABLE \
	"CASE WHEN " INSTALLED " THEN true ELSE EXISTS (SELECT FROM pg_catalog.pg_available_extensions" \
	"  WHERE name OPERATOR(pg_catalog.=) 'rdsinit') END"

#define PROBE_QUERY(available) \
	"SELECT " INSTALLED " AS installed, " available " AS available," \
	" EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname OPERATOR(pg_catalog.=) 'history'" \
	"  AND relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('rdsinit_plain')::pg_catalog.oid)" \
	" AS plain_ledger"

#define PARTIAL \
	"A script of the bundle is run without a transaction: what came before the error is committed," \
	" and another call goes on from there."

typedef struct Findings
{
	bool installed;
	bool available; /* known in mode auto alone */
	bool plain_ledger;
	bool is_own; /* this session has created the extension */
} Findings;

static void explain(const Outcome *outcome, Error *error);
static bool choose(const Session *session, Mode mode, Outcome *outcome, Error *error);
static bool probe(const Session *session, Mode mode, Findings *findings, Error *error);
static bool obtain_extension(const Session *session, Mode mode, Findings *findings, Outcome *outcome, Error *error);
static bool is_unavailable(const Findings *findings, const Error *error);
static bool fall_back(Outcome *outcome, Error *error);
static bool lost_race(const Error *error);
static bool plan(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error);
static bool can_plan(const Session *session, const Request *request, Outcome *outcome, Error *error);

bool
apply_bundle(const Session *session, const Bundle *bundle, Mode mode, const Request *request,
			 Outcome *outcome, Error *error)
{
	json_t *fields;
	bool ok;

	if (request->plan != PLAN_NONE)
		return plan(session, bundle, request, outcome, error);
	if (!choose(session, mode, outcome, error))
		return false;

	fields = json_pack("{s:s}", "mode", outcome->mode);
	if (outcome->reason != NULL)
		json_object_set_new(fields, "reason", json_string(outcome->reason));
	log_line(LEVEL_INFO, fields, "applying %zu script%s in %s mode", bundle->count,
			 bundle->count == 1 ? "" : "s", outcome->mode);

	if (strcmp(outcome->mode, "extension") == 0)
		ok = extension_apply(session, bundle, request, outcome, error);
	else
		ok = plain_apply(session, bundle, request, outcome, error);

	if (!ok)
		explain(outcome, error);
	return ok;
}

/* What a failure leaves behind. */
static void
explain(const Outcome *outcome, Error *error)
{
	char *detail = NULL;

	if (outcome->is_partial)
	{
		if (asprintf(&detail, "%s%s" PARTIAL, error->detail != NULL ? error->detail : "",
					 error->detail != NULL ? " " : "") >= 0)
			error_detail(error, detail);
		free(detail);
	}
	if (strcmp(error->type, ERROR_TIMEOUT) == 0 && error->hint == NULL)
		error_hint(error, outcome->is_partial ? "Give the function more time."
											  : "Nothing has been applied: all of it is one transaction."
												" Give the function more time.");
}

static bool
choose(const Session *session, Mode mode, Outcome *outcome, Error *error)
{
	Findings findings = {0};

	if (!probe(session, mode, &findings, error))
		return false;

	if (mode == MODE_PLAIN && findings.installed && !findings.plain_ledger)
	{
		error_set(error, ERROR_DATABASE, "the database has the extension rdsinit, and its ledger");
		error_hint(error, "With a second ledger the plain mode would apply everything again."
						  " Use RDSINIT_MODE=auto, or drop the extension if it was never used.");
		return false;
	}

	if (mode == MODE_PLAIN)
		return outcome_plain(outcome, error, "RDSINIT_MODE is plain");
	if (!findings.installed && !obtain_extension(session, mode, &findings, outcome, error))
		return false;
	if (outcome->mode != NULL)
		return true;

	outcome->mode = "extension";
	return extension_check(session, ROUTINE_DEPLOY, findings.is_own, error) &&
		   (!findings.plain_ledger || adopt_ledger(session, error));
}

static bool
probe(const Session *session, Mode mode, Findings *findings, Error *error)
{
	PGresult *result = NULL;
	bool ok = query_run(session, mode == MODE_AUTO ? PROBE_QUERY(AVAILABLE) : PROBE_QUERY("false"), &result, error);

	if (ok)
	{
		findings->installed = query_field_is_true(result, 0, "installed");
		findings->available = query_field_is_true(result, 0, "available");
		findings->plain_ledger = query_field_is_true(result, 0, "plain_ledger");
	}
	PQclear(result);
	return ok;
}

/*
 * Creates the extension.  Where that cannot be, the outcome's mode is plain
 * afterwards, if the caller did not insist.
 *
 * It is tried even where pg_available_extensions does not list it: that shows
 * one directory alone, and Debian's extension_destdir is another.
 */
static bool
obtain_extension(const Session *session, Mode mode, Findings *findings, Outcome *outcome, Error *error)
{
	int races;

	for (races = 0; !findings->installed; races++)
	{
		/* without IF NOT EXISTS, so that success says who has created it */
		if (query_run(session, "CREATE EXTENSION rdsinit", NULL, error))
		{
			findings->is_own = true;
			error_free(error);
			log_line(LEVEL_INFO, NULL, "created extension \"rdsinit\"");
			return true;
		}
		if (mode == MODE_AUTO && (is_unavailable(findings, error) || error_has_sqlstate(error, "42501")))
			return fall_back(outcome, error);
		if (!lost_race(error) || races == MOST_RACES)
		{
			error_reword(error, "could not create extension \"rdsinit\": %s", error->message);
			return false;
		}
		if (!probe(session, mode, findings, error))
			return false;
	}
	error_free(error);
	return true;
}

/* The same two codes, of an extension that is there, are a broken installation. */
static bool
is_unavailable(const Findings *findings, const Error *error)
{
	return !findings->available && (error_has_sqlstate(error, "0A000") || error_has_sqlstate(error, "58P01"));
}

static bool
fall_back(Outcome *outcome, Error *error)
{
	bool ok;

	if (error_has_sqlstate(error, "42501"))
		ok = outcome_plain(outcome, error, "this role may not create the extension rdsinit: %s", error->message);
	else
		ok = outcome_plain(outcome, error, "the server does not have the extension rdsinit");
	if (ok)
		error_free(error);
	return ok;
}

static bool
lost_race(const Error *error)
{
	return error_has_sqlstate(error, "23505") || error_has_sqlstate(error, "42710");
}

/* What nobody has asked to be changed stays as it is: nothing is created or adopted for a plan. */
static bool
plan(const Session *session, const Bundle *bundle, const Request *request, Outcome *outcome, Error *error)
{
	if (!can_plan(session, request, outcome, error))
		return false;
	log_line(LEVEL_INFO, NULL, "planning %zu script%s", bundle->count, bundle->count == 1 ? "" : "s");
	if (extension_plan(session, bundle, request, outcome, error))
		return true;
	explain(outcome, error);
	return false;
}

static bool
can_plan(const Session *session, const Request *request, Outcome *outcome, Error *error)
{
	Findings findings = {0};

	if (!probe(session, MODE_EXTENSION, &findings, error))
		return false;
	if (!findings.installed)
	{
		error_set(error, ERROR_DATABASE, "there is no plan without the extension rdsinit, which database \"%s\" does not have",
				  session->database);
		error_hint(error, "Run CREATE EXTENSION rdsinit in it, or deploy once: a plan itself creates nothing.");
		return false;
	}
	if (findings.plain_ledger)
	{
		error_set(error, ERROR_DATABASE, "there is no plan yet: the extension has not adopted the plain mode's history,"
										 " rdsinit_plain.history");
		error_hint(error, "Deploy once, which adopts it, or run: SELECT rdsinit.adopt('rdsinit_plain.history');");
		return false;
	}
	outcome->mode = "extension";
	return extension_check(session, request->plan == PLAN_TEXT ? ROUTINE_PLAN_TEXT : ROUTINE_PLAN, false, error);
}

/*-------------------------------------------------------------------------
 *
 * plain_ledger.c
 *	  What the ledger of the plain mode says was applied.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

/*
 * Each version once, by the last row of a whole script that has it; and the last
 * of each name that is asked for, which have numbers from 1.
 */
#define READ_QUERY \
	"SELECT 0 AS number, v.* FROM (SELECT DISTINCT ON (version, outcome = 'baseline')" \
	"  name, version, outcome, checksum FROM rdsinit_plain.history" \
	"  WHERE version IS NOT NULL AND statement IS NULL" \
	"  ORDER BY version, outcome = 'baseline', id DESC) AS v" \
	" UNION ALL" \
	" SELECT n.number, h.* FROM unnest($1::text[]) WITH ORDINALITY AS n (name, number)" \
	" CROSS JOIN LATERAL (SELECT name, version, outcome, checksum FROM rdsinit_plain.history" \
	"  WHERE name = n.name AND statement IS NULL ORDER BY id DESC LIMIT 1) AS h"

static bool read_rows(const Session *session, const RdsCandidate *candidates, size_t count, Ledger *ledger, Error *error);
static const char *name_of(const void *elements, size_t number, size_t *length);
static void take_row(Ledger *ledger, int row, RdsCandidate *candidates);

bool
ledger_read(const Session *session, RdsCandidate *candidates, size_t count, Ledger *ledger, Error *error)
{
	int row;

	if (!ledger->is_new && !read_rows(session, candidates, count, ledger, error))
		return false;
	ledger->versions = calloc((size_t) PQntuples(ledger->result) + 1, sizeof(*ledger->versions));
	if (ledger->versions == NULL)
		return error_out_of_memory(error);
	for (row = 0; row < PQntuples(ledger->result); row++)
		take_row(ledger, row, candidates);
	return true;
}

void
ledger_free(Ledger *ledger)
{
	free(ledger->versions);
	PQclear(ledger->result);
	memset(ledger, 0, sizeof(*ledger));
}

bool
ledger_set_baseline(Ledger *ledger, const char *version, bool *is_new, Error *error)
{
	int result = ledger->baseline != NULL ? rds_version_compare(version, ledger->baseline) : 1;

	*is_new = false;
	if (result == 0)
		return true;
	if (result < 0)
	{
		error_set(error, ERROR_SCRIPT, "the baseline cannot be version %s: it is version %s already", version,
				  ledger->baseline);
		error_hint(error, "A baseline can only go up: leave it out, or give the one that there is.");
	}
	else if (ledger->version_count > 0)
	{
		const RdsAppliedVersion *applied = &ledger->versions[0];

		error_set(error, ERROR_SCRIPT, "the baseline cannot be version %s: script \"%s\", version %s, was applied already",
				  version, applied->name, applied->version);
		error_hint(error, "A baseline is said of a database before its first versioned script is applied: leave it out.");
	}
	else
	{
		ledger->baseline = version;
		*is_new = true;
		return true;
	}
	error_sqlstate(error, "55000");
	return false;
}

static bool
read_rows(const Session *session, const RdsCandidate *candidates, size_t count, Ledger *ledger, Error *error)
{
	Array names = {0};
	Parameter parameter;
	bool ok;

	if (!array_make(candidates, count, name_of, &names, error))
		return false;
	parameter.value = names.bytes;
	parameter.length = names.length;
	ok = query_run_parameters(session, READ_QUERY, 1, &parameter, &ledger->result, error);
	free(names.bytes);
	return ok;
}

/* A versioned script is known by its version: no name is asked for. */
static const char *
name_of(const void *elements, size_t number, size_t *length)
{
	const RdsCandidate *candidate = (const RdsCandidate *) elements + number;
	const char *name = candidate->kind == RDS_REPEATABLE ? candidate->name : "";

	*length = strlen(name);
	return name;
}

static void
take_row(Ledger *ledger, int row, RdsCandidate *candidates)
{
	const PGresult *result = ledger->result;
	long number = strtol(query_field(result, row, "number"), NULL, 10);
	const char *outcome = query_field(result, row, "outcome");
	const char *version = query_field(result, row, "version");
	const char *checksum = PQgetisnull(result, row, PQfnumber(result, "checksum")) ? NULL
																				   : query_field(result, row, "checksum");

	if (number > 0)
		candidates[number - 1].last_checksum = checksum;
	else if (strcmp(outcome, "baseline") == 0)
	{
		if (ledger->baseline == NULL || rds_version_compare(ledger->baseline, version) < 0)
			ledger->baseline = version;
	}
	else if (strcmp(outcome, "undone") != 0)
	{
		RdsAppliedVersion *applied = &ledger->versions[ledger->version_count++];

		applied->version = version;
		applied->name = query_field(result, row, "name");
		applied->checksum = checksum;
	}
}

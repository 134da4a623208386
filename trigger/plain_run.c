/*-------------------------------------------------------------------------
 *
 * plain_run.c
 *	  A script checked as far as that can be without running it, and run.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_run.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "observer.h"
#include "plain_guard.h"
#include "plain_policy.h"
#include "plain_result.h"
#include "plain_run_error.h"
#include "plain_session.h"

#define HINT_OWN_TRANSACTION \
	"Each of its statements is a transaction by itself. Put what belongs together into a script of its own, without the mark."

static bool check_step(Reader *reader, const Step *step, bool *taken_out, Error *error);
static bool run_step(Reader *reader, const Step *step, Counts *counts, Error *error);
static bool run_statement(Reader *reader, const Step *step, Counts *counts, Error *error);
static bool look_ahead(const RunPlace *at, Error *error);
static bool prepare(const RunPlace *at, Counts *counts, Error *error);
static bool check_losses(const RunPlace *at, Error *error);
static bool take_data(Reader *reader, const Step *step, CopyData *data, bool *has_data, Error *error);

bool
run_check(Reader *reader, const Script *script, const json_t *variables, Error *error)
{
	Step step;
	bool more = true;
	bool taken_out = false;

	reader->checking = true;
	if (!reader_open(reader, script, variables, error))
		return false;
	while (more)
	{
		if (!reader_next(reader, &step, &more, error) || (more && !check_step(reader, &step, &taken_out, error)))
		{
			variables_conceal_error(reader->variables, error);
			return false;
		}
	}
	if (taken_out && reader->mentioned == NULL)
		log_line(LEVEL_INFO, NULL, "%s: BEGIN and COMMIT are taken out: all of a bundle is one transaction", script->name);
	return true;
}

bool
run_script(Reader *reader, const Script *script, const json_t *variables, Counts *counts, Error *error)
{
	Step step;
	bool more = true;

	if (!reader_open(reader, script, variables, error))
		return false;
	while (more)
	{
		if (!reader_next(reader, &step, &more, error) || (more && !run_step(reader, &step, counts, error)))
		{
			variables_conceal_error(reader->variables, error);
			return false;
		}
	}
	return true;
}

static bool
check_step(Reader *reader, const Step *step, bool *taken_out, Error *error)
{
	TokenCursor cursor;
	Verdict verdict = VERDICT_RUN;
	CopyData data;
	bool has_data;

	reader_tokens(reader, step, &cursor);
	if (!step->unsure)
	{
		if (!run_judge(reader, step, &verdict, error))
			return false;
		if (reader->outside && !run_check_outside(reader, step, verdict, error))
			return false;
		if (verdict == VERDICT_TAKEN_OUT)
			*taken_out = true;
		if (verdict == VERDICT_RUN)
			policy_follow_strings(cursor, &reader->standard_strings);
	}
	return verdict != VERDICT_RUN || take_data(reader, step, &data, &has_data, error);
}

static bool
run_step(Reader *reader, const Step *step, Counts *counts, Error *error)
{
	Verdict verdict;

	if (!run_judge(reader, step, &verdict, error))
		return false;
	return verdict != VERDICT_RUN || run_statement(reader, step, counts, error);
}

static bool
run_statement(Reader *reader, const Step *step, Counts *counts, Error *error)
{
	const Session *session = reader->session;
	RunPlace at = {reader, step};
	PGresult *result = NULL;
	CopyData data = {NULL, 0};
	bool has_data = false;
	char *sql = strndup(step->text, step->length);
	bool ok = sql != NULL || error_out_of_memory(error);

	ok = ok && take_data(reader, step, &data, &has_data, error) && look_ahead(&at, error) && prepare(&at, counts, error);
	run_observe(&at);
	if (ok && !query_run_statement(session, sql, has_data ? &data : NULL, step->how != HOW_SEND, &result, error))
	{
		ok = false;
		run_explain_error(reader, step, result, has_data ? &data : NULL, error);
	}
	ok = ok && result_count(session, result, counts, error);
	if (ok && step->how == HOW_GSET)
		ok = result_gset(result, reader->prefix, reader->variables, error);
	else if (ok && step->how == HOW_GEXEC)
		ok = result_gexec(session, result, counts, error);
	ok = ok && check_losses(&at, error);
	observer_at(session->observer, NULL, NULL);

	if (!ok && error->file == NULL)
	{
		TokenCursor cursor;
		Token token = {0};

		reader_tokens(reader, step, &cursor);
		(void) token_next(&cursor, &token);
		reader_place_step(reader, step, token.offset, error);
	}
	PQclear(result);
	free(sql);
	return ok;
}

void
run_observe(const RunPlace *at)
{
	observer_at(at->reader->session->observer, run_tell_place, at);
}

void
run_tell_place(const void *argument, Error *place)
{
	const RunPlace *at = argument;
	TokenCursor cursor;
	Token token = {0};

	reader_tokens(at->reader, at->step, &cursor);
	(void) token_next(&cursor, &token);
	reader_place_step(at->reader, at->step, token.offset, place);
}

/* What is missing already was lost by an earlier statement, of which no words tell. */
static bool
look_ahead(const RunPlace *at, Error *error)
{
	const Reader *reader = at->reader;
	Error place = ERROR_NONE;
	TokenCursor cursor;
	bool ok;

	reader_tokens(reader, at->step, &cursor);
	if (reader->guard == NULL || at->step->how != HOW_SEND || !guard_is_to_look_ahead(reader->guard, cursor))
		return true;
	run_tell_place(at, &place);
	place.line = place.column = place.statement = 0;
	ok = guard_check_ahead(reader->guard, reader->session, &place, error);
	error_free(&place);
	return ok;
}

static bool
prepare(const RunPlace *at, Counts *counts, Error *error)
{
	TokenCursor cursor;

	reader_tokens(at->reader, at->step, &cursor);
	return result_prepare(at->reader->session, cursor, counts, error);
}

/* Where the statement can be told that has lost something, it is to be named. */
static bool
check_losses(const RunPlace *at, Error *error)
{
	const Reader *reader = at->reader;
	Error place = ERROR_NONE;
	TokenCursor cursor;
	bool ok;

	reader_tokens(reader, at->step, &cursor);
	if (reader->guard == NULL || (at->step->how != HOW_GEXEC && !guard_is_interested(reader->guard, cursor)))
		return true;
	run_tell_place(at, &place);
	ok = guard_check_statement(reader->guard, reader->session, cursor, &place, error);
	error_free(&place);
	return ok;
}

/* A statement that is nothing but comments is not counted. */
bool
run_judge(Reader *reader, const Step *step, Verdict *verdict, Error *error)
{
	TokenCursor cursor;
	TokenCursor first;
	Token token = {0};

	reader_tokens(reader, step, &cursor);
	first = cursor;
	if (policy_check(cursor, verdict, error))
	{
		if (*verdict == VERDICT_EMPTY)
			reader->frame->cursor.ordinal--;
		return true;
	}
	(void) token_next(&first, &token);
	reader_place_step(reader, step, token.offset, error);
	return false;
}

/* What no script that is run without a transaction may hold. */
bool
run_check_outside(const Reader *reader, const Step *step, Verdict verdict, Error *error)
{
	const char *what = NULL;
	TokenCursor cursor;
	Token token = {0};

	reader_tokens(reader, step, &cursor);
	if (verdict == VERDICT_TAKEN_OUT)
		what = "BEGIN or COMMIT";
	else if (policy_is_copy_from_stdin(cursor))
		what = "COPY FROM stdin";
	else if (step->how != HOW_SEND)
		what = step->how == HOW_GSET ? "\\gset" : "\\gexec";
	if (what == NULL)
		return true;

	error_set(error, ERROR_SCRIPT, "%s is not allowed in a script that asks for no transaction", what);
	error_sqlstate(error, "0A000");
	error_hint(error, HINT_OWN_TRANSACTION);
	(void) token_next(&cursor, &token);
	reader_place_step(reader, step, token.offset, error);
	return false;
}

static bool
take_data(Reader *reader, const Step *step, CopyData *data, bool *has_data, Error *error)
{
	Cursor *file = &reader->frame->cursor;
	TokenCursor cursor;
	size_t start;

	reader_tokens(reader, step, &cursor);
	*has_data = policy_is_copy_from_stdin(cursor);
	if (!*has_data)
		return true;
	if (!cursor_take_data(file, &start, &data->length, error))
	{
		reader_place_step(reader, step, 0, error);
		return false;
	}
	data->bytes = file->text + start;
	return true;
}

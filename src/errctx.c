/*-------------------------------------------------------------------------
 *
 * errctx.c
 *	  What an error says about where in a script it was raised.
 *
 * Every message raised while a script is applied gets a context line
 * "NAME:LINE:COLUMN: statement N", and loses what would quote the script: the
 * server's STATEMENT line, the position in a text that the client never sent,
 * the internal query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "deadline.h"
#include "errctx.h"

/* A token longer than this is not repeated in a message. */
#define MAX_QUOTED_TOKEN 64

/*
 * How SPI quotes the query that it runs, in the context of an error, in one
 * version of the server or another.  They are the server's texts, and
 * translated as the server translates them.
 */
static const char *const quoting_contexts[] = {
	"SQL statement \"%s\"",
	"SQL expression \"%s\"",
	"PL/pgSQL expression \"%s\"",
	"PL/pgSQL assignment \"%s\"",
};

static void add_context(void *arg);
static RdsPosition find_position(const RdsPlace *place, int errpos);
static char *without_queries(const char *context, const char *script);
static bool quotes_query(const char *line);
static bool says_where(const char *line, const char *script);
static void elide_token(ErrorData *error, const char *token, const char *variable);
static Size opening_quote(const char *token);

/*
 * rds_errctx_push
 *		From here on, messages say where in the script they were raised.
 *
 * The context has to be popped by whoever pushed it, except on an error, after
 * which PG_CATCH has done so.
 */
void
rds_errctx_push(RdsErrorContext *context)
{
	context->callback.callback = add_context;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	error_context_stack = &context->callback;
}

void
rds_errctx_pop(RdsErrorContext *context)
{
	error_context_stack = context->callback.previous;
}

/*
 * rds_errctx_finish
 *		Mends a caught error, raised under the context, before it is raised again.
 */
void
rds_errctx_finish(const RdsErrorContext *context, ErrorData *error)
{
	const char *script = context->place != NULL ? context->place->script : NULL;

	if (context->token != NULL &&
		(context->variable != NULL || error->sqlerrcode == ERRCODE_SYNTAX_ERROR))
		elide_token(error, context->token, context->variable);
	if (error->context != NULL)
		error->context = without_queries(error->context, script);
	error->hide_ctx = false;

	if (context->variables != NULL)
	{
		error->message = rds_variables_conceal(context->variables, error->message);
		error->detail = rds_variables_conceal(context->variables, error->detail);
		error->hint = rds_variables_conceal(context->variables, error->hint);
	}

	if (error->sqlerrcode == ERRCODE_ACTIVE_SQL_TRANSACTION && error->hint == NULL)
		error->hint = pstrdup("A script is applied within one transaction; run the statement outside of it.");
	if (error->sqlerrcode == ERRCODE_UNSAFE_NEW_ENUM_VALUE_USAGE)
		error->hint = pstrdup("A new enum value must be committed before it is used: put ALTER TYPE into a script that is applied"
							  " by a call of its own, or that begins with \"-- rdsinit: no-transaction\", for rdsinit.deploy.");
}

static void
add_context(void *arg)
{
	RdsErrorContext *context = (RdsErrorContext *) arg;
	const RdsPlace *place = context->place;
	int errpos = geterrposition();
	RdsPosition position;

	errhidestmt(true);
	errposition(0);
	internalerrposition(0);
	internalerrquery(NULL);
	/* its lines can quote queries: an error's are mended, a notice's cannot be */
	errhidecontext(true);

	if (geterrcode() == ERRCODE_ADMIN_SHUTDOWN && rds_deadline_ends_session())
	{
		errdetail("The script has caught each cancelling since the call's time was over, and gone on.");
		errhint("Let it end when it is cancelled.");
	}
	context->token = NULL;
	context->variable = NULL;
	if (place == NULL)
		return;

	if (place->at_command)
	{
		position = place->text != NULL && errpos > 0 ? find_position(place, errpos) : place->position;
		if (place->statement > 0)
			errcontext("%s:%d:%d: statement %d", place->script, position.line, position.column, place->statement);
		else
			errcontext("%s:%d:%d", place->script, position.line, position.column);
	}
	else if (place->cursor != NULL && rds_cursor_locate(place->cursor, errpos, &position, &context->token, &context->variable))
		errcontext("%s:%d:%d: statement %d",
				   place->script, position.line, position.column, place->cursor->ordinal);
	else
		errcontext("%s", place->script);

	for (place = place->included_from; place != NULL; place = place->included_from)
		errcontext("included from %s:%d:%d",
				   place->script, place->position.line, place->position.column);
}

/*
 * Where in a statement's text an error is.  What a variable's value holds is at the
 * place where the script refers to the variable.
 */
static RdsPosition
find_position(const RdsPlace *place, int errpos)
{
	RdsPosition position = place->position;
	const char *from = place->text;
	const char *at = place->text;

	for (int i = 1; i < errpos && *at != '\0'; i++)
		at += pg_mblen(at);
	for (int i = 0; i < place->stretch_count && place->text + place->stretches[i].start <= at; i++)
	{
		position = place->stretches[i].origin;
		from = place->stretches[i].values == NIL ? place->text + place->stretches[i].start : at;
	}
	for (; from < at; from += pg_mblen(from))
	{
		position.column = *from == '\n' ? 1 : position.column + 1;
		position.line += *from == '\n';
	}
	return position;
}

/*
 * A context without the queries that it quotes: they hold the script's text,
 * or what its dynamic SQL made of it.  A query may run over many lines, and
 * ends where a line says in which function, or where in the script, it was run.
 */
static char *
without_queries(const char *context, const char *script)
{
	StringInfoData kept;
	const char *line = context;
	bool quoting = false;

	initStringInfo(&kept);
	while (*line != '\0')
	{
		const char *end = strchrnul(line, '\n');

		if (quotes_query(line))
			quoting = true;
		else if (says_where(line, script))
			quoting = false;

		/* COPY says which line and column of the data, and quotes them */
		if (strncmp(line, "COPY ", strlen("COPY ")) == 0)
		{
			const char *colon = strstr(line, ": ");

			appendStringInfo(&kept, "%s%.*s", kept.len > 0 ? "\n" : "",
							 (int) ((colon != NULL && colon < end ? colon : end) - line), line);
			quoting = true;
		}
		else if (!quoting)
			appendStringInfo(&kept, "%s%.*s", kept.len > 0 ? "\n" : "", (int) (end - line), line);
		line = *end == '\n' ? end + 1 : end;
	}
	return kept.len > 0 ? kept.data : NULL;
}

static bool
quotes_query(const char *line)
{
	for (int i = 0; i < lengthof(quoting_contexts); i++)
	{
		const char *format = _(quoting_contexts[i]);
		const char *hole = strstr(format, "%s");

		if (hole != NULL && strncmp(line, format, hole - format) == 0)
			return true;
	}
	return false;
}

static bool
says_where(const char *line, const char *script)
{
	return strncmp(line, "PL/pgSQL function ", strlen("PL/pgSQL function ")) == 0 ||
		   strncmp(line, "SQL function ", strlen("SQL function ")) == 0 ||
		   (script != NULL && strncmp(line, script, strlen(script)) == 0);
}

/*
 * "syntax error at or near …" and its kind quote the token at which the parser
 * stopped; for a quote that never ends, that is all the rest of the script.
 * Of what is quoted, which could be a password, only the opening quote stays,
 * and of any token no more than its first characters.  What is from a variable's
 * value is not repeated at all.
 */
static void
elide_token(ErrorData *error, const char *token, const char *variable)
{
	const char *found = NULL;
	Size length = 0;
	Size kept = opening_quote(token);
	Size word = 0;
	StringInfoData message;

	if (error->message == NULL || *token == '\0')
		return;

	/* The message may be translated, but it holds the token as it stands. */
	for (const char *at = strchr(error->message, *token); at != NULL; at = strchr(at + 1, *token))
	{
		Size same = 0;

		while (token[same] != '\0' && at[same] == token[same])
			same++;
		if (same > length)
		{
			found = at;
			length = same;
		}
	}

	/* a whole word, or another token: less could be in any message */
	while (isalnum((unsigned char) token[word]) || token[word] == '_' || IS_HIGHBIT_SET(token[word]))
		word++;
	if (found == NULL || length < word)
		return;

	initStringInfo(&message);
	appendBinaryStringInfo(&message, error->message, found - error->message);
	if (variable != NULL)
		appendStringInfo(&message, ":%s", variable);
	else
	{
		if (kept == 0)
			kept = pg_mbcliplen(token, length, MAX_QUOTED_TOKEN);
		if (kept >= length)
			return;
		appendBinaryStringInfo(&message, found, kept);
		appendStringInfoString(&message, "...");
	}
	appendStringInfoString(&message, found + length);
	error->message = message.data;
}

/* Length of what opens a quote, or a comment; 0 for other tokens. */
static Size
opening_quote(const char *token)
{
	if (token[0] == '\'' || token[0] == '"')
		return 1;
	if (token[0] == '$' && !isdigit((unsigned char) token[1]))
		return 1;
	if (token[0] == '/' && token[1] == '*')
		return 2;
	if (token[0] != '\0' && strchr("eEbBxXnN", token[0]) != NULL && token[1] == '\'')
		return 2;
	if ((token[0] == 'u' || token[0] == 'U') && token[1] == '&' && token[2] == '\'')
		return 3;
	return 0;
}

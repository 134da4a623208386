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
static char *without_queries(const char *context, const char *script);
static bool quotes_query(const char *line);
static bool says_where(const char *line, const char *script);
static RdsPosition locate(const RdsCursor *cursor, int errpos);
static void elide_token(ErrorData *error, const char *token);
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
	if (error->sqlerrcode == ERRCODE_SYNTAX_ERROR &&
		context->has_token && context->cursor != NULL)
		elide_token(error, context->cursor->body + context->token);

	if (error->context != NULL)
		error->context = without_queries(error->context, context->script);
	error->hide_ctx = false;

	if (error->sqlerrcode == ERRCODE_ACTIVE_SQL_TRANSACTION && error->hint == NULL)
		error->hint = pstrdup("A script is applied within one transaction; run the statement outside of it.");
}

void
rds_quiet_begin(RdsQuiet *quiet)
{
	quiet->client = client_min_messages;
	quiet->log = rds_log_min_messages;
	client_min_messages = ERROR;
	rds_log_min_messages = ERROR;
}

void
rds_quiet_end(const RdsQuiet *quiet)
{
	client_min_messages = quiet->client;
	rds_log_min_messages = quiet->log;
}

static void
add_context(void *arg)
{
	RdsErrorContext *context = (RdsErrorContext *) arg;
	const RdsCursor *cursor = context->cursor;
	int errpos = geterrposition();

	errhidestmt(true);
	errposition(0);
	internalerrposition(0);
	internalerrquery(NULL);
	/* its lines can quote queries: an error's are mended, a notice's cannot be */
	errhidecontext(true);

	if (context->script == NULL)
		return;

	/* while a statement is looked for, only the scanner's word says where */
	context->has_token = cursor != NULL && errpos > 0;
	if (context->has_token || (cursor != NULL && cursor->ordinal > 0 && !cursor->scanning))
	{
		RdsPosition position = locate(cursor, errpos);

		context->token = position.offset;
		errcontext("%s:%d:%d: statement %d",
				   context->script, position.line, position.column, cursor->ordinal);
	}
	else
		errcontext("%s", context->script);
}

/*
 * The place of an error position, which counts characters from 1, and from
 * the statement's start or, while the scanner is at work, from the body's.
 * Without an error position (0), the statement's own start.
 */
static RdsPosition
locate(const RdsCursor *cursor, int errpos)
{
	RdsPosition position;
	const char *at;
	const char *end;

	if (cursor->scanning)
		rds_position_start(&position);
	else
		position = cursor->start;

	at = cursor->body + position.offset;
	end = cursor->body + cursor->length;
	while (--errpos > 0 && at < end)
		at += Min(pg_mblen(at), end - at);
	rds_position_advance(&position, cursor->body, at - cursor->body);

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

		if (!quoting)
			appendStringInfo(&kept, "%s%.*s", kept.len > 0 ? "\n" : "", (int) (end - line), line);
		line = *end == '\n' ? end + 1 : end;
	}
	return kept.data;
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
 * and of any token no more than its first characters.
 */
static void
elide_token(ErrorData *error, const char *token)
{
	const char *found = NULL;
	Size length = 0;
	Size kept = opening_quote(token);
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

	if (kept == 0)
		kept = pg_mbcliplen(token, length, MAX_QUOTED_TOKEN);
	if (found == NULL || kept >= length)
		return;

	initStringInfo(&message);
	appendBinaryStringInfo(&message, error->message, found - error->message);
	appendBinaryStringInfo(&message, found, kept);
	appendStringInfo(&message, "...%s", found + length);
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

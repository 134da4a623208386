/*-------------------------------------------------------------------------
 *
 * script.c
 *	  A cursor over a script's statements.
 *
 * Where a statement ends is decided by the server's own scanner, so it is
 * right on every server version: at a semicolon outside of parentheses and of
 * a BEGIN ATOMIC body.  Keyword tokens have other numbers in each version, so
 * a keyword is known by its letters, never by its token.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "parser/scansup.h"
#include "utils/memutils.h"

#include "errctx.h"
#include "script.h"

/* Tokens below this are single characters: flex's and bison's convention. */
#define FIRST_NAMED_TOKEN 258

/*
 * How far the tokens of a statement have come on the way into a BEGIN ATOMIC
 * body: CREATE [ OR REPLACE ] { FUNCTION | PROCEDURE } … BEGIN ATOMIC … END,
 * which may be an element of CREATE SCHEMA, too.  Older parsers refuse it
 * there, so to know it does no harm.
 *
 * The END that ends the body follows a semicolon or ATOMIC itself; the END of
 * a CASE never does, for no expression holds a semicolon.
 */
typedef enum
{
	AT_START,
	AFTER_CREATE,
	AFTER_OR,
	AFTER_REPLACE,
	IN_CREATE, /* of anything else, or after the body */
	IN_ROUTINE,
	AFTER_BEGIN,
	IN_BODY,  /* within a statement of the body */
	BETWEEN,  /* in the body, where END may come */
	ELSEWHERE /* no CREATE statement at all */
} BodyState;

/* Where a statement begins and ends, in bytes from the body's start. */
typedef struct Span
{
	Size start;
	Size end;
} Span;

static bool scan_statement(RdsCursor *cursor, Span *span);
static BodyState next_body_state(BodyState state, const char *word, int token, int depth);
static bool is_word(const char *text, const char *word);
rds_noreturn static void refuse_meta_command(RdsCursor *cursor, int location);

/*
 * rds_cursor_open
 *		A cursor before the first statement of a body.
 *
 * It lives in the current memory context, and refers to the body.
 */
RdsCursor *
rds_cursor_open(const char *body, Size length)
{
	RdsCursor *cursor = palloc0(sizeof(RdsCursor));

	cursor->body = body;
	cursor->length = length;
	cursor->scanner = scanner_init(body, &cursor->extra, &ScanKeywords, ScanKeywordTokens);
	cursor->tokens = AllocSetContextCreate(CurrentMemoryContext, "rdsinit tokens",
										   ALLOCSET_DEFAULT_SIZES);
	rds_position_start(&cursor->start);
	rds_position_start(&cursor->reached);

	return cursor;
}

/*
 * rds_cursor_next
 *		Moves to the next statement; false where there is none.
 *
 * Raises what the scanner raises, with an error position that counts from the
 * body's first character (cursor->scanning says so to the error context).
 */
bool
rds_cursor_next(RdsCursor *cursor)
{
	MemoryContext oldcontext;
	RdsQuiet quiet;
	Span span;
	volatile bool found = false;

	cursor->scanning = true;
	cursor->ordinal++;
	rds_scanner_follow_settings(&cursor->extra);

	/* The parser will meet the same tokens and say what is to be said. */
	rds_quiet_begin(&quiet);
	oldcontext = MemoryContextSwitchTo(cursor->tokens);
	PG_TRY();
	{
		found = scan_statement(cursor, &span);
	}
	PG_FINALLY();
	{
		rds_quiet_end(&quiet);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(cursor->tokens);

	cursor->scanning = false;
	if (!found)
	{
		cursor->ordinal--;
		return false;
	}

	while (span.end > span.start && scanner_isspace(cursor->body[span.end - 1]))
		span.end--;
	rds_position_advance(&cursor->reached, cursor->body, span.start);
	cursor->start = cursor->reached;
	cursor->size = span.end - span.start;

	return true;
}

/* The text of the statement that the cursor is at, a copy. */
char *
rds_cursor_text(const RdsCursor *cursor)
{
	return pnstrdup(cursor->body + cursor->start.offset, cursor->size);
}

void
rds_cursor_close(RdsCursor *cursor)
{
	scanner_finish(cursor->scanner);
	MemoryContextDelete(cursor->tokens);
	pfree(cursor);
}

/* The place of a body's first character. */
void
rds_position_start(RdsPosition *position)
{
	position->offset = 0;
	position->line = 1;
	position->column = 1;
}

/*
 * rds_position_advance
 *		Moves a place forward to an offset, counting lines and columns.
 *
 * A line ends at a line feed, as psql and every editor count.
 */
void
rds_position_advance(RdsPosition *position, const char *body, Size offset)
{
	const char *at = body + position->offset;
	const char *end = body + offset;
	const char *newline;

	while ((newline = memchr(at, '\n', end - at)) != NULL)
	{
		at = newline + 1;
		position->line++;
		position->column = 1;
	}
	position->column += pg_mbstrlen_with_len(at, end - at);
	position->offset = offset;
}

/*
 * Reads the tokens of one statement, up to its semicolon; false where the
 * script holds no more.
 */
static bool
scan_statement(RdsCursor *cursor, Span *span)
{
	BodyState state = AT_START;
	int depth = 0;
	bool found = false;

	for (;;)
	{
		core_YYSTYPE value;
		YYLTYPE location;
		int token;

		CHECK_FOR_INTERRUPTS();

		token = core_yylex(&value, &location, cursor->scanner);

		if (token == 0)
		{
			span->end = cursor->length;
			return found;
		}
		if (token == '\\')
			refuse_meta_command(cursor, location);

		if (!found)
		{
			if (token == ';')
				continue; /* nothing but a semicolon is no statement */
			found = true;
			span->start = location;
		}

		if (token == '(')
			depth++;
		else if (token == ')' && depth > 0)
			depth--;
		else if (token == ';' && depth == 0 && state != IN_BODY && state != BETWEEN)
		{
			span->end = location;
			return true;
		}

		if (state != ELSEWHERE)
			state = next_body_state(state, cursor->body + location, token, depth);
	}
}

static BodyState
next_body_state(BodyState state, const char *text, int token, int depth)
{
	bool named = token >= FIRST_NAMED_TOKEN;

#define WORD(word) (named && is_word(text, word))
	switch (state)
	{
		case AT_START:
			return WORD("create") ? AFTER_CREATE : ELSEWHERE;
		case AFTER_CREATE:
			if (WORD("or"))
				return AFTER_OR;
			return WORD("function") || WORD("procedure") ? IN_ROUTINE : IN_CREATE;
		case AFTER_OR:
			return WORD("replace") ? AFTER_REPLACE : IN_CREATE;
		case AFTER_REPLACE:
			return WORD("function") || WORD("procedure") ? IN_ROUTINE : IN_CREATE;
		case IN_CREATE:
			return depth == 0 && WORD("create") ? AFTER_CREATE : IN_CREATE;
		case IN_ROUTINE:
		case AFTER_BEGIN:
			if (state == AFTER_BEGIN && WORD("atomic"))
				return BETWEEN;
			return depth == 0 && WORD("begin") ? AFTER_BEGIN : IN_ROUTINE;
		case IN_BODY:
			return depth == 0 && token == ';' ? BETWEEN : IN_BODY;
		case BETWEEN:
			return WORD("end") ? IN_CREATE : IN_BODY;
		case ELSEWHERE:
			break;
	}
#undef WORD
	return ELSEWHERE;
}

/* Does a word, in any case, stand at a text's start, and end where it ends? */
static bool
is_word(const char *text, const char *word)
{
	Size length = strlen(word);
	unsigned char next;

	if (pg_strncasecmp(text, word, length) != 0)
		return false;
	next = (unsigned char) text[length];

	return !(isalnum(next) || next == '_' || next == '$' || IS_HIGHBIT_SET(next));
}

/* A backslash outside of quotes begins one of psql's own commands. */
static void
refuse_meta_command(RdsCursor *cursor, int location)
{
	const char *name = cursor->body + location + 1;
	int length = 0;

	while (length < 32 && (isalnum((unsigned char) name[length]) || name[length] == '_'))
		length++;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("psql's meta-command \"\\%.*s\" is not supported in a script", length, name),
			 errhint("Scripts hold SQL alone: take the line out."),
			 scanner_errposition(location, cursor->scanner)));
}

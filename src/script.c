/*-------------------------------------------------------------------------
 *
 * script.c
 *	  A cursor over a script: its statements and meta-commands.
 *
 * Where a statement ends is decided by the server's own scanner, so it is
 * right on every server version: at a semicolon outside of parentheses and of
 * a BEGIN ATOMIC body.
 *
 * The scanner wants all of its text at once, and copies it.  So it is given a
 * piece of the script at a time; what it has to say of the piece's end is not
 * believed before more has been read.  Beside the statement that it is at, a
 * cursor holds no more than a piece.  (The pieces: script_text.c.)
 *
 * A variable's value takes the place of the reference, and the scanner begins
 * anew at the statement's start: the value may be half of a word, or several
 * statements.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "parser/scansup.h"
#include "utils/memutils.h"

#include "body.h"
#include "quiet.h"
#include "script_text.h"

/*
 * An error this near to the end of what has been read may be only that end's:
 * a number or an escape can look wrong when it is cut.
 */
#define DOUBTFUL 4096

/* What the scanner's tokens come to. */
typedef enum Finding
{
	FOUND_ITEM,
	FOUND_VALUE, /* a variable's value has taken a reference's place */
	NEEDS_MORE   /* nothing, as far as has been read */
} Finding;

static RdsItem next_item(RdsCursor *cursor, bool inactive);
static Finding scan(RdsCursor *cursor, bool inactive, RdsItem *item);
static Finding scan_tokens(RdsCursor *cursor, bool inactive, RdsItem *item);
static void raise_earlier_error(RdsCursor *cursor);
static void watch_for_copy(RdsCursor *cursor, int token, const char *text, bool *after_from);
static void begin_scanner(RdsCursor *cursor, bool inactive);
static bool is_doubtful(const RdsCursor *cursor, const ErrorData *error);
static bool resolve(RdsCursor *cursor, Size offset, Finding *finding);
static void trim_statement(RdsCursor *cursor);

/*
 * rds_cursor_open
 *		A cursor before the first item of a script, whose source it opens.
 *
 * It lives in the current memory context.  Without variables, a backslash and
 * a colon are what they are for the server.
 */
RdsCursor *
rds_cursor_open(RdsSource *source, RdsVariables *variables)
{
	RdsCursor *cursor = palloc0(sizeof(RdsCursor));
	RdsPosition first = {0, 1, 1};
	char mark[3];

	rds_source_open(source);
	cursor->source = source;
	cursor->variables = variables;
	cursor->encoding = rds_source_encoding(source);
	cursor->context = CurrentMemoryContext;
	cursor->scanned = AllocSetContextCreate(CurrentMemoryContext, "rdsinit scanner",
											ALLOCSET_DEFAULT_SIZES);
	cursor->tokens = AllocSetContextCreate(CurrentMemoryContext, "rdsinit tokens",
										   ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&cursor->text);
	initStringInfo(&cursor->raw);

	/* Editors on Windows put a byte-order mark there; psql drops it, too. */
	if (cursor->encoding == PG_UTF8 && rds_source_read(source, 0, mark, 3) == 3 &&
		memcmp(mark, "\xEF\xBB\xBF", 3) == 0)
		first.offset = 3;
	text_continue(cursor, first);

	return cursor;
}

/* Returns a sum of all that was read of a file. */
pg_crc32c
rds_cursor_close(RdsCursor *cursor)
{
	pg_crc32c sum = rds_source_close(cursor->source);

	MemoryContextDelete(cursor->scanned);
	MemoryContextDelete(cursor->tokens);
	pfree(cursor->text.data);
	pfree(cursor->raw.data);
	pfree(cursor->stretches);
	pfree(cursor);

	return sum;
}

/*
 * rds_cursor_next
 *		Moves to the next item.
 *
 * After RDS_META_COMMAND the cursor is at the backslash: see
 * rds_cursor_line and rds_cursor_skip.  A statement that has begun before it
 * goes on behind it.
 *
 * Raises what the scanner raises, and for a file what is not valid in its
 * encoding.
 */
RdsItem
rds_cursor_next(RdsCursor *cursor)
{
	RdsItem item;

	/* the script may have said in what its bytes are from here on */
	if (cursor->encoding != rds_source_encoding(cursor->source))
		text_change_encoding(cursor);

	if (!cursor->begun)
	{
		text_rebase(cursor, cursor->next);
		cursor->ordinal++;
		cursor->unsure = false;
	}

	item = next_item(cursor, false);
	if (item == RDS_STATEMENT)
	{
		trim_statement(cursor);
		cursor->begun = false;
	}
	else if (!cursor->begun)
		cursor->ordinal--;
	return item;
}

/*
 * rds_cursor_next_command
 *		Moves to the next meta-command, or the end, and leaves out all before it.
 */
RdsItem
rds_cursor_next_command(RdsCursor *cursor)
{
	Size from;
	RdsItem item;

	/* what has begun stays, at the text's start, however much is read now */
	if (cursor->begun)
		text_forget_before(cursor, cursor->start);
	from = cursor->next;

	item = next_item(cursor, true);
	if (cursor->begun)
	{
		Size command = item == RDS_META_COMMAND ? cursor->next : cursor->text.len;

		text_replace(cursor, from, command - from, " ", NULL);
		cursor->next -= command - from - 1;
	}
	return item;
}

/*
 * rds_cursor_text
 *		The text of the statement that the cursor is at, a copy.
 *
 * It goes on up to the semicolon, where a parser may have something to remark;
 * in *length is how long the statement itself is.
 */
char *
rds_cursor_text(const RdsCursor *cursor, Size *length)
{
	*length = cursor->end - cursor->start;
	return pnstrdup(cursor->text.data + cursor->start, cursor->stop - cursor->start);
}

/* What follows the backslash that the cursor is at on its line, without the line's end. */
const char *
rds_cursor_line(RdsCursor *cursor, Size *length)
{
	*length = text_line_end(cursor, cursor->next) - cursor->next - 1;
	return cursor->text.data + cursor->next + 1;
}

/*
 * rds_cursor_skip
 *		Leaves out what has been read of a meta-command: its backslash, and so much
 *		of what follows it.
 */
void
rds_cursor_skip(RdsCursor *cursor, Size length)
{
	Size command = cursor->next;

	if (cursor->begun)
	{
		/* a word before it and one behind it are two words */
		text_replace(cursor, command, length + 1, " ", NULL);
		cursor->next = command + 1;
	}
	else
		cursor->next += length + 1;
	text_end_scanner(cursor);
}

/* Makes what has begun before a meta-command, now skipped, a statement that ends there. */
void
rds_cursor_end_statement(RdsCursor *cursor)
{
	cursor->end = cursor->stop = cursor->next;
	trim_statement(cursor);
	cursor->begun = false;
}

/* Forgets what has begun before a meta-command. */
void
rds_cursor_forget_statement(RdsCursor *cursor)
{
	if (cursor->begun)
		cursor->ordinal--;
	cursor->begun = false;
	cursor->unsure = false;
}

/* Goes to the end of the script, as if nothing followed. */
void
rds_cursor_finish(RdsCursor *cursor)
{
	text_cut(cursor, cursor->next);
	cursor->all_read = true;
}

/* Where the statement that the cursor is at begins. */
RdsPosition
rds_cursor_position(const RdsCursor *cursor)
{
	return text_position(cursor, cursor->start);
}

/*
 * rds_cursor_locate
 *		Where in the script an error is that was raised at the cursor.
 *
 * Its error position counts characters from 1, and from the statement's start
 * or, while the scanner is at work, from that of the scanner's text; without
 * one (0) it is the statement's own place.  False where nothing is known: while
 * a statement is looked for, only the scanner's word counts.
 *
 * In *token is what stands there, NULL where there was no position; and in
 * *variable, where that is a value, whose.
 */
bool
rds_cursor_locate(RdsCursor *cursor, int errpos, RdsPosition *position, const char **token,
				  const char **variable)
{
	const char *end = cursor->text.data + cursor->text.len;
	const char *at;
	Size offset;

	*token = NULL;
	*variable = NULL;
	if (cursor->data.open && cursor->data.line != NULL && *cursor->data.line > 0)
	{
		position->line = cursor->data.first.line + (int) *cursor->data.line - 1;
		position->column = 1;
		return true;
	}
	if (errpos <= 0 && (cursor->scanning || cursor->ordinal == 0))
		return false;

	offset = cursor->scanning ? cursor->scanned_from : cursor->counted_from;
	if (errpos <= 0)
		offset = cursor->start;
	at = cursor->text.data + offset;
	for (int i = 1; i < errpos && at < end; i++)
		at += Min(pg_mblen(at), end - at);
	offset = at - cursor->text.data;

	cursor->error_at = offset;
	*position = text_position(cursor, offset);
	if (errpos > 0)
		*token = at;
	*variable = text_value_of(cursor, offset);
	return true;
}

static RdsItem
next_item(RdsCursor *cursor, bool inactive)
{
	RdsItem item = RDS_END;
	Finding finding;

	while ((finding = scan(cursor, inactive, &item)) != FOUND_ITEM)
	{
		text_end_scanner(cursor);
		if (finding == NEEDS_MORE)
			text_read_more(cursor);
	}
	return item;
}

/* Scans, and does not believe an error of what may be only the piece's end. */
static Finding
scan(RdsCursor *cursor, bool inactive, RdsItem *item)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	volatile Finding finding = NEEDS_MORE;
	RdsQuiet quiet;

	/* The parser will meet the same tokens and say what is to be said. */
	rds_quiet_begin(&quiet);
	cursor->scanning = true;
	PG_TRY();
	{
		if (cursor->scanner == NULL)
			begin_scanner(cursor, inactive);
		rds_scanner_follow_settings(&cursor->extra);
		MemoryContextSwitchTo(cursor->tokens);
		finding = scan_tokens(cursor, inactive, item);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(oldcontext);
		rds_quiet_end(&quiet);
		error = CopyErrorData();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED || !is_doubtful(cursor, error))
		{
			if (error->sqlerrcode != ERRCODE_QUERY_CANCELED && cursor->begun && !inactive)
				raise_earlier_error(cursor);
			PG_RE_THROW();
		}
		FlushErrorState();
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(cursor->tokens);
	rds_quiet_end(&quiet);
	cursor->scanning = false;

	return finding;
}

/*
 * The scanner has failed within a statement.  The parser may have stopped before
 * it came there: then it is the parser's error that the server would raise.
 */
static void
raise_earlier_error(RdsCursor *cursor)
{
	FlushErrorState();
	cursor->scanning = false;
	(void) raw_parser(cursor->text.data + cursor->start, RAW_PARSE_DEFAULT);
	elog(ERROR, "the parser has read what the scanner could not");
}

static Finding
scan_tokens(RdsCursor *cursor, bool inactive, RdsItem *item)
{
	RdsBody body = RDS_BODY_START;
	Finding finding;
	int depth = 0;
	bool after_from = false;

	if (!inactive)
	{
		cursor->begun = false;
		cursor->from_stdin = false;
	}

	for (;;)
	{
		core_YYSTYPE value;
		YYLTYPE location;
		const char *text;
		Size offset;
		int token;

		CHECK_FOR_INTERRUPTS();

		token = core_yylex(&value, &location, cursor->scanner);
		offset = cursor->scanned_from + location;
		text = cursor->text.data + offset;

		if (token == 0)
		{
			if (!cursor->all_read)
				return NEEDS_MORE;
			cursor->next = cursor->end = cursor->stop = cursor->text.len;
			*item = cursor->begun && !inactive ? RDS_STATEMENT : RDS_END;
			return FOUND_ITEM;
		}
		if (token == '\\' && cursor->variables != NULL)
		{
			cursor->next = offset;
			*item = RDS_META_COMMAND;
			return FOUND_ITEM;
		}
		if (inactive)
		{
			/* nothing before it is needed any more */
			if (token == ';' && !cursor->begun)
				cursor->next = offset + 1;
			continue;
		}
		if (token == ':' && cursor->variables != NULL && resolve(cursor, offset, &finding))
			return finding;

		if (!cursor->begun)
		{
			if (token == ';')
				continue; /* nothing but a semicolon is no statement */
			cursor->begun = true;
			cursor->start = cursor->counted_from = offset;
		}

		if (token == '(')
			depth++;
		else if (token == ')' && depth > 0)
			depth--;
		else if (token == ';' && depth == 0 && !rds_body_is_open(body))
		{
			cursor->end = offset;
			cursor->next = cursor->stop = offset + 1;
			*item = RDS_STATEMENT;
			return FOUND_ITEM;
		}
		if (body != RDS_BODY_NONE)
			body = rds_body_next(body, token, text, depth);
		watch_for_copy(cursor, token, text, &after_from);
	}
}

/* Takes note of COPY … FROM STDIN, for where no parser can be asked. */
static void
watch_for_copy(RdsCursor *cursor, int token, const char *text, bool *after_from)
{
	if (text == cursor->text.data + cursor->start)
		cursor->is_copy = rds_is_word(token, text, "copy");
	if (!cursor->is_copy)
		return;
	if (*after_from && rds_is_word(token, text, "stdin"))
		cursor->from_stdin = true;
	*after_from = rds_is_word(token, text, "from");
}

/* Begins at the statement's start, or where the cursor goes on. */
static void
begin_scanner(RdsCursor *cursor, bool inactive)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(cursor->scanned);

	/* a statement that has begun is scanned again, from its start */
	if (cursor->begun && !inactive)
		cursor->next = cursor->start;
	cursor->scanned_from = cursor->next;
	cursor->scanner = scanner_init(cursor->text.data + cursor->scanned_from, &cursor->extra,
								   &ScanKeywords, ScanKeywordTokens);
	MemoryContextSwitchTo(oldcontext);
}

/*
 * May an error be only that of the end of what has been read?  What is not
 * terminated always ends there.
 */
static bool
is_doubtful(const RdsCursor *cursor, const ErrorData *error)
{
	static const char *const unterminated[] = {
		"unterminated /* comment",
		"unterminated bit string literal",
		"unterminated hexadecimal string literal",
		"unterminated quoted string",
		"unterminated quoted identifier",
		"unterminated dollar-quoted string",
	};

	if (cursor->all_read)
		return false;
	if (cursor->error_at + DOUBTFUL >= cursor->text.len)
		return true;
	for (int i = 0; i < lengthof(unterminated); i++)
	{
		/* the scanner's own texts, translated as it translates them */
		if (error->message != NULL && strstr(error->message, _(unterminated[i])) != NULL)
			return true;
	}
	return false;
}

/*
 * Is there a reference to a variable at a colon, and is it settled?  If so its
 * value stands in its place now, or more has to be read to know.
 */
static bool
resolve(RdsCursor *cursor, Size offset, Finding *finding)
{
	RdsReference reference = {0};
	StringInfoData value;
	RdsVariableState state;

	/* a name that reaches the end may go on there, and so may a single colon */
	if (!cursor->all_read && rds_reference_reaches_end(cursor->text.data + offset))
	{
		*finding = NEEDS_MORE;
		return true;
	}

	rds_reference_read(cursor->text.data + offset, &reference);
	if (reference.length == 0 || text_is_value_of(cursor, offset, reference.name) ||
		text_is_value_of(cursor, offset, ""))
		return false;

	initStringInfo(&value);
	state = rds_reference_resolve(cursor->variables, &reference, &value);
	if (state == RDS_VARIABLE_UNSURE)
		cursor->unsure = true;
	if (state != RDS_VARIABLE_SET)
		return false;

	text_replace(cursor, offset, reference.length, value.data, reference.name);
	*finding = FOUND_VALUE;
	return true;
}

static void
trim_statement(RdsCursor *cursor)
{
	while (cursor->end > cursor->start && scanner_isspace(cursor->text.data[cursor->end - 1]))
		cursor->end--;
}

/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Many statements of a script parsed at once.
 *
 * To check a script, its statements need not be told apart by the scanner
 * before the parser reads them: the parser takes many.  So a piece of the script
 * is cut where a statement seems to end, and given to the parser whole.  Where
 * the cut was wrong, within a quote, a comment, parentheses or a body, the piece
 * does not parse; where there is more in it than SQL, it is not tried.  Then the
 * statements are gone through one by one, as ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/parser.h"
#include "parser/scansup.h"
#include "utils/memutils.h"

#include "ahead.h"
#include "batch.h"
#include "compat.h"
#include "hooks.h"
#include "policy.h"
#include "quiet.h"
#include "script_text.h"
#include "statement.h"

/* Fewer bytes are not worth the trouble. */
#define SMALLEST_BATCH 1024

static bool may_begin(const RdsCursor *cursor);
static bool find_cut(const RdsCursor *cursor, Size most, Size *cut);
static bool begins_statement(const char *text);
static List *parse_each(RdsCursor *cursor, const RdsBatch *batch);
static bool needs_own_text(const RawStmt *statement);
static bool may_be_remarked(const char *text, Size length);
static void parse_aloud(RdsCursor *cursor, const RdsBatch *batch);
static bool is_sql_alone(const RdsCursor *cursor, Size cut);
static List *try_parse(RdsCursor *cursor, Size cut);
static bool is_usable(List *statements);
static Size first_token(const char *text, Size offset);

/*
 * rds_batch_parse
 *		Parses at once as many of the statements that follow as it can, in so many
 *		bytes at most.
 *
 * Nothing is raised: what cannot be parsed so is left to be looked at statement
 * by statement.
 */
void
rds_batch_parse(RdsCursor *cursor, Size most, RdsBatch *batch)
{
	batch->statements = NIL;
	if (!may_begin(cursor) || text_position(cursor, cursor->next).offset < cursor->no_batch_before)
		return;
	if (cursor->text.len - cursor->next < SMALLEST_BATCH && !cursor->all_read)
		text_read_more(cursor);
	if (cursor->text.len - cursor->next < SMALLEST_BATCH)
		return;

	batch->from = cursor->next;
	if (!find_cut(cursor, most, &batch->to))
		batch->to = Min(batch->from + most, (Size) cursor->text.len);
	else if (is_sql_alone(cursor, batch->to))
		batch->statements = try_parse(cursor, batch->to);

	if (batch->statements == NIL)
		cursor->no_batch_before = text_position(cursor, batch->to).offset;
	else
		text_end_scanner(cursor);
}

/* Not within a statement, nor where the text is about to be read otherwise. */
static bool
may_begin(const RdsCursor *cursor)
{
	return !cursor->begun && cursor->encoding == rds_source_encoding(cursor->source);
}

/*
 * rds_batch_parse_to_run
 *		The same, or what was parsed ahead; and a list of RdsBatchStatement, which are
 *		ready to be run.
 *
 * Some are parsed once more, each by itself: needs_own_text says which.  That they
 * are parsed many in a row makes it several times as fast as between their runs,
 * when nothing of the parser is in the processor's caches.  What the parser has to
 * remark, it remarks once.
 */
List *
rds_batch_parse_to_run(const RdsFiles *files, const RdsScript *script, RdsCursor *cursor, Size most, RdsBatch *batch)
{
	List *volatile statements = NIL;
	RdsQuiet quiet;

	rds_quiet_begin(&quiet);
	PG_TRY();
	{
		if (may_begin(cursor) && rds_ahead_take(files, script, cursor, batch) && is_sql_alone(cursor, batch->to))
			text_end_scanner(cursor);
		else
			rds_batch_parse(cursor, most, batch);
		if (batch->statements != NIL)
			statements = parse_each(cursor, batch);
	}
	PG_FINALLY();
	{
		rds_quiet_end(&quiet);
	}
	PG_END_TRY();

	if (statements != NIL && may_be_remarked(cursor->text.data + batch->from, batch->to - batch->from))
		parse_aloud(cursor, batch);
	return statements;
}

static List *
parse_each(RdsCursor *cursor, const RdsBatch *batch)
{
	List *statements = NIL;
	ListCell *cell;

	foreach(cell, batch->statements)
	{
		RawStmt *statement = lfirst(cell);
		Size start = first_token(cursor->text.data, batch->from + statement->stmt_location);
		Size end = batch->from + statement->stmt_location + statement->stmt_len;
		RdsBatchStatement *item = palloc(sizeof(RdsBatchStatement));

		item->text = pnstrdup(cursor->text.data + start, end - start);
		item->is_alone = needs_own_text(statement);
		item->statement = item->is_alone ? rds_statement_parse(item->text, end - start) : statement;
		statements = lappend(statements, item);
	}
	return statements;
}

/*
 * A utility command is handed the text that its locations count in, which can be
 * the batch's, as it is the whole message's in the simple-query protocol.  But
 * some commands keep that text, or search it for the body that they were given;
 * and other extensions may log it with each command.
 */
static bool
needs_own_text(const RawStmt *statement)
{
	if (rds_is_query(statement))
		return false;
	switch (nodeTag(statement->stmt))
	{
		case T_CreateFunctionStmt:
		case T_DeclareCursorStmt:
		case T_DoStmt:
		case T_PrepareStmt:
		case T_TransactionStmt:
			return true;
		default:
			return !rds_hooks_are_alone();
	}
}

/* May there be a name that is too long, or a string with an escape? */
static bool
may_be_remarked(const char *text, Size length)
{
	static const bool ends_word[UCHAR_MAX + 1] = {
		[' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, ['\f'] = true, ['('] = true, [')'] = true, [','] = true, [';'] = true, ['.'] = true, ['='] = true, ['\''] = true};
	Size word = 0;

	if (!rds_strings_are_standard())
		return true;
	for (Size i = 0; i < length; i++)
	{
		if (text[i] == '"')
		{
			const char *end = memchr(text + i + 1, '"', length - i - 1);

			if (end == NULL || end - (text + i) > NAMEDATALEN)
				return true;
			i = end - text;
			word = 0;
		}
		else if (ends_word[(unsigned char) text[i]])
			word = 0;
		else if (++word >= NAMEDATALEN)
			return true;
	}
	return false;
}

/* Only for what the parser has to remark. */
static void
parse_aloud(RdsCursor *cursor, const RdsBatch *batch)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit remarks", ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(context);

	(void) try_parse(cursor, batch->to);
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
}

/*
 * Moves the cursor to a statement of the batch, the next one.  Error positions count
 * from the batch's start, or from its own, where it was parsed alone.
 */
void
rds_batch_go_to(RdsCursor *cursor, const RdsBatch *batch, const RawStmt *statement, bool is_alone)
{
	cursor->ordinal++;
	cursor->start = first_token(cursor->text.data, batch->from + statement->stmt_location);
	cursor->end = batch->from + statement->stmt_location + statement->stmt_len;
	cursor->stop = cursor->end;
	cursor->counted_from = is_alone ? cursor->start : batch->from;
	text_rebase(cursor, cursor->start);
}

/* Leaves the batch at an offset, behind one of its statements. */
void
rds_batch_leave(RdsCursor *cursor, Size offset)
{
	cursor->next = offset;
	text_rebase(cursor, offset);
}

/*
 * Behind the last semicolon that ends a line, and behind which a statement seems
 * to begin: in the bodies of functions lines end with semicolons, too.
 */
static bool
find_cut(const RdsCursor *cursor, Size most, Size *cut)
{
	const char *text = cursor->text.data;
	bool found = false;

	for (Size at = Min(cursor->next + most, (Size) cursor->text.len); at > cursor->next; at--)
	{
		if (text[at - 1] != ';' || (text[at] != '\n' && text[at] != '\r'))
			continue;
		if (!found || begins_statement(text + at))
			*cut = at;
		found = true;
		if (begins_statement(text + at))
			return true;
	}
	return found;
}

/* Only a guess: what is there begins a line, and is a comment or a word with which most statements begin. */
static bool
begins_statement(const char *text)
{
	static const char *const words[] = {"--", "/*", "create", "alter", "drop", "comment", "grant", "revoke", "insert",
										"select", "update", "delete", "with", "values", "merge", "set", "do", "truncate",
										"copy", "call", "analyze", "refresh", "security", "import", "commit"};

	text += strspn(text, "\r\n");
	if (*text == '\0')
		return true;
	for (int i = 0; i < lengthof(words); i++)
	{
		if (pg_strncasecmp(text, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

/* No meta-command, no variable, and nothing that stands in the place of one? */
static bool
is_sql_alone(const RdsCursor *cursor, Size cut)
{
	const char *at = cursor->text.data + cursor->next;
	const char *end = cursor->text.data + cut;

	if (!text_is_one_stretch(cursor, cursor->next, cut))
		return false;
	if (cursor->variables == NULL)
		return true;
	if (memchr(at, '\\', end - at) != NULL)
		return false;

	while ((at = memchr(at, ':', end - at)) != NULL)
	{
		RdsReference reference = {0};
		const char *value;

		if (at[1] == ':')
		{
			at += 2;
			continue;
		}
		rds_reference_read(at, &reference);
		if (reference.length > 0 &&
			(reference.form == '?' ||
			 rds_variable_get(cursor->variables, reference.name, &value) != RDS_VARIABLE_UNSET))
			return false;
		at++;
	}
	return true;
}

/* NIL where the text does not parse, or holds what cannot be in a batch. */
static List *
try_parse(RdsCursor *cursor, Size cut)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	List *volatile statements = NIL;
	char behind = cursor->text.data[cut];
	Size scanned_from;

	cursor->text.data[cut] = '\0';
	/* an error that nobody will see is located all the same */
	scanned_from = cursor->scanned_from;
	cursor->scanned_from = cursor->next;
	cursor->scanning = true;
	PG_TRY();
	{
		statements = raw_parser(cursor->text.data + cursor->next, RAW_PARSE_DEFAULT);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(oldcontext);
		FlushErrorState();
	}
	PG_END_TRY();
	cursor->scanning = false;
	cursor->scanned_from = scanned_from;
	cursor->text.data[cut] = behind;

	return is_usable(statements) ? statements : NIL;
}

/*
 * Does the last statement end with a semicolon, so that the cut was no comment's?
 * And does none of them change how what follows it has to be read?
 */
static bool
is_usable(List *statements)
{
	ListCell *cell;

	if (statements == NIL || llast_node(RawStmt, statements)->stmt_len == 0)
		return false;
	foreach(cell, statements)
	{
		const Node *statement = lfirst_node(RawStmt, cell)->stmt;

		if (IsA(statement, VariableSetStmt) && rds_changes_reading((const VariableSetStmt *) statement))
			return false;
		if (IsA(statement, CopyStmt) && ((const CopyStmt *) statement)->filename == NULL)
			return false;
	}
	return true;
}

/* Past white space and comments, which the parser counts to what follows them. */
static Size
first_token(const char *text, Size offset)
{
	for (;;)
	{
		const char *at = text + offset;

		if (scanner_isspace(*at))
			offset++;
		else if (at[0] == '-' && at[1] == '-')
			offset += strcspn(at, "\r\n");
		else if (at[0] == '/' && at[1] == '*')
		{
			int depth = 0;

			do
			{
				if (at[0] == '/' && at[1] == '*')
				{
					depth++;
					at += 2;
				}
				else if (at[0] == '*' && at[1] == '/')
				{
					depth--;
					at += 2;
				}
				else
					at++;
			} while (depth > 0 && *at != '\0');
			offset = at - text;
		}
		else
			return offset;
	}
}

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

#include "parser/scansup.h"

#include "batch.h"
#include "script_text.h"

/* Fewer bytes are not worth the trouble. */
#define SMALLEST_BATCH 1024

static bool find_cut(const RdsCursor *cursor, Size most, Size *cut);
static bool is_sql_alone(const RdsCursor *cursor, Size cut);
static List *try_parse(RdsCursor *cursor, Size cut);
static bool is_usable(List *statements);
static Size first_token(const char *text, Size offset);

/* Does a query seem to follow?  Only a guess, for what is worth trying. */
bool
rds_batch_looks_like_queries(const RdsCursor *cursor)
{
	static const char *const words[] = {"insert", "select", "update", "delete", "with", "values", "merge"};
	const char *text = cursor->text.data + first_token(cursor->text.data, cursor->next);

	for (int i = 0; i < lengthof(words); i++)
	{
		if (pg_strncasecmp(text, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

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
	if (cursor->begun || cursor->encoding != rds_source_encoding(cursor->source) ||
		text_position(cursor, cursor->next).offset < cursor->no_batch_before)
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

/* Moves the cursor to a statement of the batch, the next one; error positions count from the batch's start. */
void
rds_batch_go_to(RdsCursor *cursor, const RdsBatch *batch, const RawStmt *statement)
{
	cursor->ordinal++;
	cursor->counted_from = batch->from;
	cursor->start = first_token(cursor->text.data, batch->from + statement->stmt_location);
	cursor->end = batch->from + statement->stmt_location + statement->stmt_len;
	cursor->stop = cursor->end;
}

/* Leaves the batch at an offset, behind one of its statements. */
void
rds_batch_leave(RdsCursor *cursor, Size offset)
{
	cursor->next = offset;
	text_rebase(cursor, offset);
}

/* Behind the last semicolon that ends a line. */
static bool
find_cut(const RdsCursor *cursor, Size most, Size *cut)
{
	for (Size at = Min(cursor->next + most, (Size) cursor->text.len); at > cursor->next; at--)
	{
		if (cursor->text.data[at - 1] == ';' &&
			(cursor->text.data[at] == '\n' || cursor->text.data[at] == '\r'))
		{
			*cut = at;
			return true;
		}
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

		if (IsA(statement, VariableSetStmt))
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

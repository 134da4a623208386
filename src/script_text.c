/*-------------------------------------------------------------------------
 *
 * script_text.c
 *	  The text that a cursor holds, and where in the script each byte is from.
 *
 * The text is the source's own, but for the values that stand in the place of
 * references to variables, and for what has been left out.  So it consists of
 * stretches, each with its origin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "script_text.h"

/* How much is read at a time, at least. */
#define PIECE (64 * 1024)

/* No encoding has longer characters. */
#define LONGEST_CHARACTER 4

static void append_verbatim(RdsCursor *cursor, Size size);
static void append_converted(RdsCursor *cursor, Size size);
static Size usable_length(const RdsCursor *cursor, const char *piece, Size length);
static Size whole_lines(const char *piece, Size length);
static bool is_source(const RdsCursor *cursor, Size offset);
static int find_stretch(const RdsCursor *cursor, Size offset);
static void insert_stretch(RdsCursor *cursor, int at, Size start, RdsPosition origin, List *values);
static int count_characters(const char *at, const char *end);
static void advance(RdsPosition *position, const char *text, Size length);
rds_noreturn static void report_invalid(RdsCursor *cursor, const char *text, Size length);

/* Appends to the text, from now on, what the source holds from a place on. */
void
text_continue(RdsCursor *cursor, RdsPosition position)
{
	insert_stretch(cursor, cursor->stretch_count, cursor->text.len, position, NIL);
	cursor->read = position.offset;
	cursor->all_read = false;
	resetStringInfo(&cursor->raw);
	cursor->raw_start = position;
	text_end_scanner(cursor);
}

/* Reads a piece more; at least as much as is there, so that a long statement is not read too often. */
void
text_read_more(RdsCursor *cursor)
{
	Size size;

	Assert(!cursor->all_read);
	text_end_scanner(cursor);
	text_forget_before(cursor, cursor->begun ? cursor->start : cursor->next);
	size = Max(PIECE, cursor->text.len);

	if (cursor->encoding == GetDatabaseEncoding() || GetDatabaseEncoding() == PG_SQL_ASCII)
		append_verbatim(cursor, size);
	else
		append_converted(cursor, size);
}

/* The text is another one, or the scanner's place in it. */
void
text_end_scanner(RdsCursor *cursor)
{
	if (cursor->scanner == NULL)
		return;
	cursor->scanner = NULL;
	MemoryContextReset(cursor->scanned);
}

/* Forgets what has been read from an offset on. */
void
text_cut(RdsCursor *cursor, Size offset)
{
	cursor->text.len = offset;
	cursor->text.data[offset] = '\0';
	while (cursor->stretch_count > 1 && cursor->stretches[cursor->stretch_count - 1].start >= offset)
		cursor->stretch_count--;
	text_end_scanner(cursor);
}

/*
 * Takes an offset for the first that is still asked for: from there on
 * positions are counted.
 */
void
text_rebase(RdsCursor *cursor, Size offset)
{
	int index = find_stretch(cursor, offset);
	RdsStretch *stretch = &cursor->stretches[index];

	stretch->origin = text_position(cursor, offset);
	stretch->start = offset;
	if (index > 0)
	{
		cursor->stretch_count -= index;
		memmove(cursor->stretches, stretch, cursor->stretch_count * sizeof(RdsStretch));
	}
}

/*
 * Puts a value into the place of what the text holds there: of a variable, or
 * of none (NULL), for what has been left out.
 */
void
text_replace(RdsCursor *cursor, Size offset, Size length, const char *value, const char *variable)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(cursor->context);
	Size value_length = strlen(value);
	int first = find_stretch(cursor, offset);
	int last = find_stretch(cursor, offset + length);
	RdsStretch before = cursor->stretches[first];
	RdsStretch behind = cursor->stretches[last];
	RdsPosition value_origin = text_position(cursor, offset);
	List *values;

	values = lcons(pstrdup(variable != NULL ? variable : ""), list_copy(before.values));
	behind.origin = text_position(cursor, offset + length);

	/* the text */
	if (value_length > length)
		enlargeStringInfo(&cursor->text, value_length - length);
	memmove(cursor->text.data + offset + value_length, cursor->text.data + offset + length,
			cursor->text.len - offset - length + 1);
	memcpy(cursor->text.data + offset, value, value_length);
	cursor->text.len += value_length - length;

	/* its stretches: those that begin within what is replaced are gone */
	for (int i = last + 1; i < cursor->stretch_count; i++)
		cursor->stretches[i].start += value_length - length;
	memmove(cursor->stretches + first + 1, cursor->stretches + last + 1,
			(cursor->stretch_count - last - 1) * sizeof(RdsStretch));
	cursor->stretch_count -= last - first;
	insert_stretch(cursor, first + 1, offset, value_origin, values);
	insert_stretch(cursor, first + 2, offset + value_length, behind.origin, behind.values);
	MemoryContextSwitchTo(oldcontext);

	text_end_scanner(cursor);
}

/* What follows the line that the cursor is in, is in another encoding now. */
void
text_change_encoding(RdsCursor *cursor)
{
	Size line_end = text_line_end(cursor, cursor->next);
	RdsPosition next = text_next_line(cursor, line_end);

	text_cut(cursor, Min(line_end + 1, (Size) cursor->text.len));
	cursor->encoding = rds_source_encoding(cursor->source);
	text_continue(cursor, next);
}

/* Where in the script a byte of the text is from. */
RdsPosition
text_position(const RdsCursor *cursor, Size offset)
{
	const RdsStretch *stretch = &cursor->stretches[find_stretch(cursor, offset)];
	RdsPosition position = stretch->origin;

	if (stretch->values == NIL && offset > stretch->start)
		advance(&position, cursor->text.data + stretch->start, offset - stretch->start);
	return position;
}

/* Is a byte of the text the script's own? */
static bool
is_source(const RdsCursor *cursor, Size offset)
{
	return cursor->stretches[find_stretch(cursor, offset)].values == NIL;
}

/* The variable that the script itself refers to, from whose value a byte is; or NULL. */
const char *
text_value_of(const RdsCursor *cursor, Size offset)
{
	const List *values = cursor->stretches[find_stretch(cursor, offset)].values;
	const char *variable = values != NIL ? llast(values) : NULL;

	return variable != NULL && variable[0] != '\0' ? variable : NULL;
}

/* Is a part of the text the source's own, in one piece? */
bool
text_is_one_stretch(const RdsCursor *cursor, Size from, Size to)
{
	int index = find_stretch(cursor, from);

	return cursor->stretches[index].values == NIL &&
		   (index + 1 == cursor->stretch_count || cursor->stretches[index + 1].start >= to);
}

/* The stretches of a part of the text, a copy: they count from that part's first byte. */
RdsStretch *
text_stretches(const RdsCursor *cursor, Size from, Size to, int *count)
{
	int first = find_stretch(cursor, from);
	RdsStretch *copy;

	*count = find_stretch(cursor, to) - first + 1;
	copy = palloc(*count * sizeof(RdsStretch));
	for (int i = 0; i < *count; i++)
	{
		copy[i] = cursor->stretches[first + i];
		copy[i].start = i == 0 ? 0 : copy[i].start - from;
		if (copy[i].values != NIL)
			copy[i].values = list_make1(pstrdup(llast(copy[i].values)));
	}
	copy[0].origin = text_position(cursor, from);
	return copy;
}

/* Is a byte of the text from a variable's value, however deep? */
bool
text_is_value_of(const RdsCursor *cursor, Size offset, const char *name)
{
	ListCell *cell;

	foreach(cell, cursor->stretches[find_stretch(cursor, offset)].values)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

/*
 * Where the line that an offset is in ends: the offset of its line feed, or the
 * text's end.  What a variable's value holds ends no line of the script.
 */
Size
text_line_end(RdsCursor *cursor, Size offset)
{
	Size at = offset;

	for (;;)
	{
		const char *newline = memchr(cursor->text.data + at, '\n', cursor->text.len - at);
		Size before = cursor->next;

		if (newline != NULL)
		{
			at = newline - cursor->text.data;
			if (is_source(cursor, at))
				return at;
			at++;
		}
		else if (cursor->all_read)
			return cursor->text.len;
		else
		{
			/* reading forgets what comes before, and moves the rest */
			at = cursor->text.len;
			text_read_more(cursor);
			at -= before - cursor->next;
		}
	}
}

/* The place in the source that follows a line's end. */
RdsPosition
text_next_line(RdsCursor *cursor, Size line_end)
{
	/* behind what comes after other data, the line before that has no next one */
	RdsPosition position = text_position(cursor, Min(line_end + 1, (Size) cursor->text.len));
	const char *at = cursor->raw.data;
	const char *end = at + cursor->raw.len;

	if (cursor->raw.len == 0)
		return position;

	/* of what was converted only the lines are the same */
	for (int line = cursor->raw_start.line; line < position.line && at < end; line++)
	{
		const char *newline = memchr(at, '\n', end - at);

		at = newline != NULL ? newline + 1 : end;
	}
	position.offset = cursor->raw_start.offset + (at - cursor->raw.data);
	return position;
}

static void
append_verbatim(RdsCursor *cursor, Size size)
{
	char *piece;
	Size got;

	enlargeStringInfo(&cursor->text, size);
	piece = cursor->text.data + cursor->text.len;
	got = rds_source_read(cursor->source, cursor->read, piece, size);
	piece[got] = '\0';
	cursor->all_read = got < size;

	/* what came through SQL has been looked at already */
	if (cursor->source->path != NULL)
	{
		Size usable = usable_length(cursor, piece, got);

		if (usable == 0 && got > 0)
		{
			Size valid = pg_encoding_verifymbstr(cursor->encoding, piece, got);

			cursor->text.len += got;
			report_invalid(cursor, piece + valid, got - valid);
		}
		cursor->all_read = cursor->all_read && usable == got;
		got = usable;
		piece[got] = '\0';
	}
	cursor->text.len += got;
	cursor->read += got;
}

/* Whole lines only, since what was converted is found again by its line. */
static void
append_converted(RdsCursor *cursor, Size size)
{
	Size before = cursor->raw.len;
	char *piece;
	char *converted;
	Size got;
	Size usable;

	for (;;)
	{
		enlargeStringInfo(&cursor->raw, size);
		piece = cursor->raw.data + before;
		got = rds_source_read(cursor->source, cursor->read, piece, size);
		cursor->all_read = got < size;
		usable = usable_length(cursor, piece, got);
		if (usable < got || !cursor->all_read)
			usable = whole_lines(piece, usable);
		if (usable > 0 || got == 0)
			break;
		if (cursor->all_read || pg_encoding_verifymbstr(cursor->encoding, piece, got) + LONGEST_CHARACTER < got)
		{
			Size valid = pg_encoding_verifymbstr(cursor->encoding, piece, got);

			/* the text gets the bytes as they are, for the place to be found */
			appendBinaryStringInfo(&cursor->text, piece, got);
			report_invalid(cursor, cursor->text.data + cursor->text.len - got + valid, got - valid);
		}
		size *= 2;
	}
	cursor->all_read = cursor->all_read && usable == got;
	cursor->raw.len = before + usable;
	cursor->raw.data[cursor->raw.len] = '\0';
	cursor->read += usable;

	converted = pg_any_to_server(cursor->raw.data + before, usable, cursor->encoding);
	if (converted == cursor->raw.data + before)
		appendBinaryStringInfo(&cursor->text, converted, usable);
	else
	{
		appendStringInfoString(&cursor->text, converted);
		pfree(converted);
	}
}

/*
 * How much of a piece can be used: all of it, but for half of a character at its
 * end; or the whole lines before what is not valid, where a script may say that
 * what follows is in another encoding.
 */
static Size
usable_length(const RdsCursor *cursor, const char *piece, Size length)
{
	Size valid = pg_encoding_verifymbstr(cursor->encoding, piece, length);

	if (valid == length || (!cursor->all_read && length - valid < LONGEST_CHARACTER && valid > 0))
		return valid;
	return whole_lines(piece, valid);
}

static Size
whole_lines(const char *piece, Size length)
{
	while (length > 0 && piece[length - 1] != '\n')
		length--;
	return length;
}

/* Forgets what comes before an offset, which becomes the text's start. */
void
text_forget_before(RdsCursor *cursor, Size offset)
{
	char *at = cursor->raw.data;
	char *end = at + cursor->raw.len;

	text_rebase(cursor, offset);

	/* of the raw lines, the one that the offset is in is kept, and all that follow */
	while (at < end && cursor->raw_start.line < cursor->stretches[0].origin.line)
	{
		char *newline = memchr(at, '\n', end - at);

		if (newline == NULL)
			break;
		at = newline + 1;
		cursor->raw_start.line++;
	}
	cursor->raw_start.offset += at - cursor->raw.data;
	cursor->raw.len = end - at;
	memmove(cursor->raw.data, at, cursor->raw.len + 1);

	memmove(cursor->text.data, cursor->text.data + offset, cursor->text.len - offset + 1);
	cursor->text.len -= offset;
	for (int i = 0; i < cursor->stretch_count; i++)
		cursor->stretches[i].start -= offset;
	cursor->start -= Min(cursor->start, offset);
	cursor->counted_from -= Min(cursor->counted_from, offset);
	cursor->end -= Min(cursor->end, offset);
	cursor->stop -= Min(cursor->stop, offset);
	cursor->next -= offset;
}

/* The stretch that an offset is in; at the text's end, the last. */
static int
find_stretch(const RdsCursor *cursor, Size offset)
{
	int low = 0;
	int high = cursor->stretch_count - 1;

	while (low < high)
	{
		int middle = (low + high + 1) / 2;

		if (cursor->stretches[middle].start <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void
insert_stretch(RdsCursor *cursor, int at, Size start, RdsPosition origin, List *values)
{
	if (cursor->stretches == NULL)
	{
		cursor->stretch_room = 8;
		cursor->stretches = MemoryContextAlloc(cursor->context, cursor->stretch_room * sizeof(RdsStretch));
	}
	else if (cursor->stretch_count == cursor->stretch_room)
	{
		cursor->stretch_room *= 2;
		cursor->stretches = repalloc(cursor->stretches, cursor->stretch_room * sizeof(RdsStretch));
	}
	memmove(cursor->stretches + at + 1, cursor->stretches + at,
			(cursor->stretch_count - at) * sizeof(RdsStretch));
	cursor->stretch_count++;
	cursor->stretches[at].start = start;
	cursor->stretches[at].origin = origin;
	cursor->stretches[at].values = values;
}

/* Most of what is counted is short, and most encodings are easy. */
static int
count_characters(const char *at, const char *end)
{
	int count = 0;

	if (pg_database_encoding_max_length() == 1)
		return end - at;
	if (GetDatabaseEncoding() != PG_UTF8)
		return pg_mbstrlen_with_len(at, end - at);
	for (; at < end; at++)
		count += ((unsigned char) *at & 0xC0) != 0x80;
	return count;
}

/* A line ends at a line feed, as psql and every editor count. */
static void
advance(RdsPosition *position, const char *text, Size length)
{
	const char *at = text;
	const char *end = text + length;
	const char *newline;

	while ((newline = memchr(at, '\n', end - at)) != NULL)
	{
		at = newline + 1;
		position->line++;
		position->column = 1;
	}
	position->column += count_characters(at, end);
	position->offset += length;
}

static void
report_invalid(RdsCursor *cursor, const char *text, Size length)
{
	static const uint64 first_line = 1;

	/* says where, as for a line of data */
	cursor->data.first = text_position(cursor, text - cursor->text.data);
	cursor->data.line = &first_line;
	cursor->data.open = true;
	report_invalid_encoding(cursor->encoding, text, length);
}

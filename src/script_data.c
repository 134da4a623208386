/*-------------------------------------------------------------------------
 *
 * script_data.c
 *	  Inline data: the lines behind COPY … FROM stdin, up to "\.".
 *
 * They are read from the source as they stand: no variable is looked for in
 * them, and they are not converted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "script_text.h"

/* "\.", with the longest end that a line has. */
#define LONGEST_END_MARK 4

static bool is_end_mark(const char *line, Size length, bool last, Size *mark_length);

/*
 * rds_cursor_begin_data
 *		Goes to the data of the COPY statement that the cursor is at: the lines
 *		behind the one in which the statement ends.
 *
 * What follows the statement on its own line comes after the data.
 */
void
rds_cursor_begin_data(RdsCursor *cursor)
{
	Size line_end = text_line_end(cursor, cursor->next);
	RdsData data = {0};

	data.open = true;
	data.first = data.read = text_next_line(cursor, line_end);
	data.ended = cursor->all_read && line_end == (Size) cursor->text.len;
	text_cut(cursor, Min(line_end + 1, (Size) cursor->text.len));
	cursor->data = data;
}

/*
 * rds_cursor_read_data
 *		Reads up to size bytes of the data, at least one; 0 at its end.
 *
 * The size has to be at least that of a whole end mark.
 */
Size
rds_cursor_read_data(RdsCursor *cursor, char *buffer, Size size)
{
	RdsData *data = &cursor->data;
	Size got;
	Size done = 0;
	bool last;

	Assert(size >= LONGEST_END_MARK);
	if (data->ended)
		return 0;

	got = rds_source_read(cursor->source, data->read.offset, buffer, size);
	last = got < size;

	while (done < got)
	{
		const char *line = buffer + done;
		const char *newline;
		Size mark_length;

		if (!data->in_line)
		{
			if (is_end_mark(line, got - done, last, &mark_length))
			{
				data->read.offset += done + mark_length;
				data->read.line++;
				data->ended = true;
				return done;
			}
			/* what could be the beginning of one is read again, with the rest */
			if (!last && got - done < LONGEST_END_MARK && line[0] == '\\')
				break;
		}
		newline = memchr(line, '\n', got - done);
		data->in_line = newline == NULL;
		if (newline == NULL)
			done = got;
		else
		{
			done = newline + 1 - buffer;
			data->read.line++;
		}
	}

	data->read.offset += done;
	data->ended = last;
	return done;
}

/* Goes on behind the data, having read what is left of it. */
void
rds_cursor_end_data(RdsCursor *cursor)
{
	char buffer[16 * 1024];

	while (rds_cursor_read_data(cursor, buffer, sizeof(buffer)) > 0)
		CHECK_FOR_INTERRUPTS();

	cursor->data.open = false;
	cursor->data.read.column = 1;
	text_continue(cursor, cursor->data.read);
}

/* Is the line an end mark?  In *mark_length is how long, with the line's end. */
static bool
is_end_mark(const char *line, Size length, bool last, Size *mark_length)
{
	if (length < 2 || line[0] != '\\' || line[1] != '.')
		return false;
	if (length >= 3 && line[2] == '\n')
		*mark_length = 3;
	else if (length >= 4 && line[2] == '\r' && line[3] == '\n')
		*mark_length = 4;
	else if (last && (length == 2 || (length == 3 && line[2] == '\r')))
		*mark_length = length;
	else
		return false;
	return true;
}

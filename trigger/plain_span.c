/*-------------------------------------------------------------------------
 *
 * plain_span.c
 *	  Which part of a statement comes from which place of the script.
 *
 * The lexer copies what it reads, but for space before a statement, for
 * references to variables, and for the backslash of "\;" and "\:".  It says
 * where it is only now and then; from there we look back.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_span.h"

#include <stdlib.h>
#include <string.h>

static void add(SpanList *list, size_t out, size_t source, const char *variable, bool ends_part);

void
spans_reset(SpanList *list, size_t source)
{
	spans_truncate(list, 0);
	list->run_out = 0;
	list->run_source = source;
}

void
spans_free(SpanList *list)
{
	spans_truncate(list, 0);
	free(list->spans);
	memset(list, 0, sizeof(*list));
}

void
spans_truncate(SpanList *list, size_t out)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < list->count; i++)
	{
		if (list->spans[i].out < out)
			list->spans[kept++] = list->spans[i];
		else
			free(list->spans[i].variable);
	}
	list->count = kept;
}

void
spans_close_run(SpanList *list, const char *text, size_t source, const char *output, size_t out)
{
	while (source > list->run_source && out > list->run_out)
	{
		if (text[source - 1] == output[out - 1])
		{
			source--;
			out--;
		}
		else if (text[source - 1] == '\\')
		{
			add(list, out, source, NULL, text[source] == ';');
			source--;
		}
		else
			break;
	}
	add(list, out, source, NULL, false);
}

void
spans_begin_run(SpanList *list, size_t source, size_t out)
{
	list->run_source = source;
	list->run_out = out;
}

void
spans_add_value(SpanList *list, const char *variable, size_t source, size_t length, size_t out)
{
	add(list, out, source, variable, false);
	spans_begin_run(list, source + length, out);
}

/* Of two that begin at the same place, the first is empty. */
size_t
spans_source(const SpanList *list, size_t out, const char **variable)
{
	const Span *best = NULL;
	size_t i;

	*variable = NULL;
	for (i = 0; i < list->count; i++)
	{
		const Span *span = &list->spans[i];

		if (span->out <= out && (best == NULL || span->out > best->out ||
								 (span->out == best->out && span->source >= best->source)))
			best = span;
	}
	if (best == NULL)
		return list->run_source;
	*variable = best->variable;
	return best->variable != NULL ? best->source : best->source + (out - best->out);
}

size_t
spans_part_end(const SpanList *list, size_t from, size_t whole)
{
	size_t end = whole;
	size_t i;

	for (i = 0; i < list->count; i++)
	{
		if (list->spans[i].ends_part && list->spans[i].out >= from && list->spans[i].out + 1 < end)
			end = list->spans[i].out + 1;
	}
	return end;
}

static void
add(SpanList *list, size_t out, size_t source, const char *variable, bool ends_part)
{
	Span *span;

	if (list->count == list->room)
	{
		size_t room = list->room > 0 ? list->room * 2 : 8;
		Span *longer = realloc(list->spans, room * sizeof(*longer));

		if (longer == NULL)
		{
			list->broken = true;
			return;
		}
		list->spans = longer;
		list->room = room;
	}
	span = &list->spans[list->count++];
	span->out = out;
	span->source = source;
	span->ends_part = ends_part;
	span->variable = variable != NULL ? strdup(variable) : NULL;
	if (variable != NULL && span->variable == NULL)
		list->broken = true;
}

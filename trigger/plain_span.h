/*-------------------------------------------------------------------------
 *
 * plain_span.h
 *	  Which part of a statement comes from which place of the script.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_SPAN_H
#define PLAIN_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* A part of the statement, up to the next span. */
typedef struct Span
{
	size_t out;     /* where it begins in the statement */
	size_t source;  /* and in the script; of a variable's value, that of the reference */
	char *variable; /* NULL: the script's own text */
	bool ends_part; /* it begins with the semicolon of a "\;" */
} Span;

typedef struct SpanList
{
	Span *spans;
	size_t count;
	size_t room;
	bool broken; /* memory was out */

	/* The script's own text, the end of which is not known yet, begins not before … */
	size_t run_out;
	size_t run_source;
} SpanList;

extern void spans_reset(SpanList *list, size_t source);
extern void spans_free(SpanList *list);
extern void spans_truncate(SpanList *list, size_t out);

/* The run of the script's own text has come to "source" and, in the statement, to "out". */
extern void spans_close_run(SpanList *list, const char *text, size_t source, const char *output, size_t out);

/* Begins another, behind what is left out of the statement. */
extern void spans_begin_run(SpanList *list, size_t source, size_t out);

/* A value stands in the place of a reference of so many bytes. */
extern void spans_add_value(SpanList *list, const char *variable, size_t source, size_t length, size_t out);

/* Where in the script something of the statement is; "variable" is that in whose value it stands, or NULL. */
extern size_t spans_source(const SpanList *list, size_t out, const char **variable);

/* The end of the part that begins there, before the whole's end. */
extern size_t spans_part_end(const SpanList *list, size_t from, size_t whole);

#endif /* PLAIN_SPAN_H */

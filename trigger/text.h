/*-------------------------------------------------------------------------
 *
 * text.h
 *	  UTF-8: checking it, cutting it, and finding lines and columns in it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TEXT_H
#define TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* A place in a text, both counted from 1; a column is a character. */
typedef struct Position
{
	long line;
	long column;
} Position;

/* The length of the leading part of a text that is valid UTF-8 without NUL. */
extern size_t text_valid_length(const char *text, size_t length);

/*
 * Moves a position, which is that of offset "from", on to offset "to".  A
 * caller that goes through a text keeps the cost linear.
 */
extern void text_advance(Position *position, const char *text, size_t from, size_t to);

/*
 * A JSON string of a text that may hold anything: what is not UTF-8 becomes
 * U+FFFD, and it is cut after 1,000 characters.  JSON's null for NULL.
 */
extern json_t *text_json(const char *text);

#endif /* TEXT_H */

/*-------------------------------------------------------------------------
 *
 * text.c
 *	  UTF-8: checking it, cutting it, and finding lines and columns in it.
 *
 *-------------------------------------------------------------------------
 */
#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Longer messages carry somebody's data or script, and cost log space. */
#define LONGEST_TEXT 1000

#define REPLACEMENT_CHARACTER "\xEF\xBF\xBD"
#define ELLIPSIS "\xE2\x80\xA6"

static size_t character_length(const unsigned char *text, size_t length);

size_t
text_valid_length(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *) text;
	size_t offset = 0;

	while (offset < length)
	{
		size_t size = character_length(bytes + offset, length - offset);

		if (size == 0)
			break;
		offset += size;
	}
	return offset;
}

void
text_advance(Position *position, const char *text, size_t from, size_t to)
{
	size_t offset;

	for (offset = from; offset < to; offset++)
	{
		if (text[offset] == '\n')
		{
			position->line++;
			position->column = 1;
		}
		else if (((unsigned char) text[offset] & 0xC0) != 0x80)
			position->column++;
	}
}

json_t *
text_json(const char *text)
{
	size_t length;
	size_t from = 0;
	size_t characters;
	size_t used = 0;
	char *clean;
	json_t *json;

	if (text == NULL)
		return json_null();

	length = strlen(text);
	clean = malloc(LONGEST_TEXT * 4 + sizeof(ELLIPSIS));
	if (clean == NULL)
		return NULL;

	for (characters = 0; from < length && characters < LONGEST_TEXT; characters++)
	{
		const unsigned char *bytes = (const unsigned char *) text + from;
		size_t size = character_length(bytes, length - from);

		if (size > 0)
		{
			memcpy(clean + used, bytes, size);
			used += size;
			from += size;
		}
		else
		{
			memcpy(clean + used, REPLACEMENT_CHARACTER, strlen(REPLACEMENT_CHARACTER));
			used += strlen(REPLACEMENT_CHARACTER);
			from++;
		}
	}
	if (from < length)
	{
		memcpy(clean + used, ELLIPSIS, strlen(ELLIPSIS));
		used += strlen(ELLIPSIS);
	}

	json = json_stringn(clean, used);
	free(clean);
	return json;
}

/*
 * The length of the character at the start of a text; 0 where there is none:
 * NUL, a stray or missing continuation byte, an overlong form, a surrogate, or
 * beyond U+10FFFF.
 */
static size_t
character_length(const unsigned char *text, size_t length)
{
	uint32_t code;
	size_t size;
	size_t i;

	if (length == 0 || text[0] == '\0')
		return 0;
	if (text[0] < 0x80)
		return 1;

	if ((text[0] & 0xE0) == 0xC0)
		size = 2;
	else if ((text[0] & 0xF0) == 0xE0)
		size = 3;
	else if ((text[0] & 0xF8) == 0xF0)
		size = 4;
	else
		return 0;
	if (size > length)
		return 0;

	code = text[0] & (0x7FU >> size);
	for (i = 1; i < size; i++)
	{
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		code = (code << 6) | (text[i] & 0x3FU);
	}

	if ((size == 2 && code < 0x80) || (size == 3 && code < 0x800) ||
		(size == 4 && (code < 0x10000 || code > 0x10FFFF)) ||
		(code >= 0xD800 && code <= 0xDFFF))
		return 0;
	return size;
}

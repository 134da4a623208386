/*-------------------------------------------------------------------------
 *
 * plain_kind.c
 *	  What running a statement outside of a transaction comes to.
 *
 * The server itself says of each statement whether a transaction can hold it.
 * What is told here from its words only spares the question.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_kind.h"

#include <ctype.h>
#include <string.h>

static bool take(TokenCursor *cursor, const char *word);
static bool sets_by_function(TokenCursor cursor);
static Kind reindex(TokenCursor cursor);

Kind
kind_of(TokenCursor cursor)
{
	Token token;
	TokenCursor start = cursor;

	if (!token_next(&cursor, &token))
		return KIND_INSIDE;
	if (token_is(&cursor, &token, "SET") || token_is(&cursor, &token, "RESET") ||
		token_is(&cursor, &token, "DISCARD") || token_is(&cursor, &token, "LOAD") ||
		token_is(&cursor, &token, "PREPARE") || token_is(&cursor, &token, "DEALLOCATE") ||
		(token_is(&cursor, &token, "SELECT") && sets_by_function(cursor)))
		return KIND_SETTING;
	if (token_is(&cursor, &token, "VACUUM"))
		return KIND_OUTSIDE;
	if (token_is(&cursor, &token, "REINDEX"))
		return reindex(cursor);
	if (token_is(&cursor, &token, "CLUSTER"))
	{
		(void) take(&cursor, "VERBOSE");
		return token_next(&cursor, &token) ? KIND_INSIDE : KIND_OUTSIDE;
	}
	if (token_is(&cursor, &token, "CREATE"))
	{
		if (take(&cursor, "DATABASE") || take(&cursor, "TABLESPACE"))
			return KIND_OUTSIDE;
		(void) take(&cursor, "UNIQUE");
		return take(&cursor, "INDEX") && take(&cursor, "CONCURRENTLY") ? KIND_CREATE_INDEX : KIND_INSIDE;
	}
	if (token_is(&cursor, &token, "DROP"))
	{
		if (take(&cursor, "DATABASE") || take(&cursor, "TABLESPACE"))
			return KIND_OUTSIDE;
		return take(&cursor, "INDEX") && take(&cursor, "CONCURRENTLY") ? KIND_DROP_INDEX : KIND_INSIDE;
	}
	if (token_is(&cursor, &token, "ALTER"))
	{
		if (take(&cursor, "SYSTEM") || (take(&cursor, "DATABASE") && token_among(start, "TABLESPACE")))
			return KIND_OUTSIDE;
		return take(&cursor, "TABLE") && token_among(start, "DETACH") && token_among(start, "CONCURRENTLY") ? KIND_OUTSIDE : KIND_INSIDE;
	}
	return KIND_INSIDE;
}

bool
kind_is_repeatable(TokenCursor cursor)
{
	Token token;

	return token_next(&cursor, &token) &&
		   (token_is(&cursor, &token, "VACUUM") || token_is(&cursor, &token, "ANALYZE") ||
			token_is(&cursor, &token, "ANALYSE") || token_is(&cursor, &token, "REINDEX") ||
			token_is(&cursor, &token, "CLUSTER"));
}

bool
kind_is_concurrent(TokenCursor cursor)
{
	return token_among(cursor, "CONCURRENTLY");
}

void
kind_name(TokenCursor cursor, char *name, size_t size)
{
	size_t used = 0;
	Token token;
	int words;

	for (words = 0; words < 2 && token_next(&cursor, &token) && token.kind == TOKEN_WORD; words++)
	{
		size_t i;

		if (used + token.length + 2 > size)
			break;
		if (words > 0)
			name[used++] = ' ';
		for (i = 0; i < token.length; i++)
			name[used++] = (char) toupper((unsigned char) cursor.text[token.offset + i]);
	}
	name[used] = '\0';
}

/* Takes the word, where it is the next. */
static bool
take(TokenCursor *cursor, const char *word)
{
	TokenCursor behind = *cursor;
	Token token;

	if (!token_next(&behind, &token) || !token_is(&behind, &token, word))
		return false;
	*cursor = behind;
	return true;
}

/* SELECT set_config(…), as dumps have it. */
static bool
sets_by_function(TokenCursor cursor)
{
	Token token;

	if (take(&cursor, "pg_catalog") && !(token_next(&cursor, &token) && token_has_text(&cursor, &token, ".")))
		return false;
	return take(&cursor, "set_config");
}

static Kind
reindex(TokenCursor cursor)
{
	return token_among(cursor, "CONCURRENTLY") || token_among(cursor, "DATABASE") || token_among(cursor, "SCHEMA") ||
				   token_among(cursor, "SYSTEM")
			   ? KIND_REINDEX
			   : KIND_INSIDE;
}

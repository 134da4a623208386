/*-------------------------------------------------------------------------
 *
 * plain_unterminated.c
 *	  What a statement that does not end is in the middle of.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_unterminated.h"

#include <stdlib.h>

#include "plain_token.h"

bool
unterminated_explain(const char *text, size_t length, bool standard_strings, size_t *offset, Error *error)
{
	static const char *const messages[] = {
		[QUOTE_NONE] = "unterminated BEGIN ATOMIC body",
		[QUOTE_STRING] = "unterminated quoted string",
		[QUOTE_IDENTIFIER] = "unterminated quoted identifier",
		[QUOTE_DOLLAR] = "unterminated dollar-quoted string",
		[QUOTE_COMMENT] = "unterminated /* comment"};
	TokenCursor cursor = {text, 0, length, standard_strings, QUOTE_NONE, 0};
	Token token;
	size_t *parentheses = NULL;
	size_t depth = 0;
	size_t room = 0;
	bool any = false;
	const char *message;

	*offset = 0;
	while (token_next(&cursor, &token))
	{
		if (!any)
			*offset = token.offset;
		any = true;
		if (token.kind == TOKEN_CLOSE && depth > 0)
			depth--;
		if (token.kind != TOKEN_OPEN)
			continue;
		if (depth == room)
		{
			size_t *more = realloc(parentheses, (room * 2 + 16) * sizeof(*more));

			if (more == NULL)
			{
				free(parentheses);
				return error_out_of_memory(error);
			}
			parentheses = more;
			room = room * 2 + 16;
		}
		parentheses[depth++] = token.offset;
	}

	message = messages[cursor.open];
	if (cursor.open != QUOTE_NONE)
		*offset = cursor.open_offset;
	else if (depth > 0)
	{
		message = "unterminated parenthesis";
		*offset = parentheses[depth - 1];
	}
	free(parentheses);

	error_set(error, ERROR_SCRIPT, "%s", message);
	error_sqlstate(error, "42601");
	return true;
}

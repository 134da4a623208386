/*-------------------------------------------------------------------------
 *
 * plain_token.c
 *	  The tokens of a statement, for what has to be known about it.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_token.h"

#include <string.h>
#include <strings.h>

static bool skip_space(TokenCursor *cursor);
static bool skip_comment(TokenCursor *cursor);
static bool skip_quoted(TokenCursor *cursor, char quote, bool escapes);
static bool skip_dollar_quoted(TokenCursor *cursor, size_t tag_length);
static size_t dollar_tag_length(const TokenCursor *cursor);
static bool is_escape_string(const TokenCursor *cursor, size_t start);
static bool starts(const TokenCursor *cursor, const char *text);
static bool is_word_start(char c);
static bool is_word_part(char c);
static bool leave_open(TokenCursor *cursor, TokenQuote quote, size_t offset);

bool
token_next(TokenCursor *cursor, Token *token)
{
	size_t start;
	size_t tag_length;
	char c;
	bool terminated = true;

	if (!skip_space(cursor) || cursor->offset >= cursor->end)
		return false;

	start = cursor->offset;
	token->offset = start;
	c = cursor->text[start];

	if (is_word_start(c))
	{
		while (cursor->offset < cursor->end && is_word_part(cursor->text[cursor->offset]))
			cursor->offset++;
		token->kind = TOKEN_WORD;

		/* E'…', B'…', X'…', N'…', U&'…' and U&"…" are one token. */
		if (cursor->offset == start + 1 && strchr("eEbBxXnN", c) != NULL && starts(cursor, "'"))
		{
			token->kind = TOKEN_STRING;
			terminated = skip_quoted(cursor, '\'', is_escape_string(cursor, start));
		}
		else if (cursor->offset == start + 1 && (c == 'u' || c == 'U') && (starts(cursor, "&'") || starts(cursor, "&\"")))
		{
			cursor->offset++;
			token->kind = cursor->text[cursor->offset] == '"' ? TOKEN_IDENTIFIER : TOKEN_STRING;
			terminated = skip_quoted(cursor, cursor->text[cursor->offset], false);
		}
	}
	else if (c == '\'')
	{
		token->kind = TOKEN_STRING;
		terminated = skip_quoted(cursor, '\'', is_escape_string(cursor, start));
	}
	else if (c == '"')
	{
		token->kind = TOKEN_IDENTIFIER;
		terminated = skip_quoted(cursor, '"', false);
	}
	else if (c == '$' && (tag_length = dollar_tag_length(cursor)) > 0)
	{
		token->kind = TOKEN_STRING;
		terminated = skip_dollar_quoted(cursor, tag_length);
	}
	else
	{
		token->kind = TOKEN_OTHER;
		if (c == '(')
			token->kind = TOKEN_OPEN;
		else if (c == ')')
			token->kind = TOKEN_CLOSE;
		cursor->offset++;
	}

	token->length = cursor->offset - start;
	if (!terminated)
		cursor->open_offset = start; /* with the letter before the quote */
	return terminated;
}

bool
token_is(const TokenCursor *cursor, const Token *token, const char *word)
{
	return token->kind == TOKEN_WORD && token_has_text(cursor, token, word);
}

bool
token_among(TokenCursor cursor, const char *word)
{
	Token token;

	while (token_next(&cursor, &token))
	{
		if (token_is(&cursor, &token, word))
			return true;
	}
	return false;
}

bool
token_has_text(const TokenCursor *cursor, const Token *token, const char *text)
{
	return token->length == strlen(text) && strncasecmp(cursor->text + token->offset, text, token->length) == 0;
}

/* False where a comment is not terminated. */
static bool
skip_space(TokenCursor *cursor)
{
	while (cursor->offset < cursor->end)
	{
		if (strchr(" \t\n\r\f", cursor->text[cursor->offset]) != NULL)
			cursor->offset++;
		else if (starts(cursor, "--"))
		{
			while (cursor->offset < cursor->end && strchr("\n\r", cursor->text[cursor->offset]) == NULL)
				cursor->offset++;
		}
		else if (starts(cursor, "/*"))
		{
			if (!skip_comment(cursor))
				return false;
		}
		else
			break;
	}
	return true;
}

/* Comments nest. */
static bool
skip_comment(TokenCursor *cursor)
{
	size_t start = cursor->offset;
	size_t depth = 0;

	while (cursor->offset < cursor->end)
	{
		if (starts(cursor, "/*"))
		{
			depth++;
			cursor->offset += 2;
		}
		else if (starts(cursor, "*/"))
		{
			cursor->offset += 2;
			if (--depth == 0)
				return true;
		}
		else
			cursor->offset++;
	}
	return leave_open(cursor, QUOTE_COMMENT, start);
}

/* A doubled quote stands for one in the string, and does not end it. */
static bool
skip_quoted(TokenCursor *cursor, char quote, bool escapes)
{
	size_t start = cursor->offset++;

	while (cursor->offset < cursor->end)
	{
		char c = cursor->text[cursor->offset++];

		if (escapes && c == '\\' && cursor->offset < cursor->end)
			cursor->offset++;
		else if (c == quote)
		{
			if (cursor->offset == cursor->end || cursor->text[cursor->offset] != quote)
				return true;
			cursor->offset++;
		}
	}
	return leave_open(cursor, quote == '"' ? QUOTE_IDENTIFIER : QUOTE_STRING, start);
}

static bool
skip_dollar_quoted(TokenCursor *cursor, size_t tag_length)
{
	size_t start = cursor->offset;
	const char *tag = cursor->text + start;

	for (cursor->offset += tag_length; cursor->offset + tag_length <= cursor->end; cursor->offset++)
	{
		if (memcmp(cursor->text + cursor->offset, tag, tag_length) == 0)
		{
			cursor->offset += tag_length;
			return true;
		}
	}
	cursor->offset = cursor->end;
	return leave_open(cursor, QUOTE_DOLLAR, start);
}

/* Of $$ or $tag$ at the cursor; 0: it is neither. */
static size_t
dollar_tag_length(const TokenCursor *cursor)
{
	size_t offset = cursor->offset + 1;

	if (offset < cursor->end && is_word_start(cursor->text[offset]))
	{
		while (offset < cursor->end && is_word_part(cursor->text[offset]) && cursor->text[offset] != '$')
			offset++;
	}
	if (offset < cursor->end && cursor->text[offset] == '$')
		return offset + 1 - cursor->offset;
	return 0;
}

/* Does a backslash escape in the string whose token starts there? */
static bool
is_escape_string(const TokenCursor *cursor, size_t start)
{
	char c = cursor->text[start];

	if (c == 'e' || c == 'E')
		return true;

	/* The server's lexer takes N'…' for an ordinary string, B and X for none. */
	return (c == '\'' || c == 'n' || c == 'N') && !cursor->standard_strings;
}

static bool
starts(const TokenCursor *cursor, const char *text)
{
	size_t length = strlen(text);

	return length <= cursor->end - cursor->offset && memcmp(cursor->text + cursor->offset, text, length) == 0;
}

static bool
is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || ((unsigned char) c & 0x80) != 0;
}

static bool
is_word_part(char c)
{
	return is_word_start(c) || (c >= '0' && c <= '9') || c == '$';
}

static bool
leave_open(TokenCursor *cursor, TokenQuote quote, size_t offset)
{
	cursor->open = quote;
	cursor->open_offset = offset;
	return false;
}

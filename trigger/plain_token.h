/*-------------------------------------------------------------------------
 *
 * plain_token.h
 *	  The tokens of a statement, for what has to be known about it.
 *
 * Where statements end is not decided here but by psql's lexer.  This only
 * looks into a statement: where its first token is, how it begins, and which
 * quote of an unterminated one is open.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_TOKEN_H
#define PLAIN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

typedef enum TokenKind
{
	TOKEN_WORD,       /* unquoted */
	TOKEN_IDENTIFIER, /* "quoted" */
	TOKEN_STRING,
	TOKEN_OPEN,  /* ( */
	TOKEN_CLOSE, /* ) */
	TOKEN_OTHER  /* a single character */
} TokenKind;

typedef enum TokenQuote
{
	QUOTE_NONE,
	QUOTE_STRING,
	QUOTE_IDENTIFIER,
	QUOTE_DOLLAR,
	QUOTE_COMMENT
} TokenQuote;

typedef struct Token
{
	TokenKind kind;
	size_t offset; /* in the text */
	size_t length;
} Token;

/* Starts with text, end (an offset) and standard_strings; offset is where to begin. */
typedef struct TokenCursor
{
	const char *text;
	size_t offset;
	size_t end;
	bool standard_strings; /* standard_conforming_strings */
	TokenQuote open;       /* what is not terminated, after the last token */
	size_t open_offset;    /* and where it begins */
} TokenCursor;

/* Skips white space and comments; false at the end, or where something is open. */
extern bool token_next(TokenCursor *cursor, Token *token);

/* Is the token this word, whatever its case? */
extern bool token_is(const TokenCursor *cursor, const Token *token, const char *word);

/* Is this word among the tokens that follow?  The cursor stays where it is. */
extern bool token_among(TokenCursor cursor, const char *word);

/* Is this its text, whatever its kind and case? */
extern bool token_has_text(const TokenCursor *cursor, const Token *token, const char *text);

#endif /* PLAIN_TOKEN_H */

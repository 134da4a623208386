/*-------------------------------------------------------------------------
 *
 * body.c
 *	  BEGIN ATOMIC bodies, whose semicolons end no statement.
 *
 * A body may be an element of CREATE SCHEMA, too; older parsers refuse it
 * there, so to know it does no harm.
 *
 * Keyword tokens have other numbers in each version of the server, so a keyword
 * is known by its letters.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "body.h"

/* Tokens below this are single characters: flex's and bison's convention. */
#define FIRST_NAMED_TOKEN 258

/*
 * rds_body_next
 *		Where a statement is after one more token, which stands at a text's start
 *		and in so many open parentheses.
 *
 * The END that ends a body follows a semicolon or ATOMIC itself; the END of a
 * CASE never does, for no expression holds a semicolon.
 */
RdsBody
rds_body_next(RdsBody body, int token, const char *text, int depth)
{
	switch (body)
	{
		case RDS_BODY_START:
			return rds_is_word(token, text, "create") ? RDS_BODY_CREATE : RDS_BODY_NONE;
		case RDS_BODY_CREATE:
			if (rds_is_word(token, text, "or"))
				return RDS_BODY_OR;
			break;
		case RDS_BODY_OR:
			return rds_is_word(token, text, "replace") ? RDS_BODY_REPLACE : RDS_BODY_OTHER;
		case RDS_BODY_REPLACE:
			break;
		case RDS_BODY_OTHER:
			return depth == 0 && rds_is_word(token, text, "create") ? RDS_BODY_CREATE : RDS_BODY_OTHER;
		case RDS_BODY_ROUTINE:
		case RDS_BODY_BEGIN:
			if (body == RDS_BODY_BEGIN && rds_is_word(token, text, "atomic"))
				return RDS_BODY_BETWEEN;
			return depth == 0 && rds_is_word(token, text, "begin") ? RDS_BODY_BEGIN : RDS_BODY_ROUTINE;
		case RDS_BODY_STATEMENT:
			return depth == 0 && token == ';' ? RDS_BODY_BETWEEN : RDS_BODY_STATEMENT;
		case RDS_BODY_BETWEEN:
			if (token == ';')
				return RDS_BODY_BETWEEN;
			return rds_is_word(token, text, "end") ? RDS_BODY_OTHER : RDS_BODY_STATEMENT;
		case RDS_BODY_NONE:
			return RDS_BODY_NONE;
	}
	return rds_is_word(token, text, "function") || rds_is_word(token, text, "procedure")
			   ? RDS_BODY_ROUTINE
			   : RDS_BODY_OTHER;
}

bool
rds_body_is_open(RdsBody body)
{
	return body == RDS_BODY_STATEMENT || body == RDS_BODY_BETWEEN;
}

/* Is the token at a text's start this word, in whatever case? */
bool
rds_is_word(int token, const char *text, const char *word)
{
	Size length = strlen(word);
	unsigned char next;

	if (token < FIRST_NAMED_TOKEN || pg_strncasecmp(text, word, length) != 0)
		return false;
	next = (unsigned char) text[length];

	return !(isalnum(next) || next == '_' || next == '$' || IS_HIGHBIT_SET(next));
}

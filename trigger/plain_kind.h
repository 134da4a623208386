/*-------------------------------------------------------------------------
 *
 * plain_kind.h
 *	  What running a statement outside of a transaction comes to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_KIND_H
#define PLAIN_KIND_H

#include <stdbool.h>

#include "plain_token.h"

typedef enum Kind
{
	KIND_INSIDE,       /* a transaction can hold it, as far as is known */
	KIND_SETTING,      /* changes the session, for the statements behind it */
	KIND_OUTSIDE,      /* no transaction can hold it */
	KIND_CREATE_INDEX, /* the same: CREATE INDEX CONCURRENTLY, … */
	KIND_DROP_INDEX,   /* … DROP INDEX CONCURRENTLY … */
	KIND_REINDEX       /* … REINDEX, of many tables or concurrently */
} Kind;

/* The cursor is at the statement's start. */
extern Kind kind_of(TokenCursor cursor);

/* May it be run once more, whatever came of it: VACUUM, ANALYZE, REINDEX, CLUSTER? */
extern bool kind_is_repeatable(TokenCursor cursor);

/* Does it hold up neither reader nor writer while it waits itself? */
extern bool kind_is_concurrent(TokenCursor cursor);

/* The statement's first two words, in upper case, for an error. */
extern void kind_name(TokenCursor cursor, char *name, size_t size);

#endif /* PLAIN_KIND_H */

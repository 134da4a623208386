/*-------------------------------------------------------------------------
 *
 * plain_quote.c
 *	  A variable's value as a constant or an identifier.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_quote.h"

#include <string.h>

/* A copy, since what libpq gives is for libpq to free. */
char *
quote_value(PGconn *connection, const char *value, char form)
{
	char *quoted = form == '"' ? PQescapeIdentifier(connection, value, strlen(value))
							   : PQescapeLiteral(connection, value, strlen(value));
	char *copy = quoted != NULL ? strdup(quoted) : NULL;

	PQfreemem(quoted);
	return copy;
}

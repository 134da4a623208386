/*-------------------------------------------------------------------------
 *
 * plain_quote.h
 *	  A variable's value as a constant or an identifier.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_QUOTE_H
#define PLAIN_QUOTE_H

#include <libpq-fe.h>

/* "form" is the quote of the reference, ' or ".  To be freed; NULL: it cannot be quoted. */
extern char *quote_value(PGconn *connection, const char *value, char form);

#endif /* PLAIN_QUOTE_H */

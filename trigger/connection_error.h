/*-------------------------------------------------------------------------
 *
 * connection_error.h
 *	  What libpq says of a failed connection, taken apart and judged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CONNECTION_ERROR_H
#define CONNECTION_ERROR_H

#include <stdbool.h>

#include "error.h"

/*
 * Sets the error from a message of PQERRORS_VERBOSE; which server it was is left
 * out.  True where another attempt may do better.
 */
extern bool connection_error(const char *message, Error *error);

#endif /* CONNECTION_ERROR_H */

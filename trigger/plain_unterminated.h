/*-------------------------------------------------------------------------
 *
 * plain_unterminated.h
 *	  What a statement that does not end is in the middle of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_UNTERMINATED_H
#define PLAIN_UNTERMINATED_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Sets the error, and where in the statement that begins; false: out of memory. */
extern bool unterminated_explain(const char *text, size_t length, bool standard_strings, size_t *offset, Error *error);

#endif /* PLAIN_UNTERMINATED_H */

/*-------------------------------------------------------------------------
 *
 * checksum.h
 *	  What scripts and statements are compared by: SHA-256, in hexadecimal.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define CHECKSUM_LENGTH 64

/* Both write so many digits, and an end. */
extern bool checksum_text(const char *text, size_t length, char *checksum, Error *error);

/* Without a byte-order mark, and every CRLF is LF: a checkout's line endings change nothing. */
extern bool checksum_script(const char *body, size_t length, char *checksum, Error *error);

#endif /* CHECKSUM_H */

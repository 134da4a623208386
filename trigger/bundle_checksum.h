/*-------------------------------------------------------------------------
 *
 * bundle_checksum.h
 *	  One checksum of a whole bundle.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BUNDLE_CHECKSUM_H
#define BUNDLE_CHECKSUM_H

#include <stdbool.h>

#include "bundle.h"
#include "checksum.h"
#include "error.h"

/*
 * The SHA-256 of what sha256sum prints for the bundle's files, in bytewise order
 * of their names.  A script that metadata.toml takes out of the transaction has
 * a line more, "no-transaction" and its name.
 */
extern bool bundle_checksum(const Bundle *bundle, char *checksum, Error *error);

/* Is it the one that is asked for?  NULL asks for none. */
extern bool bundle_check_checksum(const Bundle *bundle, const char *wanted, Error *error);

#endif /* BUNDLE_CHECKSUM_H */

/*-------------------------------------------------------------------------
 *
 * bundle_metadata.h
 *	  What diesel's metadata.toml says of the up.sql beside it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BUNDLE_METADATA_H
#define BUNDLE_METADATA_H

#include <stdbool.h>

#include "error.h"

/*
 * Reads the file, if it is there: run_in_transaction, which is true unless it is
 * set.  "name" is the file's in errors.
 */
extern bool metadata_read(const char *path, const char *name, bool *run_in_transaction, Error *error);

#endif /* BUNDLE_METADATA_H */

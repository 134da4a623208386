/*-------------------------------------------------------------------------
 *
 * bundle.h
 *	  The scripts that the program was packaged with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct Script
{
	char *name; /* relative to the bundle's directory, with '/' */
	char *body; /* as in the file, without NUL; NUL-terminated */
	size_t length;
	bool is_utf8;        /* else it says itself what it is in */
	bool no_transaction; /* diesel's metadata.toml says so */
} Script;

/* In bytewise order of name; never empty after success. */
typedef struct Bundle
{
	Script *scripts;
	size_t count;
	size_t bytes; /* of all bodies */
	bool is_file; /* a single one, which need not be all that there is */
} Bundle;

/*
 * Reads a file, or every .sql file below a directory.  "path" NULL: the
 * directory "schema", or else the file "schema.sql", beside the program.
 */
extern bool bundle_read(const char *path, const char *program_directory, Bundle *bundle, Error *error);
/* For who needs it so: is the whole bundle in UTF-8? */
extern bool bundle_check_encoding(const Bundle *bundle, Error *error);
extern void bundle_free(Bundle *bundle);

#endif /* BUNDLE_H */

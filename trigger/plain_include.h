/*-------------------------------------------------------------------------
 *
 * plain_include.h
 *	  The files that \i and \ir name: those of the bundle, and no others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_INCLUDE_H
#define PLAIN_INCLUDE_H

#include <stdbool.h>
#include <stddef.h>

#include "bundle.h"
#include "error.h"

/*
 * The index in the bundle of the script of that path: from the bundle's root,
 * or "relative" to the script named "from".
 */
extern bool include_find(const Bundle *bundle, const char *from, const char *path, bool relative,
						 size_t *index, Error *error);

#endif /* PLAIN_INCLUDE_H */

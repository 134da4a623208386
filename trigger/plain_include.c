/*-------------------------------------------------------------------------
 *
 * plain_include.c
 *	  The files that \i and \ir name: those of the bundle, and no others.
 *
 *-------------------------------------------------------------------------
 */
#include "plain_include.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool resolve(char *path);
static bool refuse(Error *error, const char *sqlstate, const char *path, const char *problem, const char *hint);

bool
include_find(const Bundle *bundle, const char *from, const char *path, bool relative, size_t *index, Error *error)
{
	const char *slash = relative ? strrchr(from, '/') : NULL;
	char *name = NULL;
	bool is_inside;
	bool is_directory = false;
	size_t i;

	if (asprintf(&name, "%.*s%s", slash != NULL ? (int) (slash + 1 - from) : 0, from, path) < 0)
		return error_out_of_memory(error);
	is_inside = path[0] != '/' && resolve(name);

	for (i = 0; is_inside && i < bundle->count; i++)
	{
		const char *other = bundle->scripts[i].name;
		size_t length = strlen(name);

		if (strcmp(other, name) == 0)
			break;
		is_directory = is_directory || length == 0 || (strncmp(other, name, length) == 0 && other[length] == '/');
	}
	free(name);

	*index = i;
	if (!is_inside)
		return refuse(error, "0A000", path, "is outside of the bundle",
					  "\\i takes a path from the bundle's root, \\ir one from the file that it stands in.");
	if (i < bundle->count)
		return true;
	if (is_directory)
		return refuse(error, "42809", path, "is a directory", "Name one of its files.");
	return refuse(error, "58P01", path, "is not in the bundle",
				  "\\i takes a path from the bundle's root, \\ir one from the file that it stands in;"
				  " only files whose names end in .sql are in the bundle.");
}

/* Takes "." and ".." out of a path; false where it leads out of the root. */
static bool
resolve(char *path)
{
	const char *at = path;
	size_t used = 0;

	while (*at != '\0')
	{
		size_t length = strcspn(at, "/");

		if (length == 2 && strncmp(at, "..", 2) == 0)
		{
			if (used == 0)
				return false;
			do
				used--;
			while (used > 0 && path[used] != '/');
		}
		else if (length > 0 && !(length == 1 && *at == '.'))
		{
			if (used > 0)
				path[used++] = '/';
			memmove(path + used, at, length);
			used += length;
		}
		at += length;
		at += *at == '/';
	}
	path[used] = '\0';
	return true;
}

static bool
refuse(Error *error, const char *sqlstate, const char *path, const char *problem, const char *hint)
{
	error_set(error, ERROR_SCRIPT, "file \"%s\" %s", path, problem);
	error_sqlstate(error, sqlstate);
	error_hint(error, "%s", hint);
	return false;
}

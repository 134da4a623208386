/*-------------------------------------------------------------------------
 *
 * bundle_metadata.c
 *	  What diesel's metadata.toml says of the up.sql beside it.
 *
 * Of TOML no more is read than the lines of the top level that have one key:
 * run_in_transaction = true, or false.
 *
 *-------------------------------------------------------------------------
 */
#include "bundle_metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY "run_in_transaction"
#define BLANKS " \t\r\n"

static bool read_lines(FILE *file, const char *name, bool *run_in_transaction, Error *error);
static const char *value_of(const char *line);
static bool has_word(const char *value, const char *word);

/* What was reviewed is the directory: a link is not followed. */
bool
metadata_read(const char *path, const char *name, bool *run_in_transaction, Error *error)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
	bool ok;

	*run_in_transaction = true;
	if (file == NULL)
	{
		int code = errno;

		if (descriptor >= 0)
			close(descriptor);
		return code == ENOENT ||
			   error_set(error, ERROR_BUNDLE, "could not read \"%s\": %s", path, strerror(code));
	}
	ok = read_lines(file, name, run_in_transaction, error);
	fclose(file);
	return ok;
}

static bool
read_lines(FILE *file, const char *name, bool *run_in_transaction, Error *error)
{
	char line[1024];
	long number = 0;

	while (fgets(line, sizeof(line), file) != NULL)
	{
		const char *start = line + strspn(line, BLANKS);
		const char *value = value_of(start);

		number++;
		if (*start == '[')
			break; /* what follows belongs to a table */
		if (value == NULL)
			continue;
		if (!has_word(value, "true") && !has_word(value, "false"))
		{
			error_set(error, ERROR_BUNDLE, KEY " is neither true nor false");
			error_place(error, name, number, 1, 0);
			return false;
		}
		*run_in_transaction = has_word(value, "true");
	}
	if (ferror(file))
		return error_set(error, ERROR_BUNDLE, "could not read \"%s\": %s", name, strerror(errno));
	return true;
}

/* NULL: it is another key's line, or none's. */
static const char *
value_of(const char *line)
{
	const char *at = line;

	if (strncmp(at, KEY, strlen(KEY)) != 0)
		return NULL;
	at += strlen(KEY);
	at += strspn(at, BLANKS);
	if (*at != '=')
		return NULL;
	at++;
	return at + strspn(at, BLANKS);
}

/* Behind it only a comment may stand. */
static bool
has_word(const char *value, const char *word)
{
	const char *rest = value + strlen(word);

	if (strncmp(value, word, strlen(word)) != 0)
		return false;
	rest += strspn(rest, BLANKS);
	return *rest == '\0' || *rest == '#';
}

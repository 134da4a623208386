/*-------------------------------------------------------------------------
 *
 * bundle.c
 *	  The scripts that the program was packaged with.
 *
 *-------------------------------------------------------------------------
 */
#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle_metadata.h"
#include "text.h"

/* libpq's and the server's messages are limited to 1 GB each. */
#define LARGEST_BUNDLE ((size_t) 512 * 1024 * 1024)

/* Far more than anyone nests; it bounds the recursion. */
#define DEEPEST_DIRECTORY 32

static bool find_default(const char *directory, char **path, Error *error);
static bool read_directory(Bundle *bundle, const char *root, const char *path, const char *prefix, int depth,
						   Error *error);
static bool read_entry(Bundle *bundle, const char *root, const char *path, const char *name, int depth, Error *error);
static bool read_metadata(const char *root, Script *script, Error *error);
static bool check_link(const char *root, const char *path, Error *error);
static bool read_script(Bundle *bundle, const char *path, const char *name, Error *error);
static bool read_body(const char *path, size_t limit, Script *script, Error *error);
static bool check_body(Script *script, Error *error);
static bool sets_encoding(const char *body);
static bool refuse_byte(const Script *script, size_t offset, Error *error);
static bool check_name(const char *name, Error *error);
static bool add_script(Bundle *bundle, const Script *script, Error *error);
static void script_free(Script *script);
static bool join(const char *directory, const char *name, char **path, Error *error);
static bool ends_with(const char *text, const char *end);
static int compare_names(const void *a, const void *b);

bool
bundle_read(const char *path, const char *program_directory, Bundle *bundle, Error *error)
{
	struct stat status;
	char *default_path = NULL;
	char *root = NULL;
	bool ok = false;

	if (path == NULL)
	{
		if (!find_default(program_directory, &default_path, error))
			goto done;
		path = default_path;
	}

	root = realpath(path, NULL);
	if (root == NULL || stat(root, &status) != 0)
	{
		error_set(error, ERROR_BUNDLE, "could not read the bundle \"%s\": %s", path, strerror(errno));
		goto done;
	}

	if (S_ISDIR(status.st_mode))
		ok = read_directory(bundle, root, root, "", 0, error);
	else
	{
		/* Its name is the link's, not that of what the link leads to. */
		const char *slash = strrchr(path, '/');

		bundle->is_file = true;
		ok = read_script(bundle, path, slash != NULL ? slash + 1 : path, error);
	}
	if (ok && bundle->count == 0)
		ok = error_set(error, ERROR_BUNDLE, "no .sql file in the bundle's directory \"%s\"", path);
	if (ok)
		qsort(bundle->scripts, bundle->count, sizeof(*bundle->scripts), compare_names);

done:
	free(default_path);
	free(root);
	return ok;
}

bool
bundle_check_encoding(const Bundle *bundle, Error *error)
{
	size_t i;

	for (i = 0; i < bundle->count; i++)
	{
		const Script *script = &bundle->scripts[i];

		if (!script->is_utf8)
			return refuse_byte(script, text_valid_length(script->body, script->length), error);
	}
	return true;
}

void
bundle_free(Bundle *bundle)
{
	size_t i;

	for (i = 0; i < bundle->count; i++)
		script_free(&bundle->scripts[i]);
	free(bundle->scripts);
	memset(bundle, 0, sizeof(*bundle));
}

static bool
find_default(const char *directory, char **path, Error *error)
{
	static const char *const names[] = {"schema", "schema.sql"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (!join(directory, names[i], path, error))
			return false;
		if (access(*path, F_OK) == 0)
			return true;
		free(*path);
		*path = NULL;
	}
	error_set(error, ERROR_BUNDLE, "there is neither a directory \"schema\" nor a file \"schema.sql\" in \"%s\"", directory);
	error_hint(error, "Package the scripts beside the program, or say with RDSINIT_BUNDLE where they are.");
	return false;
}

/* "prefix" is what the names of this directory's files begin with. */
static bool
read_directory(Bundle *bundle, const char *root, const char *path, const char *prefix, int depth, Error *error)
{
	DIR *directory;
	struct dirent *entry;
	bool ok = true;

	if (depth > DEEPEST_DIRECTORY)
		return error_set(error, ERROR_BUNDLE, "directories are nested more than %d deep: \"%s\"", DEEPEST_DIRECTORY, path);

	directory = opendir(path);
	if (directory == NULL)
		return error_set(error, ERROR_BUNDLE, "could not open directory \"%s\": %s", path, strerror(errno));

	while (ok && (errno = 0, entry = readdir(directory)) != NULL)
	{
		char *entry_path = NULL;
		char *name = NULL;

		if (entry->d_name[0] == '.')
			continue;
		ok = join(path, entry->d_name, &entry_path, error);
		if (ok && asprintf(&name, "%s%s", prefix, entry->d_name) < 0)
		{
			name = NULL;
			ok = error_out_of_memory(error);
		}
		ok = ok && read_entry(bundle, root, entry_path, name, depth, error);
		free(entry_path);
		free(name);
	}
	if (ok && errno != 0)
		ok = error_set(error, ERROR_BUNDLE, "could not read directory \"%s\": %s", path, strerror(errno));

	closedir(directory);
	return ok;
}

static bool
read_entry(Bundle *bundle, const char *root, const char *path, const char *name, int depth, Error *error)
{
	struct stat status;
	bool is_link;
	char *prefix = NULL;
	bool ok;

	if (lstat(path, &status) != 0)
		return error_set(error, ERROR_BUNDLE, "could not read \"%s\": %s", path, strerror(errno));
	is_link = S_ISLNK(status.st_mode);
	if (is_link && stat(path, &status) != 0)
		return error_set(error, ERROR_BUNDLE, "could not follow the symbolic link \"%s\": %s", path, strerror(errno));

	if (S_ISDIR(status.st_mode))
	{
		/* Links between directories could make circles, and one script two. */
		if (is_link)
			return error_set(error, ERROR_BUNDLE, "\"%s\" is a symbolic link to a directory, which is not followed", path);
		if (asprintf(&prefix, "%s/", name) < 0)
			return error_out_of_memory(error);
		ok = read_directory(bundle, root, path, prefix, depth + 1, error);
		free(prefix);
		return ok;
	}

	if (!ends_with(name, ".sql"))
		return true;
	if (is_link && !check_link(root, path, error))
		return false;
	return read_script(bundle, path, name, error) &&
		   read_metadata(root, &bundle->scripts[bundle->count - 1], error);
}

/* In diesel's directories a file beside up.sql says more of it. */
static bool
read_metadata(const char *root, Script *script, Error *error)
{
	const char *slash = strrchr(script->name, '/');
	bool run_in_transaction = true;
	char *path = NULL;
	char *name = NULL;
	bool ok = false;

	if (slash == NULL || strcmp(slash, "/up.sql") != 0)
		return true;
	if (asprintf(&name, "%.*s/metadata.toml", (int) (slash - script->name), script->name) < 0)
		return error_out_of_memory(error);
	if (join(root, name, &path, error))
		ok = metadata_read(path, name, &run_in_transaction, error);
	script->no_transaction = !run_in_transaction;
	free(path);
	free(name);
	return ok;
}

/* What was reviewed is the directory: nothing from outside of it is run. */
static bool
check_link(const char *root, const char *path, Error *error)
{
	char *target = realpath(path, NULL);
	size_t length = strlen(root);
	bool inside;

	if (target == NULL)
		return error_set(error, ERROR_BUNDLE, "could not follow the symbolic link \"%s\": %s", path, strerror(errno));
	inside = strncmp(target, root, length) == 0 && (target[length] == '/' || ends_with(root, "/"));
	if (!inside)
		error_set(error, ERROR_BUNDLE, "the symbolic link \"%s\" leads outside of the bundle, to \"%s\"", path, target);
	free(target);
	return inside;
}

static bool
read_script(Bundle *bundle, const char *path, const char *name, Error *error)
{
	Script script = {0};

	if (!check_name(name, error))
		return false;
	script.name = strdup(name);
	if (script.name == NULL)
		return error_out_of_memory(error);
	if (read_body(path, LARGEST_BUNDLE - bundle->bytes, &script, error) && check_body(&script, error) &&
		add_script(bundle, &script, error))
		return true;

	script_free(&script);
	return false;
}

static bool
read_body(const char *path, size_t limit, Script *script, Error *error)
{
	struct stat status;
	int file;
	ssize_t got = 1;
	bool ok = false;

	/* Not blocking, since opening a named pipe would wait for its writer. */
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &status) != 0)
	{
		error_set(error, ERROR_BUNDLE, "could not read \"%s\": %s", path, strerror(errno));
		goto done;
	}
	if (!S_ISREG(status.st_mode))
	{
		error_set(error, ERROR_BUNDLE, "\"%s\" is not a regular file", path);
		goto done;
	}
	if ((uintmax_t) status.st_size > limit)
	{
		error_set(error, ERROR_BUNDLE, "the bundle is larger than %zu MB, with \"%s\" at the latest",
				  LARGEST_BUNDLE / (1024 * 1024), path);
		goto done;
	}

	script->body = malloc((size_t) status.st_size + 1);
	if (script->body == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}
	while (got > 0 && script->length < (size_t) status.st_size)
	{
		got = read(file, script->body + script->length, (size_t) status.st_size - script->length);
		if (got > 0)
			script->length += (size_t) got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0)
	{
		error_set(error, ERROR_BUNDLE, "could not read \"%s\": %s", path, strerror(errno));
		goto done;
	}
	script->body[script->length] = '\0';
	ok = true;

done:
	if (file >= 0)
		close(file);
	return ok;
}

/* What is not UTF-8 can be what psql reads, where the script says what it is in. */
static bool
check_body(Script *script, Error *error)
{
	size_t valid = text_valid_length(script->body, script->length);
	const char *nul = memchr(script->body, '\0', script->length);

	script->is_utf8 = valid == script->length;
	if (script->is_utf8)
		return true;
	if (sets_encoding(script->body))
		return nul == NULL || refuse_byte(script, (size_t) (nul - script->body), error);
	return refuse_byte(script, valid, error);
}

static bool
sets_encoding(const char *body)
{
	return strcasestr(body, "client_encoding") != NULL || strstr(body, "\\encoding") != NULL;
}

static bool
refuse_byte(const Script *script, size_t offset, Error *error)
{
	Position position = {1, 1};

	text_advance(&position, script->body,
				 strncmp(script->body, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0 ? strlen(BYTE_ORDER_MARK) : 0,
				 offset);
	if (script->body[offset] == '\0')
		error_set(error, ERROR_BUNDLE, "a NUL byte, which no SQL script can hold");
	else
		error_set(error, ERROR_BUNDLE, "invalid UTF-8: byte 0x%02x", (unsigned char) script->body[offset]);
	error_hint(error, "Scripts must be in UTF-8; \"iconv -t UTF-8\" converts them.");
	error_place(error, script->name, position.line, position.column, 0);
	return false;
}

/* Names go into lines of the server's messages and of our log. */
static bool
check_name(const char *name, Error *error)
{
	const char *c;

	if (text_valid_length(name, strlen(name)) != strlen(name))
		return error_set(error, ERROR_BUNDLE, "a file's name is not valid UTF-8: \"%s\"", name);
	for (c = name; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ' || *c == '\x7f')
			return error_set(error, ERROR_BUNDLE, "a file's name holds a control character: \"%s\"", name);
	}
	return true;
}

/* Takes the script over. */
static bool
add_script(Bundle *bundle, const Script *script, Error *error)
{
	Script *longer = realloc(bundle->scripts, (bundle->count + 1) * sizeof(*longer));

	if (longer == NULL)
		return error_out_of_memory(error);
	bundle->scripts = longer;
	bundle->scripts[bundle->count++] = *script;
	bundle->bytes += script->length;
	return true;
}

static void
script_free(Script *script)
{
	free(script->name);
	free(script->body);
}

static bool
join(const char *directory, const char *name, char **path, Error *error)
{
	if (asprintf(path, "%s/%s", directory, name) < 0)
	{
		*path = NULL;
		return error_out_of_memory(error);
	}
	return true;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const Script *) a)->name, ((const Script *) b)->name);
}

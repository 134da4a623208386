/*-------------------------------------------------------------------------
 *
 * bundle_reader.c
 *	  Reads a bundle as the trigger reads it, with all that names and bodies
 *	  mean, and does nothing else.
 *
 * The text is a directory: files, each ended by the byte 0x1e.  A file is its
 * name in the first line, and its content; or a symbolic link, where the
 * content begins with "-> ".  What cannot be a file's name is left out.
 *
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"
#include "bundle_checksum.h"
#include "plain_work.h"
#include "reader.h"
#include "shared/naming.h"
#include "shared/sections.h"

#define END '\x1e'
#define LINK "-> "
#define MOST_FILES 64
#define LONGEST_NAME 1000

static void write_files(const char *text, size_t length);
static void write_file(const char *text, size_t length);
static bool make_directories(char *name);
static const char *read_bundle(const char *path);
static bool look_at(const Bundle *bundle, Error *error);
static void check_work(const Work *work);
static void check_version(const Work *work);
static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place);

const char *
read_input(const char *text, size_t length)
{
	char directory[] = "/tmp/rdsinit-fuzz-XXXXXX";
	RdsSections sections;
	const char *word;

	/* The extension looks at lines before it knows that they hold no NUL. */
	rds_sections_begin(&sections);
	rds_sections_text(&sections, text, length);
	rds_sections_end(&sections);
	if (sections.has_down && sections.down.offset > length)
		abort();

	if (mkdtemp(directory) == NULL || chdir(directory) != 0)
		abort();
	write_files(text, length);
	word = read_bundle(directory);
	if (chdir("/") != 0 || nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		abort();
	return word;
}

static void
write_files(const char *text, size_t length)
{
	const char *end = text + length;
	int count;

	for (count = 0; text < end && count < MOST_FILES; count++)
	{
		const char *stop = memchr(text, END, (size_t) (end - text));

		if (stop == NULL)
			stop = end;
		write_file(text, (size_t) (stop - text));
		text = stop + 1;
	}
}

static void
write_file(const char *text, size_t length)
{
	const char *newline = memchr(text, '\n', length);
	size_t name_length = newline != NULL ? (size_t) (newline - text) : length;
	const char *body = newline != NULL ? newline + 1 : text + length;
	size_t body_length = (size_t) (text + length - body);
	char name[LONGEST_NAME + 1];
	int file;

	if (name_length == 0 || name_length > LONGEST_NAME || memchr(text, '\0', name_length) != NULL)
		return;
	memcpy(name, text, name_length);
	name[name_length] = '\0';
	if (name[0] == '/' || strstr(name, "..") != NULL || !make_directories(name))
		return;

	if (body_length > strlen(LINK) && memcmp(body, LINK, strlen(LINK)) == 0)
	{
		char target[LONGEST_NAME + 1] = "";
		size_t target_length = body_length - strlen(LINK);

		memcpy(target, body + strlen(LINK), target_length < LONGEST_NAME ? target_length : LONGEST_NAME);
		(void) !symlink(target, name);
		return;
	}
	file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (file < 0)
		return;
	if (write(file, body, body_length) != (ssize_t) body_length)
		abort();
	close(file);
}

/* None of them is a link that leads elsewhere. */
static bool
make_directories(char *name)
{
	char *slash;
	struct stat status;

	for (slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		bool ok;

		*slash = '\0';
		(void) mkdir(name, 0700);
		ok = lstat(name, &status) == 0 && S_ISDIR(status.st_mode);
		*slash = '/';
		if (!ok)
			return false;
	}
	return true;
}

static const char *
read_bundle(const char *path)
{
	Bundle bundle = {0};
	Error error = ERROR_NONE;
	const char *word = "refused";
	bool ok = bundle_read(path, path, &bundle, &error);

	if (ok != (error.type == NULL) || (ok && bundle.count == 0))
		abort();
	if (ok)
	{
		word = bundle_check_encoding(&bundle, &error) ? "bundle" : "encoded";
		error_free(&error);
		if (!look_at(&bundle, &error))
			word = "wrong";
	}
	bundle_free(&bundle);
	error_free(&error);
	return word;
}

static bool
look_at(const Bundle *bundle, Error *error)
{
	char checksum[CHECKSUM_LENGTH + 1];
	bool right = true;
	size_t i;

	for (i = 0; i < bundle->count; i++)
	{
		Work work = {0};
		Error problem = ERROR_NONE;

		work.script = &bundle->scripts[i];
		if (i > 0 && strcmp(bundle->scripts[i - 1].name, work.script->name) >= 0)
			abort();
		if (!work_look(&work, &problem) || !checksum_script(work.script->body, work.script->length, checksum, &problem))
			abort();
		check_work(&work);
		right = work_check(&work, &problem) && right;
		error_free(&problem);
		work_free(&work);
	}
	if (!bundle_checksum(bundle, checksum, error) || strlen(checksum) != CHECKSUM_LENGTH ||
		!bundle_check_checksum(bundle, checksum, error))
		abort();
	return right;
}

static void
check_work(const Work *work)
{
	Error problem = ERROR_NONE;
	const char *name;
	char *text;

	if (work_length(work) > work->script->length)
		abort();
	if (work->naming.problem == NULL && work->version != NULL)
	{
		check_version(work);
		if (work_undo(work, &name, &text, &problem))
			free(text);
		error_free(&problem);
	}
}

/*
 * A version in its canonical form is one, and is the canonical form of itself; but for
 * diesel's dates, which end in a zero that counts: see rds_version_canonical().
 */
static void
check_version(const Work *work)
{
	char *again = malloc(strlen(work->version) + 1);

	if (again == NULL || !rds_version_is_valid(work->version))
		abort();
	rds_version_canonical(work->version, strlen(work->version), again);
	if (memchr(work->naming.version, '-', work->naming.length) == NULL &&
		(strcmp(again, work->version) != 0 || rds_version_compare(again, work->version) != 0))
		abort();
	free(again);
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void) status;
	(void) type;
	(void) place;
	return remove(path);
}

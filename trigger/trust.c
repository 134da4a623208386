/*-------------------------------------------------------------------------
 *
 * trust.c
 *	  The certificates that servers are verified against.
 *
 * libpq takes one file, and a package may hold several: for RDS itself, for RDS
 * Proxy, and for a server of one's own.  Which of them a server's name wants
 * cannot be told, since the name may be an alias.  So they are put together in
 * a file that is in memory only, and libpq is given its path below /proc.
 *
 *-------------------------------------------------------------------------
 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of RDS's roots are 170 kB long. */
#define LONGEST_FILE (4 * 1024 * 1024)

#define ADVICE "it must hold one or more certificates in PEM form (-----BEGIN CERTIFICATE-----)"

static const char *const packaged[] = {TRUST_OWN, TRUST_RDS, TRUST_AMAZON};

#define PACKAGED_COUNT (sizeof(packaged) / sizeof(packaged[0]))

static bool add(Trust *trust, const char *directory, const char *name, char **first, Error *error);
static bool read_file(const char *path, const char *origin, char **text, Error *error);
static bool has_certificate(const char *text);
static bool append(int descriptor, const char *text, Error *error);

bool
trust_find(const char *directory, Trust *trust, Error *error)
{
	char *first = NULL;
	bool ok = true;
	size_t i;

	trust->descriptor = -1;
	for (i = 0; i < PACKAGED_COUNT && ok; i++)
		ok = add(trust, directory, packaged[i], &first, error);
	free(first);
	return ok;
}

void
trust_free(Trust *trust)
{
	if (trust->database != NULL && trust->descriptor >= 0)
		close(trust->descriptor);
	free(trust->database);
	free(trust->database_names);
	free(trust->https);
	memset(trust, 0, sizeof(*trust));
}

bool
trust_check(const char *path, const char *origin, Error *error)
{
	char *text = NULL;
	bool ok = read_file(path, origin, &text, error);

	free(text);
	return ok;
}

/* The first one is used as it is, and becomes the beginning of the whole with the second. */
static bool
add(Trust *trust, const char *directory, const char *name, char **first, Error *error)
{
	char *path = NULL;
	char *names = NULL;
	char *text = NULL;
	bool ok = false;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
	{
		path = NULL;
		error_out_of_memory(error);
		goto done;
	}
	if (access(path, F_OK) != 0 && errno == ENOENT)
	{
		ok = true;
		goto done;
	}
	if (!read_file(path, "beside the program", &text, error))
		goto done;
	if (strcmp(name, TRUST_AMAZON) == 0 && (trust->https = strdup(path)) == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}
	if (asprintf(&names, "%s%s%s", trust->database_names != NULL ? trust->database_names : "",
				 trust->database_names != NULL ? ", " : "", name) < 0)
	{
		names = NULL;
		error_out_of_memory(error);
		goto done;
	}
	free(trust->database_names);
	trust->database_names = names;

	if (trust->database == NULL)
	{
		trust->database = path;
		path = NULL;
		*first = text;
		text = NULL;
		ok = true;
		goto done;
	}
	if (trust->descriptor < 0)
	{
		trust->descriptor = memfd_create("roots", MFD_CLOEXEC);
		if (trust->descriptor < 0)
		{
			error_set(error, ERROR_INTERNAL, "could not make a file in memory: %s", strerror(errno));
			goto done;
		}
		free(trust->database);
		if (asprintf(&trust->database, "/proc/self/fd/%d", trust->descriptor) < 0)
		{
			trust->database = NULL;
			error_out_of_memory(error);
			goto done;
		}
		if (!append(trust->descriptor, *first, error))
			goto done;
	}
	ok = append(trust->descriptor, text, error);

done:
	free(text);
	free(path);
	return ok;
}

/* Not decoded here, which takes longer than all the rest of the start: libpq does that. */
static bool
read_file(const char *path, const char *origin, char **text, Error *error)
{
	struct stat status;
	const char *problem = NULL;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = 0;
	size_t size;

	if (descriptor < 0 || fstat(descriptor, &status) != 0)
		problem = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		problem = "it is not a file";
	else if (status.st_size == 0)
		problem = "it is empty; " ADVICE;
	else if (status.st_size > LONGEST_FILE)
		problem = "it is longer than 4 MB; " ADVICE;
	else
	{
		size = (size_t) status.st_size;
		*text = malloc(size + 1);
		if (*text != NULL)
			length = pread(descriptor, *text, size, 0);
		if (*text == NULL)
			problem = "out of memory";
		else if (length < 0)
			problem = strerror(errno);
		else
		{
			(*text)[length] = '\0';
			if (!has_certificate(*text))
				problem = "there is no certificate in it; " ADVICE;
		}
	}
	if (descriptor >= 0)
		close(descriptor);
	if (problem == NULL)
		return true;

	free(*text);
	*text = NULL;
	return error_set(error, ERROR_CONFIGURATION, "the CA file \"%s\" (%s) does not serve: %s", path, origin, problem);
}

static bool
has_certificate(const char *text)
{
	return strstr(text, "-----BEGIN CERTIFICATE-----") != NULL ||
		   strstr(text, "-----BEGIN TRUSTED CERTIFICATE-----") != NULL;
}

/* With a line's end, which a file need not have. */
static bool
append(int descriptor, const char *text, Error *error)
{
	size_t length = strlen(text);
	size_t written = 0;

	while (written < length)
	{
		ssize_t count = write(descriptor, text + written, length - written);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_set(error, ERROR_INTERNAL, "could not write a file in memory: %s", strerror(errno));
		written += (size_t) count;
	}
	return write(descriptor, "\n", 1) == 1 ||
		   error_set(error, ERROR_INTERNAL, "could not write a file in memory: %s", strerror(errno));
}

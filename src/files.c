/*-------------------------------------------------------------------------
 *
 * files.c
 *	  The files of a call: on the server, and what scripts include.
 *
 * Names have slashes, and are relative to a root: the bundle itself, or the
 * directory of a bundle on the server.  Nothing outside of the root is read,
 * however a script or a symbolic link may ask for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "files.h"

/* Far more than anyone nests; it bounds the recursion. */
#define DEEPEST_DIRECTORY 32

static RdsScript *find_by_name(List *scripts, const char *name);
static void read_directory(RdsFiles *files, const char *prefix, int depth);
static char *real_path(const char *path);
static char *path_within(const RdsFiles *files, const char *name);
static char *normalize(const char *from, const char *path, bool relative);
static bool is_directory(const char *path);
static bool ends_with(const char *text, const char *end);

/* Raises an error unless the caller may read the server's files, as COPY FROM a file does. */
void
rds_files_check_role(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to apply a file of the server's"),
				 errdetail("Only roles with privileges of the \"%s\" role may read files on the server.",
						   "pg_read_server_files"),
				 errhint("Anyone who may call rdsinit.apply can give it the script itself.")));
}

/*
 * rds_files_open
 *		The scripts at a path on the server: a file, or all *.sql files below a
 *		directory, in the order of their names.
 */
void
rds_files_open(const char *path, RdsFiles *files)
{
	char *real;

	if (!is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the path of a script must be absolute: \"%s\"", path)));
	real = real_path(path);

	if (is_directory(real))
	{
		files->root = real;
		files->whole = true;
		read_directory(files, "", 0);
		if (files->scripts == NIL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FILE),
					 errmsg("there is no .sql file in directory \"%s\"", path)));
		list_sort(files->scripts, rds_script_compare);
	}
	else
	{
		/* known by the name that was asked for, and read where it really is */
		const char *slash = strrchr(path, '/');
		char *directory = pnstrdup(path, Max(slash - path, 1));

		files->root = real_path(directory);
		files->scripts = list_make1(rds_script_make(pstrdup(slash + 1), rds_source_file(real)));
	}
}

/*
 * rds_files_find
 *		What a script includes by a path: relative to its own directory, or to the
 *		root.
 */
RdsScript *
rds_files_find(RdsFiles *files, const char *from, const char *path, bool relative)
{
	char *name = normalize(from, path, relative);
	RdsScript *script = find_by_name(files->scripts, name);

	if (script != NULL)
		return script;
	if (files->root == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("the bundle has no file \"%s\"", name),
				 errhint("A script can include what is given together with it, by the name that it has there.")));
	return rds_script_make(name, rds_source_file(path_within(files, name)));
}

/* The script of the same name that is kept for the length of the call. */
RdsScript *
rds_files_remember(RdsFiles *files, const RdsScript *script)
{
	MemoryContext oldcontext;
	RdsScript *known = find_by_name(files->scripts, script->name);

	if (known == NULL)
		known = find_by_name(files->others, script->name);
	if (known != NULL)
		return known;

	oldcontext = MemoryContextSwitchTo(files->context);
	known = palloc0(sizeof(RdsScript));
	known->name = pstrdup(script->name);
	memcpy(known->checksum, script->checksum, sizeof(RdsChecksum));
	files->others = lappend(files->others, known);
	MemoryContextSwitchTo(oldcontext);

	return known;
}

static RdsScript *
find_by_name(List *scripts, const char *name)
{
	ListCell *cell;

	foreach(cell, scripts)
	{
		if (strcmp(((RdsScript *) lfirst(cell))->name, name) == 0)
			return lfirst(cell);
	}
	return NULL;
}

static void
read_directory(RdsFiles *files, const char *prefix, int depth)
{
	char *path = psprintf("%s/%s", files->root, prefix);
	DIR *directory;
	struct dirent *entry;

	if (depth > DEEPEST_DIRECTORY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("directories are nested more than %d deep: \"%s\"", DEEPEST_DIRECTORY, path)));

	directory = AllocateDir(path);
	while ((entry = ReadDir(directory, path)) != NULL)
	{
		char *name;
		char *real;

		CHECK_FOR_INTERRUPTS();
		if (entry->d_name[0] == '.')
			continue;
		name = psprintf("%s%s", prefix, entry->d_name);
		if (pg_verify_mbstr(GetDatabaseEncoding(), name, strlen(name), true) == false)
			ereport(ERROR,
					(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
					 errmsg("the name of a file below \"%s\" is not valid in the database's encoding", path)));
		real = path_within(files, name);
		if (is_directory(real))
		{
			/* a link could lead back up */
			if (strcmp(real, psprintf("%s/%s", files->root, name)) == 0)
				read_directory(files, psprintf("%s/", name), depth + 1);
		}
		else if (ends_with(name, ".sql"))
			files->scripts = lappend(files->scripts, rds_script_make(name, rds_source_file(real)));
	}
	FreeDir(directory);
}

/* The path of a file of that name, which must really be below the root. */
static char *
path_within(const RdsFiles *files, const char *name)
{
	char *real = real_path(psprintf("%s/%s", files->root, name));
	Size length = strlen(files->root);

	if (strncmp(real, files->root, length) != 0 || (real[length] != '/' && !ends_with(files->root, "/")))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("\"%s\" leads out of the bundle's directory", name),
				 errhint("A symbolic link is followed only within the directory.")));
	return real;
}

static char *
real_path(const char *path)
{
	char resolved[PATH_MAX];

	if (realpath(path, resolved) == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	return pstrdup(resolved);
}

/* A name without "." and "..", relative to the root. */
static char *
normalize(const char *from, const char *path, bool relative)
{
	const char *slash = strrchr(from, '/');
	char *joined;
	char *part;
	char *rest;
	List *parts = NIL;
	ListCell *cell;
	StringInfoData name;

	if (is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("an absolute path cannot be included: \"%s\"", path),
				 errhint("Write it relative to the script, with \\ir.")));

	joined = relative && slash != NULL ? psprintf("%.*s/%s", (int) (slash - from), from, path) : pstrdup(path);
	rest = joined;
	while ((part = strsep(&rest, "/")) != NULL)
	{
		if (part[0] == '\0' || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") != 0)
			parts = lappend(parts, part);
		else if (parts != NIL)
			parts = list_delete_last(parts);
		else
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("\"%s\" leads out of the bundle", path),
					 errhint("Only what is in the bundle can be included.")));
	}

	initStringInfo(&name);
	foreach(cell, parts)
		appendStringInfo(&name, "%s%s", name.len > 0 ? "/" : "", (char *) lfirst(cell));
	return name.data;
}

static bool
is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool
ends_with(const char *text, const char *end)
{
	Size length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/*-------------------------------------------------------------------------
 *
 * bundle.c
 *	  The scripts of a call: their names, their order, their checksums.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "bundle.h"

/* A history row's name is an index key: it must fit into an index tuple. */
#define MAX_NAME_LENGTH 1024

static void check_name(const char *name);
static void checksum_body(RdsScript *script);
static void update_hash(pg_cryptohash_ctx *hash, const char *data, Size length);
static int compare_names(const ListCell *a, const ListCell *b);

/*
 * rds_script_make
 *		A script of the given name and body, in the current memory context.
 *
 * The body is NUL-terminated text in the database's encoding, and is kept, not
 * copied.  Raises an error for a name that cannot be one.
 */
RdsScript *
rds_script_make(const char *name, char *body)
{
	RdsScript *script = palloc0(sizeof(RdsScript));

	check_name(name);

	/* Editors on Windows put a byte-order mark there; psql drops it, too. */
	if (GetDatabaseEncoding() == PG_UTF8 && strncmp(body, "\xEF\xBB\xBF", 3) == 0)
		body += 3;

	script->name = name;
	script->body = body;
	script->length = strlen(body);
	checksum_body(script);

	return script;
}

/*
 * rds_bundle_make
 *		The scripts of a bundle, in the order given, in the current memory context.
 *
 * Raises an error unless there are as many names as bodies, at least one, none
 * of them NULL, and each name once.
 */
List *
rds_bundle_make(ArrayType *names, ArrayType *bodies)
{
	List *bundle = NIL;
	List *sorted;
	Datum *name;
	Datum *body;
	bool *name_is_null;
	bool *body_is_null;
	int count;
	int body_count;

	if (ARR_NDIM(names) > 1 || ARR_NDIM(bodies) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("names and scripts must be one-dimensional arrays")));

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &name, &name_is_null, &count);
	deconstruct_array(bodies, TEXTOID, -1, false, TYPALIGN_INT, &body, &body_is_null, &body_count);

	if (count != body_count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a bundle needs as many names as scripts"),
				 errdetail("There are %d names and %d scripts.", count, body_count)));
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the bundle is empty"),
				 errhint("Give at least one script.")));

	for (int i = 0; i < count; i++)
	{
		if (name_is_null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the name of script %d must not be null", i + 1)));
		if (body_is_null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("script \"%s\" must not be null", TextDatumGetCString(name[i]))));
		bundle = lappend(bundle, rds_script_make(TextDatumGetCString(name[i]),
												 TextDatumGetCString(body[i])));
	}

	sorted = list_copy(bundle);
	list_sort(sorted, compare_names);
	for (int i = 1; i < count; i++)
	{
		const RdsScript *script = list_nth(sorted, i);

		if (strcmp(script->name, ((RdsScript *) list_nth(sorted, i - 1))->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("the bundle has two scripts named \"%s\"", script->name),
					 errhint("A script is known by its name: give each its own.")));
	}
	list_free(sorted);

	return bundle;
}

/*
 * A name is shown in errors, logs and tables, line by line: whoever can choose
 * one must not be able to forge such a line.
 */
static void
check_name(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a script must not be empty"),
				 errhint("A script is known by its name: give the file's.")));
	if (strlen(name) > MAX_NAME_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a script is longer than %d bytes", MAX_NAME_LENGTH)));
	for (const char *at = name; *at != '\0'; at++)
	{
		if ((unsigned char) *at < 0x20 || *at == 0x7F)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the name of a script must not hold a control character")));
	}
}

/*
 * SHA-256 of the body in UTF-8 with its line endings made LF: what sha256sum
 * prints of the file in a checkout, whatever the database's encoding is and
 * however the checkout ends its lines.
 */
static void
checksum_body(RdsScript *script)
{
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	char *text = pg_server_to_any(script->body, script->length, PG_UTF8);
	Size length = text == script->body ? script->length : strlen(text);
	const char *at = text;
	const char *end = text + length;
	const char *return_at;

	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start a SHA-256 computation");

	while ((return_at = memchr(at, '\r', end - at)) != NULL)
	{
		bool ends_line = return_at + 1 < end && return_at[1] == '\n';

		update_hash(hash, at, return_at - at + (ends_line ? 0 : 1));
		at = return_at + 1;
	}
	update_hash(hash, at, end - at);

	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not finish a SHA-256 computation");
	pg_cryptohash_free(hash);
	if (text != script->body)
		pfree(text);

	hex_encode((const char *) digest, sizeof(digest), script->checksum);
	script->checksum[2 * sizeof(digest)] = '\0';
}

static void
update_hash(pg_cryptohash_ctx *hash, const char *data, Size length)
{
	if (pg_cryptohash_update(hash, (const uint8 *) data, length) < 0)
		elog(ERROR, "could not compute a SHA-256");
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((RdsScript *) lfirst(a))->name, ((RdsScript *) lfirst(b))->name);
}

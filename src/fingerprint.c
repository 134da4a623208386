/*-------------------------------------------------------------------------
 *
 * fingerprint.c
 *	  The whole schema in one hash, and as a list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "drift.h"

/* What an object adds to the hash, in UTF-8. */
typedef struct Line
{
	char *name; /* kind and identity */
	RdsDigest definition;
} Line;

static void add_line(const RdsObject *object, void *argument);
static int compare_lines(const ListCell *a, const ListCell *b);
static void return_object(const RdsObject *object, void *argument);

/*
 * rds_fingerprint
 *		SHA-256 of all objects, in order of kind and identity.
 */
void
rds_fingerprint(RdsHexDigest fingerprint)
{
	Snapshot now = RegisterSnapshot(GetLatestSnapshot());
	RdsReading reading;
	List *lines = NIL;
	RdsDigest digest;
	StringInfoData all;
	ListCell *cell;

	rds_objects_begin(&reading, INT_MAX);
	rds_objects_read_all(&reading, true, now, add_line, &lines);
	list_sort(lines, compare_lines);

	initStringInfo(&all);
	enlargeStringInfo(&all, Min(list_length(lines) * 128, (int) (MaxAllocSize / 2)));
	foreach(cell, lines)
	{
		const Line *line = lfirst(cell);
		RdsHexDigest name;
		RdsHexDigest definition;

		digest = rds_digest_utf8(line->name);
		rds_digest_hex(&digest, name);
		rds_digest_hex(&line->definition, definition);
		appendStringInfo(&all, "%s%s", name, definition);
	}
	digest = rds_digest_utf8(all.data);
	rds_digest_hex(&digest, fingerprint);
	rds_objects_end(&reading);
	UnregisterSnapshot(now);
}

static void
add_line(const RdsObject *object, void *argument)
{
	List **lines = argument;
	Line *line = palloc(sizeof(Line));
	char *name = psprintf("%s\n%s", object->kind, object->identity);

	line->name = rds_object_utf8(name);
	line->definition = rds_object_digest(object->definition);
	*lines = lappend(*lines, line);
}

static int
compare_lines(const ListCell *a, const ListCell *b)
{
	return strcmp(((const Line *) lfirst(a))->name, ((const Line *) lfirst(b))->name);
}

/* Rows (kind, identity, definition) of all objects. */
void
rds_objects_return(ReturnSetInfo *result)
{
	Snapshot now = RegisterSnapshot(GetLatestSnapshot());
	RdsReading reading;

	rds_objects_begin(&reading, INT_MAX);
	rds_objects_read_all(&reading, true, now, return_object, result);
	rds_objects_end(&reading);
	UnregisterSnapshot(now);
}

static void
return_object(const RdsObject *object, void *argument)
{
	ReturnSetInfo *result = argument;
	Datum values[3];
	bool nulls[3] = {false};

	values[0] = CStringGetTextDatum(object->kind);
	values[1] = CStringGetTextDatum(object->identity);
	values[2] = CStringGetTextDatum(object->definition);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	for (int i = 0; i < 3; i++)
		pfree(DatumGetPointer(values[i]));
}

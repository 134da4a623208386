/*-------------------------------------------------------------------------
 *
 * objects.c
 *	  The objects of the database's schema, as text.
 *
 * The text depends on what the objects are, and not on OIDs, physical order or
 * anybody's settings.  The catalog is for everybody to read: nobody's rights are
 * asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_seclabel.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "aside.h"
#include "definition.h"
#include "objects.h"

/* So many objects are in memory at once. */
#define FETCH_COUNT 1000

/* What is being read, and for whom. */
typedef struct Reader
{
	const RdsReading *reading;
	const RdsObjectKind *kind;
	const Oid *oids; /* NULL: all */
	int count;
	bool with_definition;
	Snapshot snapshot;
	RdsObjectTaker take;
	void *argument;
	Relation catalog;
	MemoryContext context; /* of an object */
	MemoryContext outer;   /* of whoever takes it */
} Reader;

static void read_rows(Reader *reader);
static void read_row(const Reader *reader, HeapTuple row);
static void read_row_of(int number, HeapTuple row, void *argument);
static void read_query(Reader *reader);
static bool is_there(const Reader *reader, HeapTuple row);
static void give(const Reader *reader, const RdsObject *object);
static char *make_query(const Reader *reader);
static void take_result(Reader *reader, HeapTuple row, TupleDesc descriptor);

/*
 * rds_objects_begin
 *		Sets what a definition's text, or how fast it is read, could depend on.
 *
 * So many objects will be read, INT_MAX for all.  An error's transaction takes it
 * back.  A temporary table hides none of the catalog's.
 */
void
rds_objects_begin(RdsReading *reading, int objects)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"quote_all_identifiers", "off"},
		{"standard_conforming_strings", "on"},
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"xmloption", "content"},
		{"xmlbinary", "base64"},
		{"lc_monetary", "C"},
		{"jit", "off"},
		{"plan_cache_mode", "auto"},
		{"max_parallel_workers_per_gather", "0"},
	};

	reading->nest_level = NewGUCNestLevel();
	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	reading->has_labels = !rds_catalog_is_empty(SecLabelRelationId);
	rds_aside_begin(objects);
	SPI_connect();
}

void
rds_objects_end(RdsReading *reading)
{
	SPI_finish();
	rds_aside_end();
	AtEOXact_GUC(false, reading->nest_level);
}

/* The first kind, for NULL, and the one behind each; NULL behind the last. */
const RdsObjectKind *
rds_kind_next(const RdsObjectKind *kind)
{
	static const RdsObjectKind *const all[] = {rds_kinds_of_schemas, rds_kinds_of_types, rds_kinds_of_the_rest, rds_kinds_of_code,
											   rds_kinds_of_foreign_data, rds_kinds_of_relations, rds_kinds_of_parts};
	static const RdsObjectKind *last[lengthof(all)];

	if (kind == NULL)
		return all[0];
	if (OidIsValid(kind[1].catalog))
		return kind + 1;
	for (int i = 0; i < lengthof(all); i++)
	{
		if (last[i] == NULL)
		{
			const RdsObjectKind *at = all[i];

			while (OidIsValid(at[1].catalog))
				at++;
			last[i] = at;
		}
		if (kind == last[i])
			return i + 1 < lengthof(all) ? all[i + 1] : NULL;
	}
	return NULL;
}

/*
 * rds_objects_read
 *		Gives the objects of a kind to somebody: all, or those with one of some OIDs.
 *
 * Only without definitions may the snapshot be an old one.
 */
void
rds_objects_read(const RdsReading *reading, const RdsObjectKind *kind, const Oid *oids, int count, bool with_definition,
				 Snapshot snapshot, RdsObjectTaker take, void *argument)
{
	Reader reader = {.reading = reading, .kind = kind, .oids = oids, .count = count, .with_definition = with_definition, .snapshot = snapshot, .take = take, .argument = argument};

	reader.outer = CurrentMemoryContext;
	reader.context = AllocSetContextCreate(CurrentMemoryContext, "rdsinit object", ALLOCSET_DEFAULT_SIZES);
	reader.catalog = table_open(kind->catalog, AccessShareLock);
	PushActiveSnapshot(snapshot);
	if (kind->name != NULL)
		read_rows(&reader);
	else
		read_query(&reader);
	PopActiveSnapshot();
	table_close(reader.catalog, AccessShareLock);
	MemoryContextDelete(reader.context);
}

/* All objects that there are. */
void
rds_objects_read_all(const RdsReading *reading, bool with_definition, Snapshot snapshot, RdsObjectTaker take, void *argument)
{
	for (const RdsObjectKind *kind = rds_kind_next(NULL); kind != NULL; kind = rds_kind_next(kind))
	{
		if (kind->name != NULL || rds_kind_may_have_some(kind))
			rds_objects_read(reading, kind, NULL, 0, with_definition, snapshot, take, argument);
	}
}

static void
read_rows(Reader *reader)
{
	Oid index = reader->kind->has_pinned ? InvalidOid : get_object_oid_index(reader->kind->catalog);
	SysScanDesc scan;
	HeapTuple row;

	if (reader->oids != NULL)
	{
		rds_catalog_rows(reader->catalog, reader->oids, reader->count, reader->with_definition ? NULL : reader->snapshot,
						 read_row_of, reader);
		return;
	}

	scan = rds_catalog_scan_own(reader->catalog, index, reader->snapshot);
	/* which allocates what it needs for longer than a row */
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		read_row(reader, row);
		MemoryContextReset(reader->context);
	}
	systable_endscan(scan);
}

static void
read_row_of(int number, HeapTuple row, void *argument)
{
	const Reader *reader = argument;

	if (!HeapTupleIsValid(row))
		return;
	read_row(reader, row);
	MemoryContextReset(reader->context);
}

/* What that allocates is in the object's context. */
static void
read_row(const Reader *reader, HeapTuple row)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(reader->context);
	const RdsObjectKind *kind = reader->kind;
	RdsObject object = {.catalog = kind->catalog};
	StringInfoData definition;

	CHECK_FOR_INTERRUPTS();
	if (is_there(reader, row) && kind->name(&object, row, reader->with_definition ? NULL : reader->snapshot))
	{
		object.oid = rds_catalog_oid(reader->catalog, row);
		if (reader->with_definition)
		{
			initStringInfo(&definition);
			kind->define(&definition, row);
			rds_append_end(&definition, reader->catalog, row, reader->reading->has_labels);
			object.definition = definition.data;
		}
		give(reader, &object);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Is the object there still?  Definitions are what the caches know now, and of what
 * somebody has dropped since the snapshot, with what it depends on, they know nothing.
 * What a call has touched is locked, or this transaction has written its row, which
 * nobody else can remove then.
 */
static bool
is_there(const Reader *reader, HeapTuple row)
{
	int cache;

	if (!reader->with_definition || reader->oids != NULL ||
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data)))
		return true;
	cache = get_object_catcache_oid(reader->kind->catalog);
	return cache < 0 || SearchSysCacheExists1(cache, ObjectIdGetDatum(rds_catalog_oid(reader->catalog, row)));
}

static void
give(const Reader *reader, const RdsObject *object)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(reader->outer);

	reader->take(object, reader->argument);
	MemoryContextSwitchTo(oldcontext);
}

static char *
make_query(const Reader *reader)
{
	const RdsObjectKind *kind = reader->kind;
	bool with_definition = reader->with_definition;

	return psprintf("SELECT x.oid, %s, %s%s%s%s FROM %s WHERE %s%s", kind->kind, kind->identity,
					with_definition ? ", concat(" : "", with_definition ? kind->definition : "", with_definition ? ")" : "",
					kind->from, kind->condition, reader->oids != NULL ? " AND x.oid = ANY ($1)" : "");
}

/*
 * Is there anything in the catalog that initdb has not made?  To ask that is
 * faster than to plan a query which finds nothing.
 */
bool
rds_kind_may_have_some(const RdsObjectKind *kind)
{
	Oid rows = OidIsValid(kind->rows) ? kind->rows : kind->catalog;
	Oid index = OidIsValid(kind->rows) ? kind->rows_by_oid : get_object_oid_index(kind->catalog);
	Relation catalog;
	bool found = false;

	if (!OidIsValid(index) || strstr(kind->condition, RDS_OWN) != kind->condition)
		return true;

	catalog = table_open(rows, AccessShareLock);
	if (RelationGetNumberOfBlocks(catalog) > 0)
	{
		SysScanDesc scan = rds_catalog_scan_own(catalog, index, NULL);

		found = HeapTupleIsValid(systable_getnext(scan));
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);

	return found;
}

static void
read_query(Reader *reader)
{
	Oid types[1] = {OIDARRAYOID};
	Datum values[1];
	SPIPlanPtr plan;
	Portal portal;

	if (reader->oids != NULL)
	{
		Datum *elements = palloc(reader->count * sizeof(Datum));

		for (int i = 0; i < reader->count; i++)
			elements[i] = ObjectIdGetDatum(reader->oids[i]);
		values[0] = PointerGetDatum(construct_array(elements, reader->count, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
	}

	plan = SPI_prepare(make_query(reader), reader->oids != NULL ? 1 : 0, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query of the catalog: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, values, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_COUNT);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			MemoryContext oldcontext = MemoryContextSwitchTo(reader->context);

			take_result(reader, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
			MemoryContextSwitchTo(oldcontext);
			MemoryContextReset(reader->context);
		}
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
}

static void
take_result(Reader *reader, HeapTuple row, TupleDesc descriptor)
{
	RdsObject object = {.catalog = reader->kind->catalog};
	bool isnull;

	object.oid = DatumGetObjectId(SPI_getbinval(row, descriptor, 1, &isnull));
	object.kind = TextDatumGetCString(SPI_getbinval(row, descriptor, 2, &isnull));
	object.identity = TextDatumGetCString(SPI_getbinval(row, descriptor, 3, &isnull));
	if (reader->with_definition)
	{
		HeapTuple catalog_row = rds_catalog_row(reader->catalog, object.oid, NULL);
		StringInfoData definition;

		if (!HeapTupleIsValid(catalog_row))
			return;
		initStringInfo(&definition);
		appendStringInfoString(&definition, TextDatumGetCString(SPI_getbinval(row, descriptor, 4, &isnull)));
		rds_append_end(&definition, reader->catalog, catalog_row, reader->reading->has_labels);
		object.definition = definition.data;
	}
	give(reader, &object);
}

/* SHA-256 of a text, once it is in UTF-8. */
RdsDigest
rds_object_digest(const char *text)
{
	char *utf8 = rds_object_utf8(text);
	RdsDigest digest = rds_digest_utf8(utf8);

	if (utf8 != text)
		pfree(utf8);
	return digest;
}

/* SHA-256 of a text as it is. */
RdsDigest
rds_digest_utf8(const char *text)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	RdsDigest digest;

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) text, strlen(text)) < 0 ||
		pg_cryptohash_final(context, digest.bytes, sizeof(digest.bytes)) < 0)
		elog(ERROR, "could not compute SHA-256");
	pg_cryptohash_free(context);
	return digest;
}

void
rds_digest_hex(const RdsDigest *digest, RdsHexDigest hex)
{
	(void) hex_encode((const char *) digest->bytes, sizeof(digest->bytes), hex);
	hex[sizeof(RdsHexDigest) - 1] = '\0';
}

/* The same text where it is in UTF-8 already. */
char *
rds_object_utf8(const char *text)
{
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

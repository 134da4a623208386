/*-------------------------------------------------------------------------
 *
 * objects.c
 *	  The objects of the database's schema, as text.
 *
 * The text depends on what the objects are, and not on OIDs, physical order or
 * anybody's settings.  A query for each kind reads many objects at once, with
 * the rights of whoever asks: the catalog is for everybody to read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "objects.h"

/* So many objects are in memory at once. */
#define FETCH_COUNT 1000

static char *make_query(const RdsObjectKind *kind, bool with_definition, bool some);
static bool may_have_some(const RdsObjectKind *kind);
static void take_row(HeapTuple row, TupleDesc descriptor, RdsObjectTaker take, void *argument);
static char *field(HeapTuple row, TupleDesc descriptor, int column);

/*
 * rds_objects_begin
 *		Sets what a definition's text, or how fast it is read, could depend on.
 *
 * An error's transaction takes it back.  A temporary table hides none of the
 * catalog's.
 */
void
rds_objects_begin(RdsReading *reading)
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
		{"plan_cache_mode", "force_custom_plan"},
		{"max_parallel_workers_per_gather", "0"},
	};

	reading->nest_level = NewGUCNestLevel();
	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
}

void
rds_objects_end(RdsReading *reading)
{
	SPI_finish();
	AtEOXact_GUC(false, reading->nest_level);
}

/* The first kind, for NULL, and the one behind each; NULL behind the last. */
const RdsObjectKind *
rds_kind_next(const RdsObjectKind *kind)
{
	static const RdsObjectKind *const all[] = {rds_kinds_of_the_rest, rds_kinds_of_code, rds_kinds_of_relations};
	static const RdsObjectKind *last[lengthof(all)];

	if (kind == NULL)
		return all[0];
	if (kind[1].kind != NULL)
		return kind + 1;
	for (int i = 0; i < lengthof(all); i++)
	{
		if (last[i] == NULL)
		{
			const RdsObjectKind *at = all[i];

			while (at[1].kind != NULL)
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
rds_objects_read(const RdsObjectKind *kind, const Oid *oids, int count, bool with_definition,
				 Snapshot snapshot, RdsObjectTaker take, void *argument)
{
	rds_objects_query(make_query(kind, with_definition, oids != NULL), oids, count, snapshot, take, argument);
}

/* All objects that there are. */
void
rds_objects_read_all(bool with_definition, Snapshot snapshot, RdsObjectTaker take, void *argument)
{
	for (const RdsObjectKind *kind = rds_kind_next(NULL); kind != NULL; kind = rds_kind_next(kind))
	{
		if (may_have_some(kind))
			rds_objects_read(kind, NULL, 0, with_definition, snapshot, take, argument);
	}
}

static char *
make_query(const RdsObjectKind *kind, bool with_definition, bool some)
{
	return psprintf("SELECT %u::oid, x.oid, %s, %s%s%s%s FROM %s WHERE %s%s",
					kind->catalog, kind->kind, kind->identity,
					with_definition ? ", concat(" : "", with_definition ? kind->definition : "", with_definition ? ")" : "",
					kind->from, kind->condition, some ? " AND x.oid = ANY ($1)" : "");
}

/*
 * Is there anything in the catalog that initdb has not made?  To ask that is
 * faster than to plan a query which finds nothing.
 */
static bool
may_have_some(const RdsObjectKind *kind)
{
	Oid index = get_object_oid_index(kind->catalog);
	Relation catalog;
	Relation by_oid;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found = false;

	if (!OidIsValid(index) || strstr(kind->condition, RDS_OWN) != kind->condition)
		return true;

	catalog = table_open(kind->catalog, AccessShareLock);
	by_oid = index_open(index, AccessShareLock);
	scan = systable_beginscan_ordered(catalog, by_oid, NULL, 0, NULL);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (HeapTupleIsValid(tuple))
	{
		bool isnull;

		found = DatumGetObjectId(heap_getattr(tuple, get_object_attnum_oid(kind->catalog),
											  RelationGetDescr(catalog), &isnull)) >= FirstNormalObjectId;
	}
	systable_endscan_ordered(scan);
	index_close(by_oid, AccessShareLock);
	table_close(catalog, AccessShareLock);

	return found;
}

/*
 * rds_objects_query
 *		Gives what a query returns to somebody: catalog, OID, and perhaps texts.
 *
 * The parameter $1 is the OIDs.
 */
void
rds_objects_query(const char *query, const Oid *oids, int count, Snapshot snapshot, RdsObjectTaker take, void *argument)
{
	Oid types[1] = {OIDARRAYOID};
	Datum values[1];
	SPIPlanPtr plan;
	Portal portal;

	if (oids != NULL)
	{
		Datum *elements = palloc(count * sizeof(Datum));

		for (int i = 0; i < count; i++)
			elements[i] = ObjectIdGetDatum(oids[i]);
		values[0] = PointerGetDatum(construct_array(elements, count, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
	}

	PushActiveSnapshot(snapshot);
	plan = SPI_prepare(query, oids != NULL ? 1 : 0, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query of the catalog: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, values, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_COUNT);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
			take_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, take, argument);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
	PopActiveSnapshot();
}

static void
take_row(HeapTuple row, TupleDesc descriptor, RdsObjectTaker take, void *argument)
{
	RdsObject object;
	bool isnull;

	object.catalog = DatumGetObjectId(SPI_getbinval(row, descriptor, 1, &isnull));
	object.oid = DatumGetObjectId(SPI_getbinval(row, descriptor, 2, &isnull));
	object.kind = field(row, descriptor, 3);
	object.identity = field(row, descriptor, 4);
	object.definition = field(row, descriptor, 5);
	take(&object, argument);
	for (int i = 0; i < 3; i++)
	{
		char *text = i == 0 ? object.kind : i == 1 ? object.identity
												   : object.definition;

		if (text != NULL)
			pfree(text);
	}
}

static char *
field(HeapTuple row, TupleDesc descriptor, int column)
{
	return column <= descriptor->natts ? SPI_getvalue(row, descriptor, column) : NULL;
}

/* SHA-256 of a text, once it is in UTF-8. */
void
rds_object_digest(const char *text, RdsDigest digest)
{
	char *utf8 = rds_object_utf8(text);

	rds_digest_utf8(utf8, digest);
	if (utf8 != text)
		pfree(utf8);
}

/* SHA-256 of a text as it is, in hexadecimal. */
void
rds_digest_utf8(const char *text, RdsDigest digest)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint8 sum[PG_SHA256_DIGEST_LENGTH];

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) text, strlen(text)) < 0 ||
		pg_cryptohash_final(context, sum, sizeof(sum)) < 0)
		elog(ERROR, "could not compute SHA-256");
	pg_cryptohash_free(context);
	(void) hex_encode((const char *) sum, sizeof(sum), digest);
	digest[sizeof(RdsDigest) - 1] = '\0';
}

/* The same text where it is in UTF-8 already. */
char *
rds_object_utf8(const char *text)
{
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

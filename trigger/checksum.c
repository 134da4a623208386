/*-------------------------------------------------------------------------
 *
 * checksum.c
 *	  What scripts and statements are compared by: SHA-256, in hexadecimal.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the headers of PostgreSQL's own need it */

#include "checksum.h"

#include <common/cryptohash.h>
#include <common/sha2.h>

#include "text.h"

static bool hash_lines(pg_cryptohash_ctx *context, const char *text, size_t length);
static bool finish(pg_cryptohash_ctx *context, bool ok, char *checksum, Error *error);

bool
checksum_text(const char *text, size_t length, char *checksum, Error *error)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	bool ok = context != NULL && pg_cryptohash_init(context) == 0 &&
			  pg_cryptohash_update(context, (const uint8 *) text, length) == 0;

	return finish(context, ok, checksum, error);
}

bool
checksum_script(const char *body, size_t length, char *checksum, Error *error)
{
	size_t mark = strncmp(body, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0 ? strlen(BYTE_ORDER_MARK) : 0;
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	bool ok = context != NULL && pg_cryptohash_init(context) == 0 &&
			  hash_lines(context, body + mark, length - mark);

	return finish(context, ok, checksum, error);
}

static bool
hash_lines(pg_cryptohash_ctx *context, const char *text, size_t length)
{
	const char *at = text;
	const char *end = text + length;

	while (at < end)
	{
		const char *line_end = memmem(at, (size_t) (end - at), "\r\n", 2);
		const char *to = line_end != NULL ? line_end : end;

		if (pg_cryptohash_update(context, (const uint8 *) at, (size_t) (to - at)) != 0)
			return false;
		at = line_end != NULL ? line_end + 1 : end; /* the LF is the next piece's first */
	}
	return true;
}

/* Frees the context. */
static bool
finish(pg_cryptohash_ctx *context, bool ok, char *checksum, Error *error)
{
	static const char digits[] = "0123456789abcdef";
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	size_t i;

	ok = ok && pg_cryptohash_final(context, digest, sizeof(digest)) == 0;
	pg_cryptohash_free(context);
	if (!ok)
		return error_set(error, ERROR_INTERNAL, "could not compute a checksum");
	for (i = 0; i < sizeof(digest); i++)
	{
		checksum[2 * i] = digits[digest[i] >> 4];
		checksum[2 * i + 1] = digits[digest[i] & 0x0F];
	}
	checksum[CHECKSUM_LENGTH] = '\0';
	return true;
}

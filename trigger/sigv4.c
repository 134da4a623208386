/*-------------------------------------------------------------------------
 *
 * sigv4.c
 *	  AWS Signature Version 4.
 *
 * libcurl can sign as well; but it signs every header, and what AWS or a proxy on
 * the way there may change must not be.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the headers of PostgreSQL's own need it */

#include "sigv4.h"

#include <common/hmac.h>
#include <common/sha2.h>
#include <ctype.h>
#include <pqexpbuffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"

#define MOST_HEADERS 8

typedef uint8 Digest[PG_SHA256_DIGEST_LENGTH];

static bool canonical_headers(const char *const *headers, PQExpBuffer lines, PQExpBuffer names);
static char *canonical_header(const char *header);
static int compare_lines(const void *one, const void *other);
static bool hmac(const void *key, size_t key_length, const char *text, size_t text_length, Digest digest);

bool
sigv4_time(time_t now, char *when)
{
	struct tm utc;

	return gmtime_r(&now, &utc) != NULL && strftime(when, SIGV4_TIME_LENGTH + 1, "%Y%m%dT%H%M%SZ", &utc) == SIGV4_TIME_LENGTH;
}

char *
sigv4_scope(const Signer *signer, const char *when)
{
	char *scope = NULL;

	if (asprintf(&scope, "%.*s/%s/%s/aws4_request", SIGV4_DATE_LENGTH, when, signer->region, signer->service) < 0)
		return NULL;
	return scope;
}

bool
sigv4_sign(const Signer *signer, const char *when, const char *request, char *signature, Error *error)
{
	Digest key = {0};
	char hash[CHECKSUM_LENGTH + 1];
	char *scope = sigv4_scope(signer, when);
	char *text = NULL;
	char *first = NULL;
	bool ok = false;
	size_t i;

	if (!checksum_text(request, strlen(request), hash, error))
		goto done;
	if (scope == NULL || asprintf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", when, scope, hash) < 0)
	{
		text = NULL;
		error_out_of_memory(error);
		goto done;
	}
	if (asprintf(&first, "AWS4%s", signer->secret_access_key) < 0)
	{
		first = NULL;
		error_out_of_memory(error);
		goto done;
	}
	ok = hmac(first, strlen(first), when, SIGV4_DATE_LENGTH, key) &&
		 hmac(key, sizeof(key), signer->region, strlen(signer->region), key) &&
		 hmac(key, sizeof(key), signer->service, strlen(signer->service), key) &&
		 hmac(key, sizeof(key), "aws4_request", strlen("aws4_request"), key) &&
		 hmac(key, sizeof(key), text, strlen(text), key);
	if (!ok)
		error_set(error, ERROR_INTERNAL, "could not sign a request to AWS");
	for (i = 0; i < sizeof(key); i++)
		sprintf(signature + 2 * i, "%02x", key[i]);

done:
	explicit_bzero(key, sizeof(key));
	free(first);
	free(text);
	free(scope);
	return ok;
}

char *
sigv4_authorization(const Signer *signer, const char *when, const char *path, const char *const *headers, const char *body,
					Error *error)
{
	PQExpBuffer lines = createPQExpBuffer();
	PQExpBuffer names = createPQExpBuffer();
	char hash[CHECKSUM_LENGTH + 1];
	char signature[SIGV4_LENGTH + 1];
	char *scope = sigv4_scope(signer, when);
	char *request = NULL;
	char *authorization = NULL;

	if (!checksum_text(body, strlen(body), hash, error))
		goto done;
	if (!canonical_headers(headers, lines, names) || scope == NULL ||
		asprintf(&request, "POST\n%s\n\n%s\n%s\n%s", path, lines->data, names->data, hash) < 0)
	{
		request = NULL;
		error_out_of_memory(error);
		goto done;
	}
	if (sigv4_sign(signer, when, request, signature, error) &&
		asprintf(&authorization, "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
				 signer->access_key_id, scope, names->data, signature) < 0)
	{
		authorization = NULL;
		error_out_of_memory(error);
	}

done:
	free(request);
	free(scope);
	destroyPQExpBuffer(names);
	destroyPQExpBuffer(lines);
	return authorization;
}

/* "name:value" in lines, and "name;name", both in order; false where memory is out. */
static bool
canonical_headers(const char *const *headers, PQExpBuffer lines, PQExpBuffer names)
{
	char *sorted[MOST_HEADERS] = {NULL};
	size_t count = 0;
	bool ok = true;
	size_t i;

	while (ok && count < MOST_HEADERS && headers[count] != NULL)
	{
		sorted[count] = canonical_header(headers[count]);
		ok = sorted[count] != NULL;
		count += ok;
	}
	qsort(sorted, count, sizeof(sorted[0]), compare_lines);
	for (i = 0; i < count; i++)
	{
		appendPQExpBuffer(lines, "%s\n", sorted[i]);
		appendPQExpBuffer(names, "%s%.*s", i > 0 ? ";" : "", (int) strcspn(sorted[i], ":"), sorted[i]);
		free(sorted[i]);
	}
	return ok && !PQExpBufferBroken(lines) && !PQExpBufferBroken(names);
}

/* The name in lower case, and the value without the blank before it. */
static char *
canonical_header(const char *header)
{
	size_t name = strcspn(header, ":");
	char *line = NULL;
	size_t i;

	if (asprintf(&line, "%.*s:%s", (int) name, header, header + name + strspn(header + name, ": ")) < 0)
		return NULL;
	for (i = 0; i < name; i++)
		line[i] = (char) tolower((unsigned char) line[i]);
	return line;
}

static int
compare_lines(const void *one, const void *other)
{
	return strcmp(*(char *const *) one, *(char *const *) other);
}

/* The digest may be the key as well. */
static bool
hmac(const void *key, size_t key_length, const char *text, size_t text_length, Digest digest)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	bool ok = context != NULL && pg_hmac_init(context, key, key_length) == 0 &&
			  pg_hmac_update(context, (const uint8 *) text, text_length) == 0 &&
			  pg_hmac_final(context, digest, PG_SHA256_DIGEST_LENGTH) == 0;

	pg_hmac_free(context);
	return ok;
}

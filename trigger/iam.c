/*-------------------------------------------------------------------------
 *
 * iam.c
 *	  IAM database authentication: a token instead of a password.
 *
 * The token is the URL of a request that nobody sends, rds-db:connect, signed in
 * its query (AWS Signature Version 4), without its "https://".  RDS verifies it
 * as a service does.
 *
 *-------------------------------------------------------------------------
 */
#include <postgres_fe.h> /* first: the headers of PostgreSQL's own need it */

#include "iam.h"

#include <common/hmac.h>
#include <common/sha2.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "checksum.h"
#include "http.h"

#define SERVICE "rds-db"

/* In seconds; it is the connection that must begin within them, and no more is allowed. */
#define LIFETIME "900"

/* SHA-256 of nothing, which is the request's body. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef uint8 Digest[PG_SHA256_DIGEST_LENGTH];

static char *make_query(const Config *config, const char *user, const char *scope, const char *when, bool sorted);
static char *string_to_sign(const char *host, const char *port, const char *query, const char *scope, const char *when,
							Error *error);
static bool sign(const char *secret_key, const char *date, const char *region, const char *text, char *signature);
static bool hmac(const void *key, size_t key_length, const char *text, Digest digest);

bool
iam_token(const Config *config, const char *host, const char *port, const char *user, time_t now,
		  char **token, Error *error)
{
	char *region = aws_region_of_host(host, config->region);
	char *scope = NULL;
	char *query = NULL;
	char *sorted = NULL;
	char *text = NULL;
	char signature[2 * PG_SHA256_DIGEST_LENGTH + 1];
	char when[sizeof("20260101T000000Z")];
	char date[sizeof("20260101")];
	struct tm utc;
	bool ok = false;

	*token = NULL;
	if (region == NULL || gmtime_r(&now, &utc) == NULL || strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc) == 0 ||
		strftime(date, sizeof(date), "%Y%m%d", &utc) == 0)
	{
		error_out_of_memory(error);
		goto done;
	}
	if (asprintf(&scope, "%s/%s/" SERVICE "/aws4_request", date, region) < 0)
	{
		scope = NULL;
		error_out_of_memory(error);
		goto done;
	}
	query = make_query(config, user, scope, when, false);
	sorted = make_query(config, user, scope, when, true);
	if (query == NULL || sorted == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}
	text = string_to_sign(host, port, sorted, scope, when, error);
	if (text == NULL)
		goto done;
	if (!sign(config->secret_access_key, date, region, text, signature))
		error_set(error, ERROR_INTERNAL, "could not sign the token for IAM database authentication");
	else if (asprintf(token, "%s:%s/?%s&X-Amz-Signature=%s", host, port, query, signature) < 0)
	{
		*token = NULL;
		error_out_of_memory(error);
	}
	else
		ok = true;

done:
	free(text);
	free(sorted);
	free(query);
	free(scope);
	free(region);
	return ok;
}

/*
 * All but the signature.  What is signed is sorted by name; the token itself has
 * the order that AWS's own SDKs give it.
 */
static char *
make_query(const Config *config, const char *user, const char *scope, const char *when, bool sorted)
{
	static const char signed_headers[] = "&X-Amz-SignedHeaders=host";
	char *escaped_user = http_escape(user);
	char *credential = NULL;
	char *escaped_credential = NULL;
	char *escaped_token = config->session_token != NULL ? http_escape(config->session_token) : NULL;
	char *query = NULL;

	if (asprintf(&credential, "%s/%s", config->access_key_id, scope) < 0)
		credential = NULL;
	else
		escaped_credential = http_escape(credential);
	if (escaped_user != NULL && escaped_credential != NULL && (config->session_token == NULL || escaped_token != NULL) &&
		asprintf(&query,
				 "Action=connect&DBUser=%s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s&X-Amz-Date=%s"
				 "&X-Amz-Expires=" LIFETIME "%s%s%s%s",
				 escaped_user, escaped_credential, when, sorted ? "" : signed_headers,
				 escaped_token != NULL ? "&X-Amz-Security-Token=" : "", escaped_token != NULL ? escaped_token : "",
				 sorted ? signed_headers : "") < 0)
		query = NULL;

	free(escaped_token);
	free(escaped_credential);
	free(credential);
	free(escaped_user);
	return query;
}

static char *
string_to_sign(const char *host, const char *port, const char *query, const char *scope, const char *when, Error *error)
{
	char *request = NULL;
	char *text = NULL;
	char *lower = strdup(host);
	char hash[CHECKSUM_LENGTH + 1];
	char *c;

	for (c = lower; c != NULL && *c != '\0'; c++)
		*c = (char) tolower((unsigned char) *c);
	if (lower == NULL || asprintf(&request, "GET\n/\n%s\nhost:%s:%s\n\nhost\n" EMPTY_HASH, query, lower, port) < 0)
	{
		free(lower);
		error_out_of_memory(error);
		return NULL;
	}
	free(lower);
	if (checksum_text(request, strlen(request), hash, error) &&
		asprintf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", when, scope, hash) < 0)
	{
		text = NULL;
		error_out_of_memory(error);
	}
	free(request);
	return text;
}

static bool
sign(const char *secret_key, const char *date, const char *region, const char *text, char *signature)
{
	Digest key = {0};
	char *first = NULL;
	bool ok;
	size_t i;

	if (asprintf(&first, "AWS4%s", secret_key) < 0)
		return false;
	ok = hmac(first, strlen(first), date, key) &&
		 hmac(key, sizeof(key), region, key) &&
		 hmac(key, sizeof(key), SERVICE, key) &&
		 hmac(key, sizeof(key), "aws4_request", key) &&
		 hmac(key, sizeof(key), text, key);
	free(first);
	for (i = 0; i < sizeof(key); i++)
		sprintf(signature + 2 * i, "%02x", key[i]);
	explicit_bzero(key, sizeof(key));
	return ok;
}

/* The digest may be the key as well. */
static bool
hmac(const void *key, size_t key_length, const char *text, Digest digest)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	bool ok = context != NULL && pg_hmac_init(context, key, key_length) == 0 &&
			  pg_hmac_update(context, (const uint8 *) text, strlen(text)) == 0 &&
			  pg_hmac_final(context, digest, PG_SHA256_DIGEST_LENGTH) == 0;

	pg_hmac_free(context);
	return ok;
}

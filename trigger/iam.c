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
#include "iam.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "http.h"
#include "sigv4.h"

#define SERVICE "rds-db"

/* In seconds; it is the connection that must begin within them, and no more is allowed. */
#define LIFETIME "900"

/* SHA-256 of nothing, which is the request's body. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char *make_query(const Config *config, const char *user, const char *scope, const char *when, bool sorted);
static char *canonical_request(const char *host, const char *port, const char *query);

bool
iam_token(const Config *config, const char *host, const char *port, const char *user, time_t now,
		  char **token, Error *error)
{
	char *region = aws_region_of_host(host, config->region);
	Signer signer = {region, SERVICE, config->access_key_id, config->secret_access_key};
	char *scope = NULL;
	char *query = NULL;
	char *sorted = NULL;
	char *request = NULL;
	char signature[SIGV4_LENGTH + 1];
	char when[SIGV4_TIME_LENGTH + 1];
	bool ok = false;

	*token = NULL;
	if (region != NULL && sigv4_time(now, when))
		scope = sigv4_scope(&signer, when);
	if (scope != NULL)
	{
		query = make_query(config, user, scope, when, false);
		sorted = make_query(config, user, scope, when, true);
	}
	if (query != NULL && sorted != NULL)
		request = canonical_request(host, port, sorted);
	if (request == NULL)
		error_out_of_memory(error);
	else if (!sigv4_sign(&signer, when, request, signature, error))
		ok = false;
	else if (asprintf(token, "%s:%s/?%s&X-Amz-Signature=%s", host, port, query, signature) < 0)
	{
		*token = NULL;
		error_out_of_memory(error);
	}
	else
		ok = true;

	free(request);
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
canonical_request(const char *host, const char *port, const char *query)
{
	char *request = NULL;
	char *lower = strdup(host);
	char *c;

	for (c = lower; c != NULL && *c != '\0'; c++)
		*c = (char) tolower((unsigned char) *c);
	if (lower == NULL || asprintf(&request, "GET\n/\n%s\nhost:%s:%s\n\nhost\n" EMPTY_HASH, query, lower, port) < 0)
		request = NULL;
	free(lower);
	return request;
}

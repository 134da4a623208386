/*-------------------------------------------------------------------------
 *
 * http.c
 *	  HTTP requests: the only user of libcurl.
 *
 *-------------------------------------------------------------------------
 */
#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_TIMEOUT 3000
#define FIRST_BODY_SIZE 8192

/* Headers that a signature covers, Host and X-Amz-Date among them. */
#define MOST_SIGNED 6

struct Http
{
	CURL *handle;
	const char *ca_file; /* NULL: the system's */
	char message[CURL_ERROR_SIZE];
};

/* A response's body as it comes in. */
typedef struct Body
{
	char *bytes;
	size_t length;
	size_t size;
	size_t limit;
	bool too_long;
	bool is_headed; /* the headers before it are complete */
} Body;

static bool set_options(Http *http, const HttpRequest *request, struct curl_slist *headers,
						Body *body, Error *error);
static const char *name_of(const HttpRequest *request);
static bool make_headers(const HttpRequest *request, struct curl_slist **headers, Error *error);
static bool append_signed(const HttpRequest *request, struct curl_slist **headers, Error *error);
static bool append_header(struct curl_slist **headers, const char *header);
static size_t receive_header(char *bytes, size_t size, size_t count, void *argument);
static size_t receive(char *bytes, size_t size, size_t count, void *argument);
static bool reserve(Body *body, size_t length);
static bool is_transient(CURLcode code);

bool
http_open(Http **http, Error *error)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	if (code != CURLE_OK)
		return error_set(error, ERROR_INTERNAL, "could not start libcurl: %s", curl_easy_strerror(code));

	*http = calloc(1, sizeof(**http));
	if (*http != NULL)
		(*http)->handle = curl_easy_init();
	if (*http == NULL || (*http)->handle == NULL)
	{
		http_close(*http);
		*http = NULL;
		return error_out_of_memory(error);
	}
	return true;
}

void
http_close(Http *http)
{
	if (http != NULL)
		curl_easy_cleanup(http->handle);
	free(http);
	curl_global_cleanup();
}

void
http_trust(Http *http, const char *ca_file)
{
	http->ca_file = ca_file;
}

char *
http_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	char *copy = escaped != NULL ? strdup(escaped) : NULL;

	curl_free(escaped);
	return copy;
}

bool
http_url_read(const char *url, HttpUrl *parts)
{
	CURLU *handle = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	char *port = NULL;
	char *user = NULL;
	const char *rest = strstr(url, "://");
	bool ok = false;

	memset(parts, 0, sizeof(*parts));
	if (handle == NULL || rest == NULL || curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK ||
		curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(handle, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
		goto done;
	if (curl_url_get(handle, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
		port = NULL;

	parts->is_tls = strcmp(scheme, "https") == 0;
	parts->is_loopback = strcmp(host, "127.0.0.1") == 0;
	rest += strlen("://");
	rest += strcspn(rest, "/?#");
	parts->target = *rest == '/' ? rest : NULL;
	if ((!parts->is_tls && strcmp(scheme, "http") != 0) ||
		asprintf(&parts->origin, "%s://%s%s%s", scheme, host, port != NULL ? ":" : "", port != NULL ? port : "") < 0)
	{
		parts->origin = NULL;
		goto done;
	}
	parts->host = parts->origin + strlen(scheme) + strlen("://");
	ok = true;

done:
	curl_free(user);
	curl_free(port);
	curl_free(host);
	curl_free(scheme);
	curl_url_cleanup(handle);
	return ok;
}

void
http_url_free(HttpUrl *parts)
{
	free(parts->origin);
	memset(parts, 0, sizeof(*parts));
}

bool
http_send(Http *http, const HttpRequest *request, HttpResponse *response, bool *transient, Error *error)
{
	struct curl_slist *headers = NULL;
	Body body = {0};
	CURLcode code;
	bool ok = false;

	*transient = false;
	body.limit = request->response_limit;
	if (!reserve(&body, 0))
	{
		error_out_of_memory(error);
		goto done;
	}
	if (!make_headers(request, &headers, error) || !set_options(http, request, headers, &body, error))
		goto done;

	code = curl_easy_perform(http->handle);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(http->handle, CURLINFO_RESPONSE_CODE, &response->status);
	if (code == CURLE_OK && !body.is_headed)
	{
		/* libcurl takes what ends within its headers for a response without a body. */
		code = CURLE_GOT_NOTHING;
		snprintf(http->message, sizeof(http->message), "the connection was closed within the response's headers");
	}
	if (code != CURLE_OK)
	{
		if (body.too_long)
			error_set(error, ERROR_INTERNAL, "the response of %s is longer than %zu bytes",
					  name_of(request), request->response_limit);
		else
			error_set(error, ERROR_INTERNAL, "%s: %s", name_of(request),
					  http->message[0] != '\0' ? http->message : curl_easy_strerror(code));
		*transient = is_transient(code);
		if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
			error_hint(error, "It was verified against the CA file %s. AWS_CA_BUNDLE names another one, for a proxy or an"
							  " endpoint that has a certificate from another CA.",
					   http->ca_file != NULL ? http->ca_file : "of the system");
		goto done;
	}

	response->body = body.bytes;
	response->length = body.length;
	body.bytes = NULL;
	ok = true;

done:
	free(body.bytes);
	curl_slist_free_all(headers);
	return ok;
}

const char *
http_response_header(const Http *http, const char *name)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(http->handle, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	/* libcurl 7.88 takes the end of its line for the value of one that is empty. */
	return header->value[0] == '\r' ? "" : header->value;
}

void
http_response_free(HttpResponse *response)
{
	free(response->body);
	memset(response, 0, sizeof(*response));
}

/* Keeps the result of the first option that was refused. */
#define SET(option, value) \
	do \
	{ \
		if (code == CURLE_OK) \
			code = curl_easy_setopt(handle, option, value); \
	} while (0)

/* curl_easy_reset keeps connections, and forgets the last request's options. */
static bool
set_options(Http *http, const HttpRequest *request, struct curl_slist *headers, Body *body, Error *error)
{
	CURL *handle = http->handle;
	CURLcode code = CURLE_OK;

	curl_easy_reset(handle);
	http->message[0] = '\0';

	SET(CURLOPT_ERRORBUFFER, http->message);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (http->ca_file != NULL)
		SET(CURLOPT_CAINFO, http->ca_file);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "rdsinit/" RDSINIT_VERSION);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_HEADERFUNCTION, receive_header);
	SET(CURLOPT_HEADERDATA, body);
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_WRITEDATA, body);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) CONNECT_TIMEOUT);
	SET(CURLOPT_TIMEOUT_MS, (long) request->timeout);
	if (request->direct)
		SET(CURLOPT_NOPROXY, "*");
	else
	{
		/* Between two invocations nobody is awake to see a connection die, or a name move. */
		SET(CURLOPT_FORBID_REUSE, 1L);
		SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	}
	if (request->body != NULL)
	{
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen(request->body));
		SET(CURLOPT_POSTFIELDS, request->body);
	}
	if (request->is_put)
	{
		SET(CURLOPT_CUSTOMREQUEST, "PUT");
		if (request->target != NULL)
			SET(CURLOPT_REQUEST_TARGET, request->target);
	}

	if (code != CURLE_OK)
		return error_set(error, ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(code));
	return true;
}

static const char *
name_of(const HttpRequest *request)
{
	return request->name != NULL ? request->name : request->url;
}

/* The request's own headers and ours. */
static bool
make_headers(const HttpRequest *request, struct curl_slist **headers, Error *error)
{
	const char *const *header;
	bool ok = true;

	if (request->signer != NULL)
		return append_signed(request, headers, error);

	for (header = request->headers; ok && header != NULL && *header != NULL; header++)
		ok = append_header(headers, *header);

	/* Waiting for "100 Continue" costs a second where it never comes. */
	if (ok && request->body != NULL)
		ok = append_header(headers, "Expect:");
	return ok || error_out_of_memory(error);
}

/* All of them signed, but for one. */
static bool
append_signed(const HttpRequest *request, struct curl_slist **headers, Error *error)
{
	const char *covered[MOST_SIGNED + 1] = {NULL};
	HttpUrl parts = {0};
	char when[SIGV4_TIME_LENGTH + 1];
	char *host = NULL;
	char *date = NULL;
	char *authorization = NULL;
	size_t count = 0;
	size_t i;
	bool ok = false;

	if (!http_url_read(request->url, &parts) || asprintf(&host, "Host: %s", parts.host) < 0)
		host = NULL;
	if (host == NULL || !sigv4_time(time(NULL), when) || asprintf(&date, "X-Amz-Date: %s", when) < 0)
	{
		date = NULL;
		error_out_of_memory(error);
		goto done;
	}
	covered[count++] = host;
	covered[count++] = date;
	for (i = 0; request->headers[i] != NULL && count < MOST_SIGNED; i++)
		covered[count++] = request->headers[i];
	authorization = sigv4_authorization(request->signer, when, parts.target != NULL ? parts.target : "/", covered,
										request->body, error);
	if (authorization == NULL)
		goto done;

	ok = append_header(headers, authorization) && append_header(headers, "Expect:") &&
		 (request->unsigned_header == NULL || append_header(headers, request->unsigned_header));
	for (i = 0; ok && i < count; i++)
		ok = append_header(headers, covered[i]);
	if (!ok)
		error_out_of_memory(error);

done:
	free(authorization);
	free(date);
	free(host);
	http_url_free(&parts);
	return ok;
}

static bool
append_header(struct curl_slist **headers, const char *header)
{
	struct curl_slist *longer = curl_slist_append(*headers, header);

	if (longer == NULL)
		return false;
	*headers = longer;
	return true;
}

/* A line at a time, of each response: a proxy's, a "100 Continue", and the one that counts. */
static size_t
receive_header(char *bytes, size_t size, size_t count, void *argument)
{
	Body *body = argument;

	body->is_headed = size * count == 2 && memcmp(bytes, "\r\n", 2) == 0;
	return size * count;
}

/* libcurl's write callback; any result but the size given ends the transfer. */
static size_t
receive(char *bytes, size_t size, size_t count, void *argument)
{
	Body *body = argument;
	size_t length = size * count;

	if (length > body->limit - body->length)
	{
		body->too_long = true;
		return 0;
	}
	if (!reserve(body, length))
		return 0;
	memcpy(body->bytes + body->length, bytes, length);
	body->length += length;
	body->bytes[body->length] = '\0';
	return length;
}

static bool
reserve(Body *body, size_t length)
{
	size_t size = body->size > 0 ? body->size : FIRST_BODY_SIZE;
	char *bytes;

	while (size < body->length + length + 1)
		size *= 2;
	if (size == body->size)
		return true;

	bytes = realloc(body->bytes, size);
	if (bytes == NULL)
		return false;
	bytes[body->length] = '\0';
	body->bytes = bytes;
	body->size = size;
	return true;
}

/* What a network does, as opposed to what a configuration is. */
static bool
is_transient(CURLcode code)
{
	switch (code)
	{
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_CONNECT:
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_PARTIAL_FILE:
		case CURLE_OPERATION_TIMEDOUT:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_GOT_NOTHING:
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
			return true;
		default:
			return false;
	}
}

/*-------------------------------------------------------------------------
 *
 * http.h
 *	  HTTP requests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "sigv4.h"

/* Direct connections are kept from one request to the next. */
typedef struct Http Http;

typedef struct HttpRequest
{
	const char *url;
	const char *name;            /* of the URL in errors, where it must not be shown; or NULL */
	const char *const *headers;  /* "Name: value", NULL at the end; or NULL */
	const char *body;            /* NULL: GET, otherwise POST */
	const Signer *signer;        /* signs a POST as AWS asks for; NULL: unsigned */
	const char *unsigned_header; /* one more that the signature does not cover; or NULL */
	size_t response_limit;       /* in bytes; a longer one is an error */
	int64_t timeout;             /* in milliseconds; 0: as long as it takes */
	bool is_put;                 /* PUT instead of POST */
	const char *target;          /* of a PUT: path and query, sent as they are; NULL: as libcurl writes the URL's */
	bool direct;                 /* through no proxy, whatever the environment says */
} HttpRequest;

typedef struct HttpResponse
{
	long status;
	char *body; /* NUL-terminated; never NULL after success */
	size_t length;
} HttpResponse;

extern bool http_open(Http **http, Error *error);
extern void http_close(Http *http);

/* A file of CA certificates for all requests to come, instead of the system's; it must stay. */
extern void http_trust(Http *http, const char *ca_file);

/* What a URL means, by the reader that requests go by. */
typedef struct HttpUrl
{
	bool is_tls;
	bool is_loopback;   /* the host is 127.0.0.1 */
	char *origin;       /* scheme, host and port: what may be shown of it */
	const char *host;   /* in "origin": host, and port where it is not the scheme's own */
	const char *target; /* in the URL itself: path and query as they are written; NULL: there is no path */
} HttpUrl;

/*
 * False where it is none of http or https, with a user in it or not as libcurl
 * wants it, or memory is out.  What there is is to be freed in any case.
 */
extern bool http_url_read(const char *url, HttpUrl *parts);
extern void http_url_free(HttpUrl *parts);

/* Percent-encodes all but letters, digits and "-._~"; to be freed. */
extern char *http_escape(const char *text);

/*
 * True when there is a response, whatever its status.  After false, "transient"
 * says whether the same request may well succeed later.
 */
extern bool http_send(Http *http, const HttpRequest *request, HttpResponse *response,
					  bool *transient, Error *error);

/* A header of the last response, until the next request; NULL: not there. */
extern const char *http_response_header(const Http *http, const char *name);

extern void http_response_free(HttpResponse *response);

#endif /* HTTP_H */

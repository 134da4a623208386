/*-------------------------------------------------------------------------
 *
 * tls_probe.c
 *	  Why a server's certificate was refused.
 *
 * libpq says only that it was, before PostgreSQL 17 at least.  Whether it has
 * expired or is from a CA that we do not know makes all the difference to whoever
 * has to do something about it.  So the server is asked for it once more; nothing
 * else is said to it.
 *
 *-------------------------------------------------------------------------
 */
#include "tls_probe.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bounded.h"

/* PostgreSQL's SSLRequest: its length, and a code instead of a version. */
static const unsigned char ssl_request[] = {0, 0, 0, 8, 4, 210, 22, 47};

typedef struct Probe
{
	char *address;
	char *port;
	char *root_file;
	struct timeval timeout; /* of one read or write */
	char *answer;
} Probe;

static void run(void *argument);
static void release(void *argument);
static int connect_socket(const Probe *probe);
static bool ask_for_tls(int socket);
static char *look(const Probe *probe, int socket);
static char *describe(X509 *certificate, long result);

char *
tls_probe(const char *address, const char *port, const char *root_file, int64_t timeout)
{
	Probe *probe = calloc(1, sizeof(*probe));
	char *answer;

	if (probe == NULL)
		return NULL;
	probe->address = strdup(address);
	probe->port = strdup(port);
	probe->root_file = strdup(root_file);
	probe->timeout.tv_sec = timeout / 1000;
	probe->timeout.tv_usec = timeout % 1000 * 1000;
	if (probe->address == NULL || probe->port == NULL || probe->root_file == NULL)
	{
		release(probe);
		return NULL;
	}
	if (!bounded_call(run, release, probe, timeout))
		return NULL;
	answer = probe->answer;
	probe->answer = NULL;
	release(probe);
	return answer;
}

static void
run(void *argument)
{
	Probe *probe = argument;
	int socket = connect_socket(probe);

	if (socket < 0)
		return;
	if (ask_for_tls(socket))
		probe->answer = look(probe, socket);
	close(socket);
}

static void
release(void *argument)
{
	Probe *probe = argument;

	free(probe->address);
	free(probe->port);
	free(probe->root_file);
	free(probe->answer);
	free(probe);
}

static int
connect_socket(const Probe *probe)
{
	struct addrinfo hints = {0};
	struct addrinfo *list = NULL;
	int descriptor;

	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(probe->address, probe->port, &hints, &list) != 0)
		return -1;
	descriptor = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor >= 0 &&
		(setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &probe->timeout, sizeof(probe->timeout)) != 0 ||
		 setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &probe->timeout, sizeof(probe->timeout)) != 0 ||
		 connect(descriptor, list->ai_addr, list->ai_addrlen) != 0))
	{
		close(descriptor);
		descriptor = -1;
	}
	freeaddrinfo(list);
	return descriptor;
}

static bool
ask_for_tls(int socket)
{
	char answer = 0;

	return send(socket, ssl_request, sizeof(ssl_request), MSG_NOSIGNAL) == (ssize_t) sizeof(ssl_request) &&
		   recv(socket, &answer, 1, 0) == 1 && answer == 'S';
}

static char *
look(const Probe *probe, int socket)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	X509 *certificate = NULL;
	char *answer = NULL;

	/* Without SSL_VERIFY_PEER it is verified just the same, and we go on to hear how. */
	if (context == NULL || SSL_CTX_load_verify_locations(context, probe->root_file, NULL) != 1)
		goto done;
	ssl = SSL_new(context);
	if (ssl == NULL || SSL_set_fd(ssl, socket) != 1 || SSL_connect(ssl) != 1)
		goto done;
	certificate = SSL_get1_peer_certificate(ssl);
	if (certificate != NULL && SSL_get_verify_result(ssl) != X509_V_OK)
		answer = describe(certificate, SSL_get_verify_result(ssl));

done:
	X509_free(certificate);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return answer;
}

/* "certificate has expired (CN=db, signed by CN=ca, valid until Jan  1 00:00:00 2026 GMT)" */
static char *
describe(X509 *certificate, long result)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *answer = NULL;
	char *bytes = NULL;
	long length;

	if (text == NULL)
		return NULL;
	BIO_printf(text, "%s (", X509_verify_cert_error_string(result));
	X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
	BIO_printf(text, ", signed by ");
	X509_NAME_print_ex(text, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
	BIO_printf(text, ", valid from ");
	ASN1_TIME_print(text, X509_get0_notBefore(certificate));
	BIO_printf(text, " to ");
	ASN1_TIME_print(text, X509_get0_notAfter(certificate));
	BIO_printf(text, ")");
	length = BIO_get_mem_data(text, &bytes);
	if (length > 0)
		answer = strndup(bytes, (size_t) length);
	BIO_free(text);
	return answer;
}

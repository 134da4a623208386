/*-------------------------------------------------------------------------
 *
 * tls_probe.h
 *	  Why a server's certificate was refused.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TLS_PROBE_H
#define TLS_PROBE_H

#include <stdint.h>

/*
 * Looks at the certificate of the server at an address, a numeric one, as libpq
 * has just done.  Gives what is wrong with it, to be freed; NULL: could not be
 * found out within so many milliseconds.
 */
extern char *tls_probe(const char *address, const char *port, const char *root_file, int64_t timeout);

#endif /* TLS_PROBE_H */

/*-------------------------------------------------------------------------
 *
 * config.h
 *	  The environment, read and checked in one place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "request.h"

typedef enum Mode
{
	MODE_AUTO, /* the extension where the server has it */
	MODE_EXTENSION,
	MODE_PLAIN
} Mode;

/* Strings are the environment's own, or constants; NULL: not set. */
typedef struct Config
{
	const char *host; /* several, separated by commas */
	const char *port; /* a checked number */
	const char *database;
	const char *admin_database; /* where CREATE DATABASE is run */
	const char *user;
	const char *password;
	const char *sslmode;
	const char *sslrootcert;

	const char *secret_name; /* name or ARN */
	const char *endpoint;    /* of Secrets Manager, instead of AWS's own */
	const char *region;
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;

	const char *bundle; /* NULL: beside the program */
	Mode mode;
	Request request;
	int64_t progress_interval; /* in milliseconds; 0: no progress is told */

	char *directory;            /* the program's */
	char *packaged_certificate; /* NULL: there is none */
} Config;

/*
 * Fills a config that is all zero.  The error names every variable that is
 * missing or wrong, not just the first.
 */
extern bool config_read(Config *config, Error *error);
extern void config_free(Config *config);

/* A port number in decimal, 1 to 65535? */
extern bool config_is_port(const char *text);

#endif /* CONFIG_H */

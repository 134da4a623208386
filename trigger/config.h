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
#include "trust.h"

/* How the database lets us in. */
typedef enum Auth
{
	AUTH_PASSWORD,
	AUTH_IAM /* by a token that AWS credentials sign */
} Auth;

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
	Auth auth;
	const char *sslmode;
	const char *sslrootcert;       /* NULL: none is verified against */
	const char *sslrootcert_names; /* the same, for messages */

	const char *secret_name; /* name or ARN */
	const char *cache_port;  /* of the Parameters and Secrets extension; NULL: it is not there */
	const char *endpoint;    /* of Secrets Manager, instead of AWS's own */
	bool ignore_endpoints;   /* … which does not count */
	const char *https_ca;    /* what AWS's HTTPS is verified against; NULL: the system's */
	const char *region;
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;

	const char *bundle; /* NULL: beside the program */
	Mode mode;
	bool event_targets; /* an event may say which database is meant */
	Request request;
	int64_t progress_interval; /* in milliseconds; 0: no progress is told */

	/* Of an event's target: see job.h. */
	const struct Config *environment; /* what counts where neither target nor secret says anything; NULL: this is it */
	bool must_be_listed;              /* the secret is not the event's, and must list its host and port */

	char *directory; /* the program's */
	Trust trust;     /* what is packaged there */
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

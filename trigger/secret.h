/*-------------------------------------------------------------------------
 *
 * secret.h
 *	  The database's credentials, from AWS Secrets Manager.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "http.h"

/* The last three are NULL where the secret does not hold them. */
typedef struct Secret
{
	char *username;
	char *password;
	char *host;
	char *port;
	char *database;
} Secret;

/* Asks for the secret that the config names; no error holds any of its value. */
extern bool secret_read(Http *http, const Config *config, const Deadline *deadline, Secret *secret, Error *error);

/* Wipes it. */
extern void secret_free(Secret *secret);

#endif /* SECRET_H */

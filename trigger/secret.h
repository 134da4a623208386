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
#include "secret_value.h"

/* Where a secret is taken from, and which version of it. */
typedef enum SecretSource
{
	SECRET_CACHED,  /* the Parameters and Secrets extension's cache, where it is there */
	SECRET_CURRENT, /* Secrets Manager itself */
	SECRET_PENDING  /* the version that a rotation is about to make the current one */
} SecretSource;

/* Asks for the secret that the config names; no error holds any of its value. */
extern bool secret_read(Http *http, const Config *config, SecretSource source, const Deadline *deadline,
						Secret *secret, Error *error);

#endif /* SECRET_H */

/*-------------------------------------------------------------------------
 *
 * secret_value.h
 *	  What a secret holds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SECRET_VALUE_H
#define SECRET_VALUE_H

#include <stdbool.h>

#include "error.h"
#include "http.h"

/* A secret's value has at most 64 kB; JSON's escapes can make six of one. */
#define SECRET_LONGEST_RESPONSE ((size_t) 1024 * 1024)

/* The last three are NULL where the secret does not hold them. */
typedef struct Secret
{
	char *username;
	char *password;
	char *host;
	char *port;
	char *database;
} Secret;

/* Reads GetSecretValue's response; no error holds any of the value. */
extern bool secret_parse(const char *name, const HttpResponse *response, Secret *secret, Error *error);

/* Frees it, which clears it. */
extern void secret_free(Secret *secret);

#endif /* SECRET_VALUE_H */

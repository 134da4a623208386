/*-------------------------------------------------------------------------
 *
 * iam.h
 *	  IAM database authentication: a token instead of a password.
 *
 *-------------------------------------------------------------------------
 */
#ifndef IAM_H
#define IAM_H

#include <stdbool.h>
#include <time.h>

#include "config.h"
#include "error.h"

/* A token for one host, made now; to be freed. */
extern bool iam_token(const Config *config, const char *host, const char *port, const char *user, time_t now,
					  char **token, Error *error);

#endif /* IAM_H */

/*-------------------------------------------------------------------------
 *
 * secret_cache.h
 *	  The cache of AWS's Parameters and Secrets Lambda extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SECRET_CACHE_H
#define SECRET_CACHE_H

#include <stdbool.h>

#include "config.h"
#include "deadline.h"
#include "http.h"
#include "secret_value.h"

/*
 * Takes the secret from the cache.  False where there is none, or where it does
 * not answer as it should, which is logged: Secrets Manager itself is there.
 */
extern bool secret_cache_read(Http *http, const Config *config, const Deadline *deadline, Secret *secret);

#endif /* SECRET_CACHE_H */

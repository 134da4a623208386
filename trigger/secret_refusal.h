/*-------------------------------------------------------------------------
 *
 * secret_refusal.h
 *	  What Secrets Manager says where it gives no secret.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SECRET_REFUSAL_H
#define SECRET_REFUSAL_H

#include <stdbool.h>

#include "error.h"
#include "http.h"

/* Returns false, for the caller to return.  "transient" says whether to ask again. */
extern bool secret_refused(const char *name, const HttpResponse *response, bool *transient, Error *error);

#endif /* SECRET_REFUSAL_H */

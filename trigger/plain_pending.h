/*-------------------------------------------------------------------------
 *
 * plain_pending.h
 *	  Which scripts of a bundle are to be applied.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_PENDING_H
#define PLAIN_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "bundle.h"
#include "error.h"
#include "event.h"
#include "plain_history.h"
#include "query.h"

/* A script as it goes through the transaction. */
typedef struct Work
{
	const Script *script;
	bool is_part; /* another script includes it: it is not applied by itself */
	bool pending;
	char checksum[CHECKSUM_LENGTH + 1]; /* with all that it includes */
	size_t *included;                   /* of the bundle */
	size_t included_count;
} Work;

/* "works" has one for each script of the bundle, all zero. */
extern bool pending_find(const Session *session, const Bundle *bundle, const Request *request, Work *works, Error *error);
extern void pending_free(Work *works, size_t count);

#endif /* PLAIN_PENDING_H */

/*-------------------------------------------------------------------------
 *
 * reply.h
 *	  The JSON that an invocation is answered with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLY_H
#define REPLY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "outcome.h"
#include "shorten.h"

/* The body of a success. */
#define REPLY_SUCCESS "RDS schema initialization successful!"

/* What an answer is at most, in bytes. */
#define REPLY_LIMIT (128 * 1024)

/*
 * What an invocation comes to, to be json_decref'ed: about "limit" bytes at
 * most, with "truncated" where lists had to be cut for that.  "duration" is the
 * invocation's so far, in milliseconds.
 */
extern json_t *reply_success(const Outcome *outcome, int64_t duration, size_t limit);
extern json_t *reply_failure(const Outcome *outcome, const Error *error, size_t limit);

/* Adds a list that it takes over: as much as there is room for, beside what the reply holds already. */
extern void reply_add_list(json_t *reply, const char *key, json_t *list, size_t limit, ShortenRank rank);

/*
 * Takes over a reply, and gives it as a string to be freed.  An invocation must
 * be answered: where memory is out, NULL included, the string says that.
 */
extern char *reply_text(json_t *reply);

/* Logs the same in short, and the metrics. */
extern void reply_log_success(const Outcome *outcome, int64_t duration);
extern void reply_log_failure(const Outcome *outcome, const Error *error);

#endif /* REPLY_H */

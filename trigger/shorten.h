/*-------------------------------------------------------------------------
 *
 * shorten.h
 *	  Lists cut down to what an answer has room for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SHORTEN_H
#define SHORTEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How much an element is worth keeping, from 0 to SHORTEN_MOST. */
typedef int (*ShortenRank)(const json_t *element);

#define SHORTEN_MOST 3

/* The length of a value as text, in the form in which answers are sent. */
extern size_t shorten_length(const json_t *json);

/*
 * Cuts a list down to so many bytes.  What has the highest rank is kept first,
 * and among equals what comes first; their order stays.  True: some are gone.
 */
extern bool shorten_list(json_t *list, size_t limit, ShortenRank rank);

#endif /* SHORTEN_H */

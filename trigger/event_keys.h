/*-------------------------------------------------------------------------
 *
 * event_keys.h
 *	  The keys of an event, or of a custom resource's properties.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EVENT_KEYS_H
#define EVENT_KEYS_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "request.h"

/* Which database is meant; NULL: what the environment says.  The strings are the event's. */
typedef struct Place
{
	const char *host;
	const char *port; /* a checked number */
	const char *database;
	const char *secret;
	const char *bundle;
	char port_digits[8];
} Place;

/* The request starts as the environment's. */
typedef struct EventKeys
{
	Request request;
	Place place;
} EventKeys;

/* "is_resource": of a resource, where all that is no object or list is a string. */
extern bool event_keys_read(const json_t *object, bool is_resource, EventKeys *keys, Error *error);

/* The first key that the place has; NULL: none. */
extern const char *event_keys_place(const Place *place);

#endif /* EVENT_KEYS_H */

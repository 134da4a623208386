/*-------------------------------------------------------------------------
 *
 * event.h
 *	  An invocation's event: which form it has, and so who waits for what answer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EVENT_H
#define EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef enum EventKind
{
	EVENT_REQUEST,         /* keys of its own: options, perhaps a target */
	EVENT_TARGETS,         /* a list of such */
	EVENT_CUSTOM_RESOURCE, /* CloudFormation's, which waits for a PUT to the ResponseURL */
	EVENT_PROVIDER         /* the same by way of CDK's provider framework, which waits for the answer */
} EventKind;

typedef struct Event
{
	EventKind kind;
	json_t *json; /* a list for EVENT_TARGETS, else an object */
} Event;

/*
 * False where it is no JSON, or nobody's that is known.  The event is to be
 * given to event_free() either way.
 */
extern bool event_parse(const char *text, size_t length, Event *event, Error *error);
extern void event_free(Event *event);

/* A string of an event's top level; NULL where there is none. */
extern const char *event_text(const Event *event, const char *key);

#endif /* EVENT_H */

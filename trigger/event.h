/*-------------------------------------------------------------------------
 *
 * event.h
 *	  What an invocation's event asks for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EVENT_H
#define EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Starts as the environment's defaults, which an event may override. */
typedef struct Request
{
	bool force;
	json_t *variables; /* an object of strings, of our own; NULL: none */
} Request;

extern bool event_read(const char *event, size_t length, Request *request, Error *error);

#endif /* EVENT_H */

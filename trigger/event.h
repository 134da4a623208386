/*-------------------------------------------------------------------------
 *
 * event.h
 *	  What an invocation's event asks for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

/* The request starts as the environment's. */
extern bool event_read(const char *event, size_t length, Request *request, Error *error);

#endif /* EVENT_H */

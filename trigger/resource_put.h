/*-------------------------------------------------------------------------
 *
 * resource_put.h
 *	  The PUT to a custom resource's ResponseURL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RESOURCE_PUT_H
#define RESOURCE_PUT_H

#include <stdbool.h>

#include "deadline.h"
#include "error.h"
#include "http.h"

/*
 * Tries until the deadline: a stack that gets no answer waits for an hour.  The
 * URL is as good as a password, and no error holds more of it than its host.
 */
extern bool resource_put(Http *http, const char *url, const char *body, const Deadline *deadline, Error *error);

#endif /* RESOURCE_PUT_H */

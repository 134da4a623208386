/*-------------------------------------------------------------------------
 *
 * targets.h
 *	  A list of targets, one after another.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TARGETS_H
#define TARGETS_H

#include <jansson.h>
#include <stdbool.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "http.h"

/*
 * Runs each, also after one has failed, unless the list itself is wrong.  The
 * reply has a result for each; it is NULL where the list is wrong.
 */
extern bool targets_run(Http *http, const Config *config, const json_t *list, const Deadline *deadline,
						json_t **reply, Error *error);

#endif /* TARGETS_H */

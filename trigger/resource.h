/*-------------------------------------------------------------------------
 *
 * resource.h
 *	  A custom resource is created, updated or deleted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RESOURCE_H
#define RESOURCE_H

#include <jansson.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "event.h"
#include "http.h"

/*
 * CloudFormation's own: it is told by a PUT, success and failure alike.  Once
 * that has been accepted the invocation is a success, since CloudFormation
 * invokes asynchronously, and Lambda would run a failure twice more.
 *
 * NULL with an error where CloudFormation could not be told.
 */
extern json_t *resource_answer(Http *http, const Config *config, const Error *config_error, const Event *event,
							   const Deadline *deadline, Error *error);

/* By way of CDK's provider framework, which takes the invocation's answer. */
extern json_t *resource_reply(Http *http, const Config *config, const Error *config_error, const Event *event,
							  const Deadline *deadline, Error *error);

#endif /* RESOURCE_H */

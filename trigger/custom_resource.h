/*-------------------------------------------------------------------------
 *
 * custom_resource.h
 *	  What a custom resource's request is answered with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUSTOM_RESOURCE_H
#define CUSTOM_RESOURCE_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "event.h"
#include "outcome.h"

typedef enum ResourceRequest
{
	RESOURCE_UNKNOWN,
	RESOURCE_CREATE,
	RESOURCE_UPDATE,
	RESOURCE_DELETE
} ResourceRequest;

extern ResourceRequest custom_resource_request(const Event *event);

/* The event's ResourceProperties, borrowed; NULL with an error where they are no object. */
extern const json_t *custom_resource_properties(const Event *event, Error *error);

/*
 * What the resource is known by, as a new string: its own for as long as it
 * lives, since CloudFormation deletes the one whose id an update changes.
 */
extern json_t *custom_resource_id(const Event *event, Error *error);

/* What Fn::GetAtt can ask for: strings, in one object. */
extern json_t *custom_resource_data(const Outcome *outcome);

/* A failure in one text, with all that is known of it. */
extern json_t *custom_resource_reason(const Error *error);

/*
 * The body of the PUT, to be freed; "reason" and "data" may be NULL.  NULL with
 * an error where the event does not hold what CloudFormation would know it by.
 */
extern char *custom_resource_body(const Event *event, bool succeeded, const json_t *reason, const json_t *data, Error *error);

#endif /* CUSTOM_RESOURCE_H */

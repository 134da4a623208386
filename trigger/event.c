/*-------------------------------------------------------------------------
 *
 * event.c
 *	  An invocation's event: which form it has, and so who waits for what answer.
 *
 *-------------------------------------------------------------------------
 */
#include "event.h"

#include <stdlib.h>
#include <string.h>

#include "http.h"

/* So that a list's answer has room for something of each. */
#define MOST_TARGETS 100

static bool recognise(Event *event, Error *error);
static bool check_list(const json_t *list, Error *error);
static bool is_answered_by_put(const Event *event);
static bool is_sent_to_another(const Event *event);
static bool refuse_service_event(const json_t *event, Error *error);

/* No event, null and {} ask for nothing in particular. */
bool
event_parse(const char *text, size_t length, Event *event, Error *error)
{
	json_error_t problem;

	memset(event, 0, sizeof(*event));
	if (length == 0)
		event->json = json_object();
	else
		event->json = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
	if (event->json == NULL && length == 0)
		return error_out_of_memory(error);
	if (event->json == NULL)
		return error_set(error, ERROR_EVENT, "the event is not valid JSON (line %d, column %d)",
						 problem.line, problem.column);
	if (json_is_null(event->json))
		event->json = json_object();
	return event->json != NULL ? recognise(event, error) : error_out_of_memory(error);
}

void
event_free(Event *event)
{
	json_decref(event->json);
	memset(event, 0, sizeof(*event));
}

const char *
event_text(const Event *event, const char *key)
{
	return json_string_value(json_object_get(event->json, key));
}

static bool
recognise(Event *event, Error *error)
{
	if (json_is_array(event->json))
	{
		event->kind = EVENT_TARGETS;
		return check_list(event->json, error);
	}
	if (!json_is_object(event->json))
		return error_set(error, ERROR_EVENT, "the event is neither a JSON object nor a list of them");
	if (json_object_get(event->json, "RequestType") != NULL)
		event->kind = is_answered_by_put(event) ? EVENT_CUSTOM_RESOURCE : EVENT_PROVIDER;
	else
	{
		event->kind = EVENT_REQUEST;
		return !refuse_service_event(event->json, error);
	}
	return true;
}

static bool
check_list(const json_t *list, Error *error)
{
	const json_t *target;
	size_t i;

	if (json_array_size(list) == 0)
		return error_set(error, ERROR_EVENT, "the event is a list of targets, but an empty one");
	if (json_array_size(list) > MOST_TARGETS)
	{
		error_set(error, ERROR_EVENT, "the event is a list of %zu targets, more than %d", json_array_size(list), MOST_TARGETS);
		error_hint(error, "Invoke the function more than once, for example by a map of Step Functions.");
		return false;
	}
	json_array_foreach(list, i, target)
	{
		if (!json_is_object(target))
			return error_set(error, ERROR_EVENT, "target %zu of the event's list is not a JSON object", i + 1);
	}
	return true;
}

/*
 * CloudFormation's own are presigned https URLs.  CDK's framework hands them on,
 * and then puts its own answer there: SUCCESS over our FAILED, unless the
 * invocation itself has failed.  On this machine a test may listen without TLS.
 */
static bool
is_answered_by_put(const Event *event)
{
	const char *url = event_text(event, "ResponseURL");
	HttpUrl parts = {0};
	bool is_url = url != NULL && http_url_read(url, &parts);
	bool is_answered = is_url && (parts.is_tls ? !is_sent_to_another(event) : parts.is_loopback);

	http_url_free(&parts);
	return is_answered;
}

/* CloudFormation invokes the ServiceToken: where that is another function, we were invoked by that one. */
static bool
is_sent_to_another(const Event *event)
{
	static const char mark[] = ":function:";
	const json_t *properties = json_object_get(event->json, "ResourceProperties");
	const char *token = json_string_value(json_object_get(properties, "ServiceToken"));
	const char *name = getenv("AWS_LAMBDA_FUNCTION_NAME");
	size_t length;

	token = token != NULL ? strstr(token, mark) : NULL;
	if (token == NULL || name == NULL)
		return false;
	/* A version or an alias may follow. */
	token += strlen(mark);
	length = strcspn(token, ":");
	return strlen(name) != length || strncmp(token, name, length) != 0;
}

/*
 * Events of AWS services are told apart, since their senders did not write
 * them and would not know what a refused key means.  True: refused.
 */
static bool
refuse_service_event(const json_t *event, Error *error)
{
	if (json_object_get(event, "Records") != NULL)
	{
		error_set(error, ERROR_EVENT, "this is an event with Records (of SNS, SQS or S3), which say nothing of what is to be done");
		error_hint(error, "Invoke the function itself, with {} or {\"force\": true}; for a custom resource, make its ARN the ServiceToken.");
		return true;
	}
	if (json_object_get(event, "TopicArn") != NULL && json_object_get(event, "Message") != NULL)
	{
		error_set(error, ERROR_EVENT, "this is a notification of SNS, which says nothing of what is to be done");
		error_hint(error, "Invoke the function itself, with {} or {\"force\": true}.");
		return true;
	}
	if (json_object_get(event, "source") != NULL && json_object_get(event, "detail-type") != NULL)
	{
		error_set(error, ERROR_EVENT, "this is an event of EventBridge, which says nothing of what is to be done");
		error_hint(error, "Give the rule's target a constant input: {} or {\"force\": true}.");
		return true;
	}
	return false;
}

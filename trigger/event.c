/*-------------------------------------------------------------------------
 *
 * event.c
 *	  What an invocation's event asks for.
 *
 *-------------------------------------------------------------------------
 */
#include "event.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static bool refuse_service_event(const json_t *event, Error *error);
static bool read_variables(const json_t *value, Request *request, Error *error);
static bool read_keys(json_t *event, Request *request, Error *error);
static bool *find_boolean(const char *key, Request *request);
static bool read_text(const char *key, const json_t *value, Request *request, Error *error);
static bool read_time(const char *key, const json_t *value, int64_t *milliseconds, Error *error);

/* No event, null and {} ask for nothing in particular. */
bool
event_read(const char *event, size_t length, Request *request, Error *error)
{
	json_t *json;
	json_error_t problem;
	bool ok = false;

	if (length == 0)
		return true;

	json = json_loadb(event, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
	if (json == NULL)
		return error_set(error, ERROR_EVENT, "the event is not valid JSON (line %d, column %d)",
						 problem.line, problem.column);

	if (json_is_null(json))
		ok = true;
	else if (!json_is_object(json))
		error_set(error, ERROR_EVENT, "the event is not a JSON object");
	else if (!refuse_service_event(json, error))
		ok = read_keys(json, request, error);

	json_decref(json);
	return ok;
}

/*
 * Events of AWS services are told apart, since their senders did not write
 * them and would not know what a refused key means.  True: refused.
 */
static bool
refuse_service_event(const json_t *event, Error *error)
{
	if (json_object_get(event, "RequestType") != NULL)
	{
		error_set(error, ERROR_EVENT, "this version does not handle events of a CloudFormation custom resource");
		error_hint(error, "Nothing was sent to the event's ResponseURL, so that the stack waits until it times out:"
						  " invoke the function in another way, for example with \"aws lambda invoke\".");
		return true;
	}
	if (json_object_get(event, "Records") != NULL)
	{
		error_set(error, ERROR_EVENT, "this version does not handle events with Records (of SNS, SQS or S3)");
		error_hint(error, "Invoke the function with {} or {\"force\": true}.");
		return true;
	}
	if (json_object_get(event, "source") != NULL && json_object_get(event, "detail-type") != NULL)
	{
		error_set(error, ERROR_EVENT, "this version does not handle events of EventBridge");
		error_hint(error, "Give the rule's target a constant input: {} or {\"force\": true}.");
		return true;
	}
	return false;
}

static bool
read_keys(json_t *event, Request *request, Error *error)
{
	const char *key;
	json_t *value;

	json_object_foreach(event, key, value)
	{
		bool *boolean = find_boolean(key, request);

		if (strcmp(key, "variables") == 0)
		{
			if (!read_variables(value, request, error))
				return false;
		}
		else if (strcmp(key, "baseline") == 0 || strcmp(key, "resume") == 0 ||
				 strcmp(key, "lock_timeout") == 0 || strcmp(key, "retry_for") == 0)
		{
			if (!read_text(key, value, request, error))
				return false;
		}
		else if (boolean == NULL)
		{
			error_set(error, ERROR_EVENT, "the event's key \"%s\" is not known", key);
			error_hint(error, "This version knows \"allow_changed\", \"allow_data_loss\", \"allow_missing\", \"baseline\","
							  " \"force\", \"lock_timeout\", \"out_of_order\", \"resume\", \"retry_for\" and \"variables\".");
			return false;
		}
		else if (!json_is_boolean(value))
			return error_set(error, ERROR_EVENT, "the event's \"%s\" is neither true nor false", key);
		else
			*boolean = json_is_true(value);
	}
	return true;
}

/* NULL: the key is none of those that are true or false. */
static bool *
find_boolean(const char *key, Request *request)
{
	if (strcmp(key, "force") == 0)
		return &request->force;
	if (strcmp(key, "out_of_order") == 0)
		return &request->out_of_order;
	if (strcmp(key, "allow_changed") == 0)
		return &request->allow_changed;
	if (strcmp(key, "allow_data_loss") == 0)
		return &request->allow_data_loss;
	if (strcmp(key, "allow_missing") == 0)
		return &request->allow_missing;
	return NULL;
}

static bool
read_text(const char *key, const json_t *value, Request *request, Error *error)
{
	const char *text = json_string_value(value);
	bool is_resume = strcmp(key, "resume") == 0;

	if (strcmp(key, "lock_timeout") == 0)
		return read_time(key, value, &request->lock_timeout, error);
	if (strcmp(key, "retry_for") == 0)
		return read_time(key, value, &request->retry_for, error);
	if (text != NULL && (is_resume ? request_read_resume(text, &request->resume)
								   : request_read_baseline(text, &request->baseline)))
		return true;
	return error_set(error, ERROR_EVENT, "the event's \"%s\" is not %s", key,
					 is_resume ? REQUEST_RESUME_EXPECTED : REQUEST_BASELINE_EXPECTED);
}

/* A number counts milliseconds, as in the extension's options. */
static bool
read_time(const char *key, const json_t *value, int64_t *milliseconds, Error *error)
{
	char number[24];

	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if ((json_is_string(value) && request_read_time(json_string_value(value), milliseconds)) ||
		(json_is_integer(value) && request_read_time(number, milliseconds)))
		return true;
	return error_set(error, ERROR_EVENT, "the event's \"%s\" is not " REQUEST_TIME_EXPECTED, key);
}

/* Each takes the place of the environment's one of the same name. */
static bool
read_variables(const json_t *value, Request *request, Error *error)
{
	json_t *variables = options_variables(value);
	json_t *all = request->variables != NULL ? json_copy(request->variables) : json_object();

	if (variables == NULL)
		error_set(error, ERROR_EVENT, "the event's \"variables\" is not " OPTIONS_VARIABLES_EXPECTED);
	else if (all == NULL || json_object_update(all, variables) != 0)
		error_out_of_memory(error);
	else
	{
		json_decref(request->variables);
		request->variables = all;
		json_decref(variables);
		return true;
	}
	json_decref(all);
	json_decref(variables);
	return false;
}

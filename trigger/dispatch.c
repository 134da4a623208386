/*-------------------------------------------------------------------------
 *
 * dispatch.c
 *	  One invocation, from the event to the answer that its sender waits for.
 *
 *-------------------------------------------------------------------------
 */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "invocation.h"
#include "job.h"
#include "reply.h"
#include "resource.h"
#include "targets.h"

static json_t *run(Http *http, const Config *config, const Error *config_error, const Event *event,
				   const Deadline *deadline, Error *error);
static json_t *run_request(Http *http, const Config *config, const json_t *keys, const Deadline *deadline, Error *error);

char *
dispatch(Http *http, const Config *config, const Error *config_error, const char *text, size_t length,
		 const Deadline *deadline, const char **error_type)
{
	Event event = {0};
	Error error = ERROR_NONE;
	json_t *reply = NULL;
	bool is_understood = event_parse(text, length, &event, &error);

	if (is_understood)
		reply = run(http, config, config_error, &event, deadline, &error);
	else if (config_error->type != NULL)
		error_copy(&error, config_error);
	*error_type = error.type;
	if (reply == NULL)
	{
		Outcome none = {0};

		if (error.type == NULL)
			error_out_of_memory(&error);
		*error_type = error.type;
		reply_log_failure(&none, &error);
		reply = reply_failure(&none, &error, REPLY_LIMIT);
	}
	error_free(&error);
	event_free(&event);

	/* The text of a plan is printed, not packed. */
	if (*error_type == NULL && json_is_string(reply))
	{
		char *plan = strdup(json_string_value(reply));

		json_decref(reply);
		return plan;
	}
	return reply_text(reply);
}

/* NULL with an error where there is no more to be said than that error. */
static json_t *
run(Http *http, const Config *config, const Error *config_error, const Event *event, const Deadline *deadline, Error *error)
{
	json_t *reply = NULL;

	/* Who waits for a resource waits whatever is wrong; and none is needed for deleting one. */
	if (event->kind == EVENT_CUSTOM_RESOURCE)
		return resource_answer(http, config, config_error, event, deadline, error);
	if (event->kind == EVENT_PROVIDER)
		return resource_reply(http, config, config_error, event, deadline, error);

	if (config_error->type != NULL)
		error_copy(error, config_error);
	else if (event->kind == EVENT_TARGETS)
		(void) targets_run(http, config, event->json, deadline, &reply, error);
	else
		reply = run_request(http, config, event->json, deadline, error);
	return reply;
}

static json_t *
run_request(Http *http, const Config *config, const json_t *keys, const Deadline *deadline, Error *error)
{
	Job job = {0};
	Outcome outcome = {0};
	int64_t started = clock_now();
	json_t *reply = NULL;

	if (!job_read(config, keys, false, &job, error))
	{
		job_free(&job);
		return NULL;
	}

	if (!invocation_deploy(http, &job.config, &job.keys.request, deadline, &outcome, error))
	{
		reply_log_failure(&outcome, error);
		reply = reply_failure(&outcome, error, REPLY_LIMIT);
	}
	else
	{
		reply_log_success(&outcome, clock_now() - started);
		if (job.keys.request.plan == PLAN_TEXT)
			reply = json_string(outcome.plan);
		else
			reply = reply_success(&outcome, clock_now() - started, REPLY_LIMIT);
	}
	outcome_free(&outcome);
	job_free(&job);
	return reply;
}

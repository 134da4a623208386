/*-------------------------------------------------------------------------
 *
 * resource.c
 *	  A custom resource is created, updated or deleted.
 *
 *-------------------------------------------------------------------------
 */
#include "resource.h"

#include <stdlib.h>

#include "child.h"
#include "custom_resource.h"
#include "invocation.h"
#include "job.h"
#include "log.h"
#include "reply.h"
#include "resource_put.h"

/* What is kept of the time for the PUT, with its repetitions. */
#define LONGEST_RESERVE 8000

/* One request, for a call with one argument. */
typedef struct Work
{
	const Config *config;
	const Error *config_error;
	const Event *event;
	const Deadline *deadline;
} Work;

static json_t *work_apart(void *argument);
static json_t *work(Http *http, const Work *work, Error *error);
static json_t *deploy(Http *http, const Config *config, const Event *event, const Deadline *deadline, Error *error);
static json_t *failure(const Error *error);
static bool put(Http *http, const Event *event, const json_t *result, const Deadline *deadline, Error *error);

json_t *
resource_answer(Http *http, const Config *config, const Error *config_error, const Event *event,
				const Deadline *deadline, Error *error)
{
	Deadline until = *deadline;
	Deadline to_answer = deadline_to_answer(deadline);
	int64_t reserve = deadline_remaining(deadline) / 4;
	Work task = {config, config_error, event, &until};
	char *answerable = custom_resource_body(event, true, NULL, NULL, error);
	json_t *result;
	json_t *reply = NULL;

	if (answerable == NULL)
		return NULL;
	free(answerable);
	deadline_reserve(&until, reserve < LONGEST_RESERVE ? reserve : LONGEST_RESERVE);

	/* In a process of its own: CloudFormation must hear even of a crash. */
	result = child_run(work_apart, &task, &until, error);
	if (result == NULL)
	{
		Outcome none = {0};

		reply_log_failure(&none, error);
		result = failure(error);
	}
	error_free(error);

	if (put(http, event, result, &to_answer, error))
		reply = json_incref(json_object_get(result, "reply"));
	json_decref(result);
	return reply;
}

json_t *
resource_reply(Http *http, const Config *config, const Error *config_error, const Event *event,
			   const Deadline *deadline, Error *error)
{
	Work task = {config, config_error, event, deadline};
	json_t *result = work(http, &task, error);
	json_t *reply;
	json_t *id;

	if (error->type != NULL)
		reply = json_incref(json_object_get(result, "reply"));
	else
	{
		id = custom_resource_id(event, error);
		reply = id != NULL ? json_pack("{s:o, s:O*}", "PhysicalResourceId", id, "Data", json_object_get(result, "data")) : NULL;
	}
	json_decref(result);
	return reply;
}

/* Connections are not shared between processes. */
static json_t *
work_apart(void *argument)
{
	const Work *task = argument;
	Http *http = NULL;
	Error error = ERROR_NONE;
	json_t *result;

	if (http_open(&http, &error))
	{
		http_trust(http, task->config->https_ca);
		result = work(http, task, &error);
	}
	else
		result = failure(&error);
	http_close(http);
	error_free(&error);
	return result;
}

/*
 * An object with the "reply", the "data" of a success and the "reason" of a
 * failure, of which the error is set as well.
 */
static json_t *
work(Http *http, const Work *task, Error *error)
{
	json_t *result = NULL;

	if (custom_resource_request(task->event) == RESOURCE_DELETE)
	{
		log_line(LEVEL_INFO, NULL, "the resource is deleted, which leaves the database as it is");
		return json_pack("{s:{s:i, s:s}}", "reply", "statusCode", 200, "body",
						 "The resource is deleted; the database and its data are kept.");
	}

	if (task->config_error->type != NULL)
		error_copy(error, task->config_error);
	else
		result = deploy(http, task->config, task->event, task->deadline, error);
	if (result == NULL)
	{
		Outcome none = {0};

		if (error->type == NULL)
			error_out_of_memory(error);
		reply_log_failure(&none, error);
		result = failure(error);
	}
	return result;
}

/* NULL with an error where nothing was begun; without one where memory is out. */
static json_t *
deploy(Http *http, const Config *config, const Event *event, const Deadline *deadline, Error *error)
{
	const json_t *properties = custom_resource_properties(event, error);
	Job job = {0};
	Outcome outcome = {0};
	int64_t started = clock_now();
	json_t *result = NULL;

	if (properties == NULL || !job_read(config, properties, true, &job, error))
		goto done;
	if (invocation_deploy(http, &job.config, &job.keys.request, deadline, &outcome, error))
	{
		reply_log_success(&outcome, clock_now() - started);
		result = json_pack("{s:o, s:o}", "reply", reply_success(&outcome, clock_now() - started, REPLY_LIMIT),
						   "data", custom_resource_data(&outcome));
	}
	else
	{
		reply_log_failure(&outcome, error);
		result = json_pack("{s:o, s:o}", "reply", reply_failure(&outcome, error, REPLY_LIMIT),
						   "reason", custom_resource_reason(error));
	}

done:
	outcome_free(&outcome);
	job_free(&job);
	return result;
}

static json_t *
failure(const Error *error)
{
	Outcome none = {0};

	return json_pack("{s:o, s:o}", "reply", reply_failure(&none, error, REPLY_LIMIT), "reason", custom_resource_reason(error));
}

static bool
put(Http *http, const Event *event, const json_t *result, const Deadline *deadline, Error *error)
{
	const json_t *reason = json_object_get(result, "reason");
	/* What memory was too short to tell is no success. */
	bool succeeded = json_object_get(result, "reply") != NULL && reason == NULL;
	char *body = custom_resource_body(event, succeeded, reason, json_object_get(result, "data"), error);
	bool ok = body != NULL && resource_put(http, event_text(event, "ResponseURL"), body, deadline, error);

	if (ok)
		log_line(LEVEL_INFO, NULL, "CloudFormation was answered: %s", succeeded ? "SUCCESS" : "FAILED");
	free(body);
	return ok;
}

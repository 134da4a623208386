/*-------------------------------------------------------------------------
 *
 * targets.c
 *	  A list of targets, one after another.
 *
 *-------------------------------------------------------------------------
 */
#include "targets.h"

#include <stdlib.h>
#include <string.h>

#include "invocation.h"
#include "job.h"
#include "log.h"
#include "reply.h"
#include "shorten.h"

/* For all of the reply that is not a result. */
#define ROOM_FOR_REST 4096

static bool read_all(const Config *config, const json_t *list, Job *jobs, Error *error);
static json_t *run(Http *http, const Job *job, const Deadline *deadline, size_t limit, bool *ok);
static json_t *place_json(const Place *place);
static json_t *make_reply(json_t *results, size_t failures, size_t first, Error *error);
static int rank_result(const json_t *result);

bool
targets_run(Http *http, const Config *config, const json_t *list, const Deadline *deadline,
			json_t **reply, Error *error)
{
	size_t count = json_array_size(list);
	Job *jobs = calloc(count, sizeof(*jobs));
	json_t *results = json_array();
	size_t failures = 0;
	size_t first = 0;
	size_t i;

	*reply = NULL;
	if (jobs == NULL)
		error_out_of_memory(error);
	else if (read_all(config, list, jobs, error))
	{
		for (i = 0; i < count; i++)
		{
			bool ok;

			log_line(LEVEL_INFO, json_pack("{s:o}", "target", place_json(&jobs[i].keys.place)),
					 "target %zu of %zu", i + 1, count);
			json_array_append_new(results, run(http, &jobs[i], deadline, (REPLY_LIMIT - ROOM_FOR_REST) / count, &ok));
			if (!ok && failures++ == 0)
				first = i;
		}
		*reply = make_reply(results, failures, first, error);
	}

	for (i = 0; jobs != NULL && i < count; i++)
		job_free(&jobs[i]);
	free(jobs);
	json_decref(results);
	return error->type == NULL;
}

/* Nothing is begun for a list of which a part is not understood. */
static bool
read_all(const Config *config, const json_t *list, Job *jobs, Error *error)
{
	size_t i;
	json_t *keys;

	json_array_foreach(list, i, keys)
	{
		if (job_read(config, keys, false, &jobs[i], error))
			continue;
		error_reword(error, "target %zu of the list: %s", i + 1, error->message != NULL ? error->message : "out of memory");
		return false;
	}
	return true;
}

static json_t *
run(Http *http, const Job *job, const Deadline *deadline, size_t limit, bool *ok)
{
	Outcome outcome = {0};
	Error error = ERROR_NONE;
	int64_t started = clock_now();
	json_t *place = place_json(&job->keys.place);
	size_t used = shorten_length(place);
	json_t *result;

	limit = limit > used ? limit - used : 0;
	*ok = invocation_deploy(http, &job->config, &job->keys.request, deadline, &outcome, &error);
	if (*ok)
	{
		reply_log_success(&outcome, clock_now() - started);
		result = reply_success(&outcome, clock_now() - started, limit);
	}
	else
	{
		reply_log_failure(&outcome, &error);
		result = reply_failure(&outcome, &error, limit);
	}
	json_object_del(result, "body");
	json_object_set_new(result, "target", place);

	error_free(&error);
	outcome_free(&outcome);
	return result;
}

static json_t *
place_json(const Place *place)
{
	const char *const names[] = {"host", "port", "database", "secret", "bundle"};
	const char *const values[] = {place->host, place->port, place->database, place->secret, place->bundle};
	json_t *json = json_object();
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (values[i] != NULL)
			json_object_set_new(json, names[i], json_string(values[i]));
	}
	return json;
}

/* A failure's error is the caller's, too; the reply has the results. */
static json_t *
make_reply(json_t *results, size_t failures, size_t first, Error *error)
{
	const char *message = json_string_value(json_object_get(json_array_get(results, first), "errorMessage"));
	size_t count = json_array_size(results);
	Outcome none = {0};
	json_t *reply;

	if (failures > 0)
	{
		error_set(error, ERROR_TARGETS, "%zu of %zu targets failed; the first of them is target %zu: %s", failures, count,
				  first + 1, message != NULL ? message : "out of memory");
		reply = reply_failure(&none, error, REPLY_LIMIT);
	}
	else
	{
		reply = json_object();
		json_object_set_new(reply, "statusCode", json_integer(200));
		json_object_set_new(reply, "body", json_string(REPLY_SUCCESS));
	}
	reply_add_list(reply, "results", json_incref(results), REPLY_LIMIT, rank_result);
	return reply;
}

/* What failed is worth more. */
static int
rank_result(const json_t *result)
{
	return json_object_get(result, "errorType") != NULL;
}

/*-------------------------------------------------------------------------
 *
 * event_reader.c
 *	  Reads an event as the trigger reads it, and does nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "custom_resource.h"
#include "event.h"
#include "job.h"
#include "outcome.h"
#include "reader.h"

/* What CloudFormation takes. */
#define LONGEST_BODY 4096

static const char *read_event(const Config *config, const char *text, size_t length, Error *error);
static bool read_keys(const Config *config, const json_t *keys, bool is_resource, Error *error);
static bool answer_resource(const Config *config, const Event *event, Error *error);

const char *
read_input(const char *text, size_t length)
{
	Config config = {0};
	Error error = ERROR_NONE;
	const char *word;

	/* All that an event may say is to be read. */
	config.event_targets = true;
	config.directory = "/usr";
	config.secret_name = "own";
	config.access_key_id = config.secret_access_key = config.region = "x";
	config.host = "a,b";

	word = read_event(&config, text, length, &error);
	error_free(&error);
	return word;
}

/* What came of it, in a word. */
static const char *
read_event(const Config *config, const char *text, size_t length, Error *error)
{
	static const char *const kinds[] = {"request", "targets", "resource", "provider"};
	Event event = {0};
	const char *word = "refused";
	bool ok = event_parse(text, length, &event, error);
	size_t i;

	if (ok && event.kind == EVENT_TARGETS)
	{
		for (i = 0; i < json_array_size(event.json) && ok; i++)
			ok = read_keys(config, json_array_get(event.json, i), false, error);
	}
	else if (ok && event.kind == EVENT_REQUEST)
		ok = read_keys(config, event.json, false, error);
	else if (ok)
		ok = answer_resource(config, &event, error);

	if (ok != (error->type == NULL))
		abort();
	if (ok)
		word = kinds[event.kind];
	event_free(&event);
	return word;
}

static bool
read_keys(const Config *config, const json_t *keys, bool is_resource, Error *error)
{
	Job job = {0};
	bool ok = job_read(config, keys, is_resource, &job, error);

	/* A secret may list these; what it does not list is refused, and either is right here. */
	if (ok)
		ok = job_check_listed(&job.config, "b, c", "5432", error);
	job_free(&job);
	return ok;
}

static bool
answer_resource(const Config *config, const Event *event, Error *error)
{
	const json_t *properties = custom_resource_properties(event, error);
	bool ok = properties != NULL && read_keys(config, properties, true, error);
	json_t *reason = ok ? NULL : custom_resource_reason(error);
	Outcome outcome = {0};
	json_t *data = custom_resource_data(&outcome);
	Error other = ERROR_NONE;
	char *body = custom_resource_body(event, ok, reason, data, &other);

	if ((body == NULL) != (other.type != NULL) || (body != NULL && strlen(body) > LONGEST_BODY))
		abort();
	free(body);
	json_decref(data);
	json_decref(reason);
	error_free(&other);
	return ok;
}

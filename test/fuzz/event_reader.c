/*-------------------------------------------------------------------------
 *
 * event_reader.c
 *	  Reads an event as the trigger reads it, and does nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "aws.h"
#include "custom_resource.h"
#include "event.h"
#include "job.h"
#include "outcome.h"
#include "reader.h"

/* What CloudFormation takes. */
#define LONGEST_BODY 4096

static const char *read_event(const Config *config, const char *text, size_t length, Error *error);
static bool read_keys(const Config *config, const json_t *keys, bool is_resource, Error *error);
static void check_asked_host(const Config *config);
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

	if (ok)
		check_asked_host(&job.config);
	/* A secret may list these; what it does not list is refused, and either is right here. */
	if (ok)
		ok = job_check_listed(&job.config, "b, c", "5432", error);
	job_free(&job);
	return ok;
}

/* Whatever the event's secret is called, the request for it, which has our session token, goes to AWS. */
static void
check_asked_host(const Config *config)
{
	static const char service[] = "secretsmanager.";
	static const char suffixes[] = ".amazonaws.com .amazonaws.com.cn .c2s.ic.gov .sc2s.sgov.gov .cloud.adc-e.uk .csp.hci.ic.gov"
								   " .amazonaws.eu ";
	char *region = aws_region_of_arn(config->secret_name, "eu-central-1");
	char *url = region != NULL ? aws_url("secretsmanager", region) : NULL;
	CURLU *parts = curl_url();
	char *host = NULL;
	char *user = NULL;
	char *rest = NULL;
	char suffix[64];

	if (parts == NULL || url == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
		curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_NO_USER ||
		strncmp(host, service, strlen(service)) != 0 || (rest = strchr(host + strlen(service), '.')) == NULL ||
		snprintf(suffix, sizeof(suffix), "%s ", rest) >= (int) sizeof(suffix) || strstr(suffixes, suffix) == NULL)
	{
		fprintf(stderr, "\"%s\" would be asked for secret \"%s\"\n", url, config->secret_name);
		abort();
	}
	curl_free(host);
	curl_url_cleanup(parts);
	free(url);
	free(region);
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

/*-------------------------------------------------------------------------
 *
 * event_keys.c
 *	  The keys of an event, or of a custom resource's properties.
 *
 *-------------------------------------------------------------------------
 */
#include "event_keys.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "options.h"

/* Reads a value into the field at "field"; false where the value is wrong. */
typedef bool (*Reader)(const json_t *value, bool is_resource, void *field);

/* Who may use a key. */
typedef enum KeyUse
{
	USE_BOTH,
	USE_EVENT,
	USE_RESOURCE
} KeyUse;

typedef struct Key
{
	const char *name;
	KeyUse use;
	Reader read;
	size_t field;
	const char *expected; /* what a value must be, for the error */
} Key;

static bool read_boolean(const json_t *value, bool is_resource, void *field);
static bool read_plan(const json_t *value, bool is_resource, void *field);
static bool read_text(const json_t *value, bool is_resource, void *field);
static bool read_port(const json_t *value, bool is_resource, void *field);
static bool read_resume(const json_t *value, bool is_resource, void *field);
static bool read_baseline(const json_t *value, bool is_resource, void *field);
static bool read_variables(const json_t *value, bool is_resource, void *field);
static bool read_time(const json_t *value, bool is_resource, void *field);
static bool read_checksum(const json_t *value, bool is_resource, void *field);
static bool read_nothing(const json_t *value, bool is_resource, void *field);

#define REQUEST_FIELD(name) (offsetof(EventKeys, request) + offsetof(Request, name))
#define PLACE_FIELD(name) (offsetof(EventKeys, place) + offsetof(Place, name))

#define TEXT_EXPECTED "a string that is not empty"

/* In the order in which an error names them. */
static const Key known_keys[] = {
	{"BundleChecksum", USE_RESOURCE, read_checksum, REQUEST_FIELD(bundle_checksum), "64 hexadecimal digits"},
	{"ServiceTimeout", USE_RESOURCE, read_nothing, 0, NULL},
	{"ServiceToken", USE_RESOURCE, read_nothing, 0, NULL},
	{"allow_changed", USE_BOTH, read_boolean, REQUEST_FIELD(allow_changed), "true or false"},
	{"allow_data_loss", USE_BOTH, read_boolean, REQUEST_FIELD(allow_data_loss), "true or false"},
	{"allow_missing", USE_BOTH, read_boolean, REQUEST_FIELD(allow_missing), "true or false"},
	{"baseline", USE_BOTH, read_baseline, REQUEST_FIELD(baseline), REQUEST_BASELINE_EXPECTED},
	{"bundle", USE_BOTH, read_text, PLACE_FIELD(bundle), TEXT_EXPECTED},
	{"database", USE_BOTH, read_text, PLACE_FIELD(database), TEXT_EXPECTED},
	{"force", USE_BOTH, read_boolean, REQUEST_FIELD(force), "true or false"},
	{"host", USE_BOTH, read_text, PLACE_FIELD(host), TEXT_EXPECTED},
	{"lock_timeout", USE_BOTH, read_time, REQUEST_FIELD(lock_timeout), REQUEST_TIME_EXPECTED},
	{"out_of_order", USE_BOTH, read_boolean, REQUEST_FIELD(out_of_order), "true or false"},
	{"plan", USE_EVENT, read_plan, REQUEST_FIELD(plan), "true or false"},
	{"port", USE_BOTH, read_port, offsetof(EventKeys, place), "a number from 1 to 65535"},
	{"resume", USE_BOTH, read_resume, REQUEST_FIELD(resume), REQUEST_RESUME_EXPECTED},
	{"retry_for", USE_BOTH, read_time, REQUEST_FIELD(retry_for), REQUEST_TIME_EXPECTED},
	{"secret", USE_BOTH, read_text, PLACE_FIELD(secret), TEXT_EXPECTED},
	{"variables", USE_BOTH, read_variables, REQUEST_FIELD(variables), OPTIONS_VARIABLES_EXPECTED}};

#define KEY_COUNT (sizeof(known_keys) / sizeof(known_keys[0]))

static const Key *find_key(const char *name, bool is_resource);
static bool is_for(const Key *key, bool is_resource);
static bool refuse_key(const char *name, bool is_resource, Error *error);

bool
event_keys_read(const json_t *object, bool is_resource, EventKeys *keys, Error *error)
{
	const char *owner = is_resource ? "the resource's" : "the event's";
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) object, name, value)
	{
		const Key *key = find_key(name, is_resource);

		if (key == NULL)
			return refuse_key(name, is_resource, error);
		/* The value is not repeated: it can be a secret. */
		if (!key->read(value, is_resource, (char *) keys + key->field))
			return error_set(error, ERROR_EVENT, "%s \"%s\" is not %s", owner, name, key->expected);
	}
	return true;
}

const char *
event_keys_place(const Place *place)
{
	if (place->host != NULL)
		return "host";
	if (place->port != NULL)
		return "port";
	if (place->database != NULL)
		return "database";
	if (place->secret != NULL)
		return "secret";
	return place->bundle != NULL ? "bundle" : NULL;
}

static const Key *
find_key(const char *name, bool is_resource)
{
	size_t i;

	for (i = 0; i < KEY_COUNT; i++)
	{
		if (strcmp(known_keys[i].name, name) == 0 && is_for(&known_keys[i], is_resource))
			return &known_keys[i];
	}
	return NULL;
}

static bool
is_for(const Key *key, bool is_resource)
{
	return key->use == USE_BOTH || key->use == (is_resource ? USE_RESOURCE : USE_EVENT);
}

static bool
refuse_key(const char *name, bool is_resource, Error *error)
{
	char *known = NULL;
	size_t length = 0;
	FILE *list = open_memstream(&known, &length);
	const char *separator = "";
	size_t i;

	for (i = 0; list != NULL && i < KEY_COUNT; i++)
	{
		if (!is_for(&known_keys[i], is_resource))
			continue;
		fprintf(list, "%s\"%s\"", separator, known_keys[i].name);
		separator = ", ";
	}
	if (list != NULL)
		fclose(list);

	error_set(error, ERROR_EVENT, "%s \"%s\" is not known", is_resource ? "the resource's property" : "the event's key", name);
	if (is_resource && strcmp(name, "plan") == 0)
		error_hint(error, "A plan changes nothing, and the stack would be complete without its schema:"
						  " invoke the function with {\"plan\": true} instead.");
	else if (known != NULL)
		error_hint(error, "This version knows %s.", known);
	free(known);
	return false;
}

/* CloudFormation makes strings of all that is true or false. */
static bool
read_boolean(const json_t *value, bool is_resource, void *field)
{
	bool *boolean = field;
	const char *text = is_resource ? json_string_value(value) : NULL;

	if (json_is_boolean(value))
		*boolean = json_is_true(value);
	else if (text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		*boolean = strcmp(text, "true") == 0;
	else
		return false;
	return true;
}

static bool
read_plan(const json_t *value, bool is_resource, void *field)
{
	Plan *plan = field;
	bool boolean = false;

	if (!read_boolean(value, is_resource, &boolean))
		return false;
	*plan = boolean ? PLAN_STEPS : PLAN_NONE;
	return true;
}

/* What is empty would be taken for what is not given, and another database for the one that was meant. */
static bool
read_text(const json_t *value, bool is_resource, void *field)
{
	const char **text = field;

	(void) is_resource;
	*text = json_string_value(value);
	return *text != NULL && **text != '\0';
}

static bool
read_port(const json_t *value, bool is_resource, void *field)
{
	Place *place = field;

	place->port = json_string_value(value);
	if (json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 65535)
	{
		snprintf(place->port_digits, sizeof(place->port_digits), "%d", (int) json_integer_value(value));
		place->port = place->port_digits;
	}
	(void) is_resource;
	return place->port != NULL && config_is_port(place->port);
}

static bool
read_resume(const json_t *value, bool is_resource, void *field)
{
	(void) is_resource;
	return json_is_string(value) && request_read_resume(json_string_value(value), field);
}

static bool
read_baseline(const json_t *value, bool is_resource, void *field)
{
	(void) is_resource;
	return json_is_string(value) && request_read_baseline(json_string_value(value), field);
}

/* A number counts milliseconds, as in the extension's options. */
static bool
read_time(const json_t *value, bool is_resource, void *field)
{
	char number[24];

	(void) is_resource;
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return (json_is_string(value) && request_read_time(json_string_value(value), field)) ||
		   (json_is_integer(value) && request_read_time(number, field));
}

/* Each takes the place of the environment's one of the same name. */
static bool
read_variables(const json_t *value, bool is_resource, void *field)
{
	json_t **request_variables = field;
	json_t *variables = options_variables(value);
	json_t *all = *request_variables != NULL ? json_copy(*request_variables) : json_object();

	(void) is_resource;
	if (variables == NULL || all == NULL || json_object_update(all, variables) != 0)
	{
		json_decref(all);
		json_decref(variables);
		return false;
	}
	json_decref(*request_variables);
	json_decref(variables);
	*request_variables = all;
	return true;
}

static bool
read_checksum(const json_t *value, bool is_resource, void *field)
{
	char **checksum = field;
	const char *text = json_string_value(value);

	(void) is_resource;
	if (text == NULL || strlen(text) != 64 || strspn(text, "0123456789abcdefABCDEF") != 64)
		return false;
	free(*checksum);
	*checksum = strdup(text);
	return *checksum != NULL;
}

/* For CloudFormation, not for us. */
static bool
read_nothing(const json_t *value, bool is_resource, void *field)
{
	(void) value;
	(void) is_resource;
	(void) field;
	return true;
}

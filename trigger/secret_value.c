/*-------------------------------------------------------------------------
 *
 * secret_value.c
 *	  What a secret holds.
 *
 * An object with the keys that Secrets Manager's own console writes: username,
 * password, engine, host, port, dbname, dbInstanceIdentifier and its like.  RDS
 * itself keeps only the first two.  Other keys are somebody else's.
 *
 *-------------------------------------------------------------------------
 */
#include "secret_value.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h" /* config_is_port */

static bool parse_value(const char *name, const char *value, Secret *secret, Error *error);
static bool take_text(const char *secret_name, const json_t *object, const char *key, char **text, Error *error);
static bool take_port(const char *secret_name, const json_t *object, char **port, Error *error);

void
secret_free(Secret *secret)
{
	free(secret->username);
	free(secret->password);
	free(secret->host);
	free(secret->port);
	free(secret->database);
	memset(secret, 0, sizeof(*secret));
}

bool
secret_parse(const char *name, const HttpResponse *response, Secret *secret, Error *error)
{
	json_t *json = json_loadb(response->body, response->length, 0, NULL);
	const char *value = json_string_value(json_object_get(json, "SecretString"));
	bool ok = false;

	if (json == NULL)
		error_set(error, ERROR_SECRET, "could not read secret \"%s\": the response is not valid JSON", name);
	else if (value == NULL)
		error_set(error, ERROR_SECRET, "secret \"%s\" has no SecretString: it is binary, or has no value yet", name);
	else
		ok = parse_value(name, value, secret, error);
	json_decref(json);
	return ok;
}

/* jansson's messages quote what they stumble over, so they are not passed on. */
static bool
parse_value(const char *name, const char *value, Secret *secret, Error *error)
{
	json_t *json = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	bool ok = false;

	if (json == NULL)
		error_set(error, ERROR_SECRET, "secret \"%s\" is not valid JSON", name);
	else if (!json_is_object(json))
		error_set(error, ERROR_SECRET, "secret \"%s\" is not a JSON object", name);
	else
		ok = take_text(name, json, "username", &secret->username, error) &&
			 take_text(name, json, "password", &secret->password, error) &&
			 take_text(name, json, "host", &secret->host, error) &&
			 take_text(name, json, "dbname", &secret->database, error) &&
			 (secret->database != NULL || take_text(name, json, "database", &secret->database, error)) &&
			 take_port(name, json, &secret->port, error);

	if (ok && (secret->username == NULL || secret->password == NULL))
		ok = error_set(error, ERROR_SECRET, "secret \"%s\" has no \"%s\"", name,
					   secret->username == NULL ? "username" : "password");
	json_decref(json);
	return ok;
}

/* An empty string stands for none, as it does in the environment. */
static bool
take_text(const char *secret_name, const json_t *object, const char *key, char **text, Error *error)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return error_set(error, ERROR_SECRET, "\"%s\" of secret \"%s\" is not a string", key, secret_name);
	if (json_string_length(value) == 0)
		return true;
	*text = strdup(json_string_value(value));
	return *text != NULL || error_out_of_memory(error);
}

/* RDS writes the port as a number, people often as a string. */
static bool
take_port(const char *secret_name, const json_t *object, char **port, Error *error)
{
	const json_t *value = json_object_get(object, "port");

	if (json_is_integer(value))
	{
		if (asprintf(port, "%lld", (long long) json_integer_value(value)) < 0)
		{
			*port = NULL;
			return error_out_of_memory(error);
		}
	}
	else if (json_is_string(value) && !take_text(secret_name, object, "port", port, error))
		return false;
	else if (value != NULL && !json_is_string(value) && !json_is_null(value))
		return error_set(error, ERROR_SECRET, "\"port\" of secret \"%s\" is neither a number nor a string", secret_name);

	if (*port != NULL && !config_is_port(*port))
		return error_set(error, ERROR_SECRET, "\"port\" of secret \"%s\" is not a number from 1 to 65535", secret_name);
	return true;
}

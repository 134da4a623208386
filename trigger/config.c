/*-------------------------------------------------------------------------
 *
 * config.c
 *	  The environment, read and checked in one place.
 *
 *-------------------------------------------------------------------------
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "aws.h"
#include "http.h"
#include "options.h"

/* Reads a value into the field at "field"; false where the value is wrong. */
typedef bool (*Reader)(const char *value, void *field);

typedef struct Variable
{
	const char *name;
	Reader read;
	size_t field;
	const char *expected; /* what a value must be, for the error */
	const char *default_value;
} Variable;

static bool read_text(const char *value, void *field);
static bool read_port(const char *value, void *field);
static bool read_url(const char *value, void *field);
static bool read_sslmode(const char *value, void *field);
static bool read_auth(const char *value, void *field);
static bool read_mode(const char *value, void *field);
static bool read_boolean(const char *value, void *field);
static bool read_resume(const char *value, void *field);
static bool read_baseline(const char *value, void *field);
static bool read_time(const char *value, void *field);
static bool read_targets(const char *value, void *field);
static bool read_object(const char *value, void *field);

#define URL_EXPECTED "an http or https URL without a user in it"

#define FIELD(name) offsetof(Config, name)

/* Where two variables fill one field, the first that is set does. */
static const Variable variables[] = {
	{"DB_HOST", read_text, FIELD(host), NULL, NULL},
	{"DB_PORT", read_port, FIELD(port), "a number from 1 to 65535", NULL},
	{"DB_NAME", read_text, FIELD(database), NULL, NULL},
	{"DB_ADMIN_NAME", read_text, FIELD(admin_database), NULL, "postgres"},
	{"DB_SECRET_NAME", read_text, FIELD(secret_name), NULL, NULL},
	{"DB_USER", read_text, FIELD(user), NULL, NULL},
	{"DB_PASSWORD", read_text, FIELD(password), NULL, NULL},
	{"DB_SSLMODE", read_sslmode, FIELD(sslmode), "disable, allow, prefer, require, verify-ca or verify-full", NULL},
	{"DB_SSLROOTCERT", read_text, FIELD(sslrootcert), NULL, NULL},
	{"DB_AUTH", read_auth, FIELD(auth), "password or iam", "password"},
	{"RDSINIT_BUNDLE", read_text, FIELD(bundle), NULL, NULL},
	{"RDSINIT_MODE", read_mode, FIELD(mode), "auto, extension or plain", "auto"},
	{"RDSINIT_FORCE", read_boolean, FIELD(request.force), "true or false", "false"},
	{"RDSINIT_OUT_OF_ORDER", read_boolean, FIELD(request.out_of_order), "true or false", "false"},
	{"RDSINIT_ALLOW_CHANGED", read_boolean, FIELD(request.allow_changed), "true or false", "false"},
	{"RDSINIT_ALLOW_DATA_LOSS", read_boolean, FIELD(request.allow_data_loss), "true or false", "false"},
	{"RDSINIT_ALLOW_MISSING", read_boolean, FIELD(request.allow_missing), "true or false", "false"},
	{"RDSINIT_RESUME", read_resume, FIELD(request.resume), REQUEST_RESUME_EXPECTED, NULL},
	{"RDSINIT_LOCK_TIMEOUT", read_time, FIELD(request.lock_timeout), REQUEST_TIME_EXPECTED, "2s"},
	{"RDSINIT_RETRY_FOR", read_time, FIELD(request.retry_for), REQUEST_TIME_EXPECTED, "1min"},
	{"RDSINIT_PROGRESS_INTERVAL", read_time, FIELD(progress_interval), REQUEST_TIME_EXPECTED, "10s"},
	{"RDSINIT_BASELINE", read_baseline, FIELD(request.baseline), REQUEST_BASELINE_EXPECTED, NULL},
	{"RDSINIT_EVENT_TARGETS", read_targets, FIELD(event_targets), "allow or refuse", "refuse"},
	{"RDSINIT_VARIABLES", read_object, FIELD(request.variables), OPTIONS_VARIABLES_EXPECTED, NULL},
	{"AWS_REGION", read_text, FIELD(region), NULL, NULL},
	{"AWS_DEFAULT_REGION", read_text, FIELD(region), NULL, NULL},
	{"AWS_ACCESS_KEY_ID", read_text, FIELD(access_key_id), NULL, NULL},
	{"AWS_SECRET_ACCESS_KEY", read_text, FIELD(secret_access_key), NULL, NULL},
	{"AWS_SESSION_TOKEN", read_text, FIELD(session_token), NULL, NULL},
	{"AWS_ENDPOINT_URL_SECRETS_MANAGER", read_url, FIELD(endpoint), URL_EXPECTED, NULL},
	{"AWS_ENDPOINT_URL", read_url, FIELD(endpoint), URL_EXPECTED, NULL},
	{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", read_boolean, FIELD(ignore_endpoints), "true or false", "false"},
	{"AWS_CA_BUNDLE", read_text, FIELD(https_ca), NULL, NULL},
	{"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", read_port, FIELD(cache_port), "a number from 1 to 65535", NULL}};

#define VARIABLE_COUNT (sizeof(variables) / sizeof(variables[0]))

/* Variables with this prefix are ours alone, so that one not known is a slip. */
#define PREFIX "RDSINIT_"

static void read_variables(Config *config, FILE *problems);
static void report_unknown(FILE *problems);
static void report_missing(const Config *config, FILE *problems);
static void report_conflicts(const Config *config, FILE *problems);
static bool find_program(Config *config, Error *error);
static void choose_tls(Config *config, FILE *problems);
static void report(FILE *problems, const Error *error);
static void begin_problem(FILE *problems);
static const char *value_of(const char *name);

bool
config_read(Config *config, Error *error)
{
	FILE *problems = NULL;
	char *text = NULL;
	size_t length = 0;
	bool ok = false;

	problems = open_memstream(&text, &length);
	if (problems == NULL)
	{
		error_out_of_memory(error);
		goto done;
	}
	if (!find_program(config, error))
		goto done;

	read_variables(config, problems);
	report_unknown(problems);
	report_missing(config, problems);
	report_conflicts(config, problems);
	choose_tls(config, problems);
	if (config->ignore_endpoints)
		config->endpoint = NULL;

	if (fflush(problems) != 0)
		error_out_of_memory(error);
	else if (length > 0)
		error_set(error, ERROR_CONFIGURATION, "%s", text);
	else
		ok = true;

done:
	if (problems != NULL)
		fclose(problems);
	free(text);
	return ok;
}

void
config_free(Config *config)
{
	request_free(&config->request);
	free(config->directory);
	trust_free(&config->trust);
	memset(config, 0, sizeof(*config));
}

bool
config_is_port(const char *text)
{
	char *end;
	long number;

	/* strtol would take blanks and signs as well. */
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && number >= 1 && number <= 65535;
}

static void
read_variables(Config *config, FILE *problems)
{
	size_t i;

	for (i = 0; i < VARIABLE_COUNT; i++)
	{
		const Variable *variable = &variables[i];
		const char *value = value_of(variable->name);

		if (value == NULL)
			value = variable->default_value;
		if (value == NULL || variable->read(value, (char *) config + variable->field))
			continue;
		begin_problem(problems);
		/* Variables' values are secrets, and a URL may have a password in it. */
		if (variable->read == read_object || (variable->read == read_url && strchr(value, '@') != NULL))
			fprintf(problems, "%s is not %s", variable->name, variable->expected);
		else
			fprintf(problems, "%s is not %s: \"%s\"", variable->name, variable->expected, value);
	}
}

static void
report_unknown(FILE *problems)
{
	char **entry;

	for (entry = environ; *entry != NULL; entry++)
	{
		size_t length = strcspn(*entry, "=");
		size_t i;

		if (strncmp(*entry, PREFIX, strlen(PREFIX)) != 0)
			continue;
		for (i = 0; i < VARIABLE_COUNT; i++)
		{
			if (strlen(variables[i].name) == length &&
				strncmp(*entry, variables[i].name, length) == 0)
				break;
		}
		if (i < VARIABLE_COUNT)
			continue;
		begin_problem(problems);
		fprintf(problems, "%.*s is not a variable that this version knows", (int) length, *entry);
	}
}

/*
 * Host and database may come from the secret, and are asked for again then; all
 * of it may come from an event that names its target.
 */
static void
report_missing(const Config *config, FILE *problems)
{
	const char *missing[7];
	size_t count = 0;
	size_t i;
	bool iam = config->auth == AUTH_IAM;

	if (config->secret_name == NULL && !config->event_targets)
	{
		if (config->host == NULL)
			missing[count++] = "DB_HOST";
		if (config->database == NULL)
			missing[count++] = "DB_NAME";
		if (config->user == NULL && config->password == NULL)
			missing[count++] = iam ? "DB_USER (or DB_SECRET_NAME)" : "DB_SECRET_NAME (or DB_USER and DB_PASSWORD)";
		else if (config->user == NULL)
			missing[count++] = "DB_USER";
		else if (config->password == NULL && !iam)
			missing[count++] = "DB_PASSWORD";
	}
	if (config->secret_name != NULL || iam)
	{
		/* A secret's ARN says its Region; a database's name need not. */
		if (config->region == NULL && (iam || !aws_is_arn(config->secret_name)))
			missing[count++] = "AWS_REGION";
		if (config->access_key_id == NULL)
			missing[count++] = "AWS_ACCESS_KEY_ID";
		if (config->secret_access_key == NULL)
			missing[count++] = "AWS_SECRET_ACCESS_KEY";
	}

	if (count == 0)
		return;
	begin_problem(problems);
	fputs("not set in the environment: ", problems);
	for (i = 0; i < count; i++)
		fprintf(problems, "%s%s", i == 0 ? "" : ", ", missing[i]);
}

/* Which of the two passwords was meant is not for us to guess. */
static void
report_conflicts(const Config *config, FILE *problems)
{
	/* A token is for the user that is named, whoever the secret is of. */
	if (config->secret_name != NULL && config->auth == AUTH_PASSWORD && (config->user != NULL || config->password != NULL))
	{
		begin_problem(problems);
		fprintf(problems, "DB_SECRET_NAME and %s are both set: set one of them",
				config->user == NULL ? "DB_PASSWORD" : "DB_USER");
	}
	if (config->auth == AUTH_IAM && config->password != NULL)
	{
		begin_problem(problems);
		fputs("DB_AUTH is iam, and DB_PASSWORD is set: a token takes its place", problems);
	}
	if (config->secret_name != NULL && aws_is_arn(config->secret_name) && !aws_is_secret_arn(config->secret_name))
	{
		begin_problem(problems);
		fprintf(problems, "DB_SECRET_NAME is an ARN, but not one of Secrets Manager (" AWS_SECRET_ARN_EXPECTED "): \"%s\"",
				config->secret_name);
	}
}

static bool
find_program(Config *config, Error *error)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length <= 0)
		return error_set(error, ERROR_INTERNAL, "could not read \"/proc/self/exe\": %s", strerror(errno));
	path[length] = '\0';
	*strrchr(path, '/') = '\0';

	config->directory = strdup(path);
	return config->directory != NULL || error_out_of_memory(error);
}

/*
 * A certificate is there to be verified against; without one, TLS at least.
 * Who asks for less gets less, though there are packaged ones: libpq would
 * verify against a file that it is given, whatever the mode.
 */
static void
choose_tls(Config *config, FILE *problems)
{
	Error error = ERROR_NONE;
	bool verifies = config->sslmode == NULL || strncmp(config->sslmode, "verify-", 7) == 0;

	if (!trust_find(config->directory, &config->trust, &error))
		report(problems, &error);
	else if (config->sslrootcert != NULL && !trust_check(config->sslrootcert, "DB_SSLROOTCERT", &error))
		report(problems, &error);
	else if (config->https_ca != NULL && !trust_check(config->https_ca, "AWS_CA_BUNDLE", &error))
		report(problems, &error);

	config->sslrootcert_names = config->sslrootcert;
	if (config->sslrootcert == NULL && verifies)
	{
		config->sslrootcert = config->trust.database;
		config->sslrootcert_names = config->trust.database_names;
	}
	if (config->https_ca == NULL)
		config->https_ca = config->trust.https;
	if (config->sslmode == NULL)
		config->sslmode = config->sslrootcert != NULL ? "verify-full" : "require";

	if (config->sslrootcert == NULL && verifies && strncmp(config->sslmode, "verify-", 7) == 0 && error.type == NULL)
	{
		begin_problem(problems);
		fprintf(problems, "DB_SSLMODE is %s, but there is no CA file (" TRUST_OWN ", " TRUST_RDS ", " TRUST_AMAZON ")"
						  " beside the program, and DB_SSLROOTCERT names none",
				config->sslmode);
	}
	if (config->auth == AUTH_IAM && (strcmp(config->sslmode, "disable") == 0 || strcmp(config->sslmode, "allow") == 0 ||
									 strcmp(config->sslmode, "prefer") == 0))
	{
		begin_problem(problems);
		fprintf(problems, "DB_AUTH is iam, which needs TLS, but DB_SSLMODE is %s: use verify-full", config->sslmode);
	}
	error_free(&error);
}

static void
report(FILE *problems, const Error *error)
{
	begin_problem(problems);
	fputs(error->message != NULL ? error->message : "out of memory", problems);
}

static void
begin_problem(FILE *problems)
{
	if (ftell(problems) > 0)
		fputs("; ", problems);
}

/* Templates set variables to nothing when they have nothing: that is not set. */
static const char *
value_of(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool
read_text(const char *value, void *field)
{
	const char **text = field;

	if (*text == NULL)
		*text = value;
	return true;
}

static bool
read_port(const char *value, void *field)
{
	return config_is_port(value) && read_text(value, field);
}

static bool
read_url(const char *value, void *field)
{
	HttpUrl url;
	bool ok = http_url_read(value, &url);

	http_url_free(&url);
	return ok && read_text(value, field);
}

static bool
read_sslmode(const char *value, void *field)
{
	static const char *const modes[] = {
		"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
	{
		if (strcmp(value, modes[i]) == 0)
			return read_text(value, field);
	}
	return false;
}

static bool
read_auth(const char *value, void *field)
{
	Auth *auth = field;

	if (strcmp(value, "password") == 0)
		*auth = AUTH_PASSWORD;
	else if (strcmp(value, "iam") == 0)
		*auth = AUTH_IAM;
	else
		return false;
	return true;
}

static bool
read_mode(const char *value, void *field)
{
	Mode *mode = field;

	if (strcmp(value, "auto") == 0)
		*mode = MODE_AUTO;
	else if (strcmp(value, "extension") == 0)
		*mode = MODE_EXTENSION;
	else if (strcmp(value, "plain") == 0)
		*mode = MODE_PLAIN;
	else
		return false;
	return true;
}

static bool
read_boolean(const char *value, void *field)
{
	bool *boolean = field;

	if (strcasecmp(value, "true") == 0 || strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0)
		*boolean = true;
	else if (strcasecmp(value, "false") == 0 || strcasecmp(value, "off") == 0 || strcmp(value, "0") == 0)
		*boolean = false;
	else
		return false;
	return true;
}

static bool
read_resume(const char *value, void *field)
{
	return request_read_resume(value, field);
}

static bool
read_baseline(const char *value, void *field)
{
	return request_read_baseline(value, field);
}

static bool
read_time(const char *value, void *field)
{
	return request_read_time(value, field);
}

static bool
read_targets(const char *value, void *field)
{
	bool *event_targets = field;

	*event_targets = strcmp(value, "allow") == 0;
	return *event_targets || strcmp(value, "refuse") == 0;
}

static bool
read_object(const char *value, void *field)
{
	json_t **object = field;
	json_t *json = json_loads(value, JSON_REJECT_DUPLICATES, NULL);

	*object = options_variables(json);
	json_decref(json);
	return *object != NULL;
}

/*-------------------------------------------------------------------------
 *
 * main.c
 *	  The trigger: options, and the loop over invocations.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <getopt.h>
#ifdef RDSINIT_STATIC
#include <openssl/crypto.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bundle.h"
#include "bundle_checksum.h"
#include "config.h"
#include "connection.h"
#include "deadline.h"
#include "dispatch.h"
#include "http.h"
#include "log.h"
#include "name_services.h"
#include "runtime.h"

/* Lambda's own name for a custom runtime's program. */
#define PROGRAM "bootstrap"

/* As long as a Lambda may take at most; what --once allows without --timeout. */
#define DEFAULT_TIMEOUT 900

/* Where the Runtime API has failed for so long, Lambda starts us anew. */
#define NEXT_ATTEMPTS_FOR 10000
#define FIRST_PAUSE 50
#define LONGEST_PAUSE 2000

/* Exit status for a wrong command line. */
#define EXIT_USAGE 2

typedef struct Options
{
	bool once;
	bool plan;
	bool bundle_checksum;
	long timeout; /* in seconds */
} Options;

static void read_options(int argc, char *const *argv, Options *options);
static void usage(FILE *stream);
static int print_bundle_checksum(void);
static bool start(Http **http, Config *config, Error *config_error, const char *address);
static int run_once(Http *http, const Config *config, const Error *config_error, long timeout);
static int run_loop(Http *http, const Config *config, const Error *config_error, const char *address);
static bool next_invocation(Http *http, const char *address, Invocation *invocation);
static void refuse(Http *http, const char *address, const Invocation *invocation, const Error *problem);
static void serve(Http *http, const Config *config, const Error *config_error, const char *address,
				  const Invocation *invocation);

int
main(int argc, char **argv)
{
	const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
	Options options = {false, false, false, DEFAULT_TIMEOUT};
	Http *http = NULL;
	Config config = {0};
	Error config_error = ERROR_NONE;
	int status = EXIT_FAILURE;

	read_options(argc, argv, &options);
	if (options.bundle_checksum)
		return print_bundle_checksum();
	if (!options.once && address == NULL)
	{
		usage(stderr);
		return EXIT_USAGE;
	}

	if (start(&http, &config, &config_error, options.once ? NULL : address))
	{
		if (options.plan)
			config.request.plan = PLAN_TEXT;
		if (options.once)
			status = run_once(http, &config, &config_error, options.timeout);
		else
			status = run_loop(http, &config, &config_error, address);
	}

	error_free(&config_error);
	config_free(&config);
	http_close(http);
	return status;
}

static void
read_options(int argc, char *const *argv, Options *options)
{
	static const struct option long_options[] = {
		{"once", no_argument, NULL, 'o'},
		{"plan", no_argument, NULL, 'p'},
		{"bundle-checksum", no_argument, NULL, 'c'},
		{"timeout", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	char *end;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
	{
		switch (option)
		{
			case 'o':
				options->once = true;
				break;
			case 'p':
				options->plan = true;
				break;
			case 'c':
				options->bundle_checksum = true;
				break;
			case 't':
				errno = 0;
				options->timeout = strtol(optarg, &end, 10);
				if (errno == 0 && end != optarg && *end == '\0' && options->timeout >= 1 && options->timeout <= 86400)
					break;
				fprintf(stderr, PROGRAM ": --timeout is not a number of seconds from 1 to 86400: \"%s\"\n"
										"\"" PROGRAM " --help\" says more.\n",
						optarg);
				exit(EXIT_USAGE);
			case 'h':
				usage(stdout);
				exit(EXIT_SUCCESS);
			case 'V':
				puts("rdsinit " RDSINIT_VERSION);
				exit(EXIT_SUCCESS);
			default:
				usage(stderr);
				exit(EXIT_USAGE);
		}
	}
	if (optind < argc || (options->plan && !options->once) || (options->bundle_checksum && options->once))
	{
		usage(stderr);
		exit(EXIT_USAGE);
	}
}

static void
usage(FILE *stream)
{
	fprintf(stream,
			"Applies the SQL scripts that it is packaged with to a PostgreSQL database.\n"
			"\n"
			"Usage:\n"
			"  %s              as AWS Lambda runs it: AWS_LAMBDA_RUNTIME_API is set\n"
			"  %s --once [--plan] [--timeout SECONDS]\n"
			"                         one invocation now; its answer is printed; with --plan\n"
			"                         what it would do, all rolled back\n"
			"  %s --bundle-checksum\n"
			"                         the bundle's checksum is printed\n"
			"  %s --help | --version\n"
			"\n"
			"Environment:\n"
			"  DB_HOST                host name; several separated by commas: the writable\n"
			"                         one is found\n"
			"  DB_PORT                5432\n"
			"  DB_NAME                the database, which is created when it is missing\n"
			"  DB_SECRET_NAME         name or ARN of a secret in AWS Secrets Manager, with\n"
			"                         username, password, and perhaps host, port, dbname\n"
			"  DB_USER, DB_PASSWORD   instead of a secret\n"
			"  DB_SSLMODE             verify-full where there is a CA file, else require\n"
			"  DB_SSLROOTCERT         the CA file; without it ca.pem, rds-roots.pem and\n"
			"                         amazon-roots.pem beside the program\n"
			"  DB_AUTH                password, or iam: tokens of IAM authentication\n"
			"  DB_ADMIN_NAME          postgres: connected to only for creating DB_NAME\n"
			"  RDSINIT_BUNDLE         file or directory of scripts; without it \"schema\",\n"
			"                         or else \"schema.sql\", beside the program\n"
			"  RDSINIT_MODE           auto, extension or plain\n"
			"  RDSINIT_FORCE          true: what has not changed is applied as well\n"
			"  RDSINIT_OUT_OF_ORDER, RDSINIT_ALLOW_CHANGED, RDSINIT_ALLOW_MISSING\n"
			"                         true: a version below the newest, one that has changed\n"
			"                         or one that is missing is no error\n"
			"  RDSINIT_ALLOW_DATA_LOSS\n"
			"                         true: tables that have rows are dropped\n"
			"  RDSINIT_LOCK_TIMEOUT   2s: how long to wait for a lock\n"
			"  RDSINIT_RETRY_FOR      1min: how long to try again when one is not to be had\n"
			"  RDSINIT_PROGRESS_INTERVAL\n"
			"                         10s: how often to log where a long run is\n"
			"  RDSINIT_RESUME         skip or again: what becomes of a statement of which it\n"
			"                         is not known how it ended\n"
			"  RDSINIT_BASELINE       the version up to which the database has all already\n"
			"  RDSINIT_EVENT_TARGETS  allow: an event may say which database is meant\n"
			"  RDSINIT_VARIABLES      psql's variables: a JSON object\n"
			"  AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN\n"
			"                         for the secret\n"
			"  AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL\n"
			"                         another endpoint than AWS's own\n"
			"  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS\n"
			"                         true: AWS's own all the same\n"
			"  AWS_CA_BUNDLE          CA file for HTTPS; without it amazon-roots.pem beside\n"
			"                         the program, or else the system's\n"
			"  PARAMETERS_SECRETS_EXTENSION_HTTP_PORT\n"
			"                         the Parameters and Secrets extension's cache is there\n"
			"\n"
			"--once allows %d seconds without --timeout. Its exit status is 0 for success,\n"
			"and 1 for failure.\n",
			PROGRAM, PROGRAM, PROGRAM, PROGRAM, DEFAULT_TIMEOUT);
}

/* Needs nothing of the environment but RDSINIT_BUNDLE, so that a package can be made where there is no database. */
static int
print_bundle_checksum(void)
{
	Config config = {0};
	Bundle bundle = {0};
	Error error = ERROR_NONE;
	char checksum[CHECKSUM_LENGTH + 1];
	bool ok;

	/* That the rest of the configuration is missing is no error here. */
	(void) config_read(&config, &error);
	error_free(&error);
	ok = bundle_read(config.bundle, config.directory, &bundle, &error) &&
		 bundle_checksum(&bundle, checksum, &error) &&
		 puts(checksum) != EOF && fflush(stdout) == 0;
	if (!ok)
		fprintf(stderr, PROGRAM ": %s\n", error.message != NULL ? error.message : "could not write");
	error_free(&error);
	bundle_free(&bundle);
	config_free(&config);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * A wrong configuration is not a failure to start: it is answered to whoever
 * calls.  Only where nobody could be answered Lambda is told so at once.
 */
static bool
start(Http **http, Config *config, Error *config_error, const char *address)
{
	static const struct rlimit no_core = {0, 0};
	Error error = ERROR_NONE;
	bool ok;

	/* A peer that goes away is an error of the write, not a death. */
	signal(SIGPIPE, SIG_IGN);

	/* No file of memory, and nobody but root may look into it. */
	(void) setrlimit(RLIMIT_CORE, &no_core);
	(void) prctl(PR_SET_DUMPABLE, 0);

#ifdef RDSINIT_STATIC
	/* OpenSSL's configuration is that of the machine where it was built, and names modules that cannot be loaded here. */
	(void) OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
#endif

	/* The Runtime API has an address, and no name: it can be told even that names do not work. */
	ok = http_open(http, &error) && name_services_use_built_in(&error) && connection_forget_environment(&error);
	if (!ok)
	{
		log_line(LEVEL_ERROR, NULL, "%s", error.message != NULL ? error.message : "out of memory");
		if (*http != NULL && address != NULL)
			runtime_fail_start(*http, address, &error);
	}
	else
	{
		(void) config_read(config, config_error);
		http_trust(*http, config->https_ca);
	}
	error_free(&error);
	return ok;
}

static int
run_once(Http *http, const Config *config, const Error *config_error, long timeout)
{
	Deadline deadline = deadline_after(timeout * 1000);
	const char *error_type;
	char *answer = dispatch(http, config, config_error, NULL, 0, &deadline, &error_type);
	bool is_failed_plan = config->request.plan == PLAN_TEXT && error_type != NULL;
	bool written;

	/* What is printed can be kept in a file: a plan, or else nothing but what the log says. */
	written = answer != NULL && (is_failed_plan || puts(answer) != EOF) && fflush(stdout) == 0;

	free(answer);
	return written && error_type == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Ends only where the Runtime API no longer answers. */
static int
run_loop(Http *http, const Config *config, const Error *config_error, const char *address)
{
	Invocation invocation = {0};

	while (next_invocation(http, address, &invocation))
	{
		log_request(invocation.request_id, invocation.trace_id);
		if (!runtime_trace(&invocation))
			log_line(LEVEL_WARN, NULL, "the trace could not be put into the environment");
		serve(http, config, config_error, address, &invocation);
		log_request(NULL, NULL);
		invocation_free(&invocation);
	}
	return EXIT_FAILURE;
}

static bool
next_invocation(Http *http, const char *address, Invocation *invocation)
{
	Deadline deadline = deadline_after(0);
	Backoff backoff = {LONGEST_PAUSE, FIRST_PAUSE};
	Error error = ERROR_NONE;
	bool first = true;
	bool ok;

	while (!(ok = runtime_next(http, address, invocation, &error)))
	{
		/* Waiting for an event can take days: time counts from the first failure. */
		if (first)
			deadline = deadline_after(NEXT_ATTEMPTS_FOR);
		first = false;
		log_line(LEVEL_WARN, NULL, "no invocation: %s", error.message);
		if (invocation->request_id != NULL)
			refuse(http, address, invocation, &error);
		invocation_free(invocation);
		if (!backoff_pause(&backoff, &deadline))
			break;
	}
	if (!ok)
		log_line(LEVEL_ERROR, NULL, "the Runtime API cannot be reached: %s", error.message);
	error_free(&error);
	return ok;
}

/* Of one that came damaged; who invoked it would otherwise wait until it times out. */
static void
refuse(Http *http, const char *address, const Invocation *invocation, const Error *problem)
{
	Error error = ERROR_NONE;

	if (!runtime_fail(http, address, invocation, problem, &error))
		log_line(LEVEL_ERROR, NULL, "the answer could not be given: %s", error.message);
	error_free(&error);
}

static void
serve(Http *http, const Config *config, const Error *config_error, const char *address,
	  const Invocation *invocation)
{
	Deadline deadline = deadline_at_unix_time(invocation->deadline);
	Error error = ERROR_NONE;
	const char *error_type;
	char *answer = dispatch(http, config, config_error, invocation->event, invocation->event_length,
							&deadline, &error_type);

	if (answer == NULL)
		log_line(LEVEL_ERROR, NULL, "out of memory");
	else if (!runtime_answer(http, address, invocation, error_type, answer, &error))
		log_line(LEVEL_ERROR, NULL, "the answer could not be given: %s", error.message);
	error_free(&error);
	free(answer);
}

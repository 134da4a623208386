/*-------------------------------------------------------------------------
 *
 * login.c
 *	  Who we are to the database, and how we prove it.
 *
 * A secret that is rotated is for a while not what the server knows: a cache has
 * the version before, or the server has been told of the one that Secrets
 * Manager calls the current one only a moment later.
 *
 *-------------------------------------------------------------------------
 */
#include "login.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "iam.h"
#include "log.h"
#include "secret.h"

static bool is_refusal(const Error *error);
static bool take(Login *login, SecretSource source, const Deadline *deadline);
static bool is_same(const Secret *a, const Secret *b);

bool
login_open(Http *http, const Config *config, const Deadline *deadline, Login *login, Error *error)
{
	memset(login, 0, sizeof(*login));
	login->http = http;
	login->config = config;
	return config->secret_name == NULL ||
		   secret_read(http, config, SECRET_CACHED, deadline, &login->secret, error);
}

bool
login_is_complete(const Login *login)
{
	const Config *config = login->config;

	return login_user(login) != NULL &&
		   (config->auth == AUTH_IAM || config->password != NULL || login->secret.password != NULL);
}

void
login_close(Login *login)
{
	secret_free(&login->secret);
}

const char *
login_user(const Login *login)
{
	return login->config->user != NULL ? login->config->user : login->secret.username;
}

bool
login_password(const Login *login, const char *host, const char *port, char **password, Error *error)
{
	const Config *config = login->config;

	if (config->auth == AUTH_IAM)
		return iam_token(config, host, port, login_user(login), time(NULL), password, error);
	*password = strdup(config->password != NULL ? config->password : login->secret.password);
	return *password != NULL || error_out_of_memory(error);
}

bool
login_renew(Login *login, const Error *refusal, const Deadline *deadline)
{
	if (login->config->secret_name == NULL || login->config->auth == AUTH_IAM || !is_refusal(refusal))
		return false;
	if (login->step == LOGIN_FIRST)
	{
		login->step = LOGIN_AGAIN;
		if (take(login, SECRET_CURRENT, deadline))
		{
			log_line(LEVEL_WARN, NULL, "%s; secret \"%s\" has changed, trying the new one", refusal->message,
					 login->config->secret_name);
			return true;
		}
	}
	if (login->step == LOGIN_AGAIN)
	{
		login->step = LOGIN_PENDING;
		if (take(login, SECRET_PENDING, deadline))
		{
			log_line(LEVEL_WARN, NULL, "%s; secret \"%s\" is being rotated, trying its next version (AWSPENDING)",
					 refusal->message, login->config->secret_name);
			return true;
		}
	}
	return false;
}

/* invalid_password; and a role that is not there any more, or not in this way */
static bool
is_refusal(const Error *error)
{
	return error_has_sqlstate(error, "28P01") || error_has_sqlstate(error, "28000");
}

/* Only credentials that have not been refused yet are of use. */
static bool
take(Login *login, SecretSource source, const Deadline *deadline)
{
	Secret secret = {0};
	Error error = ERROR_NONE;
	bool ok = secret_read(login->http, login->config, source, deadline, &secret, &error);

	/* That there is no next version is how it usually is. */
	if (!ok && source == SECRET_CURRENT)
		log_line(LEVEL_WARN, NULL, "%s", error.message != NULL ? error.message : "out of memory");
	error_free(&error);
	if (ok && is_same(&secret, &login->secret))
		ok = false;
	if (ok)
	{
		/* Where the server is was decided by the first one, and is still pointed to. */
		free(login->secret.username);
		free(login->secret.password);
		login->secret.username = secret.username;
		login->secret.password = secret.password;
		secret.username = NULL;
		secret.password = NULL;
	}
	secret_free(&secret);
	return ok;
}

static bool
is_same(const Secret *a, const Secret *b)
{
	return strcmp(a->username, b->username) == 0 && strcmp(a->password, b->password) == 0;
}

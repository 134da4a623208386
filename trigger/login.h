/*-------------------------------------------------------------------------
 *
 * login.h
 *	  Who we are to the database, and how we prove it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LOGIN_H
#define LOGIN_H

#include <stdbool.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "http.h"
#include "secret_value.h"

/* Which credentials are in use; each comes after the one before has been refused. */
typedef enum LoginStep
{
	LOGIN_FIRST,
	LOGIN_AGAIN,  /* the secret fetched once more, past any cache */
	LOGIN_PENDING /* the secret's next version, where a rotation is under way */
} LoginStep;

typedef struct Login
{
	Http *http;
	const Config *config;
	Secret secret; /* empty where the environment has user and password */
	LoginStep step;
} Login;

/* Fetches the secret, where there is one. */
extern bool login_open(Http *http, const Config *config, const Deadline *deadline, Login *login, Error *error);

/* Is there a user, and a password where one is needed? */
extern bool login_is_complete(const Login *login);

/* Frees all that was fetched, which clears it. */
extern void login_close(Login *login);

extern const char *login_user(const Login *login);

/* The password for a connection to a host, or a token made for it; to be freed. */
extern bool login_password(const Login *login, const char *host, const char *port, char **password, Error *error);

/*
 * After the server has refused: are there other credentials to be tried?  They
 * are the login's then.  That none can be had is no error of its own.
 */
extern bool login_renew(Login *login, const Error *refusal, const Deadline *deadline);

#endif /* LOGIN_H */

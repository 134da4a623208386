/*-------------------------------------------------------------------------
 *
 * connection_error.c
 *	  What libpq says of a failed connection, taken apart and judged.
 *
 * libpq gives a query's error in fields, but a connection's only as text.  Its
 * own words in it are English, since nothing here calls setlocale(); those of
 * the server may be in any language, but have a SQLSTATE:
 *
 *	connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  28P01: …
 *	DETAIL:  …
 *	LOCATION:  auth_failed, auth.c:326
 *
 *-------------------------------------------------------------------------
 */
#include "connection_error.h"

#include <stdlib.h>
#include <string.h>

/* Refusals of a server that is there, but not yet or no longer ready. */
static const char *const transient_sqlstates[] = {
	"57P01", /* admin_shutdown */
	"57P02", /* crash_shutdown */
	"57P03", /* cannot_connect_now: starting up, or waking up */
	"53300"  /* too_many_connections */
};

/*
 * PgBouncer before 1.20 says 08P01 (protocol_violation) for whatever it is; what
 * it means is in its words.
 */
static const struct
{
	const char *words;
	const char *sqlstate;
} pooler_words[] = {
	{"authentication failed", "28P01"},
	{"auth failed", "28P01"},
	{" does not exist", "3D000"},
	{"no more connections allowed", "53300"},
	{"query_wait_timeout", "53300"},
	{"server login has been failing", "57P03"},
	{"cannot connect to server", "57P03"},
	{"server login failed", "57P03"},
	{"shutting down", "57P01"},
};

#define HINT_POOLER "The pooler has no such database: add it to its [databases], or an entry for all, *."

/* What libpq says in words of its own. */
typedef struct Verdict
{
	const char *words;
	bool transient;
	const char *hint; /* what to do; NULL: nothing that is not said already */
} Verdict;

#define HINT_VERSION \
	"The server and this program share no version of TLS: the server must speak TLS 1.2 or newer" \
	" (ssl_min_protocol_version, ssl_max_protocol_version)."

/*
 * Where the server said nothing, the first of these that is found counts.
 * Without any the network is to blame, which may recover.
 */
static const Verdict verdicts[] = {
	{"SSL SYSCALL error", true, "The connection was cut while TLS was being agreed on:"
								" look at what is between, and at the server's log."},
	{"SSL negotiation packet", true, NULL},
	{"unexpected eof", true, "The connection was cut while TLS was being agreed on:"
							 " look at what is between, and at the server's log."},
	{"closed unexpectedly", true, NULL},
	{"session is read-only", true, NULL}, /* a failover, perhaps */
	{"server is in hot standby", true, NULL},
	{"server does not support SSL", false,
	 "Switch TLS on at the server (ssl = on), or, where the network itself is trusted, set DB_SSLMODE=disable."},
	{"received invalid response to SSL negotiation", false,
	 "What listens there does not speak PostgreSQL's protocol: check DB_HOST and DB_PORT."},
	{"does not match host name", false,
	 "Set DB_HOST to a name that the certificate has. Where that cannot be, DB_SSLMODE=verify-ca"
	 " verifies all but the name."},
	{"host name must be specified", false, "verify-full needs a name or an address in DB_HOST."},
	{"root certificate file", false,
	 "Put a CA file beside the program, or name one by DB_SSLROOTCERT: one or more certificates in PEM form."},
	{"certificate verify failed", false,
	 "Put the certificate of the CA that signs the server's certificates beside the program as ca.pem, or"
	 " name it by DB_SSLROOTCERT."},
	{"unsupported protocol", false, HINT_VERSION},
	{"alert protocol version", false, HINT_VERSION},
	{"no protocols available", false, HINT_VERSION},
	{"wrong version number", false, "What listens there answers TLS with something else: check DB_HOST and DB_PORT."},
	{"SSL", false, NULL},
	{"certificate", false, NULL},
	{"authentication", false, NULL},
	{"SCRAM", false, NULL},
	{"channel binding", false, NULL},
	{"password", false, NULL},
	{"invalid ", false, NULL},
};

static const char *reason(const char *message);
static const char *find_sqlstate(const char *message);
static void read_pooler_words(Error *error);
static bool is_transient_sqlstate(const char *sqlstate);
static bool judge(const char *message, Error *error);
static char *take_line(const char *text, const char *label);

bool
connection_error(const char *message, Error *error)
{
	const char *start = reason(message);
	const char *sqlstate = NULL;
	const char *found;
	char *text;
	char *line;

	/* With several attempts in it, of TLS and without, the last one counts. */
	while ((found = find_sqlstate(start)) != NULL)
	{
		sqlstate = found;
		start = found + 5;
	}

	text = strndup(start + (sqlstate != NULL ? 2 : 0), strcspn(start, "\n") - (sqlstate != NULL ? 2 : 0));
	error_set(error, ERROR_CONNECTION, "%s", text != NULL ? text : "out of memory");
	free(text);
	if (sqlstate == NULL)
		return judge(start, error);

	text = strndup(sqlstate, 5);
	if (text != NULL)
		error_sqlstate(error, text);
	free(text);

	line = take_line(start, "\nDETAIL:  ");
	if (line != NULL)
		error_detail(error, line);
	free(line);
	line = take_line(start, "\nHINT:  ");
	if (line != NULL)
		error_hint(error, "%s", line);
	free(line);

	if (error_has_sqlstate(error, "08P01"))
		read_pooler_words(error);
	return is_transient_sqlstate(error->sqlstate);
}

/* What comes before are names, of which a host's may hold any word. */
static const char *
reason(const char *message)
{
	static const char introduction[] = " failed: ";
	const char *end = strstr(message, introduction);

	return end != NULL ? end + strlen(introduction) : message;
}

/* The first "SEVERITY:  SQLSTATE: ", whatever the severity is called. */
static const char *
find_sqlstate(const char *message)
{
	const char *at = message;

	while ((at = strstr(at, ":  ")) != NULL)
	{
		at += 3;
		if (strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[5] == ':' && at[6] == ' ')
			return at;
	}
	return NULL;
}

static void
read_pooler_words(Error *error)
{
	size_t i;

	if (error->message == NULL)
		return;
	if (strstr(error->message, "no such database") != NULL)
		error_hint(error, HINT_POOLER);
	for (i = 0; i < sizeof(pooler_words) / sizeof(pooler_words[0]); i++)
	{
		if (strstr(error->message, pooler_words[i].words) != NULL)
		{
			error_sqlstate(error, pooler_words[i].sqlstate);
			return;
		}
	}
}

static bool
is_transient_sqlstate(const char *sqlstate)
{
	size_t i;

	for (i = 0; i < sizeof(transient_sqlstates) / sizeof(transient_sqlstates[0]); i++)
	{
		if (strcmp(sqlstate, transient_sqlstates[i]) == 0)
			return true;
	}
	return false;
}

/* Whether another attempt may do better; and what to do where the user can. */
static bool
judge(const char *message, Error *error)
{
	size_t i;

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
	{
		if (strstr(message, verdicts[i].words) == NULL)
			continue;
		if (verdicts[i].hint != NULL)
			error_hint(error, "%s", verdicts[i].hint);
		return verdicts[i].transient;
	}
	return true;
}

/* A copy of the rest of the line that a label begins; NULL: there is none. */
static char *
take_line(const char *text, const char *label)
{
	const char *line = strstr(text, label);

	if (line == NULL)
		return NULL;
	line += strlen(label);
	return strndup(line, strcspn(line, "\n"));
}

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

/* What libpq says in words of its own. */
typedef struct Verdict
{
	const char *words;
	bool transient;
} Verdict;

/*
 * Where the server said nothing, the first of these that is found counts.
 * Without any the network is to blame, which may recover.
 */
static const Verdict verdicts[] = {
	{"SSL SYSCALL error", true},
	{"SSL negotiation packet", true},
	{"unexpected eof", true},
	{"closed unexpectedly", true},
	{"session is read-only", true}, /* a failover, perhaps */
	{"SSL", false},
	{"certificate", false},
	{"authentication", false},
	{"SCRAM", false},
	{"channel binding", false},
	{"password", false},
	{"invalid ", false},
};

static const char *reason(const char *message);
static const char *find_sqlstate(const char *message);
static bool is_transient(const char *sqlstate, const char *message);
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
		return is_transient("", start);

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

	return is_transient(error->sqlstate, start);
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

static bool
is_transient(const char *sqlstate, const char *message)
{
	size_t i;

	if (sqlstate[0] != '\0')
	{
		for (i = 0; i < sizeof(transient_sqlstates) / sizeof(transient_sqlstates[0]); i++)
		{
			if (strcmp(sqlstate, transient_sqlstates[i]) == 0)
				return true;
		}
		return false;
	}

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
	{
		if (strstr(message, verdicts[i].words) != NULL)
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

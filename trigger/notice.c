/*-------------------------------------------------------------------------
 *
 * notice.c
 *	  The server's notices, in the log.
 *
 *-------------------------------------------------------------------------
 */
#include "notice.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "text.h"

/* A script that raises a notice for each of a million rows fills the log. */
#define MOST_NOTICES 100

/* Of all connections: an invocation has one at a time. */
static long notices;

static const Variables *concealed;

static void receive(void *argument, const PGresult *result);
static void set_field(json_t *fields, const char *key, const PGresult *result, int code);
static char *field_text(const PGresult *result, int code);

void
notice_log(PGconn *connection)
{
	(void) PQsetNoticeReceiver(connection, receive, NULL);
}

void
notice_conceal(const Variables *variables)
{
	concealed = variables;
}

void
notice_log_rest(void)
{
	if (notices > MOST_NOTICES)
		log_line(LEVEL_INFO, NULL, "%ld more notices of the server are not logged", notices - MOST_NOTICES);
	notices = 0;
}

/* Not the context: it can quote the script. */
static void
receive(void *argument, const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	char *message;
	json_t *fields;

	(void) argument;
	if (++notices > MOST_NOTICES)
		return;

	fields = json_object();
	set_field(fields, "severity", result, PG_DIAG_SEVERITY_NONLOCALIZED);
	set_field(fields, "sqlstate", result, PG_DIAG_SQLSTATE);
	set_field(fields, "detail", result, PG_DIAG_MESSAGE_DETAIL);
	set_field(fields, "hint", result, PG_DIAG_MESSAGE_HINT);
	message = field_text(result, PG_DIAG_MESSAGE_PRIMARY);
	log_line(severity != NULL && strcmp(severity, "WARNING") == 0 ? LEVEL_WARN : LEVEL_INFO, fields,
			 "%s", message != NULL ? message : "");
	free(message);
}

static void
set_field(json_t *fields, const char *key, const PGresult *result, int code)
{
	char *value = field_text(result, code);

	if (value != NULL)
		json_object_set_new(fields, key, text_json(value));
	free(value);
}

static char *
field_text(const PGresult *result, int code)
{
	const char *text = PQresultErrorField(result, code);
	char *other = text != NULL && concealed != NULL ? variables_conceal(concealed, text) : NULL;

	return text != NULL && other == NULL ? strdup(text) : other;
}

/*-------------------------------------------------------------------------
 *
 * log.c
 *	  One JSON line for each log entry, on standard error.
 *
 *-------------------------------------------------------------------------
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "text.h"

static const char *const level_names[] = {"INFO", "WARN", "ERROR"};

static const char *current_request;
static const char *current_trace;

static void format_time(char *text, size_t size);

void
log_request(const char *request_id, const char *trace_id)
{
	current_request = request_id;
	current_trace = trace_id;
}

/*
 * Names are those of Lambda's own JSON log format.  A log line that cannot be
 * made for want of memory is left out: there is nobody to tell.
 */
void
log_line(LogLevel level, json_t *fields, const char *format, ...)
{
	json_t *entry = json_object();
	char *message = NULL;
	char *line = NULL;
	char timestamp[sizeof("2026-01-01T00:00:00.000Z") + 16];
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);

	format_time(timestamp, sizeof(timestamp));
	json_object_set_new(entry, "timestamp", json_string(timestamp));
	json_object_set_new(entry, "level", json_string(level_names[level]));
	if (current_request != NULL)
		json_object_set_new(entry, "requestId", text_json(current_request));
	if (current_trace != NULL)
		json_object_set_new(entry, "xrayTraceId", text_json(current_trace));
	json_object_set_new(entry, "message", text_json(message));
	if (fields != NULL)
		json_object_update_missing(entry, fields);

	line = json_dumps(entry, JSON_COMPACT);
	if (line != NULL)
		fprintf(stderr, "%s\n", line);

	free(line);
	free(message);
	json_decref(fields);
	json_decref(entry);
}

static void
format_time(char *text, size_t size)
{
	struct timespec now;
	struct tm utc;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, size - length, ".%03ldZ", now.tv_nsec / 1000000);
}

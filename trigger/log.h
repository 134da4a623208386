/*-------------------------------------------------------------------------
 *
 * log.h
 *	  One JSON line for each log entry, on standard error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LOG_H
#define LOG_H

#include <jansson.h>

typedef enum LogLevel
{
	LEVEL_INFO,
	LEVEL_WARN,
	LEVEL_ERROR
} LogLevel;

/* The request, and its trace, that the following lines belong to; NULL: none.  Not copied. */
extern void log_request(const char *request_id, const char *trace_id);

/* Takes over "fields", an object of more to say, or NULL. */
extern void log_line(LogLevel level, json_t *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* LOG_H */

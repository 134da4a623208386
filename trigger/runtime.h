/*-------------------------------------------------------------------------
 *
 * runtime.h
 *	  AWS Lambda's Runtime API: invocations in, answers out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "http.h"

typedef struct Invocation
{
	char *request_id;
	char *trace_id;   /* X-Ray's header for the invocation; NULL: there is none */
	int64_t deadline; /* Unix time in milliseconds */
	char *event;      /* NUL-terminated, but may hold NUL as well */
	size_t event_length;
} Invocation;

/*
 * Waits for as long as it takes.  "address" is AWS_LAMBDA_RUNTIME_API.  Where an
 * error leaves a request id in the invocation, its caller waits for an answer.
 */
extern bool runtime_next(Http *http, const char *address, Invocation *invocation, Error *error);

/* Answers an invocation: error_type NULL is success. */
extern bool runtime_answer(Http *http, const char *address, const Invocation *invocation,
						   const char *error_type, const char *payload, Error *error);

/* Answers one that could not be read. */
extern bool runtime_fail(Http *http, const char *address, const Invocation *invocation, const Error *problem, Error *error);

/* Puts the trace into the environment, or takes the last one's away. */
extern bool runtime_trace(const Invocation *invocation);

/* The header that passes it on to a service of AWS's; to be freed, NULL: there is none.  False where memory is out. */
extern bool runtime_trace_header(char **header);

/* Says that there will be no invocation: for what leaves no event to be served. */
extern void runtime_fail_start(Http *http, const char *address, const Error *problem);

extern void invocation_free(Invocation *invocation);

#endif /* RUNTIME_H */

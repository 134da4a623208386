/*-------------------------------------------------------------------------
 *
 * request.h
 *	  What an invocation is to do: the options of rdsinit.deploy.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* What becomes of a statement of which it is not known how it ended. */
typedef enum Resume
{
	RESUME_ASK, /* an error */
	RESUME_SKIP,
	RESUME_AGAIN
} Resume;

/* To look at what would be done, and do nothing. */
typedef enum Plan
{
	PLAN_NONE,
	PLAN_STEPS, /* as JSON */
	PLAN_TEXT   /* for people */
} Plan;

/* The environment's, which an event may override. */
typedef struct Request
{
	bool force;
	bool out_of_order;
	bool allow_changed;
	bool allow_data_loss;
	bool allow_missing;
	Resume resume;
	int64_t lock_timeout; /* in milliseconds; 0: no limit */
	int64_t retry_for;    /* the same; 0: one attempt */
	Plan plan;
	char *bundle_checksum; /* what the bundle's must be; NULL: it may be any */
	char *baseline;        /* a version, canonical; NULL: none */
	json_t *variables;     /* an object of strings; NULL: none */
} Request;

/* What a value of some options must be, for errors. */
#define REQUEST_RESUME_EXPECTED "\"skip\" or \"again\""
#define REQUEST_TIME_EXPECTED "a time, as \"500ms\", \"2s\" or \"1min\""
#define REQUEST_BASELINE_EXPECTED "a version: numbers with dots between them"

/* False where the text is no such value, or memory is out. */
extern bool request_read_resume(const char *text, Resume *resume);
extern bool request_read_baseline(const char *text, char **baseline);

/*
 * A time as the server's settings have it, of whole numbers; without a unit it
 * counts milliseconds.
 */
extern bool request_read_time(const char *text, int64_t *milliseconds);

/* A copy of its own, to be given to request_free(). */
extern bool request_copy(const Request *from, Request *to, Error *error);
extern void request_free(Request *request);

#endif /* REQUEST_H */

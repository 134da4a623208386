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
	bool allow_data_loss; /* which only the extension guards against */
	bool allow_missing;
	Resume resume;
	Plan plan;
	char *bundle_checksum; /* what the bundle's must be; NULL: it may be any */
	char *baseline;        /* a version, canonical; NULL: none */
	json_t *variables;     /* an object of strings; NULL: none */
} Request;

/* What a value of some options must be, for errors. */
#define REQUEST_RESUME_EXPECTED "\"skip\" or \"again\""
#define REQUEST_BASELINE_EXPECTED "a version: numbers with dots between them"

/* False where the text is no such value, or memory is out. */
extern bool request_read_resume(const char *text, Resume *resume);
extern bool request_read_baseline(const char *text, char **baseline);

/* A copy of its own, to be given to request_free(). */
extern bool request_copy(const Request *from, Request *to, Error *error);
extern void request_free(Request *request);

#endif /* REQUEST_H */

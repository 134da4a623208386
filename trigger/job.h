/*-------------------------------------------------------------------------
 *
 * job.h
 *	  One database's work: what an event says of it, on top of the environment.
 *
 * Who may invoke the function could have our password sent to a host of his
 * own.  So an event may name a target only where the environment allows it, and
 * a host only together with a secret, or one that our secret lists itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JOB_H
#define JOB_H

#include <jansson.h>
#include <stdbool.h>

#include "config.h"
#include "error.h"
#include "event_keys.h"

typedef struct Job
{
	Config config; /* the environment's, but for what the event says; borrowed from both */
	EventKeys keys;
	char *bundle; /* NULL: the environment's */
} Job;

/*
 * "keys" and the environment must outlive the job, which is to be given to
 * job_free() either way.
 */
extern bool job_read(const Config *environment, const json_t *keys, bool is_resource, Job *job, Error *error);
extern void job_free(Job *job);

/* Does the secret list host and port, where it must?  NULL: the secret does not hold it. */
extern bool job_check_listed(const Config *config, const char *host, const char *port, Error *error);

#endif /* JOB_H */

/*-------------------------------------------------------------------------
 *
 * plain_run.h
 *	  A script checked as far as that can be without running it, and run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_RUN_H
#define PLAIN_RUN_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "plain_policy.h"
#include "plain_reader.h"
#include "plain_result.h"

/*
 * Both open the reader, which the caller closes; it has session and bundle, and
 * "mentioned" where the script's includes are all that is asked for.
 */
extern bool run_check(Reader *reader, const Script *script, const json_t *variables, Error *error);
extern bool run_script(Reader *reader, const Script *script, const json_t *variables, Counts *counts, Error *error);

/* A statement, for the observer to say where it is; it must live until observer_at() has another. */
typedef struct RunPlace
{
	const Reader *reader;
	const Step *step;
} RunPlace;

extern void run_observe(const RunPlace *at);
extern void run_tell_place(const void *at, Error *place);

/* May the statement be run?  Where it is not even one, it is not counted. */
extern bool run_judge(Reader *reader, const Step *step, Verdict *verdict, Error *error);

/* … by a script that is run outside of a transaction? */
extern bool run_check_outside(const Reader *reader, const Step *step, Verdict verdict, Error *error);

#endif /* PLAIN_RUN_H */

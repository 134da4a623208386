/*-------------------------------------------------------------------------
 *
 * plain_course.h
 *	  The course of a bundle: its transactions, and what is between them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_COURSE_H
#define PLAIN_COURSE_H

#include <stdbool.h>

#include "bundle.h"
#include "error.h"
#include "outcome.h"
#include "plain_guard.h"
#include "plain_pending.h"
#include "query.h"
#include "request.h"

typedef struct Course
{
	const Session *session;
	const Bundle *bundle;
	const Request *request;
	Outcome *outcome;
	Session keeper;   /* without a connection: the lock is the transaction's */
	bool is_open;     /* a transaction */
	size_t committed; /* so many of the outcome's scripts are */
	Guard guard;
	Outcome earlier; /* what earlier attempts have committed */
} Course;

/* With the settings of session_for_us(). */
extern bool course_begin(Course *course, Error *error);
extern bool course_commit(Course *course, Error *error);

/* Does to each script what has been decided; a transaction is open, and none afterwards. */
extern bool course_run(Course *course, const Pending *pending, Error *error);

/* After an attempt that has failed, and at the end: what is committed is answered for. */
extern void course_keep_committed(Course *course);
extern bool course_end(Course *course, bool ok);

#endif /* PLAIN_COURSE_H */

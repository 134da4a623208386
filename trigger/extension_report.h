/*-------------------------------------------------------------------------
 *
 * extension_report.h
 *	  What a call of rdsinit.deploy has come to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EXTENSION_REPORT_H
#define EXTENSION_REPORT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "outcome.h"
#include "query.h"

/* The report that a call gives. */
extern bool report_take(const PGresult *result, Outcome *outcome, Error *error);

/*
 * After a call that has failed: what of it is committed all the same, the rows
 * of the history behind the one that was its last before the call.
 */
extern bool report_last_row(const Session *session, int64_t *id, Error *error);
extern void report_committed(const Session *session, int64_t last, Outcome *outcome);

#endif /* EXTENSION_REPORT_H */

/*-------------------------------------------------------------------------
 *
 * plain_run_error.h
 *	  Where in a script a statement's error is, and what may be said of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_RUN_ERROR_H
#define PLAIN_RUN_ERROR_H

#include "error.h"
#include "plain_reader.h"
#include "query.h"

/* "result" is the server's error, or NULL; "data" what COPY FROM STDIN was given, or NULL. */
extern void run_explain_error(const Reader *reader, const Step *step, const PGresult *result,
							  const CopyData *data, Error *error);

#endif /* PLAIN_RUN_ERROR_H */

/*-------------------------------------------------------------------------
 *
 * extension_check.h
 *	  May this role call the database's extension, and should it?
 *
 *-------------------------------------------------------------------------
 */
#ifndef EXTENSION_CHECK_H
#define EXTENSION_CHECK_H

#include <stdbool.h>

#include "error.h"
#include "query.h"

/* What of the extension is called. */
typedef enum Routine
{
	ROUTINE_DEPLOY,
	ROUTINE_PLAN,
	ROUTINE_PLAN_TEXT
} Routine;

/*
 * Fails where the routine is missing, not the extension's, not for this role to
 * call, or at the mercy of somebody who has not this role's rights.  "is_own":
 * this session has created the extension.
 */
extern bool extension_check(const Session *session, Routine routine, bool is_own, Error *error);

#endif /* EXTENSION_CHECK_H */

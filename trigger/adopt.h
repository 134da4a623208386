/*-------------------------------------------------------------------------
 *
 * adopt.h
 *	  The plain mode's ledger, taken over by the extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ADOPT_H
#define ADOPT_H

#include "error.h"
#include "query.h"

/* Both are there; whoever applies in plain mode is waited for.  Somebody else's adoption is as good. */
extern bool adopt_ledger(const Session *session, Error *error);

#endif /* ADOPT_H */

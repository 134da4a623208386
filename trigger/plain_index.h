/*-------------------------------------------------------------------------
 *
 * plain_index.h
 *	  Indexes that are built or dropped concurrently, and not to the end.
 *
 * All of it runs outside of a transaction, with the script's own settings.  The
 * cursors are at the start of a CREATE or DROP INDEX CONCURRENTLY, or a REINDEX.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_INDEX_H
#define PLAIN_INDEX_H

#include <stdbool.h>

#include "error.h"
#include "plain_token.h"
#include "query.h"

/*
 * Before a CREATE that was begun is run again: "is_done" where there is a valid
 * index like the one that it makes; an INVALID one that it has left is dropped.
 */
extern bool index_recover(const Session *session, TokenCursor cursor, bool *is_done, Error *error);

/* Before a CREATE is begun: an INVALID index of its name is somebody else's, and an error. */
extern bool index_check(const Session *session, TokenCursor cursor, Error *error);

/* Before a REINDEX that was begun is run again: drops the INVALID indexes that it has left. */
extern bool index_clear(const Session *session, TokenCursor cursor, Error *error);

/* Is the index that a DROP names not there? */
extern bool index_is_gone(const Session *session, TokenCursor cursor, bool *is_gone, Error *error);

#endif /* PLAIN_INDEX_H */

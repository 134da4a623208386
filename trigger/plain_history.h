/*-------------------------------------------------------------------------
 *
 * plain_history.h
 *	  The ledger of the plain mode: rdsinit_plain.history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAIN_HISTORY_H
#define PLAIN_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "query.h"

/*
 * Does the owner of what we use, which could hold anything, have our rights anyway?
 * The database's owner counts as such a one, but not for a superuser, nor for a role
 * that is the next best thing where nobody is one.  "me" is our own row of pg_roles.
 */
#define LEDGER_OWNER_IS_TRUSTED(owner) \
	"(pg_catalog.pg_has_role(" owner ", me.oid, 'MEMBER') OR (NOT me.rolsuper AND NOT me.rolcreaterole AND " owner \
	" OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database AS d" \
	"  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())))"

/* A row; its id, time and role are added.  NULL, and 0 for the statement: none. */
typedef struct HistoryRow
{
	const char *name;
	const char *version;
	long statement;
	const char *outcome;
	const char *checksum;
	int64_t statements;
	int64_t rows;
	int64_t duration; /* in microseconds */
	const char *undo_name;
	const char *undo;
	const char *lost; /* JSON */
} HistoryRow;

/*
 * Creates the ledger where it is missing, and makes sure that it is ours; runs
 * with the settings of session_for_us().  "is_new" says that it was missing.  After
 * false, "raced" says that somebody else has created it at the same time, and the
 * transaction should begin again.
 */
extern bool history_open(const Session *session, bool *is_new, bool *raced, Error *error);

/* Whatever the session's search_path is. */
extern bool history_insert(const Session *session, const HistoryRow *row, Error *error);

#endif /* PLAIN_HISTORY_H */

/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  What pg_stat_activity shows of a call.
 *
 * pgstat_report_activity would also reset the query's identifier and the time
 * since which the session is in its state, which are the caller's query's and
 * are to stay.  So only the text is written, by the rules of
 * utils/backend_status.h: that is cheap enough to be done for each statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"

#include "activity.h"

/* Longer than a script's name may be, and all that is said of it. */
#define MAX_TEXT 1280

static char *append(char *at, const char *text, Size length);
static void write_text(const char *text, Size length);

/*
 * rds_activity_save
 *		What is shown now, in the current memory context; NULL where nothing is.
 */
char *
rds_activity_save(void)
{
	if (!pgstat_track_activities || MyBEEntry == NULL)
		return NULL;
	return pstrdup(MyBEEntry->st_activity_raw);
}

/*
 * rds_activity_report
 *		Shows a text, of one line, in place of the caller's query.
 */
void
rds_activity_report(const char *format, ...)
{
	char text[MAX_TEXT];
	va_list args;

	if (!pgstat_track_activities || MyBEEntry == NULL)
		return;

	va_start(args, format);
	(void) vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_text(text, strlen(text));
}

/*
 * rds_activity_at
 *		Shows at which statement of how many a script is, and in which line.
 *
 * That is done for each statement, and so without vsnprintf.
 */
void
rds_activity_at(const char *script, int line, int statement, int total)
{
	char text[MAX_TEXT];
	char *at = text;
	Size length = Min(strlen(script), MAX_TEXT - 64);

	if (!pgstat_track_activities || MyBEEntry == NULL)
		return;

	at = append(at, "rdsinit: ", strlen("rdsinit: "));
	at = append(at, script, length);
	at = append(at, ":", 1);
	at += pg_ltoa(line, at);
	at = append(at, ", statement ", strlen(", statement "));
	at += pg_ltoa(statement, at);
	at = append(at, " of ", strlen(" of "));
	at += pg_ltoa(total, at);
	write_text(text, at - text);
}

/*
 * rds_activity_restore
 *		Shows again what rds_activity_save saw.
 */
void
rds_activity_restore(const char *saved)
{
	if (saved != NULL && MyBEEntry != NULL)
		write_text(saved, strlen(saved));
}

static char *
append(char *at, const char *text, Size length)
{
	memcpy(at, text, length);
	return at + length;
}

static void
write_text(const char *text, Size length)
{
	volatile PgBackendStatus *entry = MyBEEntry;

	if (length >= (Size) pgstat_track_activity_query_size)
		length = pg_mbcliplen(text, length, pgstat_track_activity_query_size - 1);

	PGSTAT_BEGIN_WRITE_ACTIVITY(entry);
	memcpy((char *) entry->st_activity_raw, text, length);
	entry->st_activity_raw[length] = '\0';
	PGSTAT_END_WRITE_ACTIVITY(entry);
}

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

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/backend_status.h"

#include "activity.h"

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
	StringInfoData text;
	va_list args;
	int needed;

	if (!pgstat_track_activities || MyBEEntry == NULL)
		return;

	initStringInfo(&text);
	for (;;)
	{
		va_start(args, format);
		needed = appendStringInfoVA(&text, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	write_text(text.data, text.len);
	pfree(text.data);
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

static void
write_text(const char *text, Size length)
{
	volatile PgBackendStatus *entry = MyBEEntry;

	length = pg_mbcliplen(text, length, pgstat_track_activity_query_size - 1);

	PGSTAT_BEGIN_WRITE_ACTIVITY(entry);
	memcpy((char *) entry->st_activity_raw, text, length);
	entry->st_activity_raw[length] = '\0';
	PGSTAT_END_WRITE_ACTIVITY(entry);
}

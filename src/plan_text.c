/*-------------------------------------------------------------------------
 *
 * plan_text.c
 *	  A plan for people, on one screen: the worst first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "plan.h"

/* Columns of the screen, and how much of each part it shows. */
#define WIDTH 100
#define MOST_WARNINGS 5
#define MOST_LOCKS 8
#define MOST_STATEMENTS 5
#define MOST_LINES 2

static void add_head(StringInfo text, const RdsPlan *plan);
static void add_warnings(StringInfo text, const RdsPlan *plan);
static void add_locks(StringInfo text, const RdsPlan *plan);
static void add_slowest(StringInfo text, const RdsPlan *plan);
static void add_wrapped(StringInfo text, int indent, const char *words);
static void add_padded(StringInfo text, const char *words, int width, bool to_the_right);
static void add_rest(StringInfo text, int count);
static char *fit(const char *words, int width);
static int width_of(const char *words);
static int width_of_character(const char *at);
static bool is_printed(const char *at);
static int compare_durations(const ListCell *one, const ListCell *two);
static char *rows(double count);
static const char *plural(int count);

/* No line is wider than the screen, whatever the names are. */
char *
rds_plan_text(const RdsPlan *plan)
{
	StringInfoData text;

	initStringInfo(&text);
	add_head(&text, plan);
	if (plan->steps == NIL)
		return text.data;
	add_warnings(&text, plan);
	add_locks(&text, plan);
	add_slowest(&text, plan);
	return text.data;
}

static void
add_head(StringInfo text, const RdsPlan *plan)
{
	int not_run = 0;
	int64 wal_bytes = 0;
	const RdsPlanStep *first_not_run = NULL;
	ListCell *cell;

	if (plan->steps == NIL)
	{
		appendStringInfoString(text, "Plan: nothing is to be done.\n");
		return;
	}
	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);

		wal_bytes += step->wal_bytes;
		if (!step->run && not_run++ == 0)
			first_not_run = step;
	}
	appendStringInfo(text, "Plan: %d statement%s of %d script%s, run in %s with %s of WAL, and rolled back.\n",
					 list_length(plan->steps) - not_run, plural(list_length(plan->steps) - not_run), list_length(plan->scripts),
					 plural(list_length(plan->scripts)), rds_plan_time(plan->duration), rds_plan_bytes(wal_bytes));
	if (not_run > 0)
		add_wrapped(text, 0, psprintf("%d statement%s not run, since no transaction is asked for: from %s on.", not_run, not_run == 1 ? " was" : "s were", rds_plan_place(first_not_run)));
}

static void
add_warnings(StringInfo text, const RdsPlan *plan)
{
	List *worst = rds_plan_worst(plan);
	int count = list_length(worst);
	int shown = 0;
	ListCell *cell;

	if (count == 0)
	{
		appendStringInfoString(text, "\nNo warnings.\n");
		return;
	}
	appendStringInfo(text, "\n%d warning%s%s\n", count, plural(count), count > 1 ? ", the worst first" : "");
	foreach(cell, worst)
	{
		const RdsPlanFinding *finding = lfirst(cell);

		if (shown == MOST_WARNINGS)
			break;
		shown++;
		add_padded(text, rds_plan_severity(finding->warning->severity), 8, false);
		appendStringInfo(text, "%s\n", fit(psprintf("%s  %s: %s", rds_plan_place(finding->step), finding->step->tag, finding->warning->rule), WIDTH - 8));
		add_wrapped(text, 8, finding->warning->message);
		add_wrapped(text, 8, finding->warning->advice);
	}
	add_rest(text, count - shown);
}

static void
add_locks(StringInfo text, const RdsPlan *plan)
{
	List *strong = NIL;
	int shown = 0;
	ListCell *cell;

	/* what queries take is of no interest to people */
	foreach(cell, rds_plan_locks(plan))
	{
		if (((const RdsPlanLock *) lfirst(cell))->mode > RowExclusiveLock)
			strong = lappend(strong, lfirst(cell));
	}
	if (strong == NIL)
		return;
	appendStringInfoString(text, "\nLocked until the end, the strongest first\n");
	foreach(cell, strong)
	{
		const RdsPlanLock *lock = lfirst(cell);
		const RdsPlanStep *step = list_nth(plan->steps, lock->since - 1);

		if (shown++ == MOST_LOCKS)
			break;
		add_padded(text, rds_plan_mode(lock->mode), 24, false);
		add_padded(text, lock->relation->name, 28, false);
		add_padded(text, rows(lock->relation->rows), 15, true);
		add_padded(text, rds_plan_time(rds_plan_held(plan, lock)), 10, true);
		appendStringInfoString(text, "  ");
		appendStringInfoString(text, fit(rds_plan_place(step), WIDTH - 79));
		appendStringInfoChar(text, '\n');
	}
	add_rest(text, list_length(strong) - Min(list_length(strong), MOST_LOCKS));
}

static void
add_slowest(StringInfo text, const RdsPlan *plan)
{
	List *steps = list_copy(plan->steps);
	int shown = 0;
	ListCell *cell;

	list_sort(steps, compare_durations);
	appendStringInfoString(text, "\nThe slowest statements\n");
	foreach(cell, steps)
	{
		const RdsPlanStep *step = lfirst(cell);

		if (!step->run || shown++ == MOST_STATEMENTS)
			break;
		add_padded(text, rds_plan_time(step->duration), 10, true);
		appendStringInfoString(text, "  ");
		add_padded(text, step->tag, 28, false);
		add_padded(text, rows((double) step->rows), 15, true);
		add_padded(text, rds_plan_bytes(step->wal_bytes), 10, true);
		appendStringInfoString(text, " WAL  ");
		appendStringInfoString(text, fit(rds_plan_place(step), WIDTH - 71));
		appendStringInfoChar(text, '\n');
	}
}

/* Over as many lines as are given to it; what does not fit is left out. */
static void
add_wrapped(StringInfo text, int indent, const char *words)
{
	char *rest = pstrdup(words);
	char *word;
	int lines = 1;
	int used = 0;

	appendStringInfoSpaces(text, indent);
	while ((word = strsep(&rest, " ")) != NULL)
	{
		int width = width_of(word);

		if (used > 0 && indent + used + 1 + width > WIDTH)
		{
			if (lines++ == MOST_LINES)
			{
				/* three columns have been kept for that */
				appendStringInfoString(text, indent + used + 4 <= WIDTH ? " ..." : "");
				break;
			}
			appendStringInfoChar(text, '\n');
			appendStringInfoSpaces(text, indent);
			used = 0;
		}
		if (used > 0)
		{
			appendStringInfoChar(text, ' ');
			used++;
		}
		word = fit(word, WIDTH - indent);
		appendStringInfoString(text, word);
		used += width_of(word);
	}
	appendStringInfoChar(text, '\n');
}

/* In so many columns, and never more. */
static void
add_padded(StringInfo text, const char *words, int width, bool to_the_right)
{
	char *fitting = fit(words, width - 1);
	int spaces = width - width_of(fitting);

	if (to_the_right)
		appendStringInfoSpaces(text, spaces);
	appendStringInfoString(text, fitting);
	if (!to_the_right)
		appendStringInfoSpaces(text, spaces);
}

static void
add_rest(StringInfo text, int count)
{
	if (count > 0)
		appendStringInfo(text, "and %d more: rdsinit.plan and rdsinit.plan_html have them all\n", count);
}

/* Cut to so many columns; what is no character to be printed is a question mark. */
static char *
fit(const char *words, int width)
{
	bool cut = width_of(words) > width;
	int room = cut ? Max(width - 3, 0) : width;
	StringInfoData result;

	initStringInfo(&result);
	while (*words != '\0')
	{
		int length = pg_mblen(words);
		int columns = width_of_character(words);

		if (columns > room)
			break;
		if (!is_printed(words))
			appendStringInfoChar(&result, '?');
		else
			appendBinaryStringInfo(&result, words, length);
		room -= columns;
		words += length;
	}
	if (cut)
		appendStringInfoString(&result, width >= 3 ? "..." : "");
	return result.data;
}

static int
width_of(const char *words)
{
	int width = 0;

	for (; *words != '\0'; words += pg_mblen(words))
		width += width_of_character(words);
	return width;
}

static int
width_of_character(const char *at)
{
	return is_printed(at) ? pg_dsplen(at) : 1;
}

static bool
is_printed(const char *at)
{
	return pg_dsplen(at) >= 0 &&
		   (GetDatabaseEncoding() != PG_UTF8 || !rds_plan_turns_text(utf8_to_unicode((const unsigned char *) at)));
}

static int
compare_durations(const ListCell *one, const ListCell *two)
{
	const RdsPlanStep *a = lfirst(one);
	const RdsPlanStep *b = lfirst(two);

	if (a->run != b->run)
		return a->run ? -1 : 1;
	if (a->duration != b->duration)
		return a->duration > b->duration ? -1 : 1;
	return a->number - b->number;
}

static char *
rows(double count)
{
	return count == 1 ? pstrdup("1 row ") : psprintf("%s rows", rds_plan_count(count));
}

static const char *
plural(int count)
{
	return count == 1 ? "" : "s";
}

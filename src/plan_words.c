/*-------------------------------------------------------------------------
 *
 * plan_words.c
 *	  A plan's times, sizes and locks, as people read them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"

#include "plan.h"

static int compare_findings(const ListCell *one, const ListCell *two);
static int compare_locks(const ListCell *one, const ListCell *two);

/* As the manual writes it. */
const char *
rds_plan_mode(LOCKMODE mode)
{
	static const char *const names[] = {
		"", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
		"SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"};

	return mode > 0 && mode < lengthof(names) ? names[mode] : "";
}

const char *
rds_plan_kind(char kind)
{
	switch (kind)
	{
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			return "index";
		case RELKIND_SEQUENCE:
			return "sequence";
		case RELKIND_VIEW:
			return "view";
		case RELKIND_MATVIEW:
			return "materialized view";
		case RELKIND_FOREIGN_TABLE:
			return "foreign table";
		default:
			return "table";
	}
}

char *
rds_plan_time(int64 microseconds)
{
	double milliseconds = (double) microseconds / 1000;

	if (milliseconds < 10)
		return psprintf("%.1f ms", milliseconds);
	if (milliseconds < 1000)
		return psprintf("%.0f ms", milliseconds);
	if (milliseconds < 60 * 1000)
		return psprintf("%.1f s", milliseconds / 1000);
	return psprintf("%d:%02d min", (int) (milliseconds / 60000), (int) (milliseconds / 1000) % 60);
}

char *
rds_plan_bytes(int64 bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double size = (double) bytes;
	int unit = 0;

	for (; size >= 1024 && unit < lengthof(units) - 1; unit++)
		size /= 1024;
	return psprintf(unit > 0 && size < 10 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

/* With commas between the thousands. */
char *
rds_plan_count(double count)
{
	char *digits = psprintf("%.0f", count);
	int length = strlen(digits);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < length; i++)
	{
		if (i > 0 && (length - i) % 3 == 0)
			appendStringInfoChar(&text, ',');
		appendStringInfoChar(&text, digits[i]);
	}
	return text.data;
}

/* From where the statement begins that takes the lock, to the end. */
int64
rds_plan_held(const RdsPlan *plan, const RdsPlanLock *lock)
{
	const RdsPlanStep *step;

	if (lock->since == 0)
		return plan->duration;
	step = list_nth(plan->steps, lock->since - 1);
	return plan->duration - step->started;
}

char *
rds_plan_place(const RdsPlanStep *step)
{
	return psprintf("%s:%d", step->script, step->line);
}

/* All warnings, of RdsPlanFinding: the gravest first, and of them those of the longest statements. */
List *
rds_plan_worst(const RdsPlan *plan)
{
	List *findings = NIL;
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);
		ListCell *other;

		foreach(other, step->warnings)
		{
			RdsPlanFinding *finding = palloc(sizeof(RdsPlanFinding));

			finding->step = step;
			finding->warning = lfirst(other);
			findings = lappend(findings, finding);
		}
	}
	list_sort(findings, compare_findings);
	return findings;
}

/* The locks that the call has taken, on each relation the strongest; what keeps most others out first. */
List *
rds_plan_locks(const RdsPlan *plan)
{
	List *locks = NIL;
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		ListCell *other;

		foreach(other, ((const RdsPlanStep *) lfirst(cell))->locks)
		{
			RdsPlanLock *lock = lfirst(other);

			/* not one that was made stronger later */
			if (lock->taken && lock->relation->since == lock->since)
				locks = lappend(locks, lock);
		}
	}
	list_sort(locks, compare_locks);
	return locks;
}

static int
compare_findings(const ListCell *one, const ListCell *two)
{
	const RdsPlanFinding *a = lfirst(one);
	const RdsPlanFinding *b = lfirst(two);

	if (a->warning->severity != b->warning->severity)
		return (int) b->warning->severity - (int) a->warning->severity;
	/* so close together, times say nothing */
	if (a->step->duration / 100000 != b->step->duration / 100000)
		return a->step->duration > b->step->duration ? -1 : 1;
	if (a->step->number != b->step->number)
		return a->step->number - b->step->number;
	return strcmp(a->warning->rule, b->warning->rule);
}

static int
compare_locks(const ListCell *one, const ListCell *two)
{
	const RdsPlanLock *a = lfirst(one);
	const RdsPlanLock *b = lfirst(two);

	if (a->mode != b->mode)
		return b->mode - a->mode;
	return a->since != b->since ? a->since - b->since : strcmp(a->relation->name, b->relation->name);
}

/* Does a character change in which direction, or on which line, those behind it are shown? */
bool
rds_plan_turns_text(pg_wchar character)
{
	return character == 0x061c || character == 0x200e || character == 0x200f ||
		   (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069) ||
		   (character >= 0x80 && character <= 0x9f);
}

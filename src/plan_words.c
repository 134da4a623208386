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

static int compare_steps(const ListCell *one, const ListCell *two);
static int compare_locks(const ListCell *one, const ListCell *two);
static int gravest(const RdsPlanStep *step);

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

/* The steps that have a warning, those with the gravest first, and of them the longest. */
List *
rds_plan_worst(const RdsPlan *plan)
{
	List *steps = NIL;
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		if (((const RdsPlanStep *) lfirst(cell))->warnings != NIL)
			steps = lappend(steps, lfirst(cell));
	}
	list_sort(steps, compare_steps);
	return steps;
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
compare_steps(const ListCell *one, const ListCell *two)
{
	const RdsPlanStep *a = lfirst(one);
	const RdsPlanStep *b = lfirst(two);

	if (gravest(a) != gravest(b))
		return gravest(b) - gravest(a);
	/* so close together, times say nothing */
	if (a->duration / 100000 != b->duration / 100000)
		return a->duration > b->duration ? -1 : 1;
	return a->number - b->number;
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

static int
gravest(const RdsPlanStep *step)
{
	return ((const RdsPlanWarning *) linitial(step->warnings))->severity;
}

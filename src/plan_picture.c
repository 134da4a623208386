/*-------------------------------------------------------------------------
 *
 * plan_picture.c
 *	  A plan's statements along time, and the locks that they hold.
 *
 * A lane for the statements; below it one for each relation that is locked, with
 * a bar from where the lock is taken to the end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "plan_html.h"

/* In the units of the picture. */
#define PICTURE_WIDTH 1080
#define LEFT 250
#define RIGHT 1064
#define TOP 62
#define LANE 22
#define BAR 14

/* More lanes than that nobody can look at. */
#define MOST_LANES 40
#define LONGEST_LABEL 34

static List *choose_lanes(const RdsPlan *plan, int *left_out);
static void add_legend(StringInfo html);
static void add_scale(StringInfo html, const RdsPlan *plan, int bottom);
static void add_statements(StringInfo html, const RdsPlan *plan);
static void add_lane(StringInfo html, const RdsPlan *plan, const RdsPlanRelation *relation, int y);
static void add_bar(StringInfo html, const RdsPlan *plan, const RdsPlanStep *step, const RdsPlanLock *lock, int y);
static void add_label(StringInfo html, const char *name, int y);
static double place_of(const RdsPlan *plan, int64 microseconds);
static const char *class_of(LOCKMODE mode);

void
rds_html_picture(StringInfo html, const RdsPlan *plan)
{
	int left_out;
	List *lanes = choose_lanes(plan, &left_out);
	int bottom = TOP + (list_length(lanes) + 1) * LANE + 8;
	int y = TOP + LANE;
	ListCell *cell;

	appendStringInfo(html, "<h2>Locks along time</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Statements and locks along time\">\n",
					 PICTURE_WIDTH, bottom + 28);
	appendStringInfoString(html,
						   "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
						   "<rect width=\"3\" height=\"6\" style=\"fill:var(--ink)\"/></pattern></defs>\n");
	add_legend(html);
	add_scale(html, plan, bottom);
	add_statements(html, plan);
	foreach(cell, lanes)
	{
		add_lane(html, plan, lfirst(cell), y);
		y += LANE;
	}
	appendStringInfoString(html, "</svg>\n");
	if (left_out > 0)
		appendStringInfo(html, "<p class=\"faint\">%d more relations are locked, for a shorter time or more weakly: the table has them.</p>\n", left_out);
}

/* The relations that are locked, the strongest locks first. */
static List *
choose_lanes(const RdsPlan *plan, int *left_out)
{
	List *lanes = NIL;
	ListCell *cell;

	*left_out = 0;
	foreach(cell, rds_plan_locks(plan))
	{
		const RdsPlanLock *lock = lfirst(cell);

		if (lock->mode <= AccessShareLock)
			continue;
		if (list_length(lanes) < MOST_LANES)
			lanes = lappend(lanes, lock->relation);
		else
			(*left_out)++;
	}
	return lanes;
}

static void
add_legend(StringInfo html)
{
	static const struct
	{
		const char *class;
		const char *text;
		int x;
	} entries[] = {
		{"access", "ACCESS EXCLUSIVE: nobody else", 16},
		{"exclusive", "EXCLUSIVE: readers only", 264},
		{"share", "SHARE: no writers", 458},
		{"update", "no other schema change", 612},
		{"weak", "as queries take", 806},
		{"rewritten", "rewritten", 940},
	};

	for (int i = 0; i < lengthof(entries); i++)
		appendStringInfo(html, "<rect class=\"%s\" x=\"%d\" y=\"10\" width=\"14\" height=\"12\" rx=\"2\"/><text x=\"%d\" y=\"20\">%s</text>\n",
						 entries[i].class, entries[i].x, entries[i].x + 20, entries[i].text);
}

static void
add_scale(StringInfo html, const RdsPlan *plan, int bottom)
{
	for (int i = 0; i <= 4; i++)
	{
		double x = LEFT + i * (RIGHT - LEFT) / 4.0;
		const char *anchor = i == 0 ? "start" : i == 4 ? "end"
													   : "middle";

		appendStringInfo(html, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/><text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", x,
						 TOP - 16, x, bottom, x, bottom + 16, anchor, i == 0 ? "0" : rds_plan_time(plan->duration * i / 4));
	}
}

static void
add_statements(StringInfo html, const RdsPlan *plan)
{
	ListCell *cell;

	add_label(html, "statements", TOP);
	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);
		double x = place_of(plan, step->started);
		double width = Max(place_of(plan, step->started + step->duration) - x, 0.75);

		if (!step->run)
			continue;
		appendStringInfo(html, "<a href=\"#s%d\"><rect class=\"b%d\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>", step->number,
						 step->number % 2, x, TOP - BAR / 2, width, BAR);
		rds_html_escape(html, psprintf("%d. %s %s, %s", step->number, rds_plan_place(step), step->tag, rds_plan_time(step->duration)));
		appendStringInfoString(html, "</title></rect></a>\n");
	}
}

/* Each time that the lock becomes stronger another bar lies over the one before. */
static void
add_lane(StringInfo html, const RdsPlan *plan, const RdsPlanRelation *relation, int y)
{
	ListCell *cell;

	add_label(html, relation->name, y);
	foreach(cell, plan->steps)
	{
		const RdsPlanStep *step = lfirst(cell);
		ListCell *other;

		foreach(other, step->locks)
		{
			const RdsPlanLock *lock = lfirst(other);

			if (lock->relation == relation && (lock->taken || lock->rewritten))
				add_bar(html, plan, step, lock, y);
		}
	}
}

static void
add_bar(StringInfo html, const RdsPlan *plan, const RdsPlanStep *step, const RdsPlanLock *lock, int y)
{
	double x = place_of(plan, step->started);
	double end = place_of(plan, step->started + step->duration);

	if (lock->taken)
	{
		appendStringInfo(html, "<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" rx=\"2\"><title>", class_of(lock->mode), x,
						 y - BAR / 2, Max(RIGHT - x, 1.5), BAR);
		rds_html_escape(html, psprintf("%s: %s from %s, held for %s", lock->relation->name, rds_plan_mode(lock->mode), rds_plan_place(step),
									   rds_plan_time(rds_plan_held(plan, lock))));
		appendStringInfoString(html, "</title></rect>\n");
	}
	if (lock->rewritten)
	{
		appendStringInfo(html, "<rect class=\"rewritten\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>", x, y - BAR / 2, Max(end - x, 5.0),
						 BAR);
		rds_html_escape(html, psprintf("%s is rewritten by %s", lock->relation->name, rds_plan_place(step)));
		appendStringInfoString(html, "</title></rect>\n");
	}
}

/* Cut to what there is room for; the whole name is what a pointer on it shows. */
static void
add_label(StringInfo html, const char *name, int y)
{
	int length = pg_mbcliplen(name, strlen(name), strlen(name));
	const char *at = name;

	appendStringInfo(html, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\"><title>", LEFT - 10, y + 4);
	rds_html_escape(html, name);
	appendStringInfoString(html, "</title>");
	for (int width = 0; *at != '\0' && width < LONGEST_LABEL; at += pg_mblen(at))
		width += Max(pg_dsplen(at), 1);
	rds_html_escape(html, pnstrdup(name, Min(length, (int) (at - name))));
	appendStringInfo(html, "%s</text>\n", *at != '\0' ? "..." : "");
}

static double
place_of(const RdsPlan *plan, int64 microseconds)
{
	if (plan->duration <= 0)
		return LEFT;
	return LEFT + (RIGHT - LEFT) * Min((double) microseconds / (double) plan->duration, 1.0);
}

static const char *
class_of(LOCKMODE mode)
{
	switch (mode)
	{
		case AccessExclusiveLock:
			return "access";
		case ExclusiveLock:
			return "exclusive";
		case ShareRowExclusiveLock:
		case ShareLock:
			return "share";
		case ShareUpdateExclusiveLock:
			return "update";
		default:
			return "weak";
	}
}

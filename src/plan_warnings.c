/*-------------------------------------------------------------------------
 *
 * plan_warnings.c
 *	  Where a careful reviewer would stop, and what he would say.
 *
 * What a statement asks for is not enough for a warning: it is what it did,
 * to a table that was there before and has rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"

#include "plan.h"

/* From so many rows or bytes on, a minute is soon gone. */
#define MANY_ROWS 100000
#define MANY_BYTES (100 * 1024 * 1024)
#define SOME_ROWS 1000

/* A lock that is held so long behind its statement, in microseconds: on a table with rows, and on any. */
#define LONG_HELD (100 * 1000)
#define VERY_LONG_HELD (1000 * 1000)

#define OUTSIDE "a script that begins with \"-- rdsinit: no-transaction\""

/* What a statement did to a table and all that inherit from it. */
typedef struct Facts
{
	const RdsPlanRelation *head;
	const RdsPlanLock *lock; /* the head's, or a member's; NULL: none */
	double rows;
	int64 bytes;
	bool rewritten;
	bool scanned;
} Facts;

static void judge_losses(const RdsPlan *plan, RdsPlanStep *step);
static void judge_target(const RdsPlan *plan, RdsPlanStep *step, const RdsPlanTarget *target);
static void judge_rewrite(RdsPlanStep *step, const Facts *facts, int asks);
static void judge_scan(const RdsPlan *plan, RdsPlanStep *step, const Facts *facts, int asks);
static void judge_domain(RdsPlanStep *step, const Facts *facts, int asks);
static void judge_reindex(RdsPlanStep *step, const Facts *facts);
static void judge_referenced(RdsPlanStep *step, const Facts *facts, int asks);
static void judge_other_rewrites(RdsPlanStep *step);
static void judge_waits(const RdsPlan *plan, RdsPlanStep *step);
static void judge_held(const RdsPlan *plan, RdsPlanStep *step, const RdsPlanStep *slowest_later);
static void find_facts(const RdsPlanStep *step, const RdsPlanTarget *target, Facts *facts);
static RdsPlanSeverity grave(const Facts *facts);
static char *describe(const Facts *facts);
static void warn(RdsPlanStep *step, const char *rule, RdsPlanSeverity severity, char *message, char *advice);
static int compare_warnings(const ListCell *one, const ListCell *two);

/* Adds to each step what there is to say about it. */
void
rds_plan_warn(RdsPlan *plan)
{
	const RdsPlanStep *slowest_later = NULL;

	for (int i = list_length(plan->steps) - 1; i >= 0; i--)
	{
		RdsPlanStep *step = list_nth(plan->steps, i);
		ListCell *cell;

		judge_losses(plan, step);
		foreach(cell, step->targets)
			judge_target(plan, step, lfirst(cell));
		judge_other_rewrites(step);
		judge_waits(plan, step);
		judge_held(plan, step, slowest_later);
		list_sort(step->warnings, compare_warnings);

		if (step->run && (slowest_later == NULL || step->duration > slowest_later->duration))
			slowest_later = step;
	}
}

const char *
rds_plan_severity(RdsPlanSeverity severity)
{
	switch (severity)
	{
		case RDS_SEVERITY_LOW:
			return "low";
		case RDS_SEVERITY_MEDIUM:
			return "medium";
		case RDS_SEVERITY_HIGH:
			return "high";
	}
	return NULL;
}

static void
judge_losses(const RdsPlan *plan, RdsPlanStep *step)
{
	ListCell *cell;

	foreach(cell, step->losses)
		warn(step, "data-loss", RDS_SEVERITY_HIGH, psprintf("data is lost: %s", (char *) lfirst(cell)),
			 pstrdup(plan->allow_data_loss
						 ? "The options allow it. Is there a copy?"
						 : "It is refused without the option {\"allow_data_loss\": true}. Keep a copy; or rename it now, and drop it when nobody has missed it."));
}

static void
judge_target(const RdsPlan *plan, RdsPlanStep *step, const RdsPlanTarget *target)
{
	Facts facts;

	find_facts(step, target, &facts);
	if ((target->asks & RDS_ASKS_REINDEX) != 0)
		judge_reindex(step, &facts);
	if (facts.rows == 0)
		return;
	if (facts.rewritten && (target->asks & RDS_ASKS_REINDEX) == 0)
		judge_rewrite(step, &facts, target->asks);
	else if ((target->asks & RDS_ASKS_DOMAIN) != 0)
		judge_domain(step, &facts, target->asks);
	else
		judge_scan(plan, step, &facts, target->asks);
	judge_referenced(step, &facts, target->asks);
}

static void
judge_rewrite(RdsPlanStep *step, const Facts *facts, int asks)
{
	if ((asks & RDS_ASKS_TYPE) != 0)
		warn(step, "type-change", grave(facts), psprintf("%s is rewritten for a column's new type", describe(facts)),
			 pstrdup("Add a column of the new type, fill it in batches, and let it take the old one's place in a later deployment. "
					 "A type that only has more room, varchar(20) for varchar(10), rewrites nothing."));
	else if ((asks & RDS_ASKS_GENERATED) != 0)
		warn(step, "rewrite", grave(facts), psprintf("%s is rewritten for a generated column", describe(facts)),
			 pstrdup("Add an ordinary column, let a trigger fill it for new rows, and fill the old ones in batches."));
	else if ((asks & RDS_ASKS_DEFAULT) != 0)
		warn(step, "volatile-default", grave(facts), psprintf("%s is rewritten for a default that differs from row to row", describe(facts)),
			 pstrdup("Add the column without it; then SET DEFAULT, which is for new rows, and fill the old ones in batches."));
	else if ((asks & RDS_ASKS_REFRESH) != 0)
		warn(step, "rewrite", grave(facts), psprintf("%s is made anew, and nobody can read it meanwhile", describe(facts)),
			 pstrdup("With a unique index, REFRESH MATERIALIZED VIEW CONCURRENTLY lets readers go on."));
	else
		warn(step, "rewrite", grave(facts), psprintf("%s is rewritten, and nobody can read it meanwhile", describe(facts)),
			 pstrdup("Do it when nobody works with it; or make another table, copy in batches, and swap the names."));
}

static void
judge_scan(const RdsPlan *plan, RdsPlanStep *step, const Facts *facts, int asks)
{
	const char *mode = facts->lock != NULL ? rds_plan_mode(facts->lock->mode) : "";

	if ((asks & RDS_ASKS_INDEX) != 0 && facts->scanned)
		warn(step, "index", grave(facts), psprintf("an index is built on %s, and nobody can write to it until the end", describe(facts)),
			 pstrdup(facts->head->kind == RELKIND_PARTITIONED_TABLE
						 ? "CREATE INDEX ON ONLY the table; then CREATE INDEX CONCURRENTLY on each partition, in " OUTSIDE ", and attach them."
						 : "CREATE INDEX CONCURRENTLY, in " OUTSIDE "."));
	if ((asks & RDS_ASKS_UNIQUE) != 0 && facts->scanned)
		warn(step, "index", grave(facts), psprintf("an index is built for a constraint of %s, and nobody can read it until the end", describe(facts)),
			 pstrdup("CREATE UNIQUE INDEX CONCURRENTLY first, in " OUTSIDE "; then ADD CONSTRAINT ... USING INDEX."));
	if (((asks & RDS_ASKS_CHECK) != 0 && facts->scanned) || (asks & RDS_ASKS_FOREIGN_KEY) != 0)
		warn(step, "validation", grave(facts), psprintf("a constraint of %s is validated under a lock (%s)", describe(facts), mode),
			 pstrdup("ADD CONSTRAINT ... NOT VALID, which looks at no row; and VALIDATE CONSTRAINT in a later call, while others go on."));
	if ((asks & RDS_ASKS_VALIDATE) != 0 && facts->scanned && facts->lock->mode > ShareUpdateExclusiveLock)
		warn(step, "validation", grave(facts), psprintf("a constraint of %s is validated under a lock (%s)", describe(facts), mode),
			 psprintf("VALIDATE CONSTRAINT by itself lets others go on; here the lock is held already%s. Do it in a later call.",
					  facts->lock->since > 0 ? psprintf(", since %s", rds_plan_place(list_nth(plan->steps, facts->lock->since - 1))) : ""));
	if ((asks & RDS_ASKS_ATTACH) != 0 && facts->scanned)
		warn(step, "validation", grave(facts), psprintf("%s is looked through, whether it keeps to the partition's bounds", describe(facts)),
			 pstrdup("Give it a CHECK constraint that says the same, NOT VALID, and validate that in a call before: then it is not looked at."));
	if ((asks & RDS_ASKS_NOT_NULL) != 0 && facts->scanned && (asks & (RDS_ASKS_CHECK | RDS_ASKS_UNIQUE)) == 0)
		warn(step, "not-null", grave(facts), psprintf("%s is looked through for nulls, and nobody can read it meanwhile", describe(facts)),
			 pstrdup("ADD CONSTRAINT ... CHECK (... IS NOT NULL) NOT VALID, and VALIDATE it in a later call; SET NOT NULL then looks at no row."));
	if ((asks & RDS_ASKS_TYPE) != 0 && facts->scanned)
		warn(step, "type-change", grave(facts), psprintf("%s is looked through for a column's new type", describe(facts)),
			 pstrdup("Add a column of the new type, fill it in batches, and let it take the old one's place in a later deployment."));
}

/* All tables that have a column of a domain are looked through for what it demands. */
static void
judge_domain(RdsPlanStep *step, const Facts *facts, int asks)
{
	const char *rule = (asks & RDS_ASKS_NOT_NULL) != 0 ? "not-null" : "validation";
	const char *advice;

	if (!facts->scanned)
		return;
	if ((asks & RDS_ASKS_NOT_NULL) != 0)
		advice = "Demand it of the tables: ADD CONSTRAINT ... CHECK (... IS NOT NULL) NOT VALID, and VALIDATE it in a later call.";
	else if ((asks & RDS_ASKS_CHECK) != 0)
		advice = "ADD CONSTRAINT ... NOT VALID, which looks at no row; and VALIDATE CONSTRAINT in a later call, where nothing comes behind it.";
	else
		advice = "The lock is held to the end: do it in a call of its own, where nothing comes behind it.";
	warn(step, rule, grave(facts),
		 psprintf("%s has a column of the domain, and is looked through under a lock (%s)", describe(facts), rds_plan_mode(facts->lock->mode)),
		 pstrdup(advice));
}

static void
judge_reindex(RdsPlanStep *step, const Facts *facts)
{
	bool is_told = false;
	ListCell *cell;

	foreach(cell, step->locks)
	{
		const RdsPlanLock *lock = lfirst(cell);
		Facts index = {.head = lock->relation, .rows = lock->relation->rows, .bytes = lock->relation->bytes};

		if (!lock->rewritten || lock->relation->kind != RELKIND_INDEX || (facts->scanned && facts->rows == 0))
			continue;
		warn(step, "index", grave(&index), psprintf("index %s is built anew, and queries that would use it wait", lock->relation->name),
			 pstrdup("REINDEX ... CONCURRENTLY, in " OUTSIDE "."));
		is_told = true;
	}
	/* nothing is said of the indexes of a table that is locked more strongly itself */
	if (!is_told && facts->scanned && facts->rows > 0)
		warn(step, "index", grave(facts), psprintf("an index of %s is built anew, and nobody can use the table meanwhile", describe(facts)),
			 pstrdup("The table is locked already: REINDEX ... CONCURRENTLY before or after that, in " OUTSIDE "."));
}

static void
judge_referenced(RdsPlanStep *step, const Facts *facts, int asks)
{
	if ((asks & RDS_ASKS_REFERENCED) == 0 || (asks & RDS_ASKS_FOREIGN_KEY) != 0 || facts->lock == NULL ||
		!facts->lock->taken || facts->lock->mode < ShareRowExclusiveLock)
		return;
	warn(step, "foreign-key-lock", Min(grave(facts), RDS_SEVERITY_MEDIUM),
		 psprintf("a foreign key locks the other table as well: %s (%s)", describe(facts), rds_plan_mode(facts->lock->mode)),
		 pstrdup(facts->lock->mode == AccessExclusiveLock
					 ? "Nobody can read that one either, until the end: drop the constraint in a call of its own, where nothing comes behind it."
					 : "Nobody can write to that one either, until the end: add the constraint in a call of its own, where nothing comes behind it."));
}

/* Of tables that the statement does not name. */
static void
judge_other_rewrites(RdsPlanStep *step)
{
	ListCell *cell;

	foreach(cell, step->locks)
	{
		const RdsPlanLock *lock = lfirst(cell);
		Facts facts = {.head = lock->relation, .lock = lock, .rows = lock->relation->rows, .bytes = lock->relation->bytes};
		bool is_named = false;
		ListCell *target;

		if (!lock->rewritten || facts.rows == 0 || lock->relation->kind == RELKIND_INDEX)
			continue;
		foreach(target, step->targets)
			is_named = is_named || list_member_ptr(((const RdsPlanTarget *) lfirst(target))->members, lock->relation);
		if (!is_named)
			judge_rewrite(step, &facts, 0);
	}
}

static void
judge_waits(const RdsPlan *plan, RdsPlanStep *step)
{
	if (plan->attempts > 1 && plan->failed_step == step->number)
		warn(step, "lock-wait", RDS_SEVERITY_HIGH, psprintf("a lock was not to be had here, and all was tried again (%d attempts)", plan->attempts),
			 pstrdup("Somebody works with this table: do it when nobody does, or end his transaction."));
	else if (step->waited > 0)
		warn(step, "lock-wait", RDS_SEVERITY_MEDIUM, psprintf("it waits for a lock, here for %d ms", step->waited),
			 pstrdup("While it waits, all who come behind it wait, too: do it when nobody has the table locked."));
}

/* The lock is held to the end: what comes behind the statement keeps others waiting. */
static void
judge_held(const RdsPlan *plan, RdsPlanStep *step, const RdsPlanStep *slowest_later)
{
	int64 held = plan->duration - step->started - step->duration;
	const RdsPlanLock *worst = NULL;
	int others = 0;
	ListCell *cell;
	Facts facts = {0};

	if (slowest_later == NULL || held < LONG_HELD)
		return;
	foreach(cell, step->locks)
	{
		const RdsPlanLock *lock = lfirst(cell);

		if (!lock->taken || lock->mode != AccessExclusiveLock || lock->relation->kind == RELKIND_INDEX ||
			(lock->relation->rows == 0 && held < VERY_LONG_HELD))
			continue;
		if (worst != NULL)
			others++;
		if (worst == NULL || lock->relation->rows > worst->relation->rows)
			worst = lock;
	}
	if (worst == NULL)
		return;

	facts.head = worst->relation;
	facts.rows = worst->relation->rows;
	facts.bytes = worst->relation->bytes;
	warn(step, "held-lock", held >= VERY_LONG_HELD ? RDS_SEVERITY_HIGH : RDS_SEVERITY_MEDIUM,
		 psprintf("%s%s stays locked (ACCESS EXCLUSIVE) for %s behind the statement, mostly by %s (%s)", describe(&facts),
				  others > 0 ? psprintf(" and %d more", others) : "", rds_plan_time(held), rds_plan_place(slowest_later), slowest_later->tag),
		 pstrdup("Nobody can read it meanwhile: move the statement behind what is slow, or into a call of its own."));
}

static void
find_facts(const RdsPlanStep *step, const RdsPlanTarget *target, Facts *facts)
{
	ListCell *cell;

	memset(facts, 0, sizeof(*facts));
	facts->head = linitial(target->members);
	foreach(cell, target->members)
	{
		facts->rows += ((const RdsPlanRelation *) lfirst(cell))->rows;
		facts->bytes += ((const RdsPlanRelation *) lfirst(cell))->bytes;
	}
	foreach(cell, step->locks)
	{
		const RdsPlanLock *lock = lfirst(cell);

		if (!list_member_ptr(target->members, lock->relation))
			continue;
		if (facts->lock == NULL || lock->relation == facts->head)
			facts->lock = lock;
		facts->rewritten = facts->rewritten || lock->rewritten;
		facts->scanned = facts->scanned || lock->scanned;
	}
}

static RdsPlanSeverity
grave(const Facts *facts)
{
	if (facts->rows >= MANY_ROWS || facts->bytes >= MANY_BYTES)
		return RDS_SEVERITY_HIGH;
	return facts->rows >= SOME_ROWS ? RDS_SEVERITY_MEDIUM : RDS_SEVERITY_LOW;
}

static char *
describe(const Facts *facts)
{
	const char *rows = facts->rows == 1 ? "1 row" : psprintf("%s rows", rds_plan_count(facts->rows));

	if (facts->rows == 0)
		return pstrdup(facts->head->name);
	return facts->bytes >= 1024 * 1024 ? psprintf("%s (%s, %s)", facts->head->name, rows, rds_plan_bytes(facts->bytes))
									   : psprintf("%s (%s)", facts->head->name, rows);
}

static void
warn(RdsPlanStep *step, const char *rule, RdsPlanSeverity severity, char *message, char *advice)
{
	RdsPlanWarning *warning = palloc(sizeof(RdsPlanWarning));

	warning->rule = rule;
	warning->severity = severity;
	warning->message = message;
	warning->advice = advice;
	step->warnings = lappend(step->warnings, warning);
}

static int
compare_warnings(const ListCell *one, const ListCell *two)
{
	const RdsPlanWarning *a = lfirst(one);
	const RdsPlanWarning *b = lfirst(two);

	return a->severity != b->severity ? (int) b->severity - (int) a->severity : strcmp(a->rule, b->rule);
}

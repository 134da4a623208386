/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What applying scripts would do: they are run, watched, and rolled back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RDS_PLAN_H
#define RDS_PLAN_H

#include "mb/pg_wchar.h"
#include "storage/lock.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

#include "errctx.h"
#include "files.h"

/* A relation, as it was before the call. */
typedef struct RdsPlanRelation
{
	Oid oid;      /* the key */
	bool existed; /* else the call made it, and nothing below counts */
	char kind;    /* as in pg_class */
	char *name;   /* qualified, quoted where that is needed */
	Oid table;    /* an index's; or 0 */
	double rows;  /* estimated, or counted where that takes no time */
	int64 bytes;  /* with its indexes and its TOAST table */
	Oid filenode; /* as it was seen last */
	int64 scans;  /* as they were counted last */
	bool measured;

	/* what the call holds */
	LOCKMASK mask;
	LOCKMODE mode;       /* the strongest that the call has taken; 0: none */
	int since;           /* the number of the step that took it */
	const PROCLOCK *own; /* in the lock table, where the relation was seen last */
	int touched;         /* the number of the step that touched it last */
} RdsPlanRelation;

/* What a statement asks for, that a reviewer has to think about. */
typedef enum RdsPlanAsks
{
	RDS_ASKS_INDEX = 1 << 0,
	RDS_ASKS_UNIQUE = 1 << 1, /* ALTER TABLE … ADD UNIQUE or PRIMARY KEY, not USING INDEX */
	RDS_ASKS_REINDEX = 1 << 2,
	RDS_ASKS_CHECK = 1 << 3,       /* validated at once */
	RDS_ASKS_FOREIGN_KEY = 1 << 4, /* validated at once */
	RDS_ASKS_REFERENCED = 1 << 5,  /* the table that a foreign key refers to */
	RDS_ASKS_VALIDATE = 1 << 6,
	RDS_ASKS_NOT_NULL = 1 << 7,
	RDS_ASKS_TYPE = 1 << 8,
	RDS_ASKS_DEFAULT = 1 << 9, /* a new column with a default, an identity or a serial's type */
	RDS_ASKS_GENERATED = 1 << 10,
	RDS_ASKS_ATTACH = 1 << 11,
	RDS_ASKS_TRUNCATE = 1 << 12,
	RDS_ASKS_REFRESH = 1 << 13,
	RDS_ASKS_DOMAIN = 1 << 14 /* … of a domain, of which the table has a column */
} RdsPlanAsks;

/* A table that a statement names, with all that inherit from it. */
typedef struct RdsPlanTarget
{
	List *members; /* of RdsPlanRelation, the one that is named first */
	int asks;      /* of RdsPlanAsks */
} RdsPlanTarget;

/* What a statement did to a relation that existed before. */
typedef struct RdsPlanLock
{
	RdsPlanRelation *relation;
	LOCKMODE mode; /* the strongest that is held when the statement has ended */
	int since;     /* the number of the step that took it; 0: it was held before the call */
	bool taken;    /* … which is this one */
	bool rewritten;
	bool scanned;
} RdsPlanLock;

typedef enum RdsPlanSeverity
{
	RDS_SEVERITY_LOW,
	RDS_SEVERITY_MEDIUM,
	RDS_SEVERITY_HIGH
} RdsPlanSeverity;

typedef struct RdsPlanWarning
{
	const char *rule;
	RdsPlanSeverity severity;
	char *message;
	char *advice;
} RdsPlanWarning;

/* A statement.  Times are in microseconds. */
typedef struct RdsPlanStep
{
	int number; /* counts from 1 */
	const char *script;
	int line;
	int column;
	const char *tag;
	bool run;
	int64 started; /* after the plan has begun */
	int64 duration;
	int64 rows;
	int64 wal_bytes;
	int waited; /* for locks, milliseconds */
	List *made; /* of texts: kind and identity */
	List *altered;
	List *dropped;
	List *locks;    /* of RdsPlanLock, the strongest first */
	List *targets;  /* of RdsPlanTarget */
	List *losses;   /* of texts */
	List *warnings; /* of RdsPlanWarning, the gravest first */
} RdsPlanStep;

typedef struct RdsPlanFinding
{
	const RdsPlanStep *step;
	const RdsPlanWarning *warning;
} RdsPlanFinding;

typedef struct RdsPlan
{
	List *scripts; /* names of those that are pending, in order */
	List *steps;   /* of RdsPlanStep */
	int64 duration;
	int attempts;
	int failed_step; /* the step, counted from 1, at which the attempt before failed; 0: none */
	bool allow_data_loss;
} RdsPlan;

extern RdsPlan *rds_plan(RdsFiles *files, RdsErrorContext *errctx);

/* In plan_warnings.c. */
extern void rds_plan_warn(RdsPlan *plan);
extern const char *rds_plan_severity(RdsPlanSeverity severity);

/* In plan_answer.c, plan_text.c and plan_html.c. */
extern void rds_plan_return(const RdsPlan *plan, Tuplestorestate *store, TupleDesc descriptor);
extern char *rds_plan_text(const RdsPlan *plan);
extern char *rds_plan_html(const RdsPlan *plan);

/* In plan_words.c: for people. */
extern const char *rds_plan_mode(LOCKMODE mode);
extern const char *rds_plan_kind(char kind);
extern char *rds_plan_time(int64 microseconds);
extern char *rds_plan_bytes(int64 bytes);
extern char *rds_plan_count(double count);
extern int64 rds_plan_held(const RdsPlan *plan, const RdsPlanLock *lock);
extern char *rds_plan_place(const RdsPlanStep *step);
extern List *rds_plan_worst(const RdsPlan *plan);
extern List *rds_plan_locks(const RdsPlan *plan);
extern bool rds_plan_turns_text(pg_wchar character);

#endif /* RDS_PLAN_H */

/*-------------------------------------------------------------------------
 *
 * observer.c
 *	  A second connection, which looks at what the first one is doing.
 *
 * Two things cannot be known otherwise.  How far a long call is, the extension
 * writes into pg_stat_activity.  And what a statement of the fallback's was
 * waiting for when lock_timeout ended it is forgotten by the server at once: it
 * has to be seen before.
 *
 * A look is synchronous, in the midst of waiting for the first connection's
 * answer, and has a limit of its own.  Every name is qualified: nothing is set on
 * this connection, which behind a pooler is somebody else's the next moment.
 *
 *-------------------------------------------------------------------------
 */
#include "observer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "log.h"
#include "text.h"

/* The longest that a look may take, and the shortest time between two. */
#define LOOK_LIMIT 1000
#define SHORTEST_PAUSE 20

/* What the backend waits for is said as the extension says it. */
#define RELATION_NAME \
	"coalesce((SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'" \
	"  OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class AS c" \
	"  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	"  WHERE c.oid OPERATOR(pg_catalog.=) l.relation), 'with OID ' OPERATOR(pg_catalog.||) l.relation::pg_catalog.text)"
#define WAIT \
	"SELECT CASE l.locktype" \
	"  WHEN 'relation' THEN l.mode OPERATOR(pg_catalog.||) ' on relation ' OPERATOR(pg_catalog.||) " RELATION_NAME \
	"  WHEN 'tuple' THEN l.mode OPERATOR(pg_catalog.||) ' on a row of relation ' OPERATOR(pg_catalog.||) " RELATION_NAME \
	"  WHEN 'transactionid' THEN 'a row that another transaction has changed'" \
	"  ELSE l.mode OPERATOR(pg_catalog.||) ' on ' OPERATOR(pg_catalog.||) l.locktype END AS wait" \
	" FROM pg_catalog.pg_locks AS l WHERE l.pid OPERATOR(pg_catalog.=) a.pid AND NOT l.granted LIMIT 1"
#define HOLDERS \
	"SELECT pg_catalog.string_agg(pg_catalog.concat('Process ', b.pid, ' of role ', coalesce(pg_catalog.quote_ident(b.usename), 'unknown')," \
	"  CASE WHEN b.application_name OPERATOR(pg_catalog.<>) '' THEN pg_catalog.concat(' (application '," \
	"   pg_catalog.quote_ident(b.application_name), ')') END," \
	"  ' is ' OPERATOR(pg_catalog.||) b.state," \
	"  ', in a transaction for ' OPERATOR(pg_catalog.||) pg_catalog.date_part('epoch'," \
	"   pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) b.xact_start)::pg_catalog.numeric(12,1)::pg_catalog.text" \
	"   OPERATOR(pg_catalog.||) ' s'," \
	"  CASE WHEN b.state IS NULL OR b.query OPERATOR(pg_catalog.=) '' THEN '.'" \
	"   ELSE ', query: ' OPERATOR(pg_catalog.||) pg_catalog.left(b.query, 200) END), E'\\n' ORDER BY b.xact_start) AS holders" \
	" FROM pg_catalog.pg_stat_activity AS b" \
	" WHERE b.pid OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(a.pid))"
#define LOOK_QUERY \
	"SELECT coalesce(a.wait_event_type, '') AS wait_event_type, coalesce(a.wait_event, '') AS wait_event," \
	" CASE WHEN pg_catalog.starts_with(a.query, 'rdsinit: ') THEN pg_catalog.substr(a.query, 10) ELSE '' END AS progress," \
	" w.wait, h.holders FROM pg_catalog.pg_stat_activity AS a" \
	" LEFT JOIN LATERAL (" WAIT ") AS w ON a.wait_event_type OPERATOR(pg_catalog.=) 'Lock'" \
	" LEFT JOIN LATERAL (" HOLDERS ") AS h ON a.wait_event_type OPERATOR(pg_catalog.=) 'Lock'" \
	" WHERE a.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4"

static bool open_connection(Observer *observer);
static void give_up(Observer *observer, const Error *error);
static void take(Observer *observer, const PGresult *result);
static char *copy_field(const PGresult *result, const char *column);
static void log_progress(Observer *observer, const PGresult *result);
static void forget(Observer *observer);

void
observer_begin(Observer *observer, Session *session)
{
	observer->session = session;
	observer->pid = PQbackendPID(session->connection);
	observer->started = clock_now();
	observer->next_line = observer->started + observer->interval;
	session->observer = observer;
}

void
observer_end(Observer *observer)
{
	PQfinish(observer->own.connection);
	observer->own.connection = NULL;
	forget(observer);
}

/* Half of the time: so a wait that is given up has been seen, whenever it began. */
void
observer_watch_locks(Observer *observer, int64_t lock_timeout)
{
	if (observer == NULL)
		return;
	observer->look_every = lock_timeout > 0 ? lock_timeout / 2 : observer->interval;
	if (observer->look_every > 0 && observer->look_every < SHORTEST_PAUSE)
		observer->look_every = SHORTEST_PAUSE;
}

void
observer_backend(Observer *observer, const char *pid)
{
	if (observer != NULL)
		observer->pid = (int) strtol(pid, NULL, 10);
}

void
observer_at(Observer *observer, ObserverPlace place, const void *argument)
{
	if (observer == NULL)
		return;
	observer->place = place;
	observer->argument = argument;
}

/* A run of many short statements is long as well. */
void
observer_query(Observer *observer)
{
	if (observer == NULL)
		return;
	forget(observer);
	observer->next_look = clock_now() + observer->look_every;
	if (observer->interval > 0 && clock_now() >= observer->next_line)
		log_progress(observer, NULL);
}

/* INT64_MAX: never. */
int64_t
observer_due(const Observer *observer)
{
	int64_t next = INT64_MAX;
	int64_t now = clock_now();

	if (observer == NULL)
		return INT64_MAX;
	if (observer->interval > 0)
		next = observer->next_line;
	if (observer->look_every > 0 && !observer->is_lost && observer->next_look < next)
		next = observer->next_look;
	if (next == INT64_MAX)
		return next;
	return next > now ? next - now : 0;
}

void
observer_look(Observer *observer)
{
	PGresult *result = NULL;
	Error error = ERROR_NONE;
	char pid[16];
	Parameter parameter = {pid, 0};

	observer->limit.work = clock_now() + LOOK_LIMIT;
	observer->limit.grace = 0;
	if (observer->limit.work > observer->session->deadline->work)
		observer->limit.work = observer->session->deadline->work;
	snprintf(pid, sizeof(pid), "%d", observer->pid);

	if (!observer->is_lost && open_connection(observer))
	{
		if (query_run_parameters(&observer->own, LOOK_QUERY, 1, &parameter, &result, &error))
			take(observer, result);
		else
			give_up(observer, &error);
	}
	if (observer->interval > 0 && clock_now() >= observer->next_line)
		log_progress(observer, result);
	observer->next_look = clock_now() + observer->look_every;
	PQclear(result);
	error_free(&error);
}

static bool
open_connection(Observer *observer)
{
	Session like = *observer->session;
	Error error = ERROR_NONE;

	if (observer->own.connection != NULL)
		return true;
	like.deadline = &observer->limit;
	if (database_open_another(&like, &observer->own, &error))
		return true;
	give_up(observer, &error);
	error_free(&error);
	return false;
}

/* Once: whoever reads the log knows from then on why it says less. */
static void
give_up(Observer *observer, const Error *error)
{
	PQfinish(observer->own.connection);
	observer->own.connection = NULL;
	observer->is_lost = true;
	log_line(LEVEL_WARN, NULL, "no second connection to look at progress and locks with: %s", error->message);
}

static void
take(Observer *observer, const PGresult *result)
{
	char *wait = PQntuples(result) == 1 ? copy_field(result, "wait") : NULL;

	/* What it waited for before that may be what it is given up for. */
	if (wait == NULL)
		return;
	forget(observer);
	observer->wait = wait;
	observer->holders = copy_field(result, "holders");
}

static char *
copy_field(const PGresult *result, const char *column)
{
	const char *value = query_field(result, 0, column);

	return value[0] != '\0' ? strdup(value) : NULL;
}

/*
 * Of the server's text only what the extension has written is repeated: any
 * other is a script's.
 */
static void
log_progress(Observer *observer, const PGresult *result)
{
	bool is_seen = result != NULL && PQntuples(result) == 1;
	const char *progress = is_seen ? query_field(result, 0, "progress") : "";
	json_t *fields = json_pack("{s:I}", "elapsedMs", (json_int_t) (clock_now() - observer->started));
	Error place = ERROR_NONE;
	char *where = NULL;

	if (observer->place != NULL)
		observer->place(observer->argument, &place);
	if (progress[0] != '\0')
		where = strdup(progress);
	else if (place.file != NULL &&
			 asprintf(&where, "%s:%ld, statement %ld", place.file, place.line, place.statement) < 0)
		where = NULL;
	if (place.file != NULL)
		json_object_update_new(fields, json_pack("{s:o, s:I, s:I}", "file", text_json(place.file), "line",
												 (json_int_t) place.line, "statement", (json_int_t) place.statement));
	if (is_seen && query_field(result, 0, "wait_event")[0] != '\0')
		json_object_update_new(fields, json_pack("{s:o, s:o}", "waitEventType", text_json(query_field(result, 0, "wait_event_type")),
												 "waitEvent", text_json(query_field(result, 0, "wait_event"))));
	if (observer->wait != NULL)
		json_object_set_new(fields, "waitsFor", text_json(observer->wait));

	log_line(LEVEL_INFO, fields, "still at work%s%s", where != NULL ? ": " : "", where != NULL ? where : "");
	observer->next_line = clock_now() + observer->interval;
	free(where);
	error_free(&place);
}

static void
forget(Observer *observer)
{
	free(observer->wait);
	free(observer->holders);
	observer->wait = NULL;
	observer->holders = NULL;
}

"""What must hold after a call was broken off, and what when it was called again."""

import collections
import contextlib
import time

from .bundle import ORDER, STEPS


class Violation(Exception):
    """A promise that was not kept."""


FACTS = """
SELECT 'relation', relname, NULL FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
UNION ALL SELECT CASE WHEN indisvalid AND indisready THEN 'index' ELSE 'invalid' END, indexrelid::regclass::text, NULL
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'function', proname, NULL FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'column', attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'constraint', conname, NULL FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'ran', what, NULL FROM ran
"""

LEFT = {
    'a worker': "SELECT pid, state, wait_event, query FROM pg_stat_activity WHERE backend_type = 'rdsinit' AND datname = current_database()",
    'a lock': 'SELECT locktype, classid, objid, objsubid, mode, pid FROM pg_locks WHERE pid <> pg_backend_pid() AND database = '
              "(SELECT oid FROM pg_database WHERE datname = current_database()) AND pid NOT IN (SELECT pid FROM pg_stat_activity "
              "WHERE backend_type LIKE 'autovacuum%')",
    'a prepared transaction': 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
    'a temporary relation': "SELECT relname FROM pg_class WHERE relpersistence = 't'",
}


class Session:
    """One connection for many questions."""

    def __init__(self, connection):
        self.cursor = connection.cursor()

    def rows(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall()

    def value(self, sql):
        return self.rows(sql)[0][0]


@contextlib.contextmanager
def session(database):
    with contextlib.closing(database.connect()) as connection:
        yield Session(connection)


def facts(database):
    """All facts, each with how often it is there."""
    found = collections.Counter(tuple(value for value in row if value is not None) for row in database.rows(FACTS))
    for _, name in [fact for fact in found if fact[0] == 'relation']:
        found[('rows', name, database.value('SELECT count(*) FROM %s' % name))] += 1
    return found


def history(database):
    """What the history says of each (script, statement): the newest outcome, and how often a script was applied."""
    newest, applied = {}, collections.Counter()
    for name, statement, outcome in database.rows('SELECT name, statement, outcome FROM rdsinit.history ORDER BY id'):
        newest[name, statement] = outcome
        applied[name] += outcome == 'applied'
    return newest, applied


def nothing_runs(database):
    """No worker, no lock, no prepared transaction, no temporary table: at least not for long."""
    end = time.monotonic() + 10
    for what, query in LEFT.items():
        while database.rows(query):
            if time.monotonic() > end:
                raise Violation('%s is left: %s' % (what, database.rows(query)))
            time.sleep(0.01)


def broken_off(database, whole, scripts):
    """Looks at what a call has left that was broken off; says how far it had come."""
    nothing_runs(database)
    found = facts(database)
    newest, applied = history(database)
    half = _steps_agree(found, newest, applied, scripts)
    if whole and 0 < sum(applied.values()) < len(scripts):
        raise Violation('a part of one transaction: %s' % dict(applied))
    invalid = [fact for fact in found if fact[0] == 'invalid']
    if invalid and not half:
        raise Violation('an invalid index of which the history knows nothing: %s' % invalid)
    drift = database.rows('SELECT kind, identity, change FROM rdsinit.drift()') if newest else []
    if drift and not half:
        raise Violation('drift that nobody has made: %s' % drift)
    if half:
        return 'half'
    return 'none' if not newest else 'all' if set(applied) == set(scripts) and all(applied.values()) else 'part'


def _steps_agree(found, newest, applied, scripts):
    """The history and the schema, statement by statement.  Is there one that is half done, as the history says?"""
    half = False
    for step in STEPS:
        if step.script not in scripts:
            continue
        outcome = newest.get((step.script, step.statement))
        there = [fact for fact in step.facts if found[fact]]
        twice = [fact for fact in step.facts if found[fact] > 1]
        where = '%s, statement %s, which the history calls %s' % (step.script, step.statement, outcome)
        if twice:
            raise Violation('%s: twice there: %s' % (where, twice))
        if outcome in ('applied', 'done'):
            if len(there) != len(step.facts) or any(found[fact] for fact in step.gone):
                raise Violation('%s: only there: %s' % (where, there))
        elif step.at_top and outcome in ('started', 'failed'):
            half = True
        elif there or outcome not in (None, 'failed'):
            raise Violation('%s: there: %s' % (where, there))
        elif step.statement is not None and applied[step.script]:
            raise Violation('%s: but the script is called applied' % where)
    ends = [applied[name] for name in ORDER if name in scripts]
    if ends != sorted(ends, reverse=True) or max(ends) > 1:
        raise Violation('applied out of order, or twice: %s' % dict(applied))
    return half


def end_state(database):
    """What a deployment comes to."""
    newest, applied = history(database)
    return {
        'facts': facts(database),
        'fingerprint': database.value('SELECT rdsinit.fingerprint()'),
        'drift': database.rows('SELECT kind, identity, change FROM rdsinit.drift()'),
        'applied': dict(applied),
        'undone': sorted((name, statement) for (name, statement), outcome in newest.items() if outcome not in ('applied', 'done')),
    }


def whole(database, wanted):
    """Looks at the end: the same as if nothing had happened."""
    nothing_runs(database)
    found = end_state(database)
    for what, value in wanted.items():
        if found[what] != value:
            if what == 'facts':
                value, found[what] = dict(value - found[what]), dict(found[what] - value)
            raise Violation('in the end another %s: %s instead of %s' % (what, found[what], value))

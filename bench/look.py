"""What it costs to look: a plan beside apply, what apply keeps for drift, and the fingerprint of a large schema."""

import contextlib
import os
import re
import statistics

import psycopg2

from corpus.libpq import Connection

from . import table, ways

TABLES = 10_000
SCHEMA = (b'DO $$ BEGIN FOR n IN %d .. %d LOOP EXECUTE format('
          b"'CREATE TABLE app.item_%%s (id bigint PRIMARY KEY, name varchar(80) NOT NULL DEFAULT ''none'', price numeric(10,2) CHECK (price >= 0));"
          b"CREATE INDEX ON app.item_%%s (name); COMMENT ON TABLE app.item_%%s IS ''what can be ordered''', n, n, n); END LOOP; END $$")
KEPT = re.compile(r'kept \d+ touched objects in ([\d.]+) ms')
AT_ONCE = 500                           # tables in a transaction: each holds locks
CALLS = ('first call', 'later call')    # the first one in a database keeps whatever there is


def run(bench, scripts, rounds):
    """Plan and apply in turn; then the fingerprint, again and again."""
    found = {script.title: [_pair(bench, script, number) for number in range(rounds)] for script in scripts}
    for title, pairs in found.items():
        bench.log('%-40s plan / apply %8.3f' % (title, statistics.median(plan / apply for plan, apply in pairs)))
    kept = {'%s, %s' % (script.title, call): [_keeping(bench, script, call) for _ in range(2 * rounds + 1)]
            for script in scripts for call in CALLS}
    for title, parts in kept.items():
        bench.log('%-50s keeping / the rest of apply %8.3f' % (title, statistics.median(parts)))
    seconds = {name: [] for name in ('fingerprint', 'drift')}
    with _large(bench) as connection:
        for _ in range(rounds):
            for name, times in seconds.items():
                times.append(ways.timed(connection.execute, b'SELECT count(*) FROM rdsinit.%s()' % name.encode()))
    return found, kept, seconds


def _keeping(bench, script, call):
    """How much more apply takes for what it keeps at its end, as it says itself, than for all else."""
    with bench.database('apply') as database, contextlib.closing(psycopg2.connect(
            dbname=database, host=bench.host, port=bench.port, user=os.environ['PGUSER'], password=os.environ['PGPASSWORD'])) as connection:
        cursor = connection.cursor()
        if call != CALLS[0]:
            cursor.execute("SELECT rdsinit.apply('first.sql', 'CREATE TABLE first (a int)')")
            connection.commit()
        cursor.execute('SET client_min_messages = debug1')
        whole = ways.timed(cursor.execute, 'SELECT count(*) FROM rdsinit.apply(%s, %s)', ('schema.sql', script.path.read_text()))
        part = float(KEPT.search(''.join(connection.notices))[1]) / 1000
        return part / (whole - part)


def _pair(bench, script, number):
    """The seconds of a plan and of apply, each in a fresh database; the first is another one each time."""
    seconds = {}
    for name in ('plan', 'apply') if number % 2 == 0 else ('apply', 'plan'):
        with bench.database(name) as database, Connection(dbname=database) as connection:
            seconds[name] = ways.timed(connection.execute_parameters, b'SELECT count(*) FROM rdsinit.%s($1, $2)' % name.encode(),
                                       b'schema.sql', script.path.read_bytes())
    return seconds['plan'], seconds['apply']


@contextlib.contextmanager
def _large(bench):
    with bench.database('fingerprint') as database, Connection(dbname=database) as connection:
        connection.execute(b'CREATE SCHEMA app')
        for first in range(0, TABLES, AT_ONCE):
            connection.execute(SCHEMA % (first, first + AT_ONCE - 1))
        connection.execute(b"SELECT * FROM rdsinit.apply('first.sql', 'SELECT 1')")
        yield connection


def print_all(found, kept, seconds):
    print('\nA plan, of apply:\n')
    medians = {title: [statistics.median(column) for column in zip(*pairs)] for title, pairs in found.items()}
    table.write(['', 'plan, s', 'apply, s', 'goal', 'plan / apply', ''], (
        [title, '%.3f' % plan, '%.3f' % apply] +
        table.goal('', 3, statistics.median(one / other for one, other in found[title]))[1:3] +
        [table.goal('', 3, plan / apply)[4]] for title, (plan, apply) in medians.items()))
    print('\nThe keeping, at the end of apply, beside all that apply does before:\n')
    table.write(['', 'goal', 'measured', 'quickest rounds', ''], (
        table.goal(title, 0.05, statistics.median(parts), min(parts)) for title, parts in kept.items()))
    print('\nA database of %s tables, each with an index, two constraints and a comment:\n' % format(TABLES, ','))
    table.write(['', 'goal, s', 'measured, s', ''], (
        [name, '≤ 3' if name == 'fingerprint' else table.NOTHING, '%.2f' % statistics.median(times),
         table.goal('', 3, statistics.median(times))[4] if name == 'fingerprint' else table.NOTHING]
        for name, times in seconds.items()))

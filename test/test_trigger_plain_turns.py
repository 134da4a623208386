"""The fallback beside others of its kind, and cut off in the middle: each statement once, and the same end."""

import contextlib
import itertools
import time

import pytest

from support import Database
from support.psql import dump

MARK = '-- rdsinit: no-transaction\n'
TABLE = 'CREATE TABLE t AS SELECT n, n % 7 AS m FROM generate_series(1, 100) n;\n'
OURS = "datname = current_database() AND application_name = 'rdsinit'"


def rows(database, columns='name, statement, outcome'):
    return database.rows('SELECT %s FROM rdsinit_plain.history ORDER BY id' % columns)


@contextlib.contextmanager
def snapshot(database):
    """A snapshot, for which every CREATE INDEX CONCURRENTLY waits."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
        yield
        cursor.execute('COMMIT')


BUILDS = {'V1__a.sql': TABLE, 'V2__b.sql': MARK + 'CREATE INDEX CONCURRENTLY i ON t (n);\nCREATE INDEX CONCURRENTLY ON t (m);\n',
          'V3__c.sql': 'CREATE TABLE c ();'}


def test_who_waits_for_a_turn_holds_nobody_up(plain, database):
    plain({'V1__a.sql': TABLE}).succeed()
    with snapshot(database):
        functions = [plain(BUILDS) for _ in range(3)]
        invocations = [functions[0].send()]
        database.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND " + OURS)
        invocations += [function.send() for function in functions[1:]]
        database.wait_until('SELECT count(*) = 4 FROM pg_stat_activity WHERE ' + OURS)
        time.sleep(0.3)         # they try and try again
        assert database.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LOCK%' AND state = 'idle in transaction' "
                              'AND backend_xmin IS NULL AND backend_xid IS NULL AND ' + OURS) == 1
    outcomes = [[script['outcome'] for script in function.outcome(invocation).payload['scripts']]
                for function, invocation in zip(functions, invocations)]
    assert sorted(outcomes) == [['unchanged', 'applied', 'applied'], ['unchanged'] * 3, ['unchanged'] * 3]
    assert len(rows(database)) == 1 + 5 + 1


def test_many_at_once_on_a_new_database(plain, database):
    """Whoever is first creates the database and the ledger; each statement is run once all the same."""
    functions = [plain(BUILDS) for _ in range(4)]
    invocations = [function.send() for function in functions]
    for function, invocation in zip(functions, invocations):
        assert function.outcome(invocation).kind == 'response', function.stderr
    assert len(rows(database)) == 1 + 5 + 1


def test_who_applies_in_one_transaction_is_waited_for_too(plain, database):
    plain({'V1__a.sql': TABLE}).succeed()
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE t')
        first = plain({'V1__a.sql': TABLE, 'V2__b.sql': 'ALTER TABLE t ADD COLUMN c int;'})
        second = plain({'V1__a.sql': TABLE, 'V2__b.sql': 'ALTER TABLE t ADD COLUMN c int;'})
        invocation = first.send()
        database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND " + OURS)
        waiting = second.send()
        database.wait_until('SELECT count(*) = 2 FROM pg_stat_activity WHERE ' + OURS)
        time.sleep(0.3)
        holder.cursor().execute('COMMIT')
    assert first.outcome(invocation).payload['scripts'][1]['outcome'] == 'applied'
    assert second.outcome(waiting).payload['scripts'][1]['outcome'] == 'unchanged'


def test_one_that_waits_in_vain_says_for_whom(plain, database):
    plain({'V1__a.sql': TABLE}).succeed()
    with snapshot(database):
        first = plain(BUILDS)
        invocation = first.send()
        database.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND " + OURS)
        outcome = plain({'V1__a.sql': TABLE}).invoke(timeout_s=2)
        assert outcome.kind == 'error' and outcome.elapsed < 2
        assert outcome.payload['sqlstate'] == '55P03'
        assert 'could not lock the ledger rdsinit_plain.history' in outcome.payload['errorMessage']
        assert 'PID' in outcome.payload['detail'] and 'one bundle at a time' in outcome.payload['hint']
    assert first.outcome(invocation).kind == 'response'


@pytest.mark.parametrize('statement', ['VACUUM', 'VACUUM (FULL)', 'ANALYZE', 'REINDEX DATABASE "%s"', 'REINDEX SCHEMA rdsinit_plain',
                                       'CLUSTER'])
def test_what_visits_every_table_does_not_wait_for_ourselves(plain, database, statement):
    statement = statement.replace('%s', database.name)
    plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + statement + ';'}).succeed(timeout_s=10)


def test_a_keeper_that_is_lost_is_noticed(plain, database):
    database.create()
    function = plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + 'CREATE TABLE a ();\nSELECT pg_sleep(1);\nCREATE TABLE b ();\n'})
    invocation = function.send()
    database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND " + OURS)
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND " + OURS)
    payload = function.outcome(invocation).payload
    assert 'the connection that kept the ledger locked was lost' in payload['errorMessage']
    assert payload['errorType'] == 'Rdsinit.Connection' and 'Invoke again' in payload['hint']
    assert database.relations() == ['public.a', 'public.t']
    function.succeed()
    assert database.relations() == ['public.a', 'public.b', 'public.t']


def test_no_room_for_a_second_connection(plain, database, role):
    owner, password = role('LOGIN CONNECTION LIMIT 1')
    database.create(owner)
    payload = plain(BUILDS, DB_USER=owner, DB_PASSWORD=password).fail(timeout_s=3)
    assert 'could not open a second connection, which keeps the ledger locked' in payload['errorMessage']
    assert payload['sqlstate'] == '53300'
    assert database.relations() == []


def test_the_deadline_ends_a_statement_and_another_call_goes_on(plain, database):
    plain({'V1__a.sql': TABLE}).succeed()
    function = plain(BUILDS)
    with snapshot(database):
        outcome = function.invoke(timeout_s=2)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Timeout') and outcome.elapsed < 2
    assert (outcome.payload['file'], outcome.payload['line']) == ('V2__b.sql', 2)
    assert 'committed' in outcome.payload['detail'] and 'Nothing has been' not in outcome.payload['hint']
    function.succeed()
    assert rows(database)[-1] == ('V3__c.sql', None, 'applied')


# Cut off at every message in turn, and then again

CUT = {
    'V1__a.sql': TABLE,
    'V2__b.sql': MARK + '\n'.join([
        'CREATE SCHEMA s;', 'SET search_path = s;', 'CREATE TABLE u (n int PRIMARY KEY, m int);',
        'INSERT INTO u SELECT n, m FROM public.t;', 'CREATE INDEX CONCURRENTLY i ON u (m);',
        'CREATE INDEX CONCURRENTLY ON u (m, n);', 'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS k ON u (n);',
        'DROP INDEX CONCURRENTLY i;', 'VACUUM ANALYZE u;', 'UPDATE u SET m = m + 1;', 'ALTER TABLE u ADD COLUMN c int;']),
    'V3__c.sql': 'CREATE TABLE c ();',
}


def end_of(database):
    """What counts: what there is, and what the ledger says was done, in order."""
    done = [row for row in rows(database) if row[2] not in ('started', 'failed')]
    return dump(database), done


@pytest.fixture
def undisturbed(plain, database):
    """The end that an undisturbed run comes to."""
    plain(CUT).succeed()
    return end_of(database)


@pytest.mark.parametrize('statement', [
    'CREATE INDEX CONCURRENTLY i ON t (n)', 'CREATE INDEX CONCURRENTLY ON t (n)',
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (n)', 'REINDEX TABLE CONCURRENTLY t'])
def test_cut_off_while_an_index_is_built(plain, database, statement):
    table = TABLE + 'CREATE INDEX t_first ON t (m);\n' * ('REINDEX' in statement)
    function = plain({'V1__a.sql': table, 'V2__b.sql': MARK + statement + ';\nCREATE TABLE after ();'})
    database.create()
    with snapshot(database):
        for _ in range(2):
            invocation = function.send()
            database.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND " + OURS)
            database.rows('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ' + OURS)
            assert function.outcome(invocation).kind == 'error'
        assert database.value('SELECT count(*) FROM pg_index WHERE NOT indisvalid') > 0
    function.succeed()
    cut, rows_cut = end_of(database)

    other = Database(database.server)
    try:
        plain({'V1__a.sql': table, 'V2__b.sql': MARK + statement + ';\nCREATE TABLE after ();'}, at=other).succeed()
        assert (cut, rows_cut) == end_of(other)
        assert not database.value('SELECT count(*) FROM pg_index WHERE NOT indisvalid')
    finally:
        other.drop()


TERMINATE = b'X'


@pytest.mark.parametrize('whose, delivered, first', [('own', False, 1), ('own', True, 2), ('both', False, 2), ('both', True, 1)],
                         ids=['own before', 'own after', 'both before', 'both after'])
def test_cut_off_anywhere_it_comes_to_the_same_end(once, undisturbed, server, proxy, whose, delivered, first):
    """pg_terminate_backend before or after each other message, of the connection that sends it or of both.

    A statement has three messages at least: each of them is met.
    """
    for nth in itertools.count(first, 2):
        database = Database(server).create()
        try:
            killed = _run_and_kill(once, database, proxy, nth, whose, delivered)
            if not killed:
                break
            again = once(CUT, RDSINIT_MODE='plain', DB_NAME=database.name)
            assert again.code == 0, (nth, killed, again.payload)
            assert end_of(database) == undisturbed, (nth, killed)
        finally:
            database.drop()
    assert nth > 60


def _run_and_kill(once, database, proxy, nth, whose, delivered):
    """Runs it, and kills at the nth message; the message, or None where there are not so many."""
    count = itertools.count(1)
    killed = []

    def kill(port):
        database.server.rows('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s '
                             "AND application_name = 'rdsinit' AND (client_port = %s OR %s)",
                             (database.name, port, whose == 'both'))

    def watch(data, port):
        if next(count) != nth:
            return None
        killed.append(data)
        if data[:1] == TERMINATE:
            return None         # nobody is there to be killed, but for whoever comes next
        if not delivered:
            kill(port)
            return None

        def after():
            time.sleep(0.003)
            kill(port)
        return after

    before = proxy(watch=watch)
    once(CUT, RDSINIT_MODE='plain', DB_NAME=database.name, DB_PORT=before.port)
    before.stop()
    return killed[0] if killed else None

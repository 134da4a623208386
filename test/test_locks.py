"""Locks: nobody waits behind our waiting, and who was in the way is named."""

import contextlib
import os
import pathlib
import random
import subprocess
import tempfile
import threading
import time

import psycopg2
import pytest

pytestmark = pytest.mark.extension

APPLY = 'SELECT outcome FROM rdsinit.apply(%s, %s, %s)'


@pytest.fixture
def busy(database):
    """A database with the extension and two tables."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit; CREATE TABLE hot (id int PRIMARY KEY, n int); CREATE TABLE cold (n int)')
    database.rows('INSERT INTO hot SELECT g, g FROM generate_series(1, 1000) AS g')
    return database


@contextlib.contextmanager
def transaction(database, *statements):
    """A session that stays in a transaction."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute('BEGIN')
        for statement in statements:
            cursor.execute(statement)
        yield cursor
        cursor.execute('ROLLBACK')


def later(seconds, function, *arguments):
    timer = threading.Timer(seconds, function, arguments)
    timer.start()
    return timer


def apply(database, script, options='{}', name='script.sql'):
    return database.value(APPLY, (name, script, options))


def refusal(database, script, options):
    with pytest.raises(psycopg2.Error) as caught:
        apply(database, script, options)
    return caught.value


def test_tries_again_until_the_lock_is_to_be_had(busy):
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE') as reader:
        timer = later(1, reader.execute, 'COMMIT')
        assert apply(busy, 'CREATE TABLE made (); ALTER TABLE hot ADD a int', '{"lock_timeout": "100ms"}') == 'applied'
        timer.join()
    assert busy.value("SELECT count(*) FROM pg_class WHERE relname = 'made'") == 1
    assert busy.value("SELECT statements FROM rdsinit.history") == 2


def test_a_long_script_is_run_from_its_beginning_each_time(busy):
    """What was parsed while it was checked is used up by the first attempt."""
    made = ''.join('CREATE TABLE made_%d (n int DEFAULT %d, CHECK (n > %d));\n' % (n, n, n) for n in range(100))
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE') as reader:
        timer = later(1, reader.execute, 'COMMIT')
        assert apply(busy, made + 'ALTER TABLE hot ADD a int;\n' + made.replace('made', 'more'), '{"lock_timeout": "100ms"}') == 'applied'
        timer.join()
    assert busy.value("SELECT count(*) FROM pg_class WHERE relname ~ '^(made|more)_'") == 200
    assert busy.value("SELECT statements FROM rdsinit.history") == 201


def test_between_attempts_nothing_is_locked(busy):
    """What was locked before the lock that is not to be had is free for others, again and again."""
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE'):
        thread = threading.Thread(target=refusal, args=(
            busy, 'LOCK TABLE cold IN ACCESS EXCLUSIVE MODE; ALTER TABLE hot ADD a int',
            '{"lock_timeout": "100ms", "retry_for": "3s"}'))
        thread.start()
        got = 0
        while thread.is_alive():
            with contextlib.closing(busy.connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
                cursor.execute('SELECT count(*) FROM cold')
                got += 1
            time.sleep(0.02)
        assert got > 3


def test_the_error_says_what_where_and_who(busy):
    with transaction(busy, "SET application_name = 'the reader'", 'LOCK TABLE hot IN ACCESS SHARE MODE', 'SELECT 42') as reader:
        error = refusal(busy, 'SELECT 1;\n  ALTER TABLE hot ADD a int', '{"lock_timeout": "100ms", "retry_for": "200ms"}')
        pid = reader.connection.info.backend_pid
    assert error.pgcode == '55P03'
    assert error.diag.message_primary == 'could not get AccessExclusiveLock on relation public.hot'
    assert 'script.sql:2:3: statement 2' in error.diag.context
    detail = error.diag.message_detail
    assert 'Process %d of role ' % pid in detail
    assert '(application "the reader") is idle in transaction, in a transaction for ' in detail
    assert 'SELECT 42' in detail
    assert 'retry_for' in error.diag.message_hint


def test_who_may_not_see_a_session_s_query_is_not_shown_it(busy, role):
    name, password = role()
    busy.rows('GRANT ALL ON SCHEMA public TO %s; GRANT EXECUTE ON FUNCTION rdsinit.apply TO %s; ALTER TABLE hot OWNER TO %s' % (name, name, name))
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE', 'SELECT 42') as reader, \
            contextlib.closing(busy.connect(name, password)) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.LockNotAvailable) as caught:
            cursor.execute(APPLY, ('script.sql', 'ALTER TABLE hot ADD a int', '{"lock_timeout": "100ms", "retry_for": "200ms"}'))
        assert 'Process %d' % reader.connection.info.backend_pid in caught.value.diag.message_detail
        assert 'SELECT 42' not in caught.value.diag.message_detail


@pytest.mark.parametrize('setting', ['0', "'1h'"])
def test_a_script_cannot_raise_the_limit(busy, setting):
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE'):
        started = time.monotonic()
        error = refusal(busy, 'SET lock_timeout = %s; SET statement_timeout = 0; ALTER TABLE hot ADD a int' % setting,
                        '{"lock_timeout": "100ms", "retry_for": "200ms"}')
        assert error.pgcode == '55P03'
        assert time.monotonic() - started < 20


def test_a_script_can_lower_the_limit(busy):
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE'):
        error = refusal(busy, 'SET lock_timeout = 20; ALTER TABLE hot ADD a int', '{"lock_timeout": "1min", "retry_for": "200ms"}')
        assert error.pgcode == '55P03'


def test_all_waits_of_an_attempt_share_one_limit(busy):
    """Each of five tables is to be had after 0.3 s: no wait is too long, but all of them together."""
    for number in range(5):
        busy.rows('CREATE TABLE t%d ()' % number)
    with contextlib.ExitStack() as stack:
        for number in range(5):
            holder = stack.enter_context(transaction(busy, 'LOCK TABLE t%d IN ACCESS SHARE MODE' % number))
            stack.callback(later(0.3 * (number + 1), holder.execute, 'COMMIT').join)
        error = refusal(busy, 'SET lock_timeout = 0;' + ''.join('ALTER TABLE t%d ADD a int;' % n for n in range(5)),
                        '{"lock_timeout": "800ms", "retry_for": "1ms"}')
    assert error.pgcode == '55P03'


def test_a_row_that_another_transaction_has_changed(busy):
    with transaction(busy, 'UPDATE hot SET n = 0 WHERE id = 7'):
        error = refusal(busy, 'UPDATE hot SET n = 1', '{"lock_timeout": "100ms", "retry_for": "200ms"}')
    assert error.pgcode == '55P03'
    assert error.diag.message_primary == 'could not get a row that another transaction has changed'


def test_a_deadlock_is_tried_again(busy):
    """The other session waits for cold, which the script has, and has hot, which the script wants."""
    with transaction(busy, "SET LOCAL deadlock_timeout = '1min'", 'LOCK TABLE hot IN ACCESS SHARE MODE') as other:
        def wait_for_cold():
            other.execute('LOCK TABLE cold IN ACCESS SHARE MODE')
            other.execute('COMMIT')
        timer = later(0.3, wait_for_cold)
        script = ("SET deadlock_timeout = '100ms'; LOCK TABLE cold IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.8);"
                  ' ALTER TABLE hot ADD a int')
        assert apply(busy, script, '{"lock_timeout": "1min"}') == 'applied'
        timer.join()


def test_nothing_of_a_failed_attempt_stays_in_the_session(busy):
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE'), \
            contextlib.closing(busy.connect()) as connection, connection.cursor() as cursor:
        cursor.execute('PREPARE mine AS SELECT 1')
        cursor.execute('SELECT pg_advisory_lock(1)')
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute(APPLY, ('script.sql', 'PREPARE theirs AS SELECT 1; SELECT pg_advisory_lock(2); SELECT pg_advisory_lock_shared(3);'
                                   ' ALTER TABLE hot ADD a int', '{"lock_timeout": "50ms", "retry_for": "500ms"}'))
        cursor.execute('SELECT name FROM pg_prepared_statements')
        assert cursor.fetchall() == [('mine',)]
        cursor.execute("SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchall() == [(1,)]


def test_cancel_ends_the_pause(busy):
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE'), \
            contextlib.closing(busy.connect()) as connection, connection.cursor() as cursor:
        timer = later(1.5, connection.cancel)
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute(APPLY, ('script.sql', 'ALTER TABLE hot ADD a int', '{"lock_timeout": "50ms", "retry_for": "1h"}'))
        timer.join()


# --- statements of scripts without a transaction ---------------------------------------------

NO_TRANSACTION = '-- rdsinit: no-transaction\n'
STEPS = 'SELECT statement, outcome FROM rdsinit.history WHERE statement IS NOT NULL ORDER BY id'


def deploy(database, script, options='{}'):
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute('CALL rdsinit.deploy(%s, %s, %s)', (['script.sql'], [NO_TRANSACTION + script], options))
        return cursor.fetchone()[0][0]['outcome']


def function(body):
    return "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN %s END $$" % body


def failed_deployment(database, script, options):
    with pytest.raises(psycopg2.Error) as caught:
        deploy(database, script, options)
    return caught.value


def test_a_worker_tries_a_statement_again_and_gives_back_what_it_has_locked(busy):
    busy.rows(function('LOCK TABLE cold; PERFORM pg_advisory_lock(7); ALTER TABLE hot ADD a int;'))
    with transaction(busy, 'LOCK TABLE hot IN ACCESS SHARE MODE') as reader:
        done = []
        thread = threading.Thread(target=lambda: done.append(deploy(busy, 'SELECT f()', '{"lock_timeout": "100ms", "retry_for": "30s"}')))
        thread.start()
        busy.wait_until("SELECT count(*) = 1 FROM pg_locks WHERE relation = 'hot'::regclass AND NOT granted")
        got = 0
        while got < 10:
            with contextlib.closing(busy.connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
                cursor.execute("SELECT count(*), pg_advisory_xact_lock(7) FROM cold")
                got += 1
            time.sleep(0.1)
        assert busy.rows(STEPS) == []
        reader.execute('COMMIT')
        thread.join(30)
    assert done == ['applied']
    assert busy.rows(STEPS) == [(1, 'done')]


def test_a_worker_gives_up_and_says_what_where_and_who(busy):
    with transaction(busy, "SET application_name = 'the reader'", 'LOCK TABLE hot IN ACCESS SHARE MODE') as reader:
        error = failed_deployment(busy, 'CREATE TABLE made ();\n  ALTER TABLE hot ADD a int',
                                  '{"lock_timeout": "50ms", "retry_for": "400ms"}')
        pid = reader.connection.info.backend_pid
    assert error.pgcode == '55P03'
    assert error.diag.message_primary == 'could not get AccessExclusiveLock on relation public.hot'
    # since PostgreSQL 19 the server itself says before that what it waited for
    assert error.diag.context.splitlines()[-1] == 'script.sql:3:3: statement 2'
    assert 'in the last of ' in error.diag.message_detail and 'of 1 attempts' not in error.diag.message_detail
    assert 'Process %d of role ' % pid in error.diag.message_detail
    assert '(application "the reader")' in error.diag.message_detail
    assert busy.rows(STEPS) == [(1, 'done'), (2, 'failed')]
    assert deploy(busy, 'CREATE TABLE made ();\n  ALTER TABLE hot ADD a int') == 'applied'


def test_a_deadlock_in_a_worker_is_tried_again(busy):
    with transaction(busy, "SET LOCAL deadlock_timeout = '1min'", 'LOCK TABLE hot IN ACCESS SHARE MODE') as other:
        def wait_for_cold():
            other.execute('LOCK TABLE cold IN ACCESS SHARE MODE')
            other.execute('COMMIT')
        timer = later(0.6, wait_for_cold)
        busy.rows(function('LOCK TABLE cold IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(1.2); ALTER TABLE hot ADD a int;'))
        assert deploy(busy, "SET deadlock_timeout = '100ms'; SELECT f()", '{"lock_timeout": "1min"}') == 'applied'
        timer.join()


def test_outside_of_a_transaction_nothing_is_tried_again_and_the_next_call_goes_on(busy):
    script = "SET lock_timeout = '200ms';\nCREATE INDEX CONCURRENTLY hot_n ON hot (n)"
    with transaction(busy, 'LOCK TABLE hot IN SHARE UPDATE EXCLUSIVE MODE') as holder:
        error = failed_deployment(busy, script, '{"retry_for": "1min"}')
        pid = holder.connection.info.backend_pid
    assert error.pgcode == '55P03'
    assert error.diag.message_primary == 'could not get ShareUpdateExclusiveLock on relation public.hot'
    assert 'Process %d of role ' % pid in error.diag.message_detail
    with transaction(busy, 'UPDATE hot SET n = 0 WHERE id = 7') as holder:
        error = failed_deployment(busy, script, '{"retry_for": "1min"}')
        pid = holder.connection.info.backend_pid
    assert error.pgcode == '55P03'
    assert error.diag.message_primary == 'could not get the lock by which one waits for the end of another transaction'
    assert 'Process %d of role ' % pid in error.diag.message_detail
    assert busy.value("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'hot_n'::regclass")
    assert deploy(busy, script) == 'applied'
    assert busy.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'hot_n'::regclass")


# --- under load --------------------------------------------------------------------------------

def slowest_query(database, change):
    """
    Milliseconds of pgbench's slowest query on a table while it is changed, with a long reader in the way.

    It asks some hundred times a second, and leaves time for other tests beside it.
    """
    with tempfile.TemporaryDirectory(prefix='rdsinit-load-') as directory:
        script = pathlib.Path(directory, 'query.sql')
        script.write_text('\\sleep 5 ms\nSELECT n FROM hot WHERE id = 1 + random() * 999;\n')
        load = subprocess.Popen(
            ['pgbench', '-n', '-c', '3', '-T', '7', '-l', '--log-prefix', str(pathlib.Path(directory, 'log')), '-f', str(script)],
            env={**os.environ, 'PGDATABASE': database.name}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            with transaction(database, 'SELECT FROM hot LIMIT 1') as reader:
                timer = later(4, reader.execute, 'COMMIT')
                change()
                timer.join()
        finally:
            assert load.wait(60) == 0
        return max(int(line.split()[2]) for log in pathlib.Path(directory).glob('log*')
                   for line in log.read_text().splitlines()) / 1000


def test_no_query_waits_longer_than_lock_timeout(busy):
    """Against what psql does to the same load.  The margin is for machines that are busy otherwise."""
    change = 'ALTER TABLE hot ADD %s int'
    ours = slowest_query(busy, lambda: apply(busy, change % 'a', '{"lock_timeout": "200ms", "retry_for": "30s"}'))
    psql = slowest_query(busy, lambda: subprocess.run(
        ['psql', '-X', '-q', '-1', '-c', change % 'b'], check=True, env={**os.environ, 'PGDATABASE': busy.name}))
    print('slowest query: %.0f ms under rdsinit.apply with a lock_timeout of 200 ms, %.0f ms under psql -1' % (ours, psql))
    assert psql > 2000
    assert ours < max(200 + 1000, psql / 2)


# --- the guard ------------------------------------------------------------------------------------

MAKE = ['CREATE TABLE m{n} (a int); INSERT INTO m{n} VALUES (1)', 'CREATE TABLE m{n} AS SELECT 1 AS a',
        'CREATE SCHEMA ms{n}; CREATE TABLE ms{n}.t AS SELECT 1 AS a; DROP SCHEMA ms{n} CASCADE',
        'CREATE TABLE m{n} (a int) PARTITION BY LIST (a); CREATE TABLE mp{n} PARTITION OF m{n} DEFAULT; INSERT INTO m{n} VALUES (1); DROP TABLE m{n}']
HARMLESS = ['ALTER TABLE t{n} ADD b{x} int DEFAULT 1', 'ALTER TABLE t{n} ALTER a TYPE bigint', 'CREATE INDEX ON t{n} (a)',
            'ALTER TABLE t{n} RENAME TO r{n}; ALTER TABLE r{n} RENAME TO t{n}', 'CREATE VIEW v{n}x{x} AS SELECT count(*) FROM t{n}',
            'ALTER TABLE t{n} ADD z{x} int; ALTER TABLE t{n} DROP COLUMN z{x}', 'INSERT INTO t{n} VALUES (2)',
            'ALTER TABLE t{n} SET UNLOGGED; ALTER TABLE t{n} SET LOGGED']
LOSES = ['DROP TABLE t{n} CASCADE', 'TRUNCATE t{n} CASCADE', 'ALTER TABLE t{n} DROP COLUMN a CASCADE', "DO $$ BEGIN EXECUTE 'DROP TABLE t{n} CASCADE'; END $$",
         'CREATE SCHEMA s{x}; ALTER TABLE t{n} SET SCHEMA s{x}; DROP SCHEMA s{x} CASCADE',
         'CREATE TABLE p{x} (LIKE t{n}) PARTITION BY LIST (a); ALTER TABLE p{x} ATTACH PARTITION t{n} DEFAULT; DROP TABLE p{x} CASCADE',
         'ALTER TABLE t{n} RENAME TO gone{x}; DROP TABLE gone{x} CASCADE',
         "DO $$ BEGIN BEGIN TRUNCATE t{n} CASCADE; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$"]


def test_what_mixes_harmless_and_losing_ddl_is_refused_and_else_applied(busy):
    """Seeded, so that a failure can be repeated."""
    chance = random.Random(20261122)
    for number in range(150):
        tables = range(3)
        busy.rows(''.join('DROP TABLE IF EXISTS t{n} CASCADE; CREATE TABLE t{n} (a int); INSERT INTO t{n} VALUES (1);'.format(n=n) for n in tables))
        parts = [chance.choice(MAKE if chance.random() < 0.4 else HARMLESS) for _ in range(chance.randint(0, 6))]
        loses = chance.random() < 0.5
        if loses:
            parts.insert(chance.randint(0, len(parts)), chance.choice(LOSES))
        script = ';\n'.join(part.format(n=chance.choice(tables) if part not in MAKE else 'x%dx%d' % (number, place), x='x%dx%d' % (number, place))
                            for place, part in enumerate(parts))
        if loses:
            error = refusal(busy, script, '{}')
            assert error.pgcode == '55000', (script, str(error))
            assert 'allow_data_loss' in error.diag.message_hint, (script, str(error))
            assert [busy.value('SELECT count(*) FROM t%d WHERE a = 1' % n) for n in tables] == [1, 1, 1]
        else:
            assert apply(busy, script, '{"force": true}') == 'applied', script

"""PgBouncer in transaction mode between trigger and server: it works, and leaves nothing in sessions that others get."""

import contextlib
import os
import re
import signal
import time
import types

import psycopg2
import pytest

from support.pgbouncer import PROGRAM, PgBouncer

pytestmark = pytest.mark.skipif(not os.path.exists(PROGRAM), reason='no pgbouncer here')

SCRIPT = """SET search_path = '';
SELECT pg_catalog.set_config('lock_timeout', '7s', false);
CREATE TABLE public.made (n int);
COPY public.made FROM stdin;
1
2
\\.
"""


@pytest.fixture
def pooled(server):
    """pooled(setting=…): PgBouncer before the server."""
    made = []

    def start(**settings):
        made.append(PgBouncer(server, {server.user: server.password}, **settings))
        return made[-1].start()
    yield start
    for each in made:
        each.stop()


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


@pytest.fixture
def function(trigger):
    def start(pool, bundle=SCRIPT, **variables):
        return trigger(bundle, **{'DB_HOST': '127.0.0.1', 'DB_PORT': pool.port, **variables})
    return start


def through(pool, server, database):
    """What another client of the pool sees."""
    connection = psycopg2.connect(host='127.0.0.1', port=pool.port, user=server.user,
                                  password=server.password, dbname=database.name)
    connection.autocommit = True        # PgBouncer gives up a session that is left in a transaction
    return contextlib.closing(connection)


@pytest.mark.parametrize('size', [1, 2])
def test_a_deployment_through_the_pool(function, pooled, database, mode, size):
    pool = pooled(default_pool_size=size)
    payload = function(pool, RDSINIT_MODE=mode).succeed()
    assert (payload['databaseCreated'], payload['scripts'][0]['outcome']) == (True, 'applied')
    assert database.value('SELECT count(*) FROM made') == 2
    running = function(pool, RDSINIT_MODE=mode)
    for _ in range(2):
        assert running.succeed()['scripts'][0]['outcome'] == 'unchanged'


SETTINGS = ('search_path', 'lock_timeout', 'statement_timeout', 'client_connection_check_interval', 'role',
            'session_authorization', 'client_encoding', 'default_transaction_isolation')


def test_nothing_stays_in_a_session_that_others_get(function, pooled, database, server, mode):
    database.create()
    pool = pooled(default_pool_size=1)

    def state():
        with through(pool, server, database) as connection, connection.cursor() as cursor:
            cursor.execute('SELECT name, setting FROM pg_settings WHERE name = ANY (%s)', (list(SETTINGS),))
            settings = dict(cursor.fetchall())
            cursor.execute("SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements), "
                           "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), "
                           "(SELECT count(*) FROM pg_listening_channels()), "
                           "(SELECT count(*) FROM pg_class WHERE relpersistence = 't')")
            return settings, cursor.fetchone()
    before = state()
    function(pool, SCRIPT + "CREATE ROLE %(role)s; SET ROLE %(role)s; RESET ROLE; DROP ROLE %(role)s;"
             "SET client_encoding = 'LATIN1'; SET default_transaction_isolation = 'serializable';"
             "PREPARE kept AS SELECT 1; LISTEN heard; SELECT pg_catalog.pg_advisory_lock(4711);"
             "CREATE TEMP TABLE kept ();" % {'role': database.name}, RDSINIT_MODE=mode).succeed()
    after = state()
    assert before[1][0] == after[1][0], 'another session'
    if mode == 'extension':             # what a script does to its session beyond settings is the script's
        before, after = before[0], after[0]
    assert before == after


def test_a_failed_deployment_leaves_nothing_either(function, pooled, database, server, mode):
    database.create()
    pool = pooled(default_pool_size=1)
    payload = function(pool, "SET search_path = ''; CREATE TABLE public.made (); SELECT nothing;", RDSINIT_MODE=mode).fail()
    assert (payload['sqlstate'], payload['line']) == ('42703', 1)
    with through(pool, server, database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path'), current_setting('client_connection_check_interval')")
        assert cursor.fetchone() == ('"$user", public', '0')
    assert database.relations() == []


def test_a_second_attempt_forgets_nothing_in_another_session(function, pooled, database, proxy):
    """What an attempt leaves is forgotten with its ROLLBACK, in its own session; the next may be one that others have prepared."""
    seen = []
    pool = pooled()
    database.create().rows('CREATE TABLE nothing_in_it ()')
    before = proxy(types.SimpleNamespace(host='127.0.0.1', port=pool.port), watch=lambda data, port: seen.append(data))
    function(before, 'PREPARE p AS SELECT 1;\nDROP TABLE nothing_in_it;', RDSINIT_MODE='plain').succeed()
    text = b''.join(seen)
    assert text.count(b'ROLLBACK; DEALLOCATE ALL; SELECT pg_catalog.pg_advisory_unlock_all()') == 1
    assert len(re.findall(rb'Q....DEALLOCATE ALL', text, re.DOTALL)) == 0


def test_two_at_once_take_turns(function, pooled, database, mode):
    database.create()
    pool = pooled()
    functions = [function(pool, 'SELECT pg_catalog.pg_sleep(0.5); CREATE TABLE made ();', RDSINIT_MODE=mode) for _ in range(2)]
    invocations = [each.send() for each in functions]
    outcomes = [each.outcome(invocation).payload['scripts'][0]['outcome']
                for each, invocation in zip(functions, invocations)]
    assert sorted(outcomes) == ['applied', 'unchanged']


def test_the_deadline_cancels_through_the_pool(function, pooled, database, mode):
    database.create()
    pool = pooled()
    function(pool, 'SELECT 1;', RDSINIT_MODE=mode).succeed()
    outcome = function(pool, 'SET statement_timeout = 0; SELECT pg_catalog.pg_sleep(60);', RDSINIT_MODE=mode).invoke(timeout_s=3)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Timeout')
    assert outcome.elapsed < 3
    database.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                        'AND datname = current_database()')


OUTSIDE = {'V1__a.sql': 'CREATE TABLE made ();',
           'V2__b.sql': '-- rdsinit: no-transaction\nCREATE INDEX CONCURRENTLY by_name ON made ((1));\nVACUUM made;\n'}


@pytest.mark.extension
@pytest.mark.parametrize('size', [1, 2])
def test_a_script_without_a_transaction_by_the_extension(function, pooled, database, size):
    payload = function(pooled(default_pool_size=size), OUTSIDE, RDSINIT_MODE='extension').succeed()
    assert [script['outcome'] for script in payload['scripts']] == ['applied', 'applied']
    assert 'public.by_name' in database.relations() or database.value("SELECT to_regclass('by_name') IS NOT NULL")


@pytest.mark.parametrize('pool_mode', ['transaction', 'session'])
def test_a_script_without_a_transaction_by_the_fallback_is_refused(function, pooled, database, pool_mode):
    database.create()
    payload = function(pooled(pool_mode=pool_mode), OUTSIDE, RDSINIT_MODE='plain').fail()
    assert payload['errorType'] == 'Rdsinit.Database'
    assert 'V2__b.sql' in payload['errorMessage'] and 'pooler' in payload['errorMessage']
    assert 'DB_HOST' in payload['hint'] and 'DB_PORT' in payload['hint']
    assert database.relations() == [], 'refused before anything ran'


def test_a_wrong_password_is_told_by_the_pooler(function, pooled, database):
    database.create()
    outcome = function(pooled(), DB_PASSWORD='wrong').invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert outcome.elapsed < 5
    assert 'authentication failed' in outcome.payload['errorMessage']


def test_a_secret_that_is_rotated_before_a_pooler(function, pooled, database, server, secrets):
    database.create()
    secrets.put('prod/db', {'username': server.user, 'password': 'old'})
    secrets.rotate('prod/db', {'username': server.user, 'password': server.password})
    function(pooled(), **secrets.environment(), DB_SECRET_NAME='prod/db', DB_USER=None, DB_PASSWORD=None).succeed()


def test_a_database_that_the_pooler_does_not_know(function, server):
    pool = PgBouncer(server, {server.user: server.password})
    try:
        pool.databases = 'other = host=%s port=%d' % (server.host, server.port)
        payload = function(pool.start(), RDSINIT_MODE='plain').fail()
    finally:
        pool.stop()
    assert 'no such database' in payload['errorMessage'] and '[databases]' in payload['hint']


def test_a_full_pool_is_waited_for(function, pooled, database, server):
    database.create()
    pool = pooled(default_pool_size=1)
    with through(pool, server, database) as holder:
        holder.cursor().execute('BEGIN')
        running = function(pool, RDSINIT_MODE='plain')
        invocation = running.send()
        time.sleep(1)
        holder.cursor().execute('COMMIT')
    assert running.outcome(invocation).kind == 'response'


@pytest.mark.extension
def test_a_function_that_is_killed_lets_go_through_the_pool(function, pooled, database):
    """The extension looks whether its client is there; PgBouncer closes the server's connection with its client's."""
    database.create()
    running = function(pooled(), 'SELECT pg_catalog.pg_sleep(60);', RDSINIT_MODE='extension')
    running.send()
    sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    database.wait_until('SELECT count(*) = 1 ' + sleeping)
    os.kill(running.pid, signal.SIGKILL)
    killed = time.monotonic()
    database.wait_until('SELECT count(*) = 0 ' + sleeping)
    assert time.monotonic() - killed < 5

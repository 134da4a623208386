"""A function that is killed all the same: nothing runs on for nobody, no lock is kept."""

import contextlib
import os
import re
import signal
import time

import pytest

from support import Database

ONES_OWN = "datname = %s AND application_name = 'rdsinit' AND backend_type <> 'background worker'"
MARK = '-- rdsinit: no-transaction\n'

# How long the server may take to notice: it looks every second.
NOTICED = 2.5


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def server_of(database):
    """Another database of the same server: what is looked at must not be in the way."""
    return Database(database.server, 'postgres')


def kill(function):
    os.kill(function.pid, signal.SIGKILL)
    return time.monotonic()


def seconds_until_gone(database, killed):
    """Until there is no backend of the function's, nor of its worker, and no lock."""
    server_of(database).wait_until(
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = %s AND application_name <> 'rdsinit test' "
        "AND backend_type <> 'autovacuum worker')", (database.name,), timeout=15)
    gone = time.monotonic() - killed
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT l.locktype, l.mode, l.relation::regclass FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                       "WHERE d.datname = current_database() AND l.pid <> pg_backend_pid() AND l.relation >= 16384")
        assert cursor.fetchall() == []
    return gone


def wait_event(database, event):
    server_of(database).wait_until('SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = %%s AND %s' % ONES_OWN,
                                   (event, database.name))


@pytest.mark.parametrize('script', ['SELECT pg_sleep(60);', 'SET statement_timeout = 0; SET client_connection_check_interval = 0; SELECT pg_sleep(60);',
                                    'DO $$ BEGIN LOOP END LOOP; END $$;'], ids=['sleep', 'with its own settings', 'loop'])
def test_in_a_long_statement(trigger, database, mode, script):
    if 'client_connection' in script and mode == 'extension':
        pytest.skip('the extension leaves the caller the say over client_connection_check_interval')
    function = trigger('CREATE TABLE made ();\n' + script, RDSINIT_MODE=mode)
    function.send()
    if 'sleep' in script:
        wait_event(database, 'PgSleep')
    else:
        server_of(database).wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query ~ 'LOOP|statement 2' AND "
                                       + ONES_OWN, (database.name,))
    gone = seconds_until_gone(database, kill(function))
    assert gone < NOTICED
    assert database.relations() == []


def test_in_a_wait_for_a_lock(trigger, database, mode):
    database.create().rows('CREATE TABLE held ()')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        function = trigger('CREATE TABLE made ();\nLOCK TABLE held;', RDSINIT_MODE=mode, RDSINIT_LOCK_TIMEOUT='50s')
        function.send()
        wait_event(database, 'relation')
        killed = kill(function)
        server_of(database).wait_until('SELECT count(*) = 0 FROM pg_stat_activity WHERE ' + ONES_OWN, (database.name,), timeout=15)
        assert time.monotonic() - killed < NOTICED
    seconds_until_gone(database, killed)
    assert database.relations() == ['public.held']


def test_without_a_transaction(trigger, database, mode):
    """In plain mode two connections, in extension mode a worker."""
    function = trigger({'V1__a.sql': MARK + 'CREATE TABLE made ();\nSELECT pg_sleep(60);'}, RDSINIT_MODE=mode)
    function.send()
    server_of(database).wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = %s AND wait_event = 'PgSleep'", (database.name,))
    assert seconds_until_gone(database, kill(function)) < NOTICED + 2
    assert database.relations() == ['public.made']


def test_another_one_goes_on_at_once(trigger, database, mode):
    """What the killed one had locked is to be had again."""
    function = trigger('CREATE TABLE IF NOT EXISTS made ();\nSELECT pg_sleep(60);', RDSINIT_MODE=mode)
    function.send()
    wait_event(database, 'PgSleep')
    killed = kill(function)
    trigger('CREATE TABLE IF NOT EXISTS made ();', RDSINIT_MODE=mode).succeed(timeout_s=20)
    assert time.monotonic() - killed < NOTICED + 2


def test_a_host_that_vanishes_is_noticed_too(plain, database):
    """Nobody closes its connection: the server's keepalives find that out.  (That the kernel sends them is the kernel's.)"""
    plain("CREATE TABLE t AS SELECT current_setting('tcp_keepalives_idle') AS idle, current_setting('tcp_keepalives_interval') AS every, "
          "current_setting('tcp_keepalives_count') AS times, current_setting('client_connection_check_interval') AS look;").succeed()
    assert database.rows('SELECT * FROM t') == [('10', '5', '3', '1s')]


def test_nothing_is_set_for_longer_than_a_transaction(plain, database, proxy, server):
    """Behind a pooler the session is somebody else's afterwards: no setting is sent in a message of its own, nor at the start."""
    seen = []
    before = proxy(watch=lambda data, port: seen.append(data))
    database.create()
    plain({'V1__a.sql': 'CREATE TABLE a ();', 'b.sql': 'SELECT 1;'}, DB_PORT=before.port).succeed()
    text = b''.join(seen)
    assert b'SET LOCAL statement_timeout' in text and b'SET LOCAL client_connection_check_interval' in text
    assert re.findall(rb'SET (?!LOCAL )[a-z_]+ ?=[^;\0]*', text) == []
    # By set_config as well; but one asks whether the session is ours: a pooler's key for cancelling names another process.
    calls = re.findall(rb"set_config\('", text)
    ours_alone = re.findall(rb"set_config\('client_connection_check_interval', '1s', pg_catalog.pg_backend_pid\(\) OPERATOR\(pg_catalog.<>\) \d+\)", text)
    for_the_transaction = re.findall(rb', true\)', text)
    assert len(ours_alone) == 1 and len(for_the_transaction) > 1 and len(calls) == len(ours_alone) + len(for_the_transaction)
    assert b'-c ' not in text and b'options\0' not in text

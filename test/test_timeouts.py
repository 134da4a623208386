"""How long a call takes: no longer than its caller allows, whatever the script sets; and no longer than there is a client."""

import contextlib
import json
import os
import subprocess
import time

import psycopg2
import psycopg2.errors
import pytest

pytestmark = pytest.mark.extension

NO_TRANSACTION = '-- rdsinit: no-transaction\n'

# What ends in time is timed on a machine that may be busy; what does not would take minutes.
SOON = 12

HEADER = """SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
"""


@pytest.fixture
def extended(database):
    database.create()
    database.rows('CREATE EXTENSION rdsinit; CREATE TABLE hot (n int)')
    return database


@contextlib.contextmanager
def session(database, *statements):
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield cursor


def apply(cursor, script, name='script.sql', **options):
    cursor.execute('SELECT outcome FROM rdsinit.apply(%s, %s, %s)', (name, script, json.dumps(options)))
    return cursor.fetchone()[0]


def deploy(cursor, script, name='script.sql', **options):
    cursor.execute('CALL rdsinit.deploy(%s, %s, %s)', ([name], [script], json.dumps(options)))
    return cursor.fetchone()[0][0]['outcome']


def deploy_outside(cursor, script, **options):
    return deploy(cursor, NO_TRANSACTION + script, **options)


def plan(cursor, script, name='script.sql', **options):
    cursor.execute('SELECT count(*) FROM rdsinit.plan(%s, %s, %s)', (name, script, json.dumps(options)))
    return cursor.fetchone()[0]


CALLS = [apply, deploy, deploy_outside, plan]


def refusal(call, cursor, script, **options):
    """The error, which came soon."""
    started = time.monotonic()
    with pytest.raises(psycopg2.Error) as caught:
        call(cursor, script, **options)
    assert time.monotonic() - started < SOON
    return caught.value


# --- what a script may try ------------------------------------------------------------------

EVASIONS = {
    'a statement that takes long': 'SELECT pg_sleep(60);',
    'the header of a dump': HEADER + 'SELECT pg_sleep(60);',
    'set_config': "SELECT set_config('statement_timeout', '0', false), set_config('statement_timeout', '0', true); SELECT pg_sleep(60);",
    'SET in a DO block': "DO $$ BEGIN SET statement_timeout = 0; SET LOCAL statement_timeout = '1h'; PERFORM pg_sleep(60); END $$;",
    'functions with SET': """
        CREATE FUNCTION public.inner_one() RETURNS void LANGUAGE plpgsql SET statement_timeout = 0 AS 'BEGIN PERFORM pg_sleep(60); END';
        CREATE FUNCTION public.outer_one() RETURNS void LANGUAGE plpgsql SET statement_timeout = '1h' AS 'BEGIN PERFORM public.inner_one(); END';
        SELECT public.outer_one();""",
    'settings of role and database': """
        DO $$ BEGIN
          EXECUTE format('ALTER ROLE %I IN DATABASE %I SET statement_timeout = 0', current_user, current_database());
          EXECUTE format('ALTER DATABASE %I SET statement_timeout = 0', current_database());
        END $$; SELECT pg_sleep(60);""",
    'many statements': "SET statement_timeout = 0;" + 'SELECT pg_sleep(0.1);' * 300,
    'what catches it': """
        DO $$ BEGIN
          PERFORM pg_sleep(60);
        EXCEPTION WHEN query_canceled THEN
          PERFORM pg_sleep(60);
        END $$;""",
    'what catches it and does something else': """
        DO $$ BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END $$;
        SELECT pg_sleep(60);""",
    'a loop that catches it': """
        DO $$ BEGIN LOOP BEGIN
          PERFORM pg_sleep(60);
        EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;""",
    'loops that catch it, in each other': """
        DO $$ BEGIN LOOP BEGIN LOOP BEGIN LOOP BEGIN
          PERFORM pg_sleep(0.01);
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN CONTINUE; END; END LOOP;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN CONTINUE; END; END LOOP;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN CONTINUE; END; END LOOP; END $$;""",
    'functions that catch it': """
        CREATE FUNCTION public.again(n int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
          IF n = 0 THEN PERFORM pg_sleep(60); ELSE PERFORM public.again(n - 1); END IF;
        EXCEPTION WHEN query_canceled THEN PERFORM public.again(3); END $$;
        SELECT public.again(5);""",
    'a deferred constraint': """
        CREATE TABLE public.late (n int);
        CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON public.late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.slow();
        SET statement_timeout = 0; INSERT INTO public.late VALUES (1);""",
}


# deploy goes apply's way, and so does plan.
EACH = [(evasion, call) for evasion in EVASIONS
        for call in (CALLS if evasion in ('the header of a dump', 'a loop that catches it', 'a deferred constraint') else [apply, deploy_outside])]


@pytest.mark.parametrize('evasion, call', EACH)
def test_the_option_timeout_ends_the_call(extended, call, evasion):
    with session(extended) as cursor:
        error = refusal(call, cursor, EVASIONS[evasion], timeout='300ms')
        assert error.pgcode == '57014'
        assert error.diag.message_primary == 'canceling the call after 300 ms, which its option "timeout" allows'
        assert 'script.sql' in error.diag.context
        # Nothing goes on: no timer, and no cancelling.
        assert deploy(cursor, 'SELECT 1', timeout='300ms') == 'applied'
        cursor.execute('SELECT pg_sleep(0.5)')
    assert extended.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rdsinit' AND datname = current_database()") == 0


@pytest.mark.parametrize('evasion, call', EACH)
def test_the_caller_s_statement_timeout_is_not_lifted(extended, call, evasion):
    with session(extended, "SET statement_timeout = '300ms'") as cursor:
        error = refusal(call, cursor, EVASIONS[evasion], timeout='1h')
        assert error.pgcode == '57014'
        assert error.diag.message_primary == 'canceling statement due to statement timeout'
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ('300ms',)
        cursor.execute('SET statement_timeout = 0')
        assert deploy(cursor, 'SELECT pg_sleep(0.4)') == 'applied'


def test_one_that_a_function_sets_before_it_calls_is_the_caller_s_too(extended):
    extended.rows("""CREATE FUNCTION caller() RETURNS text LANGUAGE plpgsql SET statement_timeout = '300ms' AS $$ BEGIN
        RETURN (SELECT outcome FROM rdsinit.apply('script.sql', 'SET statement_timeout = 0; SELECT pg_sleep(60)')); END $$""")
    with session(extended) as cursor:
        error = refusal(lambda cursor, _: cursor.execute('SELECT caller()'), cursor, None)
    assert error.diag.message_primary == 'canceling statement due to statement timeout'


def test_what_a_deployment_commits_is_a_part_of_the_call(extended):
    """Deferred constraints are checked before the commit, and once more by it."""
    script = """CREATE TABLE late (n int);
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
        INSERT INTO late VALUES (1)"""
    with session(extended) as cursor:
        error = refusal(deploy, cursor, script, timeout='1s')
        assert error.diag.message_primary == 'canceling the call after 1000 ms, which its option "timeout" allows'
        assert extended.value("SELECT to_regclass('late') IS NULL AND NOT EXISTS (SELECT FROM rdsinit.history)")
        assert deploy(cursor, script, timeout='30s') == 'applied'


# --- waiting --------------------------------------------------------------------------------

@pytest.mark.parametrize('call', [apply, deploy, plan])
def test_waiting_for_one_s_turn_ends_in_time(extended, call):
    with session(extended, 'BEGIN') as first, session(extended) as second:
        assert apply(first, 'SELECT 1') == 'applied'
        error = refusal(call, second, 'SELECT 2', timeout='500ms', retry_for='1h')
        assert error.pgcode == '57014'
        first.execute('ROLLBACK')
        call(second, 'SELECT 2')


@pytest.mark.parametrize('call', CALLS)
def test_waiting_for_a_lock_ends_in_time(extended, call):
    with session(extended, 'BEGIN', 'LOCK TABLE hot') as _, session(extended) as cursor:
        error = refusal(call, cursor, HEADER + 'ALTER TABLE public.hot ADD a int', timeout='500ms', lock_timeout=0)
        assert error.pgcode == '57014'


@pytest.mark.parametrize('call', CALLS)
def test_trying_again_ends_in_time(extended, call):
    """With the lock's own error, if there is no time for another attempt."""
    with session(extended, 'BEGIN', 'LOCK TABLE hot') as _, session(extended) as cursor:
        error = refusal(call, cursor, HEADER + 'ALTER TABLE public.hot ADD a int', timeout='1500ms', lock_timeout='20ms', retry_for='1h')
        assert error.pgcode in ('55P03', '57014')


@pytest.mark.parametrize('call', CALLS)
def test_what_catches_it_waits_for_a_lock_no_longer(extended, call):
    extended.rows("""CREATE FUNCTION public.get() RETURNS void LANGUAGE plpgsql SET lock_timeout = 0 AS $$ BEGIN LOOP BEGIN
        LOCK TABLE public.hot; RETURN; EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$""")
    with session(extended, 'BEGIN', 'LOCK TABLE hot') as _, session(extended) as cursor:
        error = refusal(call, cursor, HEADER + 'SELECT public.get()', lock_timeout='100ms', retry_for='300ms', timeout='5s')
        assert error.pgcode == '55P03'
        assert error.diag.message_primary == 'could not get AccessExclusiveLock on relation public.hot'


# --- a script's own --------------------------------------------------------------------------

@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('callers', [0, "'1h'"])
def test_a_script_can_lower_it_for_each_of_its_statements(extended, call, callers):
    with session(extended, 'SET statement_timeout = %s' % callers) as cursor:
        error = refusal(call, cursor, "SET statement_timeout = '300ms';\nSELECT 1;\nSELECT pg_sleep(60)", timeout='1h')
        assert error.pgcode == '57014'
        assert error.diag.message_primary == 'canceling statement due to statement timeout'
        assert 'script.sql:%d:1: statement 3' % (4 if call is deploy_outside else 3) in error.diag.context or call is plan
        call(cursor, "SET statement_timeout = '900ms';" + 'SELECT pg_sleep(0.4);' * 3, name='other.sql')
        cursor.execute('SELECT pg_sleep(1)')


def test_a_script_s_own_does_not_take_the_place_of_the_caller_s(extended):
    """The caller goes on when the script was cancelled; its own time is not over yet, and then it is."""
    with session(extended, "SET statement_timeout = '1500ms'") as cursor:
        started = time.monotonic()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("""DO $do$ BEGIN
                BEGIN PERFORM rdsinit.apply('script.sql', 'SET statement_timeout = 100; SELECT pg_sleep(60)');
                EXCEPTION WHEN query_canceled THEN RAISE NOTICE 'the script was cancelled'; END;
                PERFORM pg_sleep(60); END $do$""")
        assert 1 < time.monotonic() - started < SOON
        assert cursor.connection.notices[-1:] == ['NOTICE:  the script was cancelled\n']


def environment(database, **more):
    server = database.server
    return {**os.environ, 'PGHOST': server.host, 'PGPORT': str(server.port), 'PGUSER': server.user,
            'PGPASSWORD': server.password, 'PGDATABASE': database.name, **more}


def test_a_language_that_goes_on_all_the_same_loses_its_session(extended):
    extended.rows('CREATE EXTENSION plperl')
    call = """SELECT rdsinit.apply('script.sql',
        $s$ DO LANGUAGE plperl $p$ while (1) { eval { spi_exec_query('SELECT pg_sleep(0.01)') } } $p$ $s$, '{"timeout": "500ms"}')"""
    finished = subprocess.run(['psql', '-X', '-c', call], env=environment(extended), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SOON)
    assert 'FATAL:  terminating connection due to administrator command' in finished.stderr
    assert 'DETAIL:  The script has caught each cancelling since' in finished.stderr
    assert extended.rows('SELECT name FROM rdsinit.history') == []


# --- whose client is gone --------------------------------------------------------------------

class Client:
    """psql with one statement, in a process that can be killed."""

    def __init__(self, database, statement):
        self.process = subprocess.Popen(['psql', '-X', '-q', '-c', statement], env=environment(database, PGAPPNAME='client'),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        return time.monotonic()

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


BACKENDS = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND (application_name = 'client' OR backend_type = 'rdsinit')")
LOCKS = "SELECT count(*) FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
ASLEEP = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
PAUSING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'rdsinit: waiting to try again, after % attempts'"

APPLY = "SELECT * FROM rdsinit.apply('script.sql', $s$ %s $s$, '%s')"
DEPLOY = "CALL rdsinit.deploy('{script.sql}', ARRAY[$s$-- rdsinit: no-transaction\n %s $s$], '%s')"

ABANDONED = {
    'asleep': (None, APPLY % ('CREATE TABLE made (); SELECT pg_sleep(60)', '{}'), ASLEEP),
    'at work': (None, APPLY % ("SELECT count(*) FROM generate_series(1, 1000000000)", '{}'),
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'rdsinit: script.sql:1, statement%' AND datname = current_database()"),
    'waiting for a lock': ('LOCK TABLE hot', APPLY % ('ALTER TABLE hot ADD a int', '{"lock_timeout": 0}'), WAITING),
    'trying again': ('LOCK TABLE hot', APPLY % ('ALTER TABLE hot ADD a int', '{"lock_timeout": "10ms", "retry_for": "1h"}'), PAUSING),
    'waiting for its turn': ("SELECT rdsinit.apply('a.sql', 'SELECT 1')", APPLY % ('SELECT 2', '{"retry_for": "1h"}'), WAITING),
    'deploying': (None, "CALL rdsinit.deploy('{script.sql}', '{SELECT pg_sleep(60)}')", ASLEEP),
    'a step in a worker': (None, DEPLOY % ('CREATE TABLE made (); SELECT pg_sleep(60)', '{}'), ASLEEP),
    'an index in a worker': ('INSERT INTO hot VALUES (1)', DEPLOY % ('CREATE INDEX CONCURRENTLY hot_n ON hot (n)', '{}'), WAITING),
    'a worker trying again': ('LOCK TABLE hot', DEPLOY % ('ALTER TABLE hot ADD a int', '{"lock_timeout": "10ms", "retry_for": "1h"}'), PAUSING),
}


@pytest.mark.parametrize('what', ABANDONED)
def test_who_has_no_client_any_more_does_not_run_on(extended, what):
    before, statement, is_there = ABANDONED[what]
    with session(extended, 'BEGIN', *([before] if before else [])) as other:
        with Client(extended, statement) as client:
            extended.wait_until(is_there)
            killed = client.kill()
            extended.wait_until(BACKENDS.replace('count(*)', 'count(*) = 0'))
            print('%s: gone after %.1f s' % (what, time.monotonic() - killed))
            assert time.monotonic() - killed < 5
        other.execute('ROLLBACK')
        assert extended.value(LOCKS) == 0
        assert deploy(other, 'SELECT 3', force=True) == 'applied'


def test_the_server_by_itself_would_not_notice(extended):
    """Or else the test above would prove nothing."""
    with Client(extended, 'SELECT pg_sleep(60)') as client:
        extended.wait_until(ASLEEP)
        client.kill()
        time.sleep(3)
        assert extended.value(BACKENDS) == 1
        extended.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'client' AND datname = current_database()")


def test_the_interval_is_the_caller_s_again(extended):
    seen = "CREATE TABLE seen AS SELECT current_setting('client_connection_check_interval') AS value"
    with session(extended) as cursor:
        assert deploy(cursor, seen) == 'applied'
        assert extended.value('SELECT value FROM seen') == '1s'
        for script in ('SELECT 1/0', "SET client_connection_check_interval = '9s'", "SET client_connection_check_interval = '9s'; SELECT 1/0"):
            with contextlib.suppress(psycopg2.errors.DivisionByZero):
                deploy(cursor, script)
            cursor.execute('SHOW client_connection_check_interval')
            assert cursor.fetchone() == ('0',)
        cursor.execute("SET client_connection_check_interval = '7s'")
        apply(cursor, 'DROP TABLE seen; ' + seen, force=True, allow_data_loss=True)
        assert extended.value('SELECT value FROM seen') == '7s'
        cursor.execute('SHOW client_connection_check_interval')
        assert cursor.fetchone() == ('7s',)

"""What the log says while a run takes its time."""

import time

import pytest

SLEEPS = "CREATE TABLE made ();\nSELECT pg_sleep(1.4), 'canary';\nSELECT 1;\n"


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def progress(function):
    return [entry for entry in function.log if entry['message'].startswith('still at work')]


def never_early(lines, interval):
    """Whatever else the machine does: nothing is said before so many milliseconds are over."""
    elapsed = [0] + [line['elapsedMs'] for line in lines]
    return all(after - before >= interval for before, after in zip(elapsed, elapsed[1:]))


def test_of_a_long_statement(trigger, mode):
    function = trigger(SLEEPS, RDSINIT_MODE=mode, RDSINIT_PROGRESS_INTERVAL='300ms')
    function.succeed()
    wanted = 'still at work: schema.sql:2, statement 2' + (' of 3' if mode == 'extension' else '')
    lines = [line for line in progress(function) if line['message'] == wanted]
    assert len(lines) >= 2
    assert {(line['waitEventType'], line['waitEvent']) for line in lines} == {('Timeout', 'PgSleep')}
    assert never_early(lines, 250)
    assert all('requestId' in line and line['level'] == 'INFO' for line in lines)
    assert 'canary' not in function.stderr and 'pg_sleep' not in function.stderr


def test_of_many_short_statements(plain):
    function = plain('SELECT pg_sleep(0.004);\n' * 250, RDSINIT_PROGRESS_INTERVAL='200ms')
    function.succeed()
    lines = progress(function)
    numbers = [line['statement'] for line in lines]
    assert numbers == sorted(numbers) and len(set(numbers)) >= 3 and never_early(lines, 150)
    assert all(line['line'] == line['statement'] for line in lines)


def test_of_a_script_without_a_transaction(trigger, mode):
    function = trigger({'V1__a.sql': '-- rdsinit: no-transaction\nSELECT pg_sleep(1);'}, RDSINIT_MODE=mode, RDSINIT_PROGRESS_INTERVAL='300ms')
    function.succeed()
    named = [line['message'] for line in progress(function) if 'V1__a.sql' in line['message']]
    assert named and all('V1__a.sql:2' in message for message in named)


def test_it_says_what_is_waited_for(plain, database):
    database.create().rows('CREATE TABLE held ()')
    connection = database.connect()
    connection.cursor().execute('BEGIN; LOCK TABLE held')
    function = plain('LOCK TABLE held;', RDSINIT_LOCK_TIMEOUT='10s', RDSINIT_PROGRESS_INTERVAL='200ms')
    invocation = function.send()
    line = function.wait_for_log(lambda entry: 'waitsFor' in entry)
    assert line['waitsFor'] == 'AccessExclusiveLock on relation public.held' and line['waitEventType'] == 'Lock'
    connection.close()
    assert function.outcome(invocation).kind == 'response'


def test_a_short_run_says_nothing_and_connects_once(plain, database, proxy):
    before = proxy()
    database.create()
    function = plain('SELECT 1;', DB_PORT=before.port)
    function.succeed()
    assert progress(function) == [] and before.connections == 1


def test_it_can_be_turned_off(plain):
    function = plain(SLEEPS, RDSINIT_PROGRESS_INTERVAL='0', RDSINIT_LOCK_TIMEOUT='0')
    function.succeed()
    assert progress(function) == []


def test_without_a_second_connection_it_is_said_once(plain, database, role):
    owner, password = role('LOGIN CONNECTION LIMIT 1')
    database.create(owner)
    function = plain(SLEEPS, DB_USER=owner, DB_PASSWORD=password, RDSINIT_PROGRESS_INTERVAL='200ms')
    assert function.succeed()['scripts'][0]['outcome'] == 'applied'
    said = [entry for entry in function.log if 'no second connection' in entry['message']]
    assert len(said) == 1 and said[0]['level'] == 'WARN' and 'too many connections' in said[0]['message']
    assert [line['message'] for line in progress(function)][:1] == ['still at work: schema.sql:2, statement 2']


def test_a_second_connection_that_gives_no_answer_holds_nothing_up(plain, database, server):
    """A look has a limit of its own: the run, and its deadline, go on."""
    from standin import PostgresProxy

    class Second(PostgresProxy):
        def _serve(self, client):
            self.silent = self.connections >= 1
            super()._serve(client)
    database.create()
    before = Second((server.host, server.port)).start()
    try:
        function = plain('SELECT pg_sleep(60);', DB_PORT=before.port, RDSINIT_PROGRESS_INTERVAL='200ms')
        outcome = function.invoke(timeout_s=4)
        assert outcome.error_type == 'Rdsinit.Timeout' and outcome.elapsed < 4
        assert len(progress(function)) >= 2
    finally:
        before.stop()


def test_notices_are_logged_as_they_come(trigger, mode):
    function = trigger("DO $$ BEGIN RAISE NOTICE 'first'; PERFORM pg_sleep(1.5); RAISE WARNING 'second'; END $$;", RDSINIT_MODE=mode)
    invocation = function.send()
    first = function.wait_for_log(lambda entry: entry['message'] == 'first', timeout=5)
    at = time.monotonic()
    second = function.wait_for_log(lambda entry: entry['message'] == 'second', timeout=5)
    assert time.monotonic() - at > 1
    assert (first['severity'], first['level'], second['level']) == ('NOTICE', 'INFO', 'WARN')
    assert first['requestId'] == invocation.request_id
    function.outcome(invocation)


@pytest.mark.parametrize('name', ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])
def test_the_runtime_api_is_asked_without_a_proxy(plain, name):
    """At the proxy's address nobody listens."""
    plain('SELECT 1;', **{name: 'http://127.0.0.1:9'}).succeed()

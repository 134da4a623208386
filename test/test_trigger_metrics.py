"""What CloudWatch and X-Ray are told."""

import contextlib
import os
import threading

import pytest

jsonschema = pytest.importorskip('jsonschema')

from standin.embedded_metrics import metrics_of    # noqa: E402


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def metrics(function, count=1):
    """Of each invocation so far.  The line is written before the answer, and may be read behind it."""
    def entries():
        return [entry for entry in function.log if '_aws' in entry]
    function.wait_for_log(lambda entry: len(entries()) >= count)
    return entries()


def values(entry):
    found, dimensions = metrics_of(entry)
    assert dimensions == {'FunctionName': 'rdsinit'} and list(found) == ['rdsinit']
    assert {name: unit for name, (_, unit) in found['rdsinit'].items()} == {
        'Duration': 'Milliseconds', 'Scripts': 'Count', 'Statements': 'Count', 'Retries': 'Count', 'Failures': 'Count'}
    return {name: value for name, (value, _) in found['rdsinit'].items()}


def test_of_a_success(trigger, mode):
    function = trigger({'V1__a.sql': 'CREATE TABLE a ();\nSELECT pg_sleep(0.2);', 'b.sql': 'SELECT 1;'}, RDSINIT_MODE=mode)
    payload = function.succeed()
    function.succeed()
    first, second = metrics(function, 2)
    duration = values(first).pop('Duration')
    assert 200 <= duration <= payload['durationMs'] + 100
    assert {**values(first), 'Duration': 0} == {'Duration': 0, 'Scripts': 2, 'Statements': 3, 'Retries': 0, 'Failures': 0}
    assert {**values(second), 'Duration': 0} == {'Duration': 0, 'Scripts': 0, 'Statements': 0, 'Retries': 0, 'Failures': 0}
    assert first['mode'] == mode and first['requestId'] != second['requestId']


@pytest.mark.parametrize('script, variables', [('SELECT nothing;', {}), ('', {'DB_HOST': None}), ('SELECT 1;', {'RDSINIT_FORCE': 'perhaps'})],
                         ids=['script', 'no host', 'configuration'])
def test_of_a_failure(plain, script, variables):
    function = plain(script, **variables)
    payload = function.fail()
    entry, = metrics(function)
    assert values(entry)['Failures'] == 1 and values(entry)['Scripts'] == 0
    assert entry['errorType'] == payload['errorType']


def test_of_retries(plain, database):
    database.create().rows('CREATE TABLE held ()')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        function = plain('ALTER TABLE held ADD COLUMN n int;', RDSINIT_LOCK_TIMEOUT='100ms', RDSINIT_RETRY_FOR='1s')
        function.fail()
    assert values(metrics(function)[0])['Retries'] >= 1


def test_by_hand_there_are_none(once):
    assert [entry for entry in once('SELECT 1;', RDSINIT_MODE='plain').log if '_aws' in entry] == []


@pytest.mark.parametrize('broken', [
    {}, {'_aws': {}}, {'_aws': {'Timestamp': 'now', 'CloudWatchMetrics': []}},
    {'_aws': {'Timestamp': 1, 'CloudWatchMetrics': [{'Namespace': 'n', 'Dimensions': [], 'Metrics': [{'Name': 'm'}]}]}, 'm': 1},
    {'_aws': {'Timestamp': 1, 'CloudWatchMetrics': [{'Namespace': 'n', 'Dimensions': [['d']], 'Metrics': [{'Name': 'm', 'Unit': 'ms'}]}]}, 'm': 1, 'd': 'x'}])
def test_the_schema_refuses_what_cloudwatch_does(broken):
    with pytest.raises(jsonschema.ValidationError):
        metrics_of(broken)


# X-Ray

def test_the_trace_is_in_each_line_of_its_invocation(plain):
    function = plain("DO $$ BEGIN RAISE NOTICE 'hello'; END $$;")
    for _ in range(2):
        function.succeed()
    lines = [entry for entry in function.log if 'requestId' in entry]
    traces = {entry['requestId']: entry['xrayTraceId'] for entry in lines}
    assert traces == function.runtime.traces and len(set(traces.values())) == 2
    assert any(entry['message'] == 'hello' for entry in lines)


def test_the_trace_is_in_the_environment(plain):
    """Where the Runtime API says that it must be; /proc shows only what a process started with, so a debugger's eye is needed."""
    function = plain('SELECT 1;')
    function.succeed()
    trace, = function.runtime.traces.values()
    assert ('_X_AMZN_TRACE_ID=%s' % trace).encode() in memory(function.pid)


def memory(pid):
    """What the process has written in memory of its own."""
    found = b''
    with open('/proc/%d/maps' % pid, encoding='ascii') as maps, open('/proc/%d/mem' % pid, 'rb') as mem:
        for line in maps:
            if ' rw-p ' in line and os.path.basename(line.split()[-1]) in ('bootstrap', '[heap]', '0'):
                start, end = (int(part, 16) for part in line.split()[0].split('-'))
                mem.seek(start)
                found += mem.read(end - start)
    return found


def test_the_trace_is_passed_on_to_aws_and_not_signed(function, secrets, server):
    """As AWS's own libraries do it, since what is on the way may change it."""
    secrets.put('prod/db', {'username': server.user, 'password': server.password})
    running = function()
    for _ in range(2):
        running.succeed()
    assert [seen.trace for seen in secrets.requests] == [(trace,) for trace in running.runtime.traces.values()]
    for seen in secrets.requests:
        assert seen.signed == 'content-type;host;x-amz-date;x-amz-security-token;x-amz-target'


@pytest.mark.parametrize('trace', ['Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1|b',
                                   'Root=x y|%/?<>~_.-=;:+&[]{}"\',', ''])
def test_it_is_written_as_botocore_writes_it(function, secrets, server, monkeypatch, trace):
    handlers = pytest.importorskip('botocore.handlers')
    secrets.put('prod/db', {'username': server.user, 'password': server.password})
    running = function()
    running.runtime.next_trace = trace
    running.succeed()
    monkeypatch.setenv('AWS_LAMBDA_FUNCTION_NAME', 'rdsinit')
    monkeypatch.setenv('_X_AMZN_TRACE_ID', trace)
    wanted = {'headers': {}}
    handlers.add_recursion_detection_header(wanted)
    assert secrets.requests[0].trace == tuple(wanted['headers'].values())


def test_outside_of_a_function_there_is_none_to_pass_on(once, secrets, server):
    secrets.put('prod/db', {'username': server.user, 'password': server.password})
    run = once('SELECT 1;', **{**secrets.environment(), 'DB_SECRET_NAME': 'prod/db', 'DB_USER': None, 'DB_PASSWORD': None,
                               'RDSINIT_MODE': 'plain', '_X_AMZN_TRACE_ID': 'Root=1-5759e988-bd862e3fe1be46a994272793'})
    assert run.code == 0 and secrets.requests[0].trace == ()


def test_of_retries_that_helped(trigger, database, mode):
    database.create().rows('CREATE TABLE held ()')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        release = threading.Timer(1.5, holder.cursor().execute, ['COMMIT'])
        release.start()
        function = trigger('ALTER TABLE held ADD COLUMN n int;', RDSINIT_MODE=mode, RDSINIT_LOCK_TIMEOUT='100ms')
        payload = function.succeed()
        release.join()
    retries = values(metrics(function)[0])['Retries']
    assert retries >= 1 and payload['retries'] == retries
    assert [entry['retries'] for entry in function.log if 'initialization successful' in entry['message']] == [retries]


def test_of_retries_of_a_statement_that_is_committed_by_itself(trigger, database, mode):
    database.create().rows('CREATE TABLE held ()')
    bundle = {'V1__a.sql': '-- rdsinit: no-transaction\nALTER TABLE held ADD COLUMN n int;\n'
                           'CREATE INDEX CONCURRENTLY by_n ON held (n);\nALTER TABLE held ADD COLUMN m int;'}
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        release = threading.Timer(1.5, holder.cursor().execute, ['COMMIT'])
        release.start()
        function = trigger(bundle, RDSINIT_MODE=mode, RDSINIT_LOCK_TIMEOUT='100ms')
        payload = function.succeed()
        release.join()
    assert values(metrics(function)[0])['Retries'] == payload['retries'] >= 1
    assert [script['statements'] for script in payload['scripts']] == [3]
    assert 'retries' not in function.succeed()

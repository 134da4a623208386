"""A custom resource of CloudFormation: always answered by a PUT, and never deployed twice."""

import contextlib
import json
import os
import signal
import threading
import time
from resource import RLIMIT_AS, getpagesize, prlimit

import pytest

from support import run_once
from support.scripts import BROKEN, SHOP
from support.trigger import reports

CANARY = 'canary-pass-word'


@pytest.fixture
def function(plain):
    return plain(SHOP)


def succeeded(result):
    assert (result.status, [outcome.kind for outcome in result.outcomes]) == ('SUCCESS', ['response']), result
    return result


def failed(result):
    """FAILED by one PUT, which is no error of the invocation: that would be run twice more."""
    assert (result.status, [outcome.kind for outcome in result.outcomes]) == ('FAILED', ['response']), result
    return result


def test_create(cloudformation, function, database):
    result = succeeded(cloudformation.resource().create(function))
    assert result.data == {'Database': database.name, 'DatabaseCreated': 'true', 'Mode': 'plain',
                           'Scripts': '1', 'Applied': '1'}
    assert result.outcomes[0].payload['scripts'][0]['outcome'] == 'applied'
    assert database.relations() == ['shop.product']
    assert cloudformation.puts == [200]


def test_the_url_is_no_matter_of_the_log(cloudformation, function):
    cloudformation.close(1)
    cloudformation.refuse(1)
    succeeded(cloudformation.resource().create(function))
    assert cloudformation.puts == [0, 403, 200]
    function.wait_for_log(lambda entry: 'HTTP 403, AccessDenied' in entry['message'])
    function.wait_for_log(lambda entry: 'was answered: SUCCESS' in entry['message'])
    assert 'Signature' not in function.stderr and 'AWSAccessKeyId' not in function.stderr


def test_the_physical_id_stays(cloudformation, function):
    resource = cloudformation.resource()
    first = resource.create(function).answer['PhysicalResourceId']
    assert first.startswith('rdsinit-')
    again = cloudformation.send(function, cloudformation.event('Create', resource, {}))
    assert again.answer['PhysicalResourceId'] == first, 'a Create that is sent twice makes one resource'
    assert resource.update(function, {'force': 'true'}).answer['PhysicalResourceId'] == first
    assert resource.delete(function).answer['PhysicalResourceId'] == first
    assert cloudformation.resource().create(function).answer['PhysicalResourceId'] != first


def test_an_id_from_elsewhere_is_kept(cloudformation, function):
    """A stack that has had another program behind its resource."""
    resource = cloudformation.resource()
    resource.physical_id = '2026/01/01/[$LATEST]0123'
    assert succeeded(resource.update(function)).answer['PhysicalResourceId'] == resource.physical_id


def test_the_same_request_twice_is_harmless(cloudformation, function, database):
    resource = cloudformation.resource()
    event = cloudformation.event('Create', resource, {})
    first = succeeded(cloudformation.send(function, event))
    again = succeeded(cloudformation.send(function, event))
    assert (first.outcomes[0].payload['scripts'][0]['outcome'], again.outcomes[0].payload['scripts'][0]['outcome']) == (
        'applied', 'unchanged')
    assert len(database.history('rdsinit_plain')) == 1


def test_a_script_that_fails(cloudformation, plain, database):
    result = failed(cloudformation.resource().create(plain(BROKEN)))
    assert result.reason.startswith('schema.sql:3:13: relation "shop.produkt" does not exist (SQLSTATE 42P01)')
    assert 'log stream 2026/' in result.reason
    assert result.outcomes[0].payload['errorType'] == 'Rdsinit.Script'
    assert database.relations() == []


def test_delete_keeps_the_data(cloudformation, function, database):
    resource = cloudformation.resource()
    resource.create(function)
    result = succeeded(resource.delete(function))
    assert 'kept' in result.outcomes[0].payload['body']
    assert database.value('SELECT count(*) FROM shop.product') == 2


@pytest.mark.parametrize('variables', [
    {'DB_PORT': '1'},
    {'DB_USER': None, 'DB_PASSWORD': None, 'DB_SECRET_NAME': 'gone', 'AWS_REGION': 'eu-central-1',
     'AWS_ACCESS_KEY_ID': 'x', 'AWS_SECRET_ACCESS_KEY': 'y', 'AWS_ENDPOINT_URL': 'http://127.0.0.1:1'},
    {'DB_HOST': None, 'RDSINIT_NOSUCH': '1'},
    {'RDSINIT_BUNDLE': '/nosuch'},
], ids=['no server', 'no secret', 'no configuration', 'no bundle'])
def test_delete_needs_nothing(cloudformation, plain, variables):
    resource = cloudformation.resource(nosuch='property')
    resource.physical_id = 'any'
    started = time.monotonic()
    succeeded(resource.delete(plain(SHOP, **variables)))
    assert time.monotonic() - started < 3, 'it has tried to get at something'


def test_delete_of_what_could_not_be_created(cloudformation, plain):
    resource = cloudformation.resource()
    function = plain(BROKEN)
    failed(resource.create(function))
    succeeded(resource.delete(function))


def test_roll_back_of_an_update_that_failed(cloudformation, plain, database):
    resource = cloudformation.resource()
    succeeded(resource.create(plain({'V1__a.sql': 'CREATE TABLE a ();'})))
    failed(resource.update(plain({'V1__a.sql': 'CREATE TABLE a ();', 'V2__b.sql': 'CREATE TABLE b (); CREATE TABLE a ();'})))
    result = succeeded(resource.update(plain({'V1__a.sql': 'CREATE TABLE a ();'})))
    assert [script['outcome'] for script in result.outcomes[0].payload['scripts']] == ['unchanged']
    assert result.data['Applied'] == '0'
    assert database.relations() == ['public.a']


def test_roll_back_of_an_update_that_succeeded(cloudformation, plain, database):
    """What came with the newer bundle is missing in the older one: an error unless it is allowed."""
    old = {'V1__a.sql': 'CREATE TABLE a ();', 'R__view.sql': 'CREATE OR REPLACE VIEW v AS SELECT 1 AS n;'}
    new = {**old, 'V2__b.sql': 'CREATE TABLE b ();', 'R__view.sql': 'CREATE OR REPLACE VIEW v AS SELECT 2 AS n;'}
    resource = cloudformation.resource()
    first = plain(old)
    succeeded(resource.create(first))
    succeeded(resource.update(plain(new)))
    assert 'V2__b.sql' in failed(resource.update(first)).reason
    assert database.value('SELECT n FROM v') == 2
    succeeded(resource.update(first, {'allow_missing': 'true'}))
    assert database.value('SELECT n FROM v') == 1
    assert database.relations() == ['public.a', 'public.b', 'public.v']


# Properties

def test_booleans_are_strings(cloudformation, function):
    resource = cloudformation.resource()
    resource.create(function)
    result = succeeded(resource.update(function, {'force': 'false', 'allow_data_loss': 'true'}))
    assert result.outcomes[0].payload['scripts'][0]['outcome'] == 'unchanged'
    assert 'schema "shop" already exists' in failed(resource.update(function, {'force': 'true'})).reason


def test_variables_and_known_keys(cloudformation, plain, database):
    resource = cloudformation.resource(ServiceTimeout='300', variables={'name': 'nut', 'count': '3'})
    succeeded(resource.create(plain('CREATE TABLE :"name" AS SELECT :count AS n;')))
    assert database.value('SELECT n FROM nut') == 3


@pytest.mark.parametrize('properties, named', [
    ({'Force': 'true'}, '"Force"'),
    ({'force': 'yes'}, '"force"'),
    ({'force': 'True'}, '"force"'),
    ({'plan': 'true'}, '"plan"'),
    ({'variables': 'x'}, '"variables"'),
    ({'baseline': 1}, '"baseline"'),
    ({'BundleChecksum': 'x'}, '"BundleChecksum"'),
    ({'ServiceTimeouts': '1'}, '"ServiceTimeouts"'),
    ({'host': 'elsewhere.invalid'}, 'RDSINIT_EVENT_TARGETS'),
])
def test_what_is_not_understood_is_refused_by_name(cloudformation, function, database, properties, named):
    assert named in failed(cloudformation.resource(**properties).create(function)).reason
    assert not database.exists()


def test_properties_that_are_none(cloudformation, function):
    event = cloudformation.event('Create', cloudformation.resource(), {})
    event['ResourceProperties'] = []
    assert 'ResourceProperties' in failed(cloudformation.send(function, event)).reason


def test_another_request_type(cloudformation, function):
    event = cloudformation.event('Create', cloudformation.resource(), {})
    event['RequestType'] = 'Adopt'
    assert 'RequestType' in failed(cloudformation.send(function, event)).reason


@pytest.mark.parametrize('missing', ['StackId', 'RequestId', 'LogicalResourceId'])
def test_a_request_that_cannot_be_answered_is_not_begun(cloudformation, function, database, missing):
    event = cloudformation.event('Create', cloudformation.resource(), {})
    event[missing] = None
    payload = function.fail(event)
    assert (payload['errorType'], missing in payload['errorMessage']) == ('Rdsinit.Event', True)
    assert cloudformation.puts == [] and not database.exists()


# The checksum of the bundle

def bundle_checksum(bundle):
    result = run_once(bundle, {}, '--bundle-checksum')
    assert (result.code, result.stderr) == (0, '')
    return result.stdout.strip()


def test_the_packages_own_checksum(cloudformation, function):
    right = bundle_checksum(SHOP)
    succeeded(cloudformation.resource(BundleChecksum=right).create(function))
    succeeded(cloudformation.resource(BundleChecksum=right.upper()).create(function))


def test_another_checksum_is_an_error(cloudformation, function, database):
    other = bundle_checksum(SHOP + '-- more')
    reason = failed(cloudformation.resource(BundleChecksum=other).create(function)).reason
    assert other in reason and bundle_checksum(SHOP) in reason
    assert not database.exists()


def test_a_deletion_does_not_ask_for_the_checksum(cloudformation, function):
    resource = cloudformation.resource(BundleChecksum='0' * 64)
    resource.physical_id = 'any'
    succeeded(resource.delete(function))


# Failures of our own

@pytest.mark.parametrize('variables, named', [
    ({'DB_HOST': None, 'DB_NAME': None}, 'DB_HOST, DB_NAME'),
    ({'RDSINIT_FORCE': 'perhaps'}, 'RDSINIT_FORCE'),
    ({'RDSINIT_BUNDLE': '/nosuch'}, '/nosuch'),
    ({'DB_PASSWORD': CANARY}, '28P01'),
], ids=['environment', 'a value', 'bundle', 'password'])
def test_a_failure_of_ours_is_answered(cloudformation, plain, variables, named):
    function = plain(SHOP, **variables)
    result = failed(cloudformation.resource().create(function))
    assert named in result.reason
    assert CANARY not in result.reason and CANARY not in function.stderr


def test_too_little_memory_is_answered(cloudformation, plain, database):
    function = plain('-- %s\n' % ('x' * (64 << 20)))
    function.runtime.wait_for_poll()
    with open('/proc/%d/statm' % function.pid) as statm:
        size = int(statm.read().split()[0]) * getpagesize()
    prlimit(function.pid, RLIMIT_AS, (size + (32 << 20),) * 2)
    assert 'out of memory' in failed(cloudformation.resource().create(function)).reason


def test_a_script_without_an_end_is_answered_before_the_deadline(cloudformation, plain, database):
    function = plain('SELECT pg_sleep(600);')
    started = time.monotonic()
    result = failed(cloudformation.resource().create(function, timeout_s=6))
    assert 'deadline' in result.reason and result.outcomes[0].payload['errorType'] == 'Rdsinit.Timeout'
    assert time.monotonic() - started < 4.7


def test_there_is_time_for_an_answer_that_is_not_taken_at_once(cloudformation, plain):
    cloudformation.refuse(2, 503)
    started = time.monotonic()
    failed(cloudformation.resource().create(plain('SELECT pg_sleep(600);'), timeout_s=10))
    assert cloudformation.puts == [503, 503, 200]
    assert time.monotonic() - started < 8, 'less than 2 s were left for the PUT'


def child_of(pid):
    with open('/proc/%d/task/%d/children' % (pid, pid)) as children:
        return [int(child) for child in children.read().split()]


@contextlib.contextmanager
def at_work(cloudformation, function, database, **how):
    """A Create that sleeps in the database; gives the process at work, and where its Result will be."""
    results = []
    thread = threading.Thread(target=lambda: results.append(cloudformation.resource().create(function, **how)))
    thread.start()
    database.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60%%' AND datname = %s "
                        "AND application_name = 'rdsinit')", (database.name,))
    child, = child_of(function.pid)
    yield child, results
    thread.join(40)


@pytest.mark.parametrize('number', [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_answered(cloudformation, plain, database, number):
    if number == signal.SIGSEGV and reports():
        pytest.skip('the sanitizers answer this signal')
    database.create()
    function = plain('SELECT pg_sleep(60);')
    with at_work(cloudformation, function, database) as (child, results):
        os.kill(child, number)
    assert 'signal %d' % number in failed(results[0]).reason
    assert failed(cloudformation.resource(nosuch='1').create(function)), 'the function goes on'
    assert child_of(function.pid) == []


def test_work_that_hangs_is_answered(cloudformation, plain, database):
    database.create()
    function = plain('SELECT pg_sleep(60);')
    with at_work(cloudformation, function, database, timeout_s=6) as (child, results):
        os.kill(child, signal.SIGSTOP)
    assert 'killed' in failed(results[0]).reason
    assert child_of(function.pid) == []


def test_the_work_ends_with_the_function(cloudformation, plain, database):
    database.create()
    function = plain('SELECT pg_sleep(60);')
    invocation = function.send(cloudformation.event('Create', cloudformation.resource(), {}))
    assert invocation
    database.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60%%' AND datname = %s "
                        "AND application_name = 'rdsinit')", (database.name,))
    child, = child_of(function.pid)
    os.kill(function.pid, signal.SIGKILL)
    end = time.monotonic() + 5
    while os.path.exists('/proc/%d' % child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists('/proc/%d' % child)


# The PUT

@pytest.mark.parametrize('status', [403, 500, 503])
def test_a_refused_put_is_tried_again(cloudformation, function, status):
    cloudformation.refuse(3, status)
    succeeded(cloudformation.resource().create(function))
    assert cloudformation.puts == [status] * 3 + [200]


def test_a_put_that_is_cut_off_is_tried_again(cloudformation, function):
    cloudformation.close(2)
    succeeded(cloudformation.resource().create(function))
    assert cloudformation.puts == [0, 0, 200]


def test_a_put_that_hangs_is_tried_again(cloudformation, function):
    cloudformation.slow(1, 8)
    succeeded(cloudformation.resource().create(function))
    assert 200 in cloudformation.puts


def test_a_put_that_is_refused_for_good_is_an_error(cloudformation, function, database):
    """Lambda sends the event twice more then, which is all that can still help."""
    cloudformation.refuse(15)
    result = cloudformation.resource().create(function, timeout=60)
    assert (result.answer, [outcome.error_type for outcome in result.outcomes]) == (None, ['Rdsinit.Response'] * 3)
    payload = result.outcomes[0].payload
    assert 'HTTP 403, AccessDenied' in payload['errorMessage'] and 'S3 gateway endpoint' in payload['hint']
    assert 'Signature' not in result.outcomes[0].raw
    assert database.relations() == ['shop.product']


def test_a_put_that_fails_ends_before_the_deadline(cloudformation, function):
    cloudformation.close(1000)
    event = cloudformation.event('Create', cloudformation.resource(), {})
    started = time.monotonic()
    outcome = function.invoke(event, timeout_s=5)
    assert outcome.error_type == 'Rdsinit.Response' and 3 < time.monotonic() - started < 5


@pytest.mark.parametrize('text', ['ä€𝄞' * 700, 'x\\"\\\\' * 900, '\x01' * 990], ids=['characters', 'escapes', 'controls'])
def test_a_long_reason_is_cut_between_characters(cloudformation, plain, text):
    """The stand-in takes no body of more than 4,096 bytes, and only UTF-8."""
    literal = text.replace("'", "''")
    result = failed(cloudformation.resource().create(plain(
        "DO $_$ BEGIN RAISE EXCEPTION USING message = E'%s', detail = '%s', hint = '%s'; END $_$;" % (
            literal, literal, literal))))
    assert result.reason.startswith('schema.sql:') and result.reason.endswith('…')
    assert 3000 < len(json.dumps(result.answer, ensure_ascii=False, separators=(',', ':')).encode()) <= 4096


# CDK's provider framework

def provider_event(cloudformation, request_type, resource, **properties):
    """As the framework's own function passes the event on."""
    event = cloudformation.event(request_type, resource, properties)
    event['ResponseURL'] = '...'
    return event


def test_the_provider_framework_gets_the_answer(cloudformation, function, database):
    resource = cloudformation.resource()
    payload = function.succeed(provider_event(cloudformation, 'Create', resource, force='true'))
    assert set(payload) == {'PhysicalResourceId', 'Data'} and payload['Data']['Database'] == database.name
    resource.physical_id = payload['PhysicalResourceId']
    assert function.succeed(provider_event(cloudformation, 'Update', resource)) == {
        'PhysicalResourceId': resource.physical_id, 'Data': {**payload['Data'], 'DatabaseCreated': 'false', 'Applied': '0'}}
    assert function.succeed(provider_event(cloudformation, 'Delete', resource)) == {'PhysicalResourceId': resource.physical_id}
    assert database.relations() == ['shop.product']
    assert cloudformation.puts == []


def test_the_provider_framework_gets_the_error(cloudformation, plain):
    function = plain(BROKEN)
    resource = cloudformation.resource()
    payload = function.fail(provider_event(cloudformation, 'Create', resource))
    assert payload['errorMessage'].startswith('schema.sql:3:13: ') and payload['errorType'] == 'Rdsinit.Script'
    assert '"nosuch"' in function.fail(provider_event(cloudformation, 'Create', resource, nosuch='1'))['errorMessage']


def test_the_provider_framework_and_a_wrong_environment(cloudformation, plain):
    function = plain(SHOP, DB_HOST=None)
    resource = cloudformation.resource()
    assert 'DB_HOST' in function.fail(provider_event(cloudformation, 'Create', resource))['errorMessage']
    resource.physical_id = 'any'
    assert function.succeed(provider_event(cloudformation, 'Delete', resource)) == {'PhysicalResourceId': 'any'}


@pytest.mark.parametrize('url', [
    'http://127.0.0.1.invalid/', 'http://elsewhere.invalid/', 'http://127.0.0.1:80@localhost/', 'http://127.0.0.1@localhost/',
    'https://127.0.0.1:80@localhost/', 'https:// /', 'https://',
    'ftp://127.0.0.1/', '', None, 7])
def test_other_urls_are_never_asked(cloudformation, function, url):
    event = cloudformation.event('Create', cloudformation.resource(), {})
    event['ResponseURL'] = url
    assert 'PhysicalResourceId' in function.succeed(event)


def test_a_host_behind_what_looks_like_this_machine_is_not_asked(cloudformation, function):
    """The user's name of a URL may well look like a host."""
    event = cloudformation.event('Create', cloudformation.resource(), {})
    event['ResponseURL'] = event['ResponseURL'].replace('http://', 'http://127.0.0.1:80@')
    assert 'PhysicalResourceId' in function.succeed(event)


def test_this_machine_is_not_behind_a_proxy(cloudformation, plain):
    nowhere = 'http://127.0.0.1:1'
    function = plain(SHOP, http_proxy=nowhere, all_proxy=nowhere, ALL_PROXY=nowhere)
    assert succeeded(cloudformation.resource().create(function)).data['Applied'] == '1'


@pytest.mark.extension
def test_by_the_extension(cloudformation, trigger, database):
    resource = cloudformation.resource()
    assert succeeded(resource.create(trigger(SHOP))).data['Mode'] == 'extension'
    result = succeeded(resource.update(trigger(SHOP)))
    assert (result.data['Scripts'], result.data['Applied']) == ('1', '0')
    assert failed(resource.update(trigger(BROKEN))).reason.startswith('schema.sql:1:')

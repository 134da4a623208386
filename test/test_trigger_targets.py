"""An event that says which database is meant, or several; and whose password goes where."""

import json

import pytest

from support import Database
from support.scripts import BROKEN, SHOP

REPLY_AT_MOST = 128 * 1024
ELSEWHERE = '127.0.0.2'         # loopback, too, but another name for it


@pytest.fixture
def databases(server):
    """databases(count) gives names that no database has; dropped afterwards."""
    made = []

    def make(count):
        made.extend(Database(server) for _ in range(count))
        return made[-count:]
    yield make
    for each in made:
        each.drop()


def credentials(server, **more):
    return {'username': server.user, 'password': server.password, **more}


@pytest.fixture
def fleet(plain, secrets):
    """fleet(bundle, VARIABLE=…): a function whose environment says nothing of a database."""
    def start(bundle=SHOP, **variables):
        return plain(bundle, **{'DB_HOST': None, 'DB_PORT': None, 'DB_NAME': None, 'DB_USER': None, 'DB_PASSWORD': None,
                                'RDSINIT_EVENT_TARGETS': 'allow', **secrets.environment(), **variables})
    return start


@pytest.fixture
def own(plain, secrets, server, database):
    """own(bundle, secret=…, VARIABLE=…): a function with a database and a secret of its own."""
    def start(bundle=SHOP, secret=None, **variables):
        secrets.put('own', credentials(server) if secret is None else secret)
        return plain(bundle, **{'DB_USER': None, 'DB_PASSWORD': None, 'DB_SECRET_NAME': 'own', 'RDSINIT_EVENT_TARGETS': 'allow',
                                **secrets.environment(), **variables})
    return start


def target(server, database, **more):
    return {'host': server.host, 'port': server.port, 'database': database.name, 'secret': 'target', **more}


@pytest.mark.parametrize('secret', [
    'arn:aws:secretsmanager:evil.example/x:1:secret:foo-AAAAAA', 'arn:aws:secretsmanager:a@127.0.0.1/x:1:secret:foo-AAAAAA',
    'arn:aws:ssm:eu-central-1:1:parameter/foo', 'arn:a/b:secretsmanager:eu-central-1:1:secret:foo-AAAAAA'])
def test_an_arn_does_not_choose_who_is_shown_the_session_token(fleet, secrets, server, database, secret):
    """Its Region is a part of the name of the host that is asked."""
    payload = fleet().fail({**target(server, database), 'secret': secret})
    assert payload['errorType'] == 'Rdsinit.Event' and 'not one of Secrets Manager' in payload['errorMessage']
    assert 'arn:PARTITION:secretsmanager:' in payload['hint']
    assert secrets.requests == []


# One target

def test_a_target_of_its_own(fleet, secrets, server, databases):
    secrets.put('target', credentials(server))
    other, = databases(1)
    payload = fleet().succeed(target(server, other))
    assert (payload['database'], payload['databaseCreated']) == (other.name, True)
    assert other.relations() == ['shop.product']


def test_the_secret_says_the_rest(fleet, secrets, server, databases):
    other, = databases(1)
    secrets.put('whole', credentials(server, host=server.host, port=server.port, dbname=other.name))
    assert fleet().succeed({'secret': 'whole'})['database'] == other.name


def test_the_environment_says_the_rest_after_that(own, secrets, server, database, databases):
    other, = databases(1)
    secrets.put('target', credentials(server))
    function = own()
    assert function.succeed({'secret': 'target'})['database'] == database.name
    assert function.succeed({'secret': 'target', 'database': other.name})['database'] == other.name
    assert [seen.secret_id for seen in secrets.requests] == ['target', 'target']


def test_the_secrets_database_comes_before_the_environments(own, secrets, server, databases):
    other, = databases(1)
    secrets.put('whole', credentials(server, dbname=other.name))
    assert own().succeed({'secret': 'whole'})['database'] == other.name


def test_options_beside_a_target(fleet, secrets, server, databases):
    other, = databases(1)
    secrets.put('target', credentials(server))
    payload = fleet('CREATE TABLE :"name" ();').succeed(
        target(server, other, port=str(server.port), variables={'name': 'named'}, force=True, allow_data_loss=False))
    assert payload['scripts'][0]['outcome'] == 'applied' and other.relations() == ['public.named']


def test_a_bundle_of_several(fleet, secrets, server, databases):
    first, second = databases(2)
    secrets.put('target', credentials(server))
    function = fleet({'shop/a.sql': 'CREATE TABLE a ();', 'stock/b.sql': 'CREATE TABLE b ();'})
    function.succeed(target(server, first, bundle='schema/shop'))
    function.succeed(target(server, second, bundle='schema/stock/b.sql'))
    assert (first.relations(), second.relations()) == (['public.a'], ['public.b'])


@pytest.mark.parametrize('bundle', ['/etc', '/proc/self/environ', '../other', 'schema/../..', 'nosuch', '.', 'schema/link'])
def test_a_bundle_from_elsewhere_is_refused(fleet, secrets, server, databases, bundle):
    other, = databases(1)
    secrets.put('target', credentials(server))
    function = fleet({'a.sql': 'CREATE TABLE a ();'})
    (function.task / 'schema' / 'link').symlink_to('/etc')
    payload = function.fail(target(server, other, bundle=bundle))
    assert payload['errorType'] == 'Rdsinit.Event' and '"%s"' % bundle in payload['errorMessage']
    assert not other.exists()


@pytest.mark.parametrize('event, missing', [
    ({}, 'DB_HOST (host), DB_NAME (dbname), DB_SECRET_NAME'),
    ({'database': 'x'}, 'DB_HOST (host), DB_SECRET_NAME'),
    ({'secret': 'target'}, 'DB_HOST (host), DB_NAME (dbname)'),
], ids=['nothing', 'a database', 'a secret'])
def test_what_nobody_says_is_missing(fleet, secrets, server, event, missing):
    secrets.put('target', credentials(server))
    payload = fleet().fail(event)
    assert payload['errorType'] == 'Rdsinit.Configuration' and missing in payload['errorMessage']


@pytest.mark.parametrize('variable', ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'])
def test_a_secret_needs_credentials(fleet, secrets, variable):
    payload = fleet(**{variable: None, 'AWS_DEFAULT_REGION': None}).fail({'secret': 'target', 'host': 'h', 'database': 'd'})
    assert payload['errorType'] == 'Rdsinit.Configuration' and variable in payload['errorMessage']
    assert secrets.requests == []


@pytest.mark.parametrize('key, value', [
    ('host', ''), ('host', 1), ('host', None), ('port', 0), ('port', 65536), ('port', 'x'), ('port', ' 5432'), ('port', 1.5),
    ('database', ''), ('database', []), ('secret', ''), ('secret', {}), ('bundle', ''), ('bundle', True)])
def test_a_wrong_value_is_refused(own, database, key, value):
    payload = own().fail({key: value})
    assert payload['errorType'] == 'Rdsinit.Event' and '"%s"' % key in payload['errorMessage']
    assert not database.exists()


# Who may

@pytest.mark.parametrize('variables', [{'RDSINIT_EVENT_TARGETS': None}, {'RDSINIT_EVENT_TARGETS': 'refuse'}], ids=['unset', 'refuse'])
@pytest.mark.parametrize('key, value', [
    ('host', 'h'), ('port', 1), ('database', 'd'), ('secret', 's'), ('bundle', 'b')])
def test_only_where_it_is_allowed(own, secrets, database, variables, key, value):
    payload = own(**variables).fail({key: value, 'force': True})
    assert payload['errorType'] == 'Rdsinit.Event' and '"%s"' % key in payload['errorMessage']
    assert 'RDSINIT_EVENT_TARGETS=allow' in payload['hint']
    assert secrets.requests == [] and not database.exists()


@pytest.mark.parametrize('value', ['true', 'yes', 'Allow', '1'])
def test_a_word_that_is_none(own, value):
    payload = own(RDSINIT_EVENT_TARGETS=value).fail()
    assert 'RDSINIT_EVENT_TARGETS is not allow or refuse' in payload['errorMessage']


@pytest.fixture
def foreign(proxy):
    """A server of somebody else's; nobody of ours must ever connect to it."""
    return proxy()


def test_our_password_goes_to_no_host_of_an_event(plain, foreign):
    function = plain(SHOP, RDSINIT_EVENT_TARGETS='allow')
    payload = function.fail({'host': ELSEWHERE, 'port': foreign.port})
    assert payload['errorType'] == 'Rdsinit.Event' and '"secret"' in payload['errorMessage']
    payload = function.fail({'port': foreign.port})
    assert payload['errorType'] == 'Rdsinit.Event'
    assert foreign.connections == 0


@pytest.mark.parametrize('secret', ['own', 'arn', 'partial arn', None], ids=str)
def test_our_secret_goes_to_no_host_that_it_does_not_list(own, secrets, server, foreign, secret):
    function = own(secret=credentials(server, host=server.host, port=server.port))
    arn = secrets.put('own', credentials(server, host=server.host, port=server.port))
    names = {'arn': arn, 'partial arn': arn[:-7], 'own': 'own'}
    brought = {'secret': names[secret]} if secret else {}
    payload = function.fail({'host': ELSEWHERE, **brought})
    assert payload['errorType'] == 'Rdsinit.Event' and ELSEWHERE in payload['errorMessage'] and payload['hint']
    payload = function.fail({'port': foreign.port, **brought})
    assert payload['errorType'] == 'Rdsinit.Event' and str(foreign.port) in payload['errorMessage']
    payload = function.fail({'host': server.host + ',' + ELSEWHERE, **brought})
    assert payload['errorType'] == 'Rdsinit.Event' and ELSEWHERE in payload['errorMessage']
    assert foreign.connections == 0


def test_the_same_by_its_arn_in_the_environment(own, secrets, server):
    arn = secrets.put('own', credentials(server))
    function = own(DB_SECRET_NAME=arn)
    for name in ('own', arn):
        assert ELSEWHERE in function.fail({'host': ELSEWHERE, 'secret': name})['errorMessage']


def test_a_secret_can_list_hosts(own, secrets, server, database):
    hosts = 'a.invalid,%s, %s' % (server.host, ELSEWHERE)
    function = own(secret=credentials(server, host=hosts, port=server.port))
    assert function.succeed({'host': server.host})['database'] == database.name
    assert function.succeed({'host': server.host, 'port': server.port})['scripts'][0]['outcome'] == 'unchanged'


def test_the_environments_own_host_is_no_other(own, server, database):
    assert own().succeed({'host': server.host, 'port': server.port})['database'] == database.name


def test_a_database_alone_is_on_the_environments_host(own, databases):
    other, = databases(1)
    assert own().succeed({'database': other.name})['database'] == other.name


def test_a_resource_may_name_a_target(cloudformation, own, secrets, server, databases):
    other, = databases(1)
    secrets.put('target', credentials(server))
    result = cloudformation.resource(host=server.host, port=str(server.port), database=other.name, secret='target').create(own())
    assert (result.status, result.data['Database']) == ('SUCCESS', other.name)


@pytest.mark.extension
def test_a_plan_of_a_target(trigger, own, secrets, server, databases):
    other, = databases(1)
    other.create().rows('CREATE EXTENSION rdsinit')
    secrets.put('target', credentials(server))
    payload = own(RDSINIT_MODE='auto').succeed(target(server, other, plan=True))
    assert payload['statements'] == 3 and other.relations() == []


# Several

def test_a_list_one_after_another(fleet, secrets, server, databases):
    first, second = databases(2)
    secrets.put('target', credentials(server))
    payload = fleet().succeed([target(server, first), target(server, second)])
    assert payload['statusCode'] == 200
    assert [(result['target']['database'], result['scripts'][0]['outcome']) for result in payload['results']] == [
        (first.name, 'applied'), (second.name, 'applied')]
    assert first.relations() == second.relations() == ['shop.product']


def test_a_failure_does_not_stop_the_others(fleet, secrets, server, databases):
    first, second, third = databases(3)
    secrets.put('target', credentials(server))
    second.create().rows('CREATE SCHEMA shop')
    outcome = fleet().invoke([target(server, each) for each in (first, second, third)])
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Targets')
    payload = outcome.payload
    assert payload['errorMessage'].startswith('1 of 3 targets failed; the first of them is target 2: schema.sql:2:')
    assert [result.get('errorType') for result in payload['results']] == [None, 'Rdsinit.Script', None]
    assert payload['results'][1]['sqlstate'] == '42P06' and payload['results'][1]['target']['database'] == second.name
    assert third.relations() == ['shop.product']


def test_the_secret_of_one_is_not_the_nexts(fleet, secrets, server, databases):
    """Each has its own; a target without one has none."""
    first, second = databases(2)
    secrets.put('target', credentials(server))
    without = {key: value for key, value in target(server, second).items() if key != 'secret'}
    payload = fleet().fail([target(server, first), without])
    assert payload['errorType'] == 'Rdsinit.Event' and payload['errorMessage'].startswith('target 2 of the list: ')
    assert not first.exists() and not second.exists()


@pytest.mark.parametrize('wrong, named', [
    ({'hosts': 'x'}, '"hosts"'), ({'port': 'x'}, '"port"'), ({'force': 'true'}, '"force"')])
def test_a_list_that_is_not_understood_is_not_begun(fleet, secrets, server, databases, wrong, named):
    other, = databases(1)
    secrets.put('target', credentials(server))
    payload = fleet().fail([target(server, other), {**target(server, other), **wrong}])
    assert payload['errorMessage'].startswith('target 2 of the list: ') and named in payload['errorMessage']
    assert not other.exists()


def test_a_list_is_at_most_100_targets(own, database):
    payload = own().fail([{'force': True}] * 101)
    assert '101' in payload['errorMessage'] and 'Step Functions' in payload['hint']
    assert not database.exists()


def test_a_long_list_has_a_short_answer(own, database):
    """What failed is kept before what did not."""
    long = 'x' * 950
    function = own("\\if :fail\nDO $$ BEGIN RAISE EXCEPTION USING message = '%s', detail = '%s', hint = '%s'; END $$;\n\\endif\n"
                   % (long, long, long))
    targets = [{'force': True, 'variables': {'fail': number >= 50}} for number in range(100)]
    payload = function.fail(targets, timeout_s=120, timeout=120)
    assert payload['errorMessage'].startswith('50 of 100 targets failed; ')
    assert payload['truncated'] is True and payload['omitted'] == 100 - len(payload['results'])
    kept = sum('errorType' in result for result in payload['results'])
    assert kept > 30 and len(payload['results']) - kept < 25
    assert 100 * 1024 < len(json.dumps(payload, separators=(',', ':'), ensure_ascii=False).encode()) <= REPLY_AT_MOST


def test_what_there_was_no_time_for_says_so(fleet, secrets, server, databases):
    first, second = databases(2)
    secrets.put('target', credentials(server))
    function = fleet('SELECT pg_sleep(60);')
    payload = function.fail([target(server, first), target(server, second)], timeout_s=4)
    assert [result['errorType'] for result in payload['results']] == ['Rdsinit.Timeout'] * 2
    assert 'before work could begin' in payload['results'][1]['errorMessage']


def test_many_scripts_have_a_short_answer(plain, database):
    """What was applied is kept before what was there already."""
    bundle = {'%s/n%04d.sql' % ('d' * 150, number): 'SELECT %d;' % number for number in range(1000)}
    function = plain(bundle)
    first = function.succeed(timeout=60)
    assert first['truncated'] is True and first['omitted'] == 1000 - len(first['scripts'])
    assert len(json.dumps(first, separators=(',', ':')).encode()) <= REPLY_AT_MOST
    (function.task / 'schema' / ('d' * 150) / 'n0999.sql').write_text('SELECT 1000;')
    second = function.succeed(timeout=60)
    assert [script['name'][-9:] for script in second['scripts'] if script['outcome'] == 'applied'] == ['n0999.sql']
    assert second['scripts'][-1]['outcome'] == 'applied' and second['truncated'] is True

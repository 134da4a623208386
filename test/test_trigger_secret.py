"""The credentials: a secret of Secrets Manager, asked for with a signature that botocore verifies."""

import pytest

from standin import Credentials, SecretsManager


@pytest.fixture
def login(server):
    """The secret that opens the server."""
    return {'username': server.user, 'password': server.password}


def test_the_secret_lets_the_trigger_in(function, secrets, login):
    secrets.put('prod/db', login)
    assert function().succeed()['scripts'][0]['outcome'] == 'applied'
    assert [(seen.secret_id, seen.status) for seen in secrets.requests] == [('prod/db', 200)]


def test_a_secret_by_its_arn(function, secrets, login):
    arn = secrets.put('prod/db', login)
    function(DB_SECRET_NAME=arn).succeed()
    assert secrets.requests[0].secret_id == arn


def test_an_arns_region_is_the_one_that_is_signed_for(function, secrets, login):
    function(DB_SECRET_NAME=secrets.put('prod/db', login), AWS_REGION='us-east-1').succeed()


@pytest.mark.parametrize('name', ['a/b_+=.@-c', "rds!cluster-1", 'quote"back\\slash', 'Müller'])
def test_names_with_special_characters(function, secrets, login, name):
    secrets.put(name, login)
    function(DB_SECRET_NAME=name).succeed()
    assert secrets.requests[0].secret_id == name


def test_long_lived_keys_have_no_session_token(function, login):
    with SecretsManager(credentials=Credentials(session_token=None)) as secrets:
        secrets.put('prod/db', login)
        function(**secrets.environment(), AWS_SESSION_TOKEN=None).succeed()
        assert secrets.crashes == []


def test_the_general_endpoint_variable_will_do(function, secrets, login):
    secrets.put('prod/db', login)
    function(AWS_ENDPOINT_URL_SECRETS_MANAGER=None, AWS_ENDPOINT_URL=secrets.url).succeed()


def test_the_services_own_endpoint_variable_wins(function, secrets, login):
    secrets.put('prod/db', login)
    function(AWS_ENDPOINT_URL='http://127.0.0.1:1').succeed()


def test_host_port_and_database_may_come_from_the_secret(function, secrets, login, server, database):
    secrets.put('prod/db', {**login, 'host': server.host, 'port': server.port, 'dbname': database.name,
                            'engine': 'postgres'})
    payload = function(DB_HOST=None, DB_PORT=None, DB_NAME=None).succeed()
    assert (payload['database'], payload['databaseCreated']) == (database.name, True)


def test_the_environment_wins_over_the_secret(function, secrets, login, database):
    secrets.put('prod/db', {**login, 'host': 'host.invalid', 'port': 1, 'dbname': 'other'})
    assert function().succeed()['database'] == database.name


def test_a_host_that_neither_names_is_missing(function, secrets, login):
    secrets.put('prod/db', login)
    payload = function(DB_HOST=None).fail()
    assert payload['errorType'] == 'Rdsinit.Configuration'
    assert 'DB_HOST' in payload['errorMessage']


# Secrets that do not do.  Whatever a secret holds, none of it is said.

CANARY = 'canary-9f3b'

UNFIT = {
    'no JSON': (CANARY + ' is no JSON', 'JSON'),
    'cut JSON': ('{"username":"app","password":"%s"' % CANARY, 'JSON'),
    'no object': ('["%s"]' % CANARY, 'object'),
    'no password': ({'username': CANARY}, 'password'),
    'null password': ({'username': CANARY, 'password': None}, 'password'),
    'empty password': ({'username': CANARY, 'password': ''}, 'password'),
    'no username': ({'password': CANARY}, 'username'),
    'password is a number': ({'username': 'app', 'password': 918273645546372}, 'password'),
    'username is an array': ({'username': [CANARY], 'password': CANARY}, 'username'),
    'port is a word': ({'username': 'app', 'password': CANARY, 'port': CANARY}, 'port'),
    'port is too high': ({'username': 'app', 'password': CANARY, 'port': 65536}, 'port'),
    'host is a number': ({'username': 'app', 'password': CANARY, 'host': 918273645546372}, 'host'),
}


@pytest.mark.parametrize('value, named', UNFIT.values(), ids=UNFIT.keys())
def test_an_unfit_secret_is_named_by_what_is_wrong(function, secrets, value, named):
    secrets.put('prod/db', value)
    trigger = function()
    outcome = trigger.invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Secret')
    assert 'prod/db' in outcome.payload['errorMessage'] and named in outcome.payload['errorMessage']
    trigger.stop()
    for said in (outcome.raw, trigger.stderr):
        assert CANARY not in said and '918273645546372' not in said


def test_a_binary_secret(function, secrets):
    secrets.put('prod/db', binary='AAEC')
    payload = function().fail()
    assert (payload['errorType'], 'SecretString' in payload['errorMessage']) == ('Rdsinit.Secret', True)


def test_a_secret_that_is_not_there_is_an_error_at_once(function, secrets):
    payload = function().fail()
    assert payload['errorType'] == 'Rdsinit.Secret'
    assert 'prod/db' in payload['errorMessage']
    assert 'ResourceNotFoundException' in payload['errorMessage']
    assert "can't find the specified secret" in payload['errorMessage']
    assert len(secrets.requests) == 1


@pytest.mark.parametrize('changes, error', [
    ({'AWS_SECRET_ACCESS_KEY': 'wrong'}, 'InvalidSignatureException'),
    ({'AWS_SESSION_TOKEN': 'wrong'}, 'UnrecognizedClientException'),
    ({'AWS_SESSION_TOKEN': None}, 'UnrecognizedClientException'),
    ({'AWS_REGION': 'us-east-1'}, 'InvalidSignatureException'),
])
def test_wrong_credentials_are_an_error_at_once(function, secrets, login, changes, error):
    secrets.put('prod/db', login)
    payload = function(**changes).fail()
    assert payload['errorType'] == 'Rdsinit.Secret'
    assert error in payload['errorMessage']
    assert len(secrets.requests) == 1


# Faults that pass

@pytest.mark.parametrize('fault', [
    lambda secrets: secrets.throttle(2),
    lambda secrets: secrets.throttle(1, 'TooManyRequestsException'),
    lambda secrets: secrets.throttle(1, 'RequestLimitExceeded'),
    lambda secrets: secrets.fail(2, 503),
    lambda secrets: secrets.fail(1, 500),
    lambda secrets: secrets.close(2),
    lambda secrets: secrets.garbage(1, status=502),
    lambda secrets: secrets.slow(1, 0.3),
], ids=['throttled twice', 'too many requests', 'request limit', '503 twice', '500', 'closed twice',
        'a gateway in between', 'slow'])
def test_a_fault_that_passes_is_waited_out(function, secrets, login, fault):
    secrets.put('prod/db', login)
    fault(secrets)
    function().succeed()
    assert secrets.requests[-1].status == 200


def test_each_try_is_signed_anew_and_they_are_not_endless(function, secrets, login):
    secrets.put('prod/db', login)
    secrets.throttle(100)
    payload = function().fail(timeout_s=60)
    assert payload['errorType'] == 'Rdsinit.Secret'
    assert 'ThrottlingException' in payload['errorMessage']
    assert 2 <= len(secrets.requests) <= 10
    assert {seen.error for seen in secrets.requests} == {'ThrottlingException'}


def test_an_answer_that_is_none_of_aws_is_an_error(function, secrets, login):
    secrets.put('prod/db', login)
    secrets.garbage(20)
    payload = function().fail()
    assert payload['errorType'] == 'Rdsinit.Secret'
    assert '<html>' not in payload['errorMessage']


def test_a_service_that_never_answers_ends_before_the_deadline(function, secrets):
    secrets.slow(20, 30)
    outcome = function().invoke(timeout_s=2)
    assert outcome.kind == 'error' and outcome.elapsed < 2
    assert outcome.error_type in ('Rdsinit.Secret', 'Rdsinit.Timeout')


# The password

def test_the_password_is_never_said(function, secrets, role, database):
    user, password = role()
    database.create(user)
    secrets.put('prod/db', {'username': user, 'password': password})
    secrets.put('prod/wrong', {'username': user, 'password': password + CANARY})
    functions = [function(DB_SECRET_NAME=name) for name in ('prod/db', 'prod/wrong')]
    outcomes = [each.invoke() for each in functions]
    assert [(outcome.kind, outcome.payload.get('sqlstate')) for outcome in outcomes] == [
        ('response', None), ('error', '28P01')]
    for each in functions:
        each.stop()
    for said in [outcome.raw for outcome in outcomes] + [each.stderr for each in functions]:
        assert said
        assert password not in said and CANARY not in said
        assert secrets.credentials.secret_access_key not in said
        assert secrets.credentials.session_token not in said


def test_a_secret_is_fetched_again_for_each_invocation(function, secrets, login):
    """A rotated password would otherwise lock a warm function out."""
    secrets.put('prod/db', {**login, 'password': 'old'})
    running = function()
    assert running.fail()['sqlstate'] == '28P01'
    secrets.put('prod/db', login)
    running.succeed()

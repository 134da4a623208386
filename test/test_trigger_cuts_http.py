"""Each HTTP connection cut at each step, once: it is done again, or passed by, and nothing of it is repeated."""

import shutil

import pytest

from standin import Cutter, HttpsProxy, ParametersAndSecrets
from standin.cutter import AFTER_DELIVERY, BEFORE_DELIVERY, STEPS
from support.certificates import Authority
from support.scripts import SHOP

HOW = ['end', 'reset']
HOST = 'secretsmanager.eu-central-1.amazonaws.com'

every_step = pytest.mark.parametrize('step', STEPS)
some_steps = pytest.mark.parametrize('step', ['connect', 'request body', 'no answer', 'headers', 'half the body'])
either_way = pytest.mark.parametrize('how', HOW)


@pytest.fixture
def cutter():
    """cutter(service) stands before it from then on."""
    started = []

    def start(service):
        started.append(Cutter(service).start())
        return started[-1]
    yield start
    for each in started:
        each.stop()


@pytest.fixture
def canary(server, secrets, role, database):
    """A secret whose every part can be looked for."""
    user, password = role()
    database.create(user)
    secrets.put('prod/db', {'username': user, 'password': password})
    return password


def warnings(function):
    return [entry['message'] for entry in function.log if entry['level'] == 'WARN']


def no_secret_is_said(function, outcome, *secret):
    function.stop()
    for text in (outcome.raw, function.stderr):
        assert text and not any(each in text for each in secret)


@either_way
@every_step
def test_secrets_manager(function, secrets, cutter, canary, step, how):
    before = cutter(secrets)
    before.cut(step, how)
    running = function()
    outcome = running.invoke(timeout_s=20)
    assert outcome.kind == 'response' and before.cuts == [step]
    assert [seen.status for seen in secrets.requests] == [200] * (2 if step in AFTER_DELIVERY else 1)
    warning, = warnings(running)
    assert 'prod/db' in warning and 'trying again' in warning
    no_secret_is_said(running, outcome, canary, secrets.credentials.session_token, secrets.credentials.secret_access_key)


@pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')
@pytest.mark.parametrize('step', ('handshake',) + AFTER_DELIVERY)
def test_secrets_manager_within_tls(function, secrets, cutter, canary, step):
    """Where who cuts says nothing: there is no close_notify."""
    authority = Authority()
    before = cutter(secrets)
    with HttpsProxy(authority.issue(HOST), ('127.0.0.1', before.port)) as proxy:
        if step == 'handshake':
            proxy.close_handshakes(1)
        else:
            before.cut(step)
        running = function(ca={'amazon-roots.pem': authority.pem}, AWS_ENDPOINT_URL_SECRETS_MANAGER=None,
                           https_proxy=proxy.url)
        outcome = running.invoke(timeout_s=20)
    assert outcome.kind == 'response' and proxy.asked_for == [HOST + ':443'] * 2
    warning, = warnings(running)
    assert 'prod/db' in warning and 'trying again' in warning
    no_secret_is_said(running, outcome, canary, secrets.credentials.session_token)


@some_steps
def test_secrets_manager_that_is_always_cut_is_said_to_be(function, secrets, cutter, canary, step):
    before = cutter(secrets)
    before.cut(step, times=100)
    running = function()
    outcome = running.invoke(timeout_s=3)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Secret')
    assert 'could not read secret "prod/db"' in outcome.payload['errorMessage'] and 'attempts' in outcome.payload['errorMessage']
    assert len(before.cuts) > 2 and outcome.elapsed < 3
    no_secret_is_said(running, outcome, canary, secrets.credentials.session_token, secrets.credentials.secret_access_key)


@some_steps
def test_secrets_manager_that_falls_silent_ends_before_the_deadline(function, secrets, cutter, canary, step):
    before = cutter(secrets)
    before.cut(step, 'silence', times=10)
    running = function()
    outcome = running.invoke(timeout_s=2)
    assert outcome.kind == 'error' and outcome.elapsed < 2
    assert outcome.error_type in ('Rdsinit.Secret', 'Rdsinit.Timeout')
    no_secret_is_said(running, outcome, canary, secrets.credentials.session_token)


@either_way
@every_step
def test_the_cache(function, secrets, cutter, canary, database, step, how):
    """Whatever becomes of it, Secrets Manager itself is asked."""
    pass_the_cache_by(function, secrets, cutter, canary, step, how)


@some_steps
def test_a_cache_that_falls_silent(function, secrets, cutter, canary, database, step):
    pass_the_cache_by(function, secrets, cutter, canary, step, 'silence')


def pass_the_cache_by(function, secrets, cutter, canary, step, how):
    with ParametersAndSecrets(secrets.credentials) as cache:
        cache.put('prod/db', {'username': 'nobody', 'password': canary + 'cached'})
        before = cutter(cache)
        before.cut(step, how)
        running = function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=before.port)
        outcome = running.invoke(timeout_s=20)
        assert cache.crashes == [] and cache.violations == []
    assert outcome.kind == 'response' and before.cuts == [step]
    assert [seen.status for seen in secrets.requests] == [200]
    warning, = warnings(running)
    assert 'does not serve' in warning and 'asking Secrets Manager itself' in warning
    no_secret_is_said(running, outcome, canary, secrets.credentials.session_token)


@either_way
@every_step
def test_the_put_to_a_response_url(cloudformation, plain, cutter, database, step, how):
    # What S3 answers has no body: with its headers it is whole.
    cut_short = set(AFTER_DELIVERY) - {'end of headers', 'half the body'}
    before = cutter(cloudformation)
    running = plain(SHOP)
    before.cut(step, how)
    result = cloudformation.resource().create(running)
    assert result.status == 'SUCCESS' and [outcome.kind for outcome in result.outcomes] == ['response']
    assert before.cuts == [step]
    assert cloudformation.puts == [200] * (2 if step in cut_short else 1)
    assert database.relations() == ['shop.product']
    assert len(database.history('rdsinit_plain')) == 1
    no_secret_is_said(running, result.outcomes[0], 'Signature', 'AWSAccessKeyId')


def test_a_put_that_is_never_answered_ends_before_the_deadline(cloudformation, plain, cutter):
    """CloudFormation waits on; but nobody else does, and what is to be done about it is said."""
    before = cutter(cloudformation)
    before.cut('status line', 'silence', times=10)
    running = plain(SHOP)
    outcome = running.invoke(cloudformation.event('Create', cloudformation.resource(), {}), timeout_s=3)
    assert outcome.kind == 'error' and outcome.elapsed < 3
    assert 'CloudFormation could not be answered' in outcome.payload['errorMessage'] and 'S3' in outcome.payload['hint']
    no_secret_is_said(running, outcome, 'Signature', 'AWSAccessKeyId')

"""The stand-ins that a login needs: that they take what AWS takes, and refuse the rest."""

import datetime
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from standin import Credentials, ParametersAndSecrets, SecretsManager
from standin.rds_iam import RdsIam, token_of_botocore

CREDENTIALS = Credentials()


# Rotation

def versions(secrets):
    return {stage: json.loads(version['SecretString'])['password'] for stage, version in secrets._secrets['shop'].items()}


def test_a_rotation_has_a_next_version_until_it_is_finished():
    secrets = SecretsManager()
    secrets.put('shop', {'password': 'one'})
    secrets.rotate('shop', {'password': 'two'})
    assert versions(secrets) == {'AWSCURRENT': 'one', 'AWSPENDING': 'two'}
    secrets.finish('shop')
    assert versions(secrets) == {'AWSCURRENT': 'two'}


# The cache

@pytest.fixture
def cache():
    with ParametersAndSecrets(CREDENTIALS) as standin:
        standin.put('a b/c', {'password': 'pw'})
        yield standin
        assert standin.crashes == []


def ask(cache, path, token=CREDENTIALS.session_token, host='localhost'):
    request = urllib.request.Request('http://%s:%s%s' % (host, cache.port, path))
    if token:
        request.add_header('X-Aws-Parameters-Secrets-Token', token)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


GOOD = '/secretsmanager/get?secretId=a%20b%2Fc'


def test_the_cache_gives_a_secret_to_who_has_the_token(cache):
    status, answer = ask(cache, GOOD)
    assert (status, json.loads(answer['SecretString'])) == (200, {'password': 'pw'})
    assert cache.violations == []


@pytest.mark.parametrize('token', [None, 'another'])
def test_the_cache_gives_nothing_without_the_token(cache, token):
    assert ask(cache, GOOD, token)[0] == 401


def test_the_cache_is_not_ready_before_it_is(cache):
    cache.ready = False
    assert ask(cache, GOOD)[0] == 400


def test_the_cache_does_not_know_what_is_not_there(cache):
    assert ask(cache, '/secretsmanager/get?secretId=other')[0] == 400


@pytest.mark.parametrize('path, host', [('/secretsmanager?secretId=a', 'localhost'), (GOOD + '&other=1', 'localhost'),
                                        (GOOD, '127.0.0.1')])
def test_the_cache_keeps_what_was_asked_otherwise(cache, path, host):
    ask(cache, path, host=host)
    assert len(cache.violations) == 1


# IAM database authentication

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)


def judge(**changes):
    what = {'credentials': CREDENTIALS, 'region': 'eu-central-1', 'host': 'db', 'port': 5432, 'user': 'app',
            'when': datetime.datetime.utcnow(), **changes}
    return RdsIam(CREDENTIALS, 'eu-central-1', 'db', 5432).judge('app', token_of_botocore(**what))


def test_botocores_own_token_is_taken():
    assert judge() == ''


@pytest.mark.parametrize('changes', [
    {'host': 'other'}, {'port': 5433}, {'user': 'other'}, {'region': 'us-east-1'},
    {'credentials': Credentials(secret_access_key='wrong')}, {'credentials': Credentials(session_token=None)},
])
def test_another_token_is_refused(changes):
    assert judge(**changes) != ''


@pytest.mark.parametrize('minutes', [-16, 6])
def test_a_token_of_another_time_is_refused(minutes):
    assert judge(when=datetime.datetime.utcnow() + datetime.timedelta(minutes=minutes)) != ''


def test_the_clock_of_botocore_can_be_stopped():
    token = token_of_botocore(CREDENTIALS, 'eu-central-1', 'db', 5432, 'app', NOW)
    assert urllib.parse.parse_qs(token)['X-Amz-Date'] == ['20260102T030405Z']

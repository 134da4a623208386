"""By hand, outside Lambda."""

import re

import pytest

from support import run_once
from support.scripts import BROKEN, SHOP

RUN = {'RDSINIT_MODE': 'plain'}


def test_once_prints_the_response_and_ends_with_0(once, database):
    result = once(SHOP, **RUN)
    assert result.code == 0
    assert result.stdout.endswith('\n')
    assert (result.payload['statusCode'], result.payload['database']) == (200, database.name)
    assert result.payload['scripts'][0]['outcome'] == 'applied'
    assert all(entry['level'] for entry in result.log)


def test_once_prints_the_error_and_ends_with_1(once, database):
    result = once(BROKEN, **RUN)
    assert result.code == 1
    assert result.payload['errorType'] == 'Rdsinit.Script'
    assert result.payload['errorMessage'] == 'schema.sql:3:13: relation "shop.produkt" does not exist'
    assert database.relations() == []


def test_once_says_what_is_missing(once):
    result = once(SHOP, DB_HOST=None)
    assert result.code == 1
    assert result.payload['errorType'] == 'Rdsinit.Configuration'
    assert 'DB_HOST' in result.payload['errorMessage']


def test_once_has_no_lambda_around_it(once):
    result = once(SHOP, AWS_LAMBDA_RUNTIME_API='127.0.0.1:1', **RUN)
    assert result.code == 0


def test_a_timeout_of_ones_own(once):
    result = once('SELECT pg_sleep(60);', '--timeout', '2', **RUN)
    assert (result.code, result.payload['errorType']) == (1, 'Rdsinit.Timeout')


def test_two_runs_by_hand(once):
    assert [once(SHOP, **RUN).payload['scripts'][0]['outcome'] for _ in range(2)] == ['applied', 'unchanged']


def test_help():
    result = run_once('', {}, '--help')
    assert (result.code, result.stderr) == (0, '')
    for word in ('--once', '--timeout', '--version', 'DB_HOST', 'DB_NAME', 'DB_SECRET_NAME', 'DB_PORT', 'DB_USER',
                 'DB_PASSWORD', 'DB_SSLMODE', 'DB_SSLROOTCERT', 'DB_ADMIN_NAME', 'RDSINIT_BUNDLE', 'RDSINIT_MODE',
                 'RDSINIT_FORCE', 'AWS_ENDPOINT_URL_SECRETS_MANAGER'):
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_version():
    result = run_once('', {}, '--version')
    assert (result.code, result.stderr) == (0, '')
    assert re.fullmatch(r'(rdsinit|bootstrap)[^\n]* \d+\.\d+\.\d+\S*\n', result.stdout)


@pytest.mark.parametrize('arguments, named', [
    ((), '--once'),
    (('--one',), '--one'),
    (('--once', 'extra'), '--once'),
    (('--once', '--timeout'), '--timeout'),
    (('--once', '--timeout', 'x'), '--timeout'),
    (('--once', '--timeout', '0'), '--timeout'),
    (('--once', '--timeout', '1e9'), '--timeout'),
])
def test_wrong_usage_is_explained_on_stderr(arguments, named):
    result = run_once('', {}, *arguments)
    assert (result.code, result.stdout) == (2, '')
    assert named in result.stderr

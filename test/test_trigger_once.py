"""By hand, outside Lambda."""

import hashlib
import re
import subprocess

import pytest

from support import run_once
from support.scripts import BROKEN, SHOP
from support.trigger import write_bundle

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


def sha256sum(task, *names):
    """What the system's sha256sum prints for files, and the checksum of that."""
    listing = subprocess.run(['sha256sum', *names], cwd=task, capture_output=True, check=True).stdout
    return hashlib.sha256(listing).hexdigest() + '\n'


def test_the_bundles_checksum_can_be_made_by_sha256sum(tmp_path):
    files = {'b.sql': 'SELECT 1;\r\n', 'a/up.sql': 'SELECT 2;', 'B.sql': '\ufeffSELECT 3;', 'ä.sql': '', 'notes.txt': 'no script'}
    write_bundle(files, tmp_path)
    assert run_once(files, {}, '--bundle-checksum').stdout == sha256sum(tmp_path, 'B.sql', 'a/up.sql', 'b.sql', 'ä.sql')
    assert run_once(None, {'RDSINIT_BUNDLE': tmp_path / 'b.sql'}, '--bundle-checksum').stdout == sha256sum(tmp_path, 'b.sql')


def test_the_bundles_checksum_knows_of_every_change():
    def checksum(files):
        return run_once(files, {}, '--bundle-checksum').stdout
    base = {'a/up.sql': 'SELECT 1;', 'b.sql': 'SELECT 2;'}
    others = [{**base, 'b.sql': 'SELECT 3;'}, {'a/up.sql': 'SELECT 1;', 'c.sql': 'SELECT 2;'}, {'a/up.sql': 'SELECT 1;'},
              {**base, 'c.sql': ''}, {'a/up.sql': 'SELECT 2;', 'b.sql': 'SELECT 1;'},
              {**base, 'a/metadata.toml': 'run_in_transaction = false'}]
    assert len({checksum(files) for files in [base, *others]}) == 7
    assert checksum({**base, 'a/metadata.toml': 'run_in_transaction = true'}) == checksum(base)


def test_the_checksum_of_no_bundle():
    result = run_once(None, {}, '--bundle-checksum')
    assert (result.code, result.stdout) == (1, '') and 'schema.sql' in result.stderr


def test_help():
    result = run_once('', {}, '--help')
    assert (result.code, result.stderr) == (0, '')
    for word in ('--once', '--plan', '--bundle-checksum', '--timeout', '--version', 'DB_HOST', 'DB_NAME', 'DB_SECRET_NAME', 'DB_PORT', 'DB_USER',
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
    (('--once', '--bundle-checksum'), '--bundle-checksum'),
    (('--once', '--timeout'), '--timeout'),
    (('--once', '--timeout', 'x'), '--timeout'),
    (('--once', '--timeout', '0'), '--timeout'),
    (('--once', '--timeout', '1e9'), '--timeout'),
])
def test_wrong_usage_is_explained_on_stderr(arguments, named):
    result = run_once('', {}, *arguments)
    assert (result.code, result.stdout) == (2, '')
    assert named in result.stderr

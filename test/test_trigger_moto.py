"""Secrets Manager as moto has it, which others have written: with authentication switched on.

`./dev trees 17` makes a directory with moto's server in it; RDSINIT_MOTO names another one.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import botocore.session
import pytest

from support.ports import Port
from support.trigger import ROOT

TREES = pathlib.Path(os.environ.get('RDSINIT_CACHE') or ROOT / 'build' / 'trees')
PLACE = pathlib.Path(os.environ.get('RDSINIT_MOTO') or TREES / '17')
REGION = 'eu-central-1'
ALLOWED = {'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Action': 'secretsmanager:GetSecretValue', 'Resource': '*'}]}


def command():
    """What starts moto's server: the one installed here, or that of a tree."""
    if shutil.which('moto_server'):
        return ['moto_server']
    if (PLACE / 'usr/bin/moto_server').exists() and os.getuid() == 0:
        return ['chroot', str(PLACE), '/usr/bin/moto_server']
    return None


pytestmark = pytest.mark.skipif(command() is None, reason='no moto_server here, nor (for root) below %s: ./dev trees 17' % PLACE)


class Moto:
    def __init__(self):
        self._port = Port()
        self.port = self._port.number
        self.url = 'http://127.0.0.1:%d' % self.port
        self._process = subprocess.Popen(
            [*command(), '-H', '127.0.0.1', '-p', str(self.port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={'PATH': os.environ['PATH'], 'INITIAL_NO_AUTH_ACTION_COUNT': '1000000'})
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                break
            except OSError:
                assert self._process.poll() is None and time.monotonic() < end, "moto's server does not start"
                time.sleep(0.1)
        self._session = botocore.session.Session()
        self._session.set_credentials('AKIAIOSFODNN7EXAMPLE', 'setting/up')
        iam = self.client('iam')
        iam.create_user(UserName='function')
        iam.put_user_policy(UserName='function', PolicyName='secret', PolicyDocument=json.dumps(ALLOWED))
        key = iam.create_access_key(UserName='function')['AccessKey']
        self.environment = {'AWS_ACCESS_KEY_ID': key['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': key['SecretAccessKey'],
                            'AWS_REGION': REGION, 'AWS_ENDPOINT_URL_SECRETS_MANAGER': self.url}

    def client(self, service):
        return self._session.create_client(service, region_name=REGION, endpoint_url=self.url)

    def authenticate(self, from_now_on=True):
        """From now on every signature and right is verified; or none is."""
        request = urllib.request.Request(self.url + '/moto-api/reset-auth', data=b'0' if from_now_on else b'1000000',
                                         headers={'Content-Type': 'text/plain'})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            assert answer.status == 200

    def stop(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._port.close()


@pytest.fixture(scope='module')
def moto():
    server = Moto()
    yield server
    server.stop()


@pytest.fixture
def secrets(moto):
    """Secrets Manager's client, for setting up; a test switches authentication on when that is done."""
    moto.authenticate(False)
    return moto.client('secretsmanager')


@pytest.fixture
def function(trigger, moto):
    def start(name, **variables):
        moto.authenticate()
        return trigger('SELECT 1;', **{**moto.environment, 'DB_SECRET_NAME': name, 'RDSINIT_MODE': 'plain',
                                       'DB_USER': None, 'DB_PASSWORD': None, **variables})
    return start


@pytest.fixture
def account(role, database):
    user, password = role()
    database.create(user)
    return {'username': user, 'password': password}


def text(account, **changes):
    return json.dumps({**account, **changes})


def test_a_secret_by_name_and_by_arn(function, secrets, account):
    arn = secrets.create_secret(Name='both', SecretString=text(account))['ARN']
    function('both').succeed()
    function(arn, AWS_REGION='us-east-1').succeed()


@pytest.mark.parametrize('changes', [{'AWS_SECRET_ACCESS_KEY': 'wrong'}, {'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7NOBODYS'}])
def test_who_does_not_sign_as_he_must_gets_nothing(function, secrets, account, changes):
    name = next(iter(changes))
    secrets.create_secret(Name=name, SecretString=text(account))
    payload = function(name, **changes).fail()
    assert payload['errorType'] == 'Rdsinit.Secret'
    assert '403' in payload['errorMessage']     # moto says it in XML, which AWS does not
    assert 'secretsmanager:GetSecretValue' in payload['hint']


def test_a_secret_that_is_not_there(function, secrets):
    payload = function('nowhere').fail()
    assert payload['errorType'] == 'Rdsinit.Secret' and 'ResourceNotFoundException' in payload['errorMessage']


def test_a_rotation_midway(function, secrets, account):
    secrets.create_secret(Name='rotated', SecretString=text(account, password='before'))
    secrets.put_secret_value(SecretId='rotated', SecretString=text(account), VersionStages=['AWSPENDING'])
    function('rotated').succeed()


def test_no_rotation_is_no_error_of_its_own(function, secrets, account):
    secrets.create_secret(Name='wrong', SecretString=text(account, password='wrong'))
    payload = function('wrong').fail()
    assert (payload['errorType'], payload['sqlstate']) == ('Rdsinit.Connection', '28P01')

"""IAM database authentication: a token that botocore would have made, byte for byte, for each connection a new one."""

import datetime
import pathlib
import shutil
import socket
import struct
import tempfile
import threading
import time
import urllib.parse

import pytest

from standin import Credentials
from standin.rds_iam import RdsIam, token_of_botocore
from support import Cluster, Database
from support.certificates import Authority

pytestmark = pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')

REGION = 'eu-central-1'
USER = 'app user/ü+&'


@pytest.fixture(scope='module')
def authority():
    return Authority()


@pytest.fixture(params=[Credentials(), Credentials(session_token=None)], ids=['role', 'long-lived keys'])
def credentials(request):
    return request.param


@pytest.fixture(scope='module')
def cluster_with_tls(authority):
    cluster = Cluster(ssl='on').initialize()
    try:
        pem, key = authority.issue('localhost')
        cluster.install('server.crt', pem)
        cluster.install('server.key', key)
        cluster.start()
        cluster.server.rows('CREATE ROLE "%s" LOGIN CREATEDB' % USER)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def iam(credentials, cluster_with_tls):
    """RDS's side: the server lets USER in by whatever this stand-in takes for a valid token."""
    cluster = cluster_with_tls
    with RdsIam(credentials, REGION, 'localhost', cluster.settings['port']) as standin:
        cluster.install('pg_hba.conf', 'hostssl all "%s" 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport=%d '
                        'ldapprefix="user="\n'
                        'host all postgres 127.0.0.1/32 scram-sha-256\n' % (USER, standin.port))
        cluster.server.rows('SELECT pg_reload_conf()')
        time.sleep(0.2)
        yield standin


@pytest.fixture
def place(cluster_with_tls):
    database = Database(cluster_with_tls.server)
    yield database
    database.drop()


@pytest.fixture
def function(trigger, iam, credentials, authority, place):
    def start(**variables):
        return trigger('SELECT 1;', at=place, ca=authority.pem,
                       **{'DB_HOST': 'localhost', 'DB_USER': USER, 'DB_PASSWORD': None, 'DB_AUTH': 'iam',
                          'DB_SSLMODE': None, 'RDSINIT_MODE': 'plain', 'AWS_REGION': REGION,
                          **credentials.environment(), **variables})
    return start


def test_a_token_lets_us_in(function, iam, place):
    assert function().succeed()['databaseCreated'] is True
    assert iam.refused == []
    # to the database that is not there, to create it, and to what is there then
    assert len(iam.accepted) == 3


def test_a_host_in_capitals(function, iam):
    function(DB_HOST='LocalHost').succeed()
    assert iam.refused == [] and 'LocalHost:' in iam.accepted[0][1]


def test_each_connection_has_a_token_of_its_own(function, iam):
    running = function()
    running.succeed()
    time.sleep(1.1)
    running.succeed()
    assert iam.refused == []
    assert len({token for _, token in iam.accepted}) >= 2


def test_a_token_of_a_wrong_key_is_refused(function, iam):
    outcome = function(AWS_SECRET_ACCESS_KEY='wrong').invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert outcome.payload['sqlstate'] in ('28000', '28P01')
    assert 'rds_iam' in outcome.payload['hint'] and 'rds-db:connect' in outcome.payload['hint']
    assert [reason for _, _, reason in iam.refused] == ['signed otherwise']
    assert 'X-Amz' not in outcome.raw


def test_the_token_is_never_said(function, iam, credentials):
    running = function()
    outcome = running.invoke()
    running.stop()
    for said in (outcome.raw, running.stderr):
        for _, token in iam.accepted:
            signature = urllib.parse.parse_qs(token)['X-Amz-Signature'][0]
            assert signature not in said
        assert credentials.secret_access_key not in said


def test_the_user_may_come_from_a_secret(function, secrets, iam, credentials):
    secrets.credentials = credentials
    secrets.put('prod/db', {'username': USER, 'password': 'not used'})
    function(**secrets.environment(), DB_SECRET_NAME='prod/db', DB_USER=None).succeed()
    assert iam.refused == [] and len(iam.accepted) > 0


def test_the_user_that_is_named_goes_before_the_secrets(function, secrets, iam, credentials):
    secrets.credentials = credentials
    secrets.put('prod/db', {'username': 'master', 'password': 'not used'})
    function(**secrets.environment(), DB_SECRET_NAME='prod/db').succeed()
    assert {user for user, _ in iam.accepted} == {USER}


def test_a_secret_that_an_event_brings_has_a_password(function, secrets, iam, credentials, cluster_with_tls):
    """A token would be for its user as the environment's is let in."""
    server = cluster_with_tls.server
    secrets.credentials = credentials
    secrets.put('target', {'username': server.user, 'password': server.password})
    running = function(**secrets.environment(), RDSINIT_EVENT_TARGETS='allow')
    assert running.succeed({'secret': 'target'})['databaseCreated'] is True
    assert iam.accepted == [] and iam.refused == []
    running.invoke()        # what it finds there is another role's
    assert len(iam.accepted) > 0, 'the environment has tokens still'


def test_botocores_token_is_what_it_is_compared_with(iam, credentials):
    """The stand-in would take a token of botocore's, and none for another host, user or time."""
    now = datetime.datetime.utcnow()
    port = iam.port_of_server

    def judged(host='localhost', user=USER, when=now, region=REGION):
        return iam.judge(USER, token_of_botocore(credentials, region, host, port, user, when))
    assert judged() == ''
    assert judged(host='other') and judged(user='other') and judged(region='us-east-1')
    assert judged(when=now - datetime.timedelta(minutes=16))


# The Region that is signed for is the server's, where its name says it.  Names like these cannot be resolved here,
# so they are a directory's, in which a server's socket is.

@pytest.mark.parametrize('host, region', [
    ('db.abc123.us-west-2.rds.amazonaws.com', 'us-west-2'),
    ('proxy.proxy-abc123.ap-southeast-3.rds.amazonaws.com', 'ap-southeast-3'),
    ('db.abc123.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'),
    ('db.rds.example.com', REGION),
    ('db.example.com', REGION),
])
def test_the_region_that_is_signed_for(trigger, host, region):
    with tempfile.TemporaryDirectory(prefix='rds') as directory:
        place = pathlib.Path(directory, host)
        place.mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place / '.s.PGSQL.5432'))
            listener.listen()
            seen = []
            server = threading.Thread(target=_ask_for_a_password, args=(listener, seen), daemon=True)
            server.start()
            trigger('SELECT 1;', DB_HOST=place, DB_PORT=5432, DB_USER='app', DB_PASSWORD=None, DB_AUTH='iam',
                    DB_SSLMODE='require', RDSINIT_MODE='plain', AWS_REGION=REGION,
                    **Credentials().environment()).fail(timeout_s=10)
            server.join(5)
    credential = urllib.parse.parse_qs(seen[0])['X-Amz-Credential'][0]
    assert credential.split('/')[2:] == [region, 'rds-db', 'aws4_request']


def _ask_for_a_password(listener, seen):
    connection, _ = listener.accept()
    with connection:
        length, = struct.unpack('!i', connection.recv(4, socket.MSG_WAITALL))
        connection.recv(length - 4, socket.MSG_WAITALL)
        connection.sendall(b'R' + struct.pack('!ii', 8, 3))
        kind, length = struct.unpack('!ci', connection.recv(5, socket.MSG_WAITALL))
        assert kind == b'p'
        seen.append(connection.recv(length - 4, socket.MSG_WAITALL).rstrip(b'\0').decode())
        connection.sendall(b'E' + struct.pack('!i', 24) + b'SFATAL\0C28000\0Mno\0\0'.ljust(20, b'\0'))


# What does not go together

@pytest.mark.parametrize('variables, said', [
    ({'DB_SSLMODE': 'prefer'}, 'DB_AUTH is iam, which needs TLS'),
    ({'DB_SSLMODE': 'disable'}, 'DB_AUTH is iam, which needs TLS'),
    ({'DB_PASSWORD': 'canary'}, 'DB_PASSWORD is set'),
    ({'DB_USER': None}, 'DB_USER (or DB_SECRET_NAME)'),
    ({'AWS_REGION': None}, 'AWS_REGION'),
    ({'AWS_ACCESS_KEY_ID': None}, 'AWS_ACCESS_KEY_ID'),
    ({'DB_AUTH': 'kerberos'}, 'DB_AUTH is not password or iam'),
])
def test_what_does_not_go_together(function, variables, said):
    outcome = function(**variables).invoke()
    assert outcome.error_type == 'Rdsinit.Configuration'
    assert said in outcome.payload['errorMessage'] and 'canary' not in outcome.raw

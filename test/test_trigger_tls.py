"""TLS: required unless told otherwise, verified where a CA certificate is packaged, and clear where it fails."""

import os
import shutil
import struct
import subprocess

import pytest

from standin.listener import Listener
from support import Cluster
from support.certificates import Authority
from support.trigger import pack, run_once

pytestmark = pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')

SCRIPT = 'SELECT 1;'


@pytest.fixture(scope='module')
def authority():
    return Authority()


@pytest.fixture(scope='module')
def stranger():
    return Authority('a CA of somebody else')


class Tls:
    """A server that speaks TLS, whose certificate can be changed."""

    def __init__(self, authority):
        self.cluster = Cluster(ssl='on').initialize()
        self.authority = authority

    def present(self, host='localhost', **dates):
        pem, key = self.authority.issue(host, **dates)
        self.cluster.install('server.crt', pem)
        self.cluster.install('server.key', key)
        if (self.cluster.data / 'postmaster.pid').exists():
            self.cluster.run('pg_ctl', 'stop', '--mode=fast', '--wait', '--silent', '--pgdata=%s' % self.cluster.data)
        self.cluster.start()
        return self


@pytest.fixture(scope='module')
def tls(authority):
    """A server whose certificate is right, for localhost."""
    server = Tls(authority)
    try:
        yield server.present()
    finally:
        server.cluster.remove()


@pytest.fixture
def other(authority):
    """A server for a test that changes its certificate."""
    server = Tls(authority)
    yield server
    server.cluster.remove()


def variables(server, **more):
    return {**server.cluster.server.environment(), 'DB_HOST': 'localhost', 'DB_NAME': 'postgres',
            'DB_SSLMODE': None, 'RDSINIT_MODE': 'plain', **more}


@pytest.fixture
def function(trigger, tls):
    """function(ca=PEM, VARIABLE=…): the trigger before that server, with nothing said of TLS."""
    def start(ca=None, at=tls, **more):
        return trigger(SCRIPT, **variables(at, **more), ca=ca)
    return start


def refused(function):
    """The payload of an invocation that fails at once, for the connection."""
    outcome = function.invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection'), outcome.payload
    assert outcome.elapsed < 5
    return outcome.payload


# Verified

def test_tls_is_used_without_being_asked_for(trigger, tls):
    script = "DO $$ BEGIN IF NOT (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) THEN RAISE 'no TLS'; END IF; END $$;"
    trigger(script, **variables(tls)).succeed()


@pytest.mark.parametrize('name', ['ca.pem', 'rds-roots.pem', 'amazon-roots.pem'])
def test_each_packaged_file_is_verified_against(function, authority, stranger, name):
    function(ca={name: authority.pem}).succeed()
    assert 'certificate verify failed' in refused(function(ca={name: stranger.pem}))['errorMessage']


@pytest.mark.parametrize('right', ['ca.pem', 'rds-roots.pem', 'amazon-roots.pem'])
def test_all_packaged_files_count_together(function, authority, stranger, right):
    files = {name: stranger.pem.rstrip('\n') for name in ('ca.pem', 'rds-roots.pem', 'amazon-roots.pem')}
    function(ca={**files, right: authority.pem.rstrip('\n')}).succeed()
    message = refused(function(ca=files))['errorMessage']
    assert 'ca.pem, rds-roots.pem, amazon-roots.pem' in message and '/proc' not in message


@pytest.mark.skipif(os.getuid() != 0, reason='only root can start a program as somebody else')
def test_all_together_can_be_read_by_an_unprivileged_user(tls, authority, stranger, tmp_path):
    pack(SCRIPT, tmp_path, {'rds-roots.pem': authority.pem, 'amazon-roots.pem': stranger.pem})
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if str(parent).startswith('/tmp/'):
            parent.chmod(0o755)
    environment = {name: str(value) for name, value in variables(tls).items() if value is not None}
    finished = subprocess.run([tmp_path / 'bootstrap', '--once'], env=environment, user='nobody', group='nogroup',
                              extra_groups=[], cwd='/', capture_output=True, text=True, timeout=30)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_ca_may_be_named(function, authority, tmp_path):
    (tmp_path / 'root.pem').write_text(authority.pem)
    function(DB_SSLROOTCERT=str(tmp_path / 'root.pem')).succeed()


def test_the_ca_that_is_named_goes_before_those_packaged(function, authority, stranger, tmp_path):
    (tmp_path / 'root.pem').write_text(stranger.pem)
    message = refused(function(ca=authority.pem, DB_SSLROOTCERT=str(tmp_path / 'root.pem')))['errorMessage']
    assert str(tmp_path / 'root.pem') in message


def test_who_asks_for_less_gets_less(function, stranger):
    function(ca=stranger.pem, DB_SSLMODE='require').succeed()


# Refused.  What, where, and what to do.

def test_an_unknown_ca(function, stranger, tls):
    payload = refused(function(ca=stranger.pem))
    for said in ('"localhost"', 'port %d' % tls.cluster.settings['port'], 'certificate verify failed',
                 'unable to get local issuer certificate', 'CN=localhost', 'signed by CN=rdsinit test CA', 'ca.pem'):
        assert said in payload['errorMessage']
    assert 'ca.pem' in payload['hint'] and 'DB_SSLROOTCERT' in payload['hint']


def test_an_expired_certificate(function, other, authority):
    other.present(start='20200101000000Z', end='20200201000000Z')
    payload = refused(function(ca=authority.pem, at=other))
    assert 'certificate has expired' in payload['errorMessage'] and 'Feb  1 00:00:00 2020' in payload['errorMessage']
    assert 'Renew' in payload['hint']


def test_a_certificate_that_is_not_valid_yet(function, other, authority):
    other.present(start='20900101000000Z', end='20910101000000Z')
    payload = refused(function(ca=authority.pem, at=other))
    assert 'not yet valid' in payload['errorMessage'] and 'clock' in payload['hint']


def test_another_host_name(function, authority):
    payload = refused(function(ca=authority.pem, DB_HOST='127.0.0.1'))
    assert 'server certificate for "localhost"' in payload['errorMessage']
    assert 'does not match host name "127.0.0.1"' in payload['errorMessage']
    assert 'DB_HOST' in payload['hint'] and 'verify-ca' in payload['hint']
    function(ca=authority.pem, DB_HOST='127.0.0.1', DB_SSLMODE='verify-ca').succeed()


def test_a_server_without_tls_is_not_talked_to(trigger, bare):
    payload = refused(trigger(SCRIPT, **{**bare.environment(), 'DB_NAME': 'postgres', 'DB_SSLMODE': None,
                                         'RDSINIT_MODE': 'plain'}))
    assert 'server does not support SSL' in payload['errorMessage']
    assert 'ssl = on' in payload['hint'] and 'DB_SSLMODE=disable' in payload['hint']


def test_a_server_too_old(function, other, authority):
    other.cluster.settings['ssl_min_protocol_version'] = 'TLSv1'
    with open(other.cluster.data / 'postgresql.conf', 'a', encoding='utf-8') as file:
        file.write("ssl_min_protocol_version = 'TLSv1'\nssl_max_protocol_version = 'TLSv1.1'\nssl_ciphers = 'ALL:@SECLEVEL=0'\n")
    other.present()
    payload = refused(function(ca=authority.pem, at=other))
    assert 'SSL error' in payload['errorMessage']
    assert 'TLS 1.2' in payload['hint'] and 'ssl_max_protocol_version' in payload['hint']


class Odd(Listener):
    """Answers SSLRequest with bytes of its own; then the connection is closed."""

    def __init__(self, answer, after=None):
        super().__init__()
        self.answer, self.after = answer, after
        self.connections = 0

    def _serve(self, client):
        self.connections += 1
        request = client.recv(8)
        assert struct.unpack('!ii', request) == (8, 80877103)
        client.sendall(self.answer)
        client.recv(1 << 16)
        if self.after:
            client.sendall(self.after)


@pytest.fixture
def odd():
    made = []

    def make(*how):
        made.append(Odd(*how).start())
        return made[-1]
    yield make
    for each in made:
        each.stop()


def test_something_that_is_no_postgresql(function, odd):
    payload = refused(function(DB_PORT=odd(b'HTTP/1.1 400 Bad Request\r\n\r\n').port))
    assert 'invalid response to SSL negotiation' in payload['errorMessage']
    assert 'DB_HOST' in payload['hint'] and 'DB_PORT' in payload['hint']


def test_plain_text_within_the_handshake(function, odd):
    payload = refused(function(DB_PORT=odd(b'S', b'HTTP/1.1 400 Bad Request\r\n\r\n').port))
    assert 'SSL error' in payload['errorMessage'] and 'DB_PORT' in payload['hint']


def test_a_handshake_that_is_cut_is_tried_again(function, odd):
    cutting = odd(b'S')
    outcome = function(DB_PORT=cutting.port).invoke(timeout_s=2)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert 'SSL' in outcome.payload['errorMessage'] and 'attempts' in outcome.payload['errorMessage']
    assert "the server's log" in outcome.payload['hint']
    assert cutting.connections > 1


# CA files that do not serve

UNFIT = {
    'empty': (b'', 'is empty'),
    'of text': (b'no certificate', 'there is no certificate in it'),
    'a key': (b'-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'there is no certificate in it'),
    'in DER': (bytes([0x30, 0x82, 0, 1]) * 50, 'there is no certificate in it'),
}


@pytest.mark.parametrize('content, said', UNFIT.values(), ids=UNFIT.keys())
@pytest.mark.parametrize('named', [True, False], ids=['named', 'packaged'])
def test_a_ca_file_that_does_not_serve(function, tmp_path, content, said, named):
    (tmp_path / 'root.pem').write_bytes(content)
    if named:
        running = function(DB_SSLROOTCERT=str(tmp_path / 'root.pem'))
    else:
        running = function(ca={'rds-roots.pem': content.decode('latin-1')})
    payload = running.fail()
    assert payload['errorType'] == 'Rdsinit.Configuration'
    assert said in payload['errorMessage'] and 'PEM' in payload['errorMessage']
    assert ('root.pem" (DB_SSLROOTCERT)' if named else 'rds-roots.pem" (beside the program)') in payload['errorMessage']


def test_a_ca_file_that_is_not_there(function):
    payload = function(DB_SSLROOTCERT='/nowhere/root.pem').fail()
    assert payload['errorType'] == 'Rdsinit.Configuration'
    assert '"/nowhere/root.pem" (DB_SSLROOTCERT)' in payload['errorMessage']
    assert 'No such file or directory' in payload['errorMessage']


def test_a_ca_file_that_is_a_directory(function, tmp_path):
    assert 'not a file' in function(DB_SSLROOTCERT=str(tmp_path)).fail()['errorMessage']


def test_a_damaged_certificate(function, tmp_path, authority):
    lines = authority.pem.splitlines()
    lines[2] = 'A' * len(lines[2])
    (tmp_path / 'root.pem').write_text('\n'.join(lines) + '\n')
    payload = refused(function(DB_SSLROOTCERT=str(tmp_path / 'root.pem')))
    assert 'no certificates could be read from the CA file (%s)' % (tmp_path / 'root.pem') in payload['errorMessage']
    assert 'PEM' in payload['hint']


def test_verifying_without_a_ca_file(function):
    payload = function(DB_SSLMODE='verify-full').fail()
    assert payload['errorType'] == 'Rdsinit.Configuration'
    assert 'DB_SSLROOTCERT' in payload['errorMessage'] and 'rds-roots.pem' in payload['errorMessage']


def test_by_hand_as_well(tls, authority, tmp_path):
    (tmp_path / 'root.pem').write_text(authority.pem)
    run = run_once(SCRIPT, variables(tls, DB_SSLROOTCERT=tmp_path / 'root.pem'), '--once')
    assert run.code == 0, run.stdout

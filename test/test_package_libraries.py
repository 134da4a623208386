"""What the package's own libraries do as the machine's do it: OpenSSL's errors, which are loaded late, and SCRAM, which is computed anew.

(trigger/package/tls_errors.c, trigger/package/scram.c)
"""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import uuid

import pytest

from standin.listener import Listener
from support import Cluster
from support import package as packages
from support.certificates import Authority
from support.database import quoted

SALT = b'a salt, 16 bytes'


@pytest.fixture(scope='module')
def task(package, tmp_path_factory):
    return packages.unpack(package, tmp_path_factory.mktemp('task'))


@pytest.fixture
def once(task, database):
    """once(VARIABLE=…): the package's program, once; its answer."""
    def run(**variables):
        finished = subprocess.run(
            [task / 'bootstrap', '--once', '--timeout', '5'], capture_output=True, text=True, timeout=30,
            env={**database.server.environment(), 'DB_NAME': database.name, 'RDSINIT_MODE': 'plain', **variables})
        answer = json.loads(finished.stdout)
        assert ('errorType' in answer) == (finished.returncode != 0), finished.stderr
        return answer
    return run


# OpenSSL's errors

class Speaks(Listener):
    """Not TLS: bytes of its own for an SSLRequest, others for what comes then."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = answers

    def _serve(self, client):
        for answer in self.answers:
            client.recv(1 << 16)
            client.sendall(answer)


@pytest.fixture
def speaks():
    started = []

    def start(*answers):
        started.append(Speaks(*answers).start())
        return started[-1].port
    yield start
    for each in started:
        each.stop()


PLAIN = b'HTTP/1.1 400 Bad Request\r\n\r\n'


def test_libpq_says_what_is_wrong_with_tls(once, speaks):
    answer = once(DB_PORT=str(speaks(b'S', PLAIN)), DB_SSLMODE='require')
    assert 'SSL error: wrong version number' in answer['errorMessage']
    assert 'DB_PORT' in answer['hint']


def test_libcurl_says_what_is_wrong_with_tls(once, speaks, secrets):
    answer = once(**{**secrets.environment(), 'DB_SECRET_NAME': 'rds', 'DB_USER': '', 'DB_PASSWORD': '',
                     'AWS_ENDPOINT_URL_SECRETS_MANAGER': 'https://127.0.0.1:%d' % speaks(PLAIN)})
    assert answer['errorType'] == 'Rdsinit.Secret'
    assert 'SSL routines::wrong version number' in answer['errorMessage']


@pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')
def test_a_certificate_of_a_ca_that_is_not_known(once, tmp_path):
    certificate, key = Authority().issue('localhost')
    (tmp_path / 'other.pem').write_text(Authority('a CA of somebody else').pem)
    cluster = Cluster(ssl='on').initialize()
    try:
        cluster.install('server.crt', certificate)
        cluster.install('server.key', key)
        cluster.start()
        answer = once(**{**cluster.server.environment(), 'DB_HOST': 'localhost', 'DB_SSLMODE': 'verify-full',
                         'DB_SSLROOTCERT': str(tmp_path / 'other.pem')})
    finally:
        cluster.remove()
    for said in ('SSL error: certificate verify failed', 'unable to get local issuer certificate', 'signed by CN=rdsinit test CA'):
        assert said in answer['errorMessage']


# SCRAM

@pytest.fixture
def owner(database, server):
    """owner(verifier): a role that has it, and the database."""
    names = []

    def make(verifier):
        names.append('rdsinit_test_' + uuid.uuid4().hex[:12])
        server.rows('CREATE ROLE %s LOGIN PASSWORD %%s' % quoted(names[-1]), (verifier,))
        database.create(owner=names[-1])
        return names[-1]
    yield make
    database.drop()
    for name in names:
        server.rows('DROP ROLE %s' % quoted(name))


def verifier(password, iterations, salt=SALT):
    """What the server keeps of a password, as RFC 5802 has it and not as libpq does."""
    salted = hashlib.pbkdf2_hmac('sha256', password, salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b'Client Key', 'sha256')).digest()
    return 'SCRAM-SHA-256$%d:%s$%s:%s' % (iterations, *(base64.b64encode(part).decode() for part in (
        salt, stored, hmac.digest(salted, b'Server Key', 'sha256'))))


@pytest.mark.parametrize('iterations', [1, 2, 4096, 20000])
def test_as_many_iterations_as_the_server_asks_for(once, owner, iterations):
    role = owner(verifier(b'secret', iterations))
    assert once(DB_USER=role, DB_PASSWORD='secret')['scripts'][0]['outcome'] == 'applied'


@pytest.mark.parametrize('password', ['x', 'x' * 64, 'x' * 65, 'x' * 900, ' a b ', 'pässwörd ¥€'], ids=len)
def test_any_password(once, owner, password):
    role = owner(verifier(password.encode(), 4096))
    assert once(DB_USER=role, DB_PASSWORD=password)['scripts'][0]['outcome'] == 'applied'


def test_a_password_that_saslprep_changes(once, owner):
    """A Roman numeral and a soft hyphen: they are "IX" and nothing."""
    role = owner(verifier(b'IX', 4096))
    assert once(DB_USER=role, DB_PASSWORD='\u2168\u00ad')['scripts'][0]['outcome'] == 'applied'


def test_a_password_that_is_not_in_utf_8(once, owner):
    role = owner(verifier(b'\xff\xfe', 4096))
    assert once(DB_USER=role, DB_PASSWORD=b'\xff\xfe')['scripts'][0]['outcome'] == 'applied'


@pytest.mark.parametrize('salt', [b'\x00', b'\x00\xff' * 40], ids=len)
def test_any_salt(once, owner, salt):
    role = owner(verifier(b'secret', 4096, salt))
    assert once(DB_USER=role, DB_PASSWORD='secret')['scripts'][0]['outcome'] == 'applied'


@pytest.mark.parametrize('password', ['Secret', 'secret ', 'secre'])
def test_another_password_is_refused(once, owner, password):
    role = owner(verifier(b'secret', 4096))
    answer = once(DB_USER=role, DB_PASSWORD=password)
    assert 'password authentication failed' in answer['errorMessage']


def test_a_server_that_does_not_know_the_password_is_refused(once, owner):
    """It has to prove that it does, by the same salted password."""
    kept = verifier(b'secret', 4096)
    role = owner(kept[:kept.rindex(':') + 1] + base64.b64encode(bytes(32)).decode())
    answer = once(DB_USER=role, DB_PASSWORD='secret')
    assert 'incorrect server signature' in answer['errorMessage']

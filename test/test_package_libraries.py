"""What the package's own libraries do as the machine's do it: OpenSSL's errors, which are loaded late.

(trigger/package/tls_errors.c)
"""

import json
import shutil
import subprocess

import pytest

from standin.listener import Listener
from support import Cluster
from support import package as packages
from support.certificates import Authority


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

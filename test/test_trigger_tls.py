"""TLS: required unless told otherwise, verified where a CA certificate is packaged."""

import shutil
import subprocess

import pytest

from support import Cluster

pytestmark = pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')

SCRIPT = 'SELECT 1;'


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """certificate(host): a self-signed one and its key, as (certificate, key) in PEM."""
    def make(host):
        directory = tmp_path_factory.mktemp('tls')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                        '-nodes', '-days', '2', '-subj', '/CN=' + host, '-addext', 'subjectAltName=DNS:' + host,
                        '-keyout', directory / 'key', '-out', directory / 'certificate'],
                       check=True, capture_output=True)
        return (directory / 'certificate').read_text(), (directory / 'key').read_text()
    return make


@pytest.fixture(scope='module')
def tls(certificate):
    """A server that speaks TLS, for localhost."""
    cluster = Cluster(ssl='on').initialize()
    try:
        pem, key = certificate('localhost')
        cluster.install('server.crt', pem)
        cluster.install('server.key', key)
        cluster.start()
        cluster.pem = pem
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def function(trigger, tls):
    """function(ca=PEM, VARIABLE=…): the trigger before that server, with nothing said of TLS."""
    def start(ca=None, **variables):
        started = trigger(SCRIPT, **{**tls.server.environment(), 'DB_HOST': 'localhost', 'DB_NAME': 'postgres',
                                     'DB_SSLMODE': None, 'RDSINIT_MODE': 'plain', **variables}, ca=ca)
        return started
    return start


def test_tls_is_used_without_being_asked_for(function):
    function().succeed()


def test_a_packaged_ca_is_verified_against(function, tls):
    function(ca=tls.pem).succeed()


def test_another_ca_is_an_error_at_once(function, certificate):
    outcome = function(ca=certificate('localhost')[0]).invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert 'certificate verify failed' in outcome.payload['errorMessage']
    assert outcome.elapsed < 5


def test_the_right_ca_for_another_host_is_an_error_at_once(function, tls):
    outcome = function(ca=tls.pem, DB_HOST='127.0.0.1').invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert 'does not match host name' in outcome.payload['errorMessage']
    assert outcome.elapsed < 5


def test_a_ca_may_be_named(function, tls, tmp_path):
    (tmp_path / 'root.pem').write_text(tls.pem)
    function(DB_SSLROOTCERT=str(tmp_path / 'root.pem')).succeed()


def test_a_server_without_tls_is_not_talked_to(trigger, bare):
    outcome = trigger(SCRIPT, **{**bare.environment(), 'DB_NAME': 'postgres', 'DB_SSLMODE': None,
                                 'RDSINIT_MODE': 'plain'}).invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert 'SSL' in outcome.payload['errorMessage']
    assert outcome.elapsed < 5

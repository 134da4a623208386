"""The packaged program where there is nothing else: no library, no module, nothing to write to, no rights.

It resolves names by DNS and by /etc/hosts, and speaks TLS to the server and to Secrets Manager.
"""

import json
import ssl
import subprocess

import pytest

from standin import NameServer, SecretsManager
from support import Cluster, Database
from support import package as packages
from support.package import ARCH, Chroot, why_no_chroot

pytestmark = pytest.mark.skipif(why_no_chroot() is not None, reason=str(why_no_chroot()))

SERVER, SECRETS = 'db.dns.test', 'secretsmanager.hosts.test'
# As a machine with systemd has it; each of the services is a module.
NSSWITCH = ('passwd: files systemd\ngroup: files systemd\nhosts: files myhostname resolve [!UNAVAIL=return] dns\n'
            'services: db files\nnetworks: files\n')
SCRIPTS = {'V1__product.sql': 'CREATE TABLE product (id int);\n', 'data.sql': 'SELECT 1;\n'}
# Where libcurl looks without being told, as it is in Lambda's images.
LAMBDAS_ROOTS = 'etc/pki/tls/certs/ca-bundle.crt'


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """A self-signed one for both names, and its key."""
    directory = tmp_path_factory.mktemp('tls')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-days', '2', '-subj', '/CN=test', '-addext', 'subjectAltName=DNS:%s,DNS:%s' % (SERVER, SECRETS),
                    '-keyout', directory / 'key', '-out', directory / 'certificate'], check=True, capture_output=True)
    return directory / 'certificate', directory / 'key'


@pytest.fixture(scope='module')
def server(certificate):
    """A server that speaks TLS, and takes a password by SCRAM."""
    cluster = Cluster(ssl='on').initialize()
    try:
        cluster.install('server.crt', certificate[0].read_text())
        cluster.install('server.key', certificate[1].read_text())
        cluster.start()
        yield cluster.server
    finally:
        cluster.remove()


@pytest.fixture
def secrets(certificate):
    """Secrets Manager by HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    manager = SecretsManager()
    manager.tls = context
    with manager:
        yield manager
    assert manager.crashes == []


@pytest.fixture
def names():
    with NameServer({SERVER: '127.0.0.1'}) as name_server:
        yield name_server


@pytest.fixture(scope='module')
def package(tmp_path_factory):
    directory = tmp_path_factory.mktemp('package')
    (directory / 'bundle').mkdir()
    for name, text in SCRIPTS.items():
        (directory / 'bundle' / name).write_text(text)
    return packages.made(directory, directory / 'bundle')


@pytest.fixture
def jail(package, certificate, names, tmp_path):
    """The chroot: the program and its bundle, and of /etc what Lambda has there."""
    task = packages.unpack(package, tmp_path / 'root')
    for path in task.glob('*.pem'):
        path.unlink()                   # this test has a CA of its own
    chroot = Chroot(task)
    chroot.put('etc/nsswitch.conf', NSSWITCH)
    chroot.put('etc/resolv.conf', 'nameserver %s\n' % names.address)
    chroot.put('etc/hosts', '127.0.0.1 localhost\n127.0.0.1 %s\n' % SECRETS)
    chroot.put(LAMBDAS_ROOTS, certificate[0].read_text())
    return chroot


@pytest.fixture
def environment(database, secrets):
    server = database.server
    secrets.put('rds', {'username': server.user, 'password': server.password})
    return {**secrets.environment(), 'AWS_ENDPOINT_URL_SECRETS_MANAGER': secrets.url.replace('127.0.0.1', SECRETS),
            'DB_SECRET_NAME': 'rds', 'DB_HOST': SERVER, 'DB_PORT': str(server.port), 'DB_NAME': database.name,
            'DB_SSLMODE': 'verify-full', 'DB_SSLROOTCERT': '/' + LAMBDAS_ROOTS, 'RDSINIT_MODE': 'plain'}


def test_the_whole_job_in_an_empty_chroot(jail, environment, names, secrets, database):
    finished = jail.run('/bootstrap', '--once', environment=environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert [(each['name'], each['outcome']) for each in json.loads(finished.stdout)['scripts']] == [
        ('V1__product.sql', 'applied'), ('data.sql', 'applied')]
    assert database.relations() == ['public.product']
    assert [seen.status for seen in secrets.requests] == [200]
    assert SERVER in [name for name, _ in names.questions]
    assert SECRETS not in [name for name, _ in names.questions]     # /etc/hosts comes first


def test_no_module_is_looked_for(jail, environment):
    finished = jail.run('/bootstrap', '--once', environment=environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    opened = jail.opened('/bootstrap')
    assert '/etc/resolv.conf' in opened and '/etc/hosts' in opened, 'strace has seen nothing'
    assert [path for path in opened if 'libnss' in path or '.so' in path] == []


def test_a_name_that_is_nowhere_is_said(jail, environment):
    finished = jail.run('/bootstrap', '--once', '--timeout', '5', environment={**environment, 'DB_HOST': 'nowhere.dns.test'})
    assert finished.returncode == 1
    answer = json.loads(finished.stdout)
    assert answer['errorType'] == 'Rdsinit.Connection' and 'nowhere.dns.test' in answer['errorMessage']
    assert [path for path in jail.opened('/bootstrap') if 'libnss' in path] == []


def test_a_certificate_of_another_ca_is_refused(jail, environment, certificate, tmp_path):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-subj', '/CN=other', '-keyout', tmp_path / 'key', '-out', tmp_path / 'other'],
                   check=True, capture_output=True)
    jail.put('etc/other.pem', (tmp_path / 'other').read_text())
    finished = jail.run('/bootstrap', '--once', environment={**environment, 'DB_SSLROOTCERT': '/etc/other.pem'})
    assert finished.returncode == 1
    assert json.loads(finished.stdout)['errorType'] == 'Rdsinit.Connection'


@pytest.fixture
def database(server):
    database = Database(server)
    yield database
    database.drop()

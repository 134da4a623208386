"""Fixtures: a server, a database of one's own, the trigger as Lambda runs it."""

import json
import os
import uuid

import pytest

from standin import CloudFormation, PostgresProxy, SecretsManager
from support import Cluster, Database, Server, Trigger, node, run_once
from support import package as packages
from support.database import quoted
from support.deployment import Deployment
from support.stack import PATHS, REQUIRED, TEMPLATES
from support.throwaway import quick_throwaway
from support.trigger import program, reports

NO_SERVER = 'no server: neither RDSINIT_TEST_SERVER, as ./dev pytest sets it, nor %s'
NO_EXTENSION = 'this server does not have the extension rdsinit'


# Files that take minutes, and are begun first, so that no worker is left with one at the end.
LONG = ('test_package', 'test_trigger_plain_turns', 'test_corpus', 'test_trigger_fuzz', 'test_trigger_warm', 'test_trigger_cuts', 'test_migrations',
        'test_trigger_custom_resource', 'test_timeouts')


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.module.__name__) if item.module.__name__ in LONG else len(LONG))


@pytest.fixture(scope='session')
def server():
    """The server, and its superuser: one of our own (each of pytest's workers has one), or that of libpq's variables."""
    if 'RDSINIT_TEST_SERVER' in os.environ:
        with quick_throwaway(os.environ['RDSINIT_TEST_SERVER'].splitlines()) as server:
            yield server
        return
    missing = [name for name in ('PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD') if not os.environ.get(name)]
    if missing:
        pytest.exit(NO_SERVER % ', '.join(missing), returncode=4)
    yield Server(os.environ['PGHOST'], int(os.environ['PGPORT']), os.environ['PGUSER'], os.environ['PGPASSWORD'])


@pytest.fixture(scope='session')
def has_extension(server):
    """Whether the server has rdsinit.  RDSINIT_TEST_EXTENSION=1 says that it must."""
    found = server.has_extension()
    if not found and os.environ.get('RDSINIT_TEST_EXTENSION') == '1':
        pytest.exit('RDSINIT_TEST_EXTENSION=1, and ' + NO_EXTENSION, returncode=4)
    return found


@pytest.fixture
def two_kinds_of_string(server):
    """Before PostgreSQL 19 standard_conforming_strings can be off."""
    if int(server.value('SHOW server_version_num')) >= 190000:
        pytest.skip('this server knows one kind of string')


@pytest.fixture(autouse=True)
def _extension_where_marked(request):
    if request.node.get_closest_marker('extension') and not request.getfixturevalue('has_extension'):
        pytest.skip(NO_EXTENSION)


@pytest.fixture(autouse=True)
def _no_reports():
    """Under ./dev sanitize: what a sanitizer has to say of the trigger fails the test."""
    yield
    if reports():
        # One that is empty is another worker's, which is being written.
        texts = {path: path.read_text(errors='replace') for path in sorted(reports().iterdir()) if path.stat().st_size > 0}
        for path in texts:
            path.unlink(missing_ok=True)
        assert not texts, '\n'.join(texts.values())


@pytest.fixture
def role(server):
    """role(options) makes a role with a password of its own; gives (name, password)."""
    names = []

    def make(options='LOGIN'):
        name, password = 'rdsinit_test_' + uuid.uuid4().hex[:12], uuid.uuid4().hex
        server.rows('CREATE ROLE %s %s PASSWORD %%s' % (quoted(name), options), (password,))
        names.append(name)
        return name, password
    yield make
    for name in names:
        server.rows('DROP OWNED BY %s' % quoted(name))
        server.rows('DROP ROLE %s' % quoted(name))


@pytest.fixture
def database(server, role):
    """A name that no database has; dropped afterwards, whoever made it."""
    database = Database(server)
    yield database
    database.drop()


@pytest.fixture
def secrets():
    """Secrets Manager."""
    with SecretsManager() as manager:
        yield manager
        assert manager.crashes == []


@pytest.fixture
def function(trigger, secrets):
    """function(DB_SECRET_NAME=…): the trigger with its credentials in Secrets Manager."""
    def start(ca=None, **variables):
        return trigger('SELECT 1;', ca=ca, **{**secrets.environment(), 'DB_SECRET_NAME': 'prod/db', 'RDSINIT_MODE': 'plain',
                                       'DB_USER': None, 'DB_PASSWORD': None, **variables})
    return start


@pytest.fixture
def planned(database):
    """A database with the extension in it, and a table with rows."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    database.rows('CREATE TABLE product AS SELECT g AS id FROM generate_series(1, 3) AS g')
    return database


@pytest.fixture
def cloudformation():
    """CloudFormation; what breaks its rules fails the test."""
    with CloudFormation() as service:
        yield service
        assert service.crashes == []
        assert service.violations == []


@pytest.fixture
def proxy(server):
    """proxy(...) puts a PostgresProxy before the server."""
    started = []

    def start(target=None, **how):
        target = target or server
        started.append(PostgresProxy((target.host, target.port), **how).start())
        return started[-1]
    yield start
    for each in started:
        each.stop()


def _variables(database, variables):
    return {**database.server.environment(), 'DB_NAME': database.name, **variables}


@pytest.fixture
def trigger(database):
    """trigger(bundle, VARIABLE=…) starts the trigger as Lambda does, for the database of this test.

    None as a variable's value takes the variable away.  At the end the process is
    killed, and whatever broke the Runtime API's protocol or the log's form fails the test.
    """
    if not program().exists():
        pytest.fail('%s is not built: make -C trigger' % program())
    started = []

    def start(bundle='', *, at=database, ca=None, **variables):
        started.append(Trigger(bundle, _variables(at, variables), ca))
        return started[-1].start()
    yield start
    for each in started:
        each.stop()
    for each in started:
        assert each.runtime.violations == []
        assert each.runtime.init_errors == []
        assert each.runtime.crashes == []
        assert each.stray == [], 'not a JSON line on stderr, or something on stdout'


@pytest.fixture
def plain(trigger):
    """plain(bundle, VARIABLE=…) starts the trigger in the mode of the fallback."""
    def start(bundle, **variables):
        return trigger(bundle, **{'RDSINIT_MODE': 'plain', **variables})
    return start


@pytest.fixture
def once(database):
    """once(bundle, ARGUMENT…, VARIABLE=…) runs `bootstrap --once` by hand."""
    def run(bundle='', *arguments, **variables):
        return run_once(bundle, _variables(database, variables), '--once', *arguments)
    return run


@pytest.fixture(scope='session')
def bare():
    """A server of the tests' own that does not have the extension."""
    cluster = Cluster().initialize()
    try:
        cluster.start()
        if cluster.server.has_extension():
            pytest.skip("rdsinit is in this machine's PostgreSQL itself: there is no server without it")
        yield cluster.server
    finally:
        cluster.remove()


@pytest.fixture
def bare_database(bare):
    database = Database(bare)
    yield database
    database.drop()


@pytest.fixture(scope='session')
def package(tmp_path_factory):
    """The package with the example, for this machine."""
    return packages.made(tmp_path_factory.mktemp('package'))


@pytest.fixture
def cluster():
    """cluster(settings) makes a cluster that a test may start and stop; not started yet."""
    made = []

    def make(**settings):
        made.append(Cluster(**settings))
        return made[-1].initialize()
    yield make
    for each in made:
        each.remove()


@pytest.fixture(scope='session')
def npm():
    """npm's packages, for what calls node.node()."""
    node.install()


@pytest.fixture(scope='session')
def synthesised(npm, tmp_path_factory):
    """The stack's templates, as CDK writes them."""
    directory = tmp_path_factory.mktemp('cdk')
    finished = node.node('synth.js', directory, *PATHS.values())
    assert finished.returncode == 0, finished.stderr
    return {name: json.loads((directory / (name + '.template.json')).read_text()) for name in TEMPLATES}


@pytest.fixture
def deploy(synthesised):
    """deploy(name, …) is what a template comes to with the parameters that it must have, and more."""
    def deploy(name, pseudo=None, **parameters):
        return Deployment(synthesised[name], pseudo, **{**REQUIRED[name], **parameters})
    return deploy

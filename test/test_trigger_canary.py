"""A canary for a password, looked for wherever it must not be: logs, answers, cores, and memory once it is not needed."""

import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import uuid

import pytest

from support import Cluster
from support.certificates import Authority
from support.trigger import pack

# Binding a shared library's function when it is first called puts all registers on the stack, and what
# strlen() has last seen is in them.  The packaged program, which is static, has none of that.
NOW = {'LD_BIND_NOW': '1'}

PLACES = re.compile(r'^([0-9a-f]+)-([0-9a-f]+) rw')


@pytest.fixture
def canary(role, database, secrets):
    """A role whose password is in the secret prod/db, and nowhere else."""
    user, password = role('LOGIN')
    database.create(user)
    secrets.put('prod/db', {'username': user, 'password': password})
    return password


@pytest.fixture
def function(trigger, secrets):
    def start(bundle='SELECT 1;', **variables):
        return trigger(bundle, **{**secrets.environment(), 'DB_SECRET_NAME': 'prod/db', 'RDSINIT_MODE': 'plain',
                                  'DB_USER': None, 'DB_PASSWORD': None, **NOW, **variables})
    return start


def copies(pid, text):
    """How often a process's writable memory holds a text."""
    found = 0
    with open('/proc/%d/maps' % pid, encoding='ascii') as maps, open('/proc/%d/mem' % pid, 'rb', 0) as memory:
        for line in maps:
            place = PLACES.match(line)
            if not place:
                continue
            start, end = (int(address, 16) for address in place.groups())
            memory.seek(start)
            try:
                found += memory.read(end - start).count(text.encode())
            except OSError:
                pass
    return found


needs_root = pytest.mark.skipif(os.getuid() != 0, reason='only root can look into the memory of a program like this one')


@needs_root
@pytest.mark.parametrize('mode', ['plain', pytest.param('extension', marks=pytest.mark.extension)])
def test_nothing_of_it_stays_in_memory(function, canary, database, mode):
    if mode == 'extension':
        database.rows('CREATE EXTENSION rdsinit; GRANT EXECUTE ON PROCEDURE rdsinit.deploy TO PUBLIC')
    running = function(RDSINIT_MODE=mode)
    for _ in range(2):
        running.succeed()
        running.runtime.wait_for_poll()
        assert copies(running.pid, canary) == 0
        assert copies(running.pid, canary[8:]) == 0, 'the end of it'


@needs_root
def test_it_is_there_while_it_is_needed(function, canary, database, server):
    """What the test above finds, it would find."""
    running = function('SELECT pg_sleep(30);')
    running.send()
    database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                        'AND datname = current_database()')
    assert copies(running.pid, canary) > 0


@needs_root
def test_nothing_stays_after_a_refusal(function, canary, secrets, role):
    other, _ = role()
    secrets.put('prod/db', {'username': other, 'password': canary})
    running = function()
    assert running.fail()['sqlstate'] == '28P01'
    running.runtime.wait_for_poll()
    assert copies(running.pid, canary) == 0


@needs_root
@pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')
def test_nothing_stays_after_tls(trigger, secrets):
    authority = Authority()
    cluster = Cluster(ssl='on').initialize()
    try:
        for name, pem in zip(('server.crt', 'server.key'), authority.issue('localhost')):
            cluster.install(name, pem)
        cluster.start()
        password = uuid.uuid4().hex
        cluster.server.rows('CREATE ROLE app LOGIN CREATEDB PASSWORD %s', (password,))
        # The password itself goes over the line, within TLS: its buffers hold it, too.
        cluster.install('pg_hba.conf', 'hostssl all app 127.0.0.1/32 password\nhost all all 127.0.0.1/32 scram-sha-256\n')
        cluster.server.rows('SELECT pg_reload_conf()')
        secrets.put('prod/db', {'username': 'app', 'password': password})
        running = trigger('SELECT 1;', ca=authority.pem, **{
            **secrets.environment(), 'DB_HOST': 'localhost', 'DB_PORT': cluster.settings['port'], 'DB_NAME': 'app',
            'DB_SECRET_NAME': 'prod/db', 'DB_USER': None, 'DB_PASSWORD': None, 'DB_SSLMODE': None, 'RDSINIT_MODE': 'plain', **NOW})
        running.succeed()
        running.runtime.wait_for_poll()
        assert copies(running.pid, password) == 0
    finally:
        cluster.remove()


@pytest.fixture
def cores_allowed():
    """What is started from here on may leave a core file of any size, unless it says otherwise itself."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] != resource.RLIM_INFINITY and os.getuid() != 0:
        pytest.skip('no core files are allowed here')
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_there_is_no_core(cores_allowed, function, canary):
    """Its limit is 0, though its parent has none.  (That it may not be dumped either, which counts where a program
    takes the cores, is seen by whose its memory is: in the next test.)  Where the kernel would put a core file into the
    working directory, there is none after a signal that else leaves one; elsewhere nothing could be found.
    """
    running = function('SELECT 1;')
    running.succeed()
    limits = pathlib.Path('/proc/%d/limits' % running.pid).read_text()
    assert re.search(r'^Max core file size +0 +0 ', limits, re.MULTILINE), limits
    os.kill(running.pid, signal.SIGABRT)
    assert running.wait_exit() == -signal.SIGABRT
    if pathlib.Path('/proc/sys/kernel/core_pattern').read_text()[0] not in '/|':
        assert [path.name for path in running.task.iterdir() if path.name.startswith('core')] == []


@needs_root
def test_not_even_its_own_user_can_look():
    """Started as somebody who is not root: its memory is root's all the same."""
    with tempfile.TemporaryDirectory(prefix='rdsinit-task-') as task:
        pack('SELECT 1;', pathlib.Path(task))
        os.chmod(task, 0o755)
        process = subprocess.Popen(
            [task + '/bootstrap', '--once', '--timeout', '5'], user='nobody', group='nogroup', extra_groups=[], cwd='/',
            env={'DB_HOST': 'no-such-host.invalid', 'DB_NAME': 'app', 'DB_USER': 'app', 'DB_PASSWORD': 'canary'},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        with process:
            process.stderr.readline()           # it is trying again
            owners = {os.stat('/proc/%d/%s' % (process.pid, name)).st_uid for name in ('mem', 'environ', 'maps')}
            process.kill()
    assert owners == {0}


def test_it_is_said_nowhere(function, canary, secrets, database):
    """In whatever way an invocation ends."""
    secrets.put('prod/other', {'username': 'nobody-there', 'password': canary})
    secrets.put('prod/cut', '{"username": "app", "password": "%s"' % canary)
    runs = [function(), function('SELECT nothing;'), function(DB_SECRET_NAME='prod/other'),
            function(DB_SECRET_NAME='prod/cut'), function(DB_HOST='no-such-host.invalid'), function(DB_PORT=1),
            function(DB_SSLMODE='require'), function(DB_NAME='x' * 64), function(RDSINIT_MODE='extension')]
    outcomes = [run.invoke(timeout_s=2) for run in runs]
    assert {outcome.kind for outcome in outcomes} == {'response', 'error'}
    for run, outcome in zip(runs, outcomes):
        run.stop()
        for said in (outcome.raw, run.stderr):
            assert canary not in said
            for secret in (secrets.credentials.secret_access_key, secrets.credentials.session_token):
                assert secret not in said

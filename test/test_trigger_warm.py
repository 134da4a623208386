"""A warm function: as good as a new one after a thousand invocations, and after having been frozen."""

import os
import signal
import time

import pytest

INVOCATIONS = int(os.environ.get('RDSINIT_TEST_INVOCATIONS', '1000'))
FREEZE = float(os.environ.get('RDSINIT_TEST_FREEZE', '3'))
OURS = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'rdsinit' AND datname = %s"
SCRIPTS = {'V1__a.sql': 'CREATE TABLE a AS SELECT 1 AS n;', 'b.sql': "DO $$ BEGIN RAISE NOTICE 'again'; END $$;"}


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def resident(pid):
    """Memory that the process has written to, in KiB: what it has not is its own or shared as others come and go."""
    with open('/proc/%d/smaps_rollup' % pid, encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('Private_Dirty:'))


def descriptors(pid):
    return sorted(os.readlink('/proc/%d/fd/%s' % (pid, fd)).split(':')[0] for fd in os.listdir('/proc/%d/fd' % pid))


def threads(pid):
    return len(os.listdir('/proc/%d/task' % pid))


def state(function):
    return descriptors(function.pid), threads(function.pid)


@pytest.fixture
def by_secret(database, secrets):
    """The variables of a function with its password in Secrets Manager."""
    secrets.put('db', {'username': database.server.user, 'password': database.server.password})
    return {**secrets.environment(), 'DB_SECRET_NAME': 'db', 'DB_USER': None, 'DB_PASSWORD': None}


def wait_until_idle(function, invocations):
    """Until it has asked for the next event: Lambda freezes nobody before that."""
    end = time.monotonic() + 10
    while function.runtime.polls <= invocations:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_thousand_invocations(trigger, database, by_secret, mode):
    """All kinds: scripts left alone and forced, failures of each sort, the secret fetched each time."""
    bundle = {**SCRIPTS, 'c.sql': 'SELECT 1 / :divisor;'}
    function = trigger(bundle, RDSINIT_MODE=mode, RDSINIT_VARIABLES='{"divisor": 1}', **by_secret)
    events = [({}, 'response'), ({'force': True}, 'response'), ({'force': True, 'variables': {'divisor': 0}}, 'error'),
              ({'unknown': 1}, 'error'), (b'no JSON', 'error')]

    def invoke(first, last):
        for number in range(first, last):
            event, kind = events[number % len(events)]
            assert function.invoke(event).kind == kind
        wait_until_idle(function, last)
        database.wait_until(OURS, (database.name,))
    invoke(0, 100)
    before, memory = state(function), resident(function.pid)
    invoke(100, INVOCATIONS)
    assert state(function) == before
    assert resident(function.pid) < memory + 256
    assert database.value('SELECT count(*) FROM a') == 1


def test_a_freeze_between_two(plain, database, secrets, by_secret):
    """Lambda stops a process between two invocations; what it was connected to may be gone when it wakes up."""
    function = plain(SCRIPTS, **by_secret)
    function.succeed()
    wait_until_idle(function, 1)
    before = state(function)
    os.kill(function.pid, signal.SIGSTOP)
    time.sleep(FREEZE)
    os.kill(function.pid, signal.SIGCONT)
    assert [script['outcome'] for script in function.succeed()['scripts']] == ['unchanged', 'unchanged']
    wait_until_idle(function, 2)
    assert state(function) == before
    assert len(secrets.requests) == 2
    database.wait_until(OURS, (database.name,))


def test_a_freeze_in_which_the_server_moved_on(plain, database, role):
    """Password, host's answers, bundle's ledger: nothing is remembered from before."""
    owner, password = role('LOGIN CREATEDB')
    function = plain(SCRIPTS, DB_USER=owner, DB_PASSWORD=password)
    function.succeed()
    wait_until_idle(function, 1)
    os.kill(function.pid, signal.SIGSTOP)
    database.drop()
    os.kill(function.pid, signal.SIGCONT)
    payload = function.succeed()
    assert payload['databaseCreated'] and [script['outcome'] for script in payload['scripts']] == ['applied', 'applied']

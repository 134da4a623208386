"""Several hosts: the writable one is found, and a failover midway is survived or honestly told.

A primary and its streaming standby, on two addresses of loopback and one port, since DB_PORT is that of all hosts.
"""

import time

import pytest

from support import Cluster, Database
from support.cluster import extension_places

BOTH = '127.0.0.2,127.0.0.1'

# Slow on the primary that is about to go, and nowhere else.
SLOW = """CREATE TABLE made ();
SELECT pg_sleep(60) WHERE host(inet_server_addr()) = '127.0.0.1';
"""


class Pair:
    """A primary on 127.0.0.1 and a standby on 127.0.0.2."""

    def __init__(self, **settings):
        shared = {'wal_level': 'replica', 'max_wal_senders': 5, 'hot_standby': 'on', **settings}
        self.primary = Cluster(**shared).initialize()
        self.primary.start()
        self.standby = Cluster(**{**shared, 'listen_addresses': '127.0.0.2', 'port': self.primary.settings['port']})
        self.standby.copy_of(self.primary).start()

    def wait_until_streaming(self):
        self._wait(lambda: self.primary.server.value(
            'SELECT count(*) = 1 AND bool_and(replay_lsn = pg_current_wal_lsn()) FROM pg_stat_replication'))

    def promote(self):
        self.standby.run('pg_ctl', 'promote', '--wait', '--silent', '--pgdata=%s' % self.standby.data)

    def remove(self):
        self.standby.remove()
        self.primary.remove()

    @staticmethod
    def _wait(condition):
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture
def pair(server):
    pair = Pair(**extension_places(server))
    try:
        pair.wait_until_streaming()
        yield pair
    finally:
        pair.remove()


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


@pytest.fixture
def function(trigger, pair):
    def start(bundle='CREATE TABLE made ();', **variables):
        return trigger(bundle, **{**pair.primary.server.environment(), 'DB_HOST': BOTH, 'DB_NAME': 'app', **variables})
    return start


def sleeping(pair):
    Pair._wait(lambda: pair.primary.server.value(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))


def test_the_primary_is_found_behind_the_standby(function, pair, mode):
    payload = function(RDSINIT_MODE=mode).succeed()
    assert (payload['databaseCreated'], payload['scripts'][0]['outcome']) == (True, 'applied')
    pair.wait_until_streaming()
    assert Database(pair.standby.server, 'app').relations() == ['public.made']


def test_a_standby_alone_is_said_to_be_one(function, mode):
    outcome = function(RDSINIT_MODE=mode, DB_HOST='127.0.0.2', DB_NAME='postgres').invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert outcome.payload['sqlstate'] == '25006'
    assert '"127.0.0.2"' in outcome.payload['errorMessage'] and 'standby' in outcome.payload['errorMessage']
    assert 'DB_HOST' in outcome.payload['hint']
    assert outcome.elapsed < 5


def test_a_standby_that_is_promoted_is_waited_for(function, pair, mode):
    Database(pair.primary.server, 'app').create()
    pair.wait_until_streaming()
    pair.primary.stop()
    running = function(RDSINIT_MODE=mode)
    invocation = running.send()
    running.wait_for_log(lambda entry: entry['level'] == 'WARN')
    pair.promote()
    assert running.outcome(invocation).kind == 'response'


def test_a_shutdown_and_a_promotion_midway_are_survived(function, pair, mode):
    Database(pair.primary.server, 'app').create()
    pair.wait_until_streaming()
    running = function(SLOW, RDSINIT_MODE=mode)
    invocation = running.send()
    sleeping(pair)
    pair.primary.run('pg_ctl', 'stop', '--mode=fast', '--wait', '--silent', '--pgdata=%s' % pair.primary.data)
    pair.promote()
    outcome = running.outcome(invocation)
    assert outcome.kind == 'response', outcome.payload
    assert outcome.payload['scripts'][0]['outcome'] == 'applied'
    assert 'nothing has been committed' in running.wait_for_log(
        lambda entry: 'to be done again' in entry['message'])['message']
    assert Database(pair.standby.server, 'app').relations() == ['public.made']


def test_a_crash_midway(function, pair, mode):
    """The fallback knows that nothing was committed; of a call that was under way one cannot know."""
    Database(pair.primary.server, 'app').create()
    if mode == 'extension':
        pair.primary.server.rows('CREATE EXTENSION rdsinit', database='app')
    pair.wait_until_streaming()
    running = function(SLOW, RDSINIT_MODE=mode)
    invocation = running.send()
    sleeping(pair)
    pair.primary.kill(all_at_once=True)
    (pair.primary.data / 'postmaster.pid').unlink()     # nothing is there to be stopped
    pair.promote()
    outcome = running.outcome(invocation)
    if mode == 'plain':
        assert outcome.kind == 'response', outcome.payload
    else:
        assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
        assert 'unknown' in outcome.payload['errorMessage'] and 'safe' in outcome.payload['hint']
        running.succeed()
    assert Database(pair.standby.server, 'app').relations() == ['public.made']


def test_what_was_committed_on_the_way_is_not_hidden(function, pair):
    """A script without a transaction: what came before it is committed, and how it ended is not known."""
    Database(pair.primary.server, 'app').create()
    pair.wait_until_streaming()
    running = function({'V1__a.sql': 'CREATE TABLE made ();', 'V2__b.sql': '-- rdsinit: no-transaction\n' + SLOW.splitlines()[1]},
                       RDSINIT_MODE='plain')
    invocation = running.send()
    sleeping(pair)
    pair.wait_until_streaming()
    pair.primary.run('pg_ctl', 'stop', '--mode=fast', '--wait', '--silent', '--pgdata=%s' % pair.primary.data)
    pair.promote()
    outcome = running.outcome(invocation)
    assert outcome.kind == 'error'
    assert 'committed' in outcome.payload['detail']
    assert [script['name'] for script in outcome.payload['scripts']] == ['V1__a.sql']
    assert running.succeed()['scripts'][0]['outcome'] == 'unchanged'


def test_a_failover_that_does_not_come_is_an_error_before_the_deadline(function, pair):
    Database(pair.primary.server, 'app').create()
    pair.wait_until_streaming()
    running = function(SLOW, RDSINIT_MODE='plain')
    invocation = running.send(timeout_s=6)
    sleeping(pair)
    pair.primary.stop()
    outcome = running.outcome(invocation)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert outcome.elapsed < 6
    assert 'Connection refused' in outcome.payload['errorMessage'] or 'standby' in outcome.payload['errorMessage'] \
        or 'read-only' in outcome.payload['errorMessage']

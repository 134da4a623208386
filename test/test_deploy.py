"""rdsinit.deploy: cut off at every statement, cancelled, without a worker; what others see of it meanwhile."""

import contextlib
import dataclasses
import json
import os
import signal
import threading
import time

import psycopg2
import psycopg2.errors
import pytest

from support import Cluster, Database
from support.cluster import extension_places
from support.psql import copy, dump

pytestmark = pytest.mark.extension

NO_TRANSACTION = '-- rdsinit: no-transaction\n'


@pytest.fixture(scope='module')
def places(server, has_extension):
    """The settings by which a cluster of a test's own finds the extension."""
    return extension_places(server)


@pytest.fixture
def own(cluster, places):
    """own(settings) starts a cluster that has the extension; gives it and a database of it."""
    def start(**settings):
        made = cluster(**{**places, **settings}).start()
        return made, extend(Database(made.server).create())
    return start


@pytest.fixture
def extended(database):
    return extend(database.create())


def extend(database):
    database.rows('CREATE EXTENSION rdsinit')
    return database


class Deployment:
    """A deployment in a session of its own, which goes on by itself."""

    def __init__(self, database, scripts, prepare='SELECT', **options):
        self.scripts, self.options = scripts, {'lock_timeout': '1min', **options}
        self.error = self.report = None
        self.connection = database.connect()
        self.connection.cursor().execute(prepare)
        self.pid = self.connection.info.backend_pid
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def _run(self):
        try:
            with self.connection.cursor() as cursor:
                cursor.execute('CALL rdsinit.deploy(%s, %s, %s)',
                               (list(self.scripts), list(self.scripts.values()), json.dumps(self.options)))
                self.report = [(row['name'], row['outcome'], row['statements'], row['rows'])
                               for row in cursor.fetchone()[0]]
        except psycopg2.Error as error:
            self.error = error

    def end(self):
        self.thread.join(30)
        assert not self.thread.is_alive(), 'the deployment does not end'
        return self

    def __exit__(self, *_):
        self.end()
        self.connection.close()


def deploy(database, scripts, **options):
    """(name, outcome, statements, rows) of each script."""
    with Deployment(database, scripts, **options) as deployment:
        deployment.end()
    if deployment.error is not None:
        raise deployment.error
    return deployment.report


def refusal(database, scripts, **options):
    with pytest.raises(psycopg2.Error) as caught:
        deploy(database, scripts, **options)
    return caught.value


WORKERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rdsinit' AND datname = current_database()"
LOCKS = ("SELECT count(*) FROM pg_locks WHERE classid = 'pg_extension'::regclass AND objsubid <> 0 "
         'AND database = (SELECT oid FROM pg_database WHERE datname = current_database())')
STEPS = 'SELECT statement, outcome FROM rdsinit.history WHERE statement IS NOT NULL ORDER BY id'


# --- cut off, wherever it is ----------------------------------------------------------------

BEFORE = ['CREATE TABLE t (n int, word text)',
          "INSERT INTO t SELECT n, 'word ' || n FROM generate_series(1, 100) n",
          'CREATE TABLE u (n int PRIMARY KEY)',
          'CREATE INDEX u_old ON u (n)']
OUTSIDE = ['CREATE INDEX CONCURRENTLY t_n ON t (n)',
           'CREATE UNIQUE INDEX CONCURRENTLY ON t (lower(word)) WHERE n > 0',
           'INSERT INTO u SELECT generate_series(1, 10)',
           'VACUUM (ANALYZE) t',
           'REINDEX INDEX CONCURRENTLY t_n',
           'DROP INDEX CONCURRENTLY u_old',
           'DO $$ BEGIN INSERT INTO u VALUES (21) ON CONFLICT DO NOTHING; COMMIT;\n'
           '  PERFORM pg_advisory_xact_lock_shared(900); INSERT INTO u VALUES (22) ON CONFLICT DO NOTHING; END $$',
           'CREATE INDEX CONCURRENTLY IF NOT EXISTS u_last ON u (n DESC)',
           'SET search_path = inner_one',
           'CREATE TABLE w AS SELECT 1 AS n',
           'CREATE UNIQUE INDEX CONCURRENTLY w_n ON w (n)']
BEHIND = ['INSERT INTO u VALUES (30)', 'INSERT INTO u VALUES (31)']

# Each statement has a gate in front of it, where a deployment can be stopped.
GATE = 'SELECT pg_advisory_xact_lock_shared(%d);\n%s;\n'


def gated(statements, first):
    return ''.join(GATE % (first + n, statement) for n, statement in enumerate(statements))


SCRIPTS = {'V1__before.sql': 'CREATE SCHEMA inner_one;\n' + gated(BEFORE, 100),
           'V2__outside.sql': NO_TRANSACTION + gated(OUTSIDE, 200),
           'V3__behind.sql': gated(BEHIND, 300),
           'R__view.sql': 'CREATE VIEW v AS SELECT count(*) FROM t'}

# What stops a statement itself: another one of its kind, before it has begun; a
# transaction that writes, when an index is there and INVALID; a snapshot, just
# before the index is valid.
LOCKED = 'LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE'
WRITING = 'LOCK TABLE %s IN ROW EXCLUSIVE MODE'
READING = 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class'
ALONE = 'LOCK TABLE %s IN EXCLUSIVE MODE'


@dataclasses.dataclass(frozen=True)
class Point:
    """Where a deployment is cut off: at a gate, or in the statement behind it."""
    where: str
    gate: int
    hold: str = None
    unknown: bool = False  # nobody can tell whether the statement was done


POINTS = [
    Point('at the first gate', 100),
    Point('in the first transaction', 101),
    Point('before the first index', 200),
    Point('at the first index', 200, LOCKED % 't'),
    Point('first index INVALID', 200, WRITING % 't'),
    Point('first index almost valid', 200, READING),
    Point('between two indexes', 201),
    Point('unnamed index INVALID', 201, WRITING % 't'),
    Point('unnamed index almost valid', 201, READING),
    Point('before an INSERT', 202),
    Point('in the INSERT', 202, ALONE % 'u'),
    Point('before VACUUM', 203),
    Point('in VACUUM', 203, LOCKED % 't'),
    Point('before REINDEX', 204),
    Point('in REINDEX', 204, WRITING % 't'),
    Point('before DROP INDEX', 205),
    Point('in DROP INDEX', 205, WRITING % 'u'),
    Point('before DO', 206),
    Point('in DO', 206, 'SELECT pg_advisory_xact_lock(900)', True),
    Point('before an index IF NOT EXISTS', 207),
    Point('index IF NOT EXISTS INVALID', 207, WRITING % 'u'),
    Point('index IF NOT EXISTS almost valid', 207, READING),
    Point('behind SET', 209),
    Point('before the last index', 210),
    Point('last index INVALID', 210, WRITING % 'inner_one.w'),
    Point('behind all that', 300),
    Point('before the last statement', 301),
]


@pytest.fixture(scope='module')
def crash(places):
    """A cluster in which processes are killed."""
    cluster = Cluster(**places, max_connections=40).initialize()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


def state(database):
    """What a deployment comes to: what pg_dump knows, each index, and the history of whole scripts."""
    return (dump(database),
            database.rows('SELECT indexrelid::regclass::text, indisvalid, indisready FROM pg_index '
                          "WHERE indrelid IN ('t'::regclass, 'u'::regclass, 'inner_one.w'::regclass) ORDER BY 1"),
            database.rows('SELECT name, version, outcome, checksum, statements, rows FROM rdsinit.history '
                          'WHERE statement IS NULL ORDER BY id'))


@pytest.fixture(scope='module')
def undisturbed(crash):
    database = extend(Database(crash.server).create())
    try:
        assert [row[1] for row in deploy(database, SCRIPTS)] == ['applied'] * 4
        yield state(database)
    finally:
        database.drop()


@contextlib.contextmanager
def stopped(database, point):
    """A deployment that waits at a point, and the PID of its worker, or None."""
    with contextlib.closing(database.connect()) as brake:
        brake.cursor().execute('SELECT pg_advisory_lock(%s)', (point.gate,))
        with Deployment(database, SCRIPTS) as deployment, contextlib.closing(database.connect()) as holder, \
                contextlib.closing(brake):
            waits = waiting(database, "locktype = 'advisory' AND objid = %d" % point.gate)
            if point.hold:
                holder.autocommit = False
                holder.cursor().execute(point.hold)
                brake.cursor().execute('SELECT pg_advisory_unlock(%s)', (point.gate,))
                waits = waiting(database, "(locktype <> 'advisory' OR objid <> %d)" % point.gate)
            yield deployment, waits if waits != deployment.pid else None


def waiting(database, what):
    """The PID of the process that waits for a lock, once there is one."""
    end = time.monotonic() + 20
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute('SELECT pid FROM pg_locks WHERE NOT granted AND ' + what)
            found = cursor.fetchone()
            if found:
                return found[0]
            time.sleep(0.005)
    raise TimeoutError('nobody waits')


def outside(point):
    return 200 <= point.gate < 300


@pytest.mark.parametrize('how', ['terminated', 'killed'])
@pytest.mark.parametrize('victim', ['backend', 'worker'])
@pytest.mark.parametrize('point', POINTS, ids=lambda point: point.where)
def test_a_deployment_that_was_cut_off_ends_as_one_that_was_not(crash, undisturbed, point, victim, how):
    if victim == 'worker' and not outside(point):
        pytest.skip('there is no worker')
    database = extend(Database(crash.server).create())
    with stopped(database, point) as (deployment, worker):
        assert (worker is not None) == outside(point)
        pid = worker if victim == 'worker' else deployment.pid
        if how == 'killed':
            before = database.value(CHECKPOINTER)
            os.kill(pid, signal.SIGKILL)
            restarted(database, before)
        else:
            database.rows('SELECT pg_terminate_backend(%s)', (pid,))
        assert deployment.end().error is not None
        database.wait_until('SELECT (%s) = 0 AND (%s) = 0' % (WORKERS, LOCKS))

    if point.unknown:
        assert 'not known whether' in str(refusal(database, SCRIPTS))
        deploy(database, SCRIPTS, resume='again')
    else:
        deploy(database, SCRIPTS)
    assert state(database) == undisturbed
    assert {row[1] for row in deploy(database, SCRIPTS)} == {'unchanged'}
    database.drop()


CHECKPOINTER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"


def restarted(database, before):
    """A process that is killed takes the others with it, but not at once: waits until there are new ones."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(psycopg2.OperationalError):
            if database.value(CHECKPOINTER) not in (None, before):
                return
        time.sleep(0.02)
    raise RuntimeError('the server was not started again')


# --- ended in time --------------------------------------------------------------------------

SLOW = {'slow.sql': NO_TRANSACTION + 'CREATE TABLE done ();\nSELECT pg_sleep(60);\n'}
ASLEEP = ("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'rdsinit' AND wait_event = 'PgSleep' "
          'AND datname = current_database()')


@pytest.mark.parametrize('how', ['cancelled', 'statement_timeout', 'timeout'])
def test_a_call_that_is_ended_ends_its_worker(extended, how):
    settings = {'statement_timeout': 'SET statement_timeout = 2000'}
    options = {'timeout': '2s'} if how == 'timeout' else {}
    with Deployment(extended, SLOW, settings.get(how, 'SELECT'), **options) as deployment:
        extended.wait_until(ASLEEP)
        if how == 'cancelled':
            extended.rows('SELECT pg_cancel_backend(%s)', (deployment.pid,))
        assert deployment.end().error.pgcode == '57014'
        # The worker is gone before the caller is told, and the session can go on.
        assert extended.value(WORKERS) == 0
        assert extended.value(LOCKS) == 0
        assert deployment.error.diag.context == 'slow.sql:3:1: statement 2'
        deployment.connection.cursor().execute("CALL rdsinit.deploy('{a.sql}', '{SELECT 1}')")
        assert deployment.connection.notices == []
    assert extended.rows(STEPS) == [(1, 'done')]
    assert deploy(extended, {'slow.sql': SLOW['slow.sql'].replace('60', '0')}) == [('slow.sql', 'applied', 2, 0)]


def test_a_call_that_waits_for_its_turn_can_be_cancelled(extended):
    with Deployment(extended, SLOW) as first, Deployment(extended, {'a.sql': 'SELECT 1'}) as second:
        extended.wait_until(ASLEEP)
        waiting(extended, "classid = 'pg_extension'::regclass")
        extended.rows('SELECT pg_cancel_backend(%s)', (second.pid,))
        assert second.end().error.pgcode == '57014'
        extended.rows('SELECT pg_cancel_backend(%s)', (first.pid,))
        assert first.end().error.pgcode == '57014'
    assert extended.value(LOCKS) == 0


def test_others_are_told_which_deployment_is_at_work(extended):
    with Deployment(extended, SLOW) as first:
        extended.wait_until(ASLEEP)
        try:
            error = refusal(extended, {'a.sql': 'SELECT 1'}, retry_for='100ms')
            assert error.pgcode == '55P03' and 'PID %d ' % first.pid in error.diag.message_detail
            for call in ("rdsinit.apply('a.sql', 'SELECT 1')", "rdsinit.baseline('1')", "rdsinit.undo('0')"):
                with pytest.raises(psycopg2.errors.LockNotAvailable) as caught:
                    extended.rows('SELECT * FROM ' + call)
                assert 'a deployment is at work' in str(caught.value)
                assert 'PID %d.' % first.pid in caught.value.diag.message_detail
            # To look is no call that changes anything.
            assert extended.rows("SELECT state FROM rdsinit.pending('{a.sql}', '{SELECT 1}')") == [('pending',)]
        finally:
            extended.rows('SELECT pg_cancel_backend(%s)', (first.pid,))


def test_without_autocommit_it_is_refused_before_anything_is_committed(extended):
    with contextlib.closing(extended.connect()) as connection:
        connection.autocommit = False
        with pytest.raises(psycopg2.errors.ActiveSqlTransaction) as caught:
            connection.cursor().execute('CALL rdsinit.deploy(%s, %s)', (
                ['a.sql', 'b.sql'], ['CREATE TABLE a ()', NO_TRANSACTION + 'VACUUM']))
        assert 'autocommit' in caught.value.diag.message_hint
        connection.rollback()
    assert extended.relations() == []


def test_calls_at_once_apply_each_script_once(extended):
    scripts = {'V1__t.sql': 'CREATE TABLE t (n int)',
               'V2__i.sql': NO_TRANSACTION + 'CREATE INDEX CONCURRENTLY a ON t (n); CREATE INDEX CONCURRENTLY b ON t (n)',
               'V3__r.sql': 'INSERT INTO t VALUES (1)'}
    with contextlib.ExitStack() as stack:
        calls = [stack.enter_context(Deployment(extended, scripts)) for _ in range(6)]
        for call in calls:
            assert call.end().error is None
    assert sorted(call.report[0][1] for call in calls) == ['applied'] + ['unchanged'] * 5
    assert extended.rows('SELECT name, count(*) FROM rdsinit.history WHERE statement IS NULL '
                         'GROUP BY name ORDER BY name') == [(name, 1) for name in scripts]
    assert extended.value('SELECT count(*) FROM t') == 1


def test_calls_that_commit_are_not_taken_for_deployments(extended):
    """A waiting call gets the turn while the one before it is letting go of its locks."""
    errors = []

    def call(number):
        with contextlib.closing(extended.connect()) as connection, connection.cursor() as cursor:
            for n in range(200):
                try:
                    cursor.execute('SELECT * FROM rdsinit.apply(%s, %s)', ('r%d.sql' % number, 'SELECT %d' % n))
                except psycopg2.Error as error:
                    errors.append(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


# --- without a worker -----------------------------------------------------------------------

def test_without_a_free_worker_the_error_says_what_to_raise(own):
    _, database = own(max_worker_processes=0)
    scripts = {'V1__t.sql': 'CREATE TABLE t ()', 'V2__v.sql': NO_TRANSACTION + 'VACUUM t',
               'V3__u.sql': 'CREATE TABLE u ()'}
    error = refusal(database, scripts)
    assert error.pgcode == '53000'
    assert 'max_worker_processes' in error.diag.message_hint
    assert database.relations() == ['public.t'] and database.rows(STEPS) == []
    assert database.value(LOCKS) == 0
    with pytest.raises(psycopg2.errors.InsufficientResources) as caught:
        database.rows("SELECT rdsinit.ensure_database('never')")
    assert 'max_worker_processes' in caught.value.diag.message_hint
    # What needs none goes on.
    assert deploy(database, {'V1__t.sql': scripts['V1__t.sql']}) == [('V1__t.sql', 'unchanged', 0, 0)]


def test_a_role_that_cannot_log_in_is_told_so_or_has_its_worker(extended, role, server):
    name, _ = role('NOLOGIN')
    extended.rows('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA rdsinit TO "%s"' % name)
    with Deployment(extended, {'v.sql': NO_TRANSACTION + 'SELECT 1'},
                    'SET SESSION AUTHORIZATION "%s"' % name) as deployment:
        deployment.end()
    if int(server.value('SHOW server_version_num')) >= 170000:
        assert deployment.error is None
    else:
        assert deployment.error.pgcode == '28000' and 'not permitted to log in' in str(deployment.error)


# --- what is logged -------------------------------------------------------------------------

CANARY = 'c4n4ry-7f3a'


@contextlib.contextmanager
def logged(cluster):
    """What the cluster logs meanwhile: a list of one text."""
    log, text = cluster.directory / 'log', []
    start = log.stat().st_size
    yield text
    text.append(log.read_bytes()[start:].decode())


@pytest.mark.parametrize('number, statement', [
    (1, "DO $$ BEGIN EXECUTE 'ALTER ROLE nosuchrole PASSWORD ''%s'''; END $$"),
    (1, "DO $$ BEGIN RAISE NOTICE 'harmless'; PERFORM 1 / 0 WHERE '%s' <> ''; END $$"),
    (1, "CREATE ROLE postgres PASSWORD '%s'"),
    (1, "SELECT 1 / 0, '%s'"),
    (1, "SELECT :'secret'::int"),
    (1, 'SELECT :"secret"'),
    (1, "SELECT '%s'::text, nosuchcolumn"),
    (2, "SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT nosuchcolumn || '%s' $$"),
    (1, "DO $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()) WHERE '%s' <> ''; PERFORM pg_sleep(10); END $$")])
def test_no_error_and_no_log_line_of_a_worker_repeats_the_script(crash, number, statement):
    database = extend(Database(crash.server).create())
    with logged(crash) as log, Deployment(
            database, {'secret.sql': NO_TRANSACTION + statement.replace('%s', CANARY)},
            'SET log_min_messages = notice; SET log_error_verbosity = verbose',
            variables={'secret': CANARY}) as deployment:
        diag = deployment.end().error.diag
    for field in ('message_primary', 'message_detail', 'message_hint', 'context', 'internal_query'):
        assert CANARY not in (getattr(diag, field) or ''), field
    assert not any(CANARY in notice for notice in deployment.connection.notices)
    assert diag.context.endswith('statement %d' % number)
    assert diag.message_primary in log[0], 'the log was not read'
    assert CANARY not in log[0]
    database.drop()


def test_an_error_of_a_worker_is_logged_once(crash):
    database = extend(Database(crash.server).create())
    with logged(crash) as log:
        refusal(database, {'v.sql': NO_TRANSACTION + 'SELECT 1;\nSELECT 1 / 0'})
    assert log[0].count('division by zero') == 1 and 'v.sql:3:1: statement 2' in log[0]
    database.drop()


def test_a_deployment_that_succeeds_leaves_no_line_in_the_log(crash):
    database = extend(Database(crash.server).create())
    with logged(crash) as log:
        deploy(database, SCRIPTS)
    assert log[0] == ''
    database.drop()


# --- dumps and size -------------------------------------------------------------------------

def test_a_dump_brings_versions_and_undo_scripts_along(extended, server):
    scripts = {'V1__a.sql': 'CREATE TABLE a ()', 'U1__a.sql': 'DROP TABLE a',
               '2_b.sql': '-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\nDROP TABLE b;\n',
               'V3__c.sql': NO_TRANSACTION + 'VACUUM a', 'U3__c.sql': 'SELECT 1', 'schema.sql': 'CREATE TABLE s ()'}
    deploy(extended, scripts)
    history = 'SELECT * FROM rdsinit.history ORDER BY id'
    other = Database(server).create()
    try:
        copy(extended, other)
        assert other.rows(history) == extended.rows(history)
        assert {row[1] for row in deploy(other, scripts)} == {'unchanged'}
        assert other.rows("SELECT name, outcome FROM rdsinit.undo('0')") == [
            ('V3__c.sql', 'undone'), ('2_b.sql', 'undone'), ('V1__a.sql', 'undone')]
        assert other.relations() == ['public.s']
        assert deploy(other, scripts) == [
            ('V1__a.sql', 'applied', 1, 0), ('2_b.sql', 'applied', 1, 0), ('V3__c.sql', 'applied', 1, 0),
            ('schema.sql', 'unchanged', 0, 0)]
    finally:
        other.drop()


LONG = ('INSERT INTO rdsinit.history (name, version, statement, outcome, checksum, statements, rows, duration, applied_by, '
        "applied_at, rdsinit_version) SELECT {}, repeat('0', 64), 1, 0, '0', 'me', now(), '' FROM generate_series(1, 200000) n")


@pytest.mark.parametrize('kind, columns', [
    ('nothing else', None),
    ('200,000 rows of repeatable scripts', "'R__' || n % 1000 || '.sql', NULL, NULL, 'applied'"),
    ('200,000 rows of statements', "'V' || n % 5000 || '__text.sql', (n % 5000)::text, n % 40 + 1, 'done'"),
    ('200,000 rows of versions done and undone',
     "'V' || n % 5000 + 1 || '__text.sql', (n % 5000 + 1)::text, NULL, CASE WHEN n % 10000 < 5000 THEN 'applied' ELSE 'undone' END"),
])
def test_thousands_of_scripts_that_have_not_changed(extended, capsys, kind, columns):
    """Decided in one pass; how long it takes is printed: a machine's speed is no test."""
    names = ['V%d__text.sql' % n for n in range(1, 5001)]
    with contextlib.closing(extended.connect()) as connection, connection.cursor() as cursor:
        if columns:
            cursor.execute(LONG.format(columns))
        cursor.execute('CREATE TABLE bundle AS SELECT %s AS names, %s AS scripts', (names, ['SELECT 1'] * len(names)))
        cursor.execute('SELECT count(*) FROM bundle, rdsinit.apply_bundle(names, scripts, %s)', (
            '{"allow_changed": true, "out_of_order": true}',))
        cursor.execute('VACUUM ANALYZE rdsinit.history')
        took = []
        for _ in range(7):
            start = time.perf_counter()
            cursor.execute('SELECT outcome, count(*) FROM bundle, rdsinit.apply_bundle(names, scripts) GROUP BY outcome')
            took.append(time.perf_counter() - start)
            assert cursor.fetchall() == [('unchanged', 5000)]
    with capsys.disabled():
        print('\n5,000 scripts unchanged, history of %s: %.0f ms (median of 7)' % (kind, 1000 * sorted(took)[3]))

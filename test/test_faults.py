"""Calls that are broken off: each kind of ./dev faults for some rounds, and what it has found, again."""

import contextlib
import os

import psycopg2
import psycopg2.errors
import pytest

from faults import state
from faults.__main__ import KINDS
from faults.bundle import MARK
from faults.call import Call, call
from faults.server import Victim
from faults.takeover import WITH_STANDBYS, standby_of
from support import Database

pytestmark = pytest.mark.extension

SEED = '7'
ROUNDS = int(os.environ.get('RDSINIT_TEST_FAULTS', '5'))
ROOTS = [name for name in KINDS if 'disk' in name]


@pytest.mark.parametrize('kind', KINDS)
def test_nothing_is_lost(has_extension, kind):
    if kind in ROOTS and os.getuid() != 0:
        pytest.skip('only root can mount a small disk')
    tally = KINDS[kind](kind, ROUNDS, SEED)
    assert tally.lost == [] and tally.survived == tally.tried > 0


# --- what a round looks at is seen ------------------------------------------------------------

@pytest.fixture
def prepared(database):
    """A database as the rounds have it."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    database.rows('CREATE TABLE ran (what text NOT NULL)')
    return database


@pytest.mark.parametrize('damage, seen', [
    ('DROP VIEW report', 'only there'),
    ("INSERT INTO ran VALUES ('V4')", 'twice there'),
    ("DELETE FROM ran WHERE what = 'V3.2'", 'only there'),
    ('DROP INDEX product_name', 'only there'),
    ('CREATE TABLE more ()', 'drift'),
    ("DELETE FROM rdsinit.history WHERE name = 'R__report.sql'", "'relation', 'report'"),
    ("DELETE FROM rdsinit.history WHERE name = 'V1__product.sql'", "'relation', 'product'"),
    ("DELETE FROM rdsinit.history WHERE statement = 6", 'extra'),
    ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sale_pkey'::regclass", 'an invalid index'),
    ('CREATE SEQUENCE pg_temp.never_mind', None)])
def test_what_is_lost_is_seen(prepared, damage, seen):
    broken = Call(prepared, 'deploy').start().end()
    assert broken.error is None
    prepared.rows(damage)
    with state.session(prepared) as session:
        if seen is None:
            assert state.broken_off(session, False, broken.scripts) == 'all'
        else:
            with pytest.raises(state.Violation, match=seen):
                state.broken_off(session, False, broken.scripts)


def test_what_is_left_is_seen(prepared):
    with contextlib.closing(prepared.connect()) as holder, state.session(prepared) as session:
        holder.cursor().execute('BEGIN; LOCK TABLE ran')
        for what, query in state.LEFT.items():
            assert bool(session.rows(query)) == (what == 'a lock')


# --- what was found ---------------------------------------------------------------------------

TABLE = {'V1__t.sql': 'CREATE TABLE t AS SELECT n FROM generate_series(1, 10) n; CREATE INDEX t_old ON t (n)'}


def waits(database, what):
    """Until a worker waits so."""
    database.wait_until("SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted "
                        "AND a.backend_type = 'rdsinit' AND a.datname = current_database() AND " + what)


def worker(database):
    return database.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'rdsinit' AND datname = current_database()")


@contextlib.contextmanager
def holding(database, *commands):
    with contextlib.closing(database.connect()) as holder:
        for command in ('BEGIN', *commands):
            holder.cursor().execute(command)
        yield holder


@pytest.mark.parametrize('how', ['cancelled', 'ended'])
@pytest.mark.parametrize('statement', ['CREATE INDEX CONCURRENTLY t_n ON t (n)', 'CREATE UNIQUE INDEX CONCURRENTLY ON t ((n + 1))',
                                       'DROP INDEX CONCURRENTLY t_old', 'DROP INDEX CONCURRENTLY public.t_old'])
def test_what_was_done_and_not_recorded_is_no_drift(prepared, statement, how):
    """The statement is done, and the worker waits to keep what it has done: there it ends."""
    call(prepared, 'deploy', scripts=TABLE)
    scripts = {**TABLE, 'V2__outside.sql': MARK + statement}
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(holding(prepared, 'LOCK TABLE t IN ROW EXCLUSIVE MODE'))
        broken = Call(prepared, 'deploy', scripts=scripts, lock_timeout='1min').start()
        waits(prepared, "l.locktype = 'virtualxid'")
        stack.enter_context(holding(prepared, 'LOCK TABLE rdsinit.object IN SHARE ROW EXCLUSIVE MODE'))
        writer.cursor().execute('ROLLBACK')
        waits(prepared, "l.relation = 'rdsinit.object'::regclass")
        prepared.rows('SELECT %s(%%s)' % {'cancelled': 'pg_cancel_backend', 'ended': 'pg_terminate_backend'}[how],
                      (worker(prepared),))
        assert broken.end().error is not None
    assert prepared.rows('SELECT outcome FROM rdsinit.history WHERE statement = 1 ORDER BY id') == [('started',)]
    assert call(prepared, 'deploy', scripts=scripts) == ['unchanged', 'applied']
    assert prepared.rows('SELECT kind, identity, change FROM rdsinit.drift()') == []
    assert prepared.value('SELECT count(*) FROM pg_index WHERE NOT indisvalid') == 0


def test_an_index_that_reindex_was_dropping_is_dropped(prepared):
    """Between the last two of its transactions, which the server's own list of a table's indexes does not show."""
    call(prepared, 'deploy', scripts=TABLE)
    scripts = {**TABLE, 'V2__outside.sql': MARK + 'REINDEX INDEX CONCURRENTLY t_old'}
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(holding(prepared, 'LOCK TABLE t IN ACCESS SHARE MODE'))
        broken = Call(prepared, 'deploy', scripts=scripts).start()
        waits(prepared, "l.locktype = 'virtualxid'")
        stack.enter_context(holding(prepared, 'LOCK TABLE t IN ACCESS SHARE MODE'))
        first.cursor().execute('ROLLBACK')
        prepared.wait_until("SELECT count(*) = 1 FROM pg_index WHERE NOT indislive")
        prepared.rows('SELECT pg_terminate_backend(%s)', (worker(prepared),))
        assert broken.end().error is not None
    assert prepared.value("SELECT count(*) FROM pg_class WHERE relname = 't_old_ccold'") == 1
    assert call(prepared, 'deploy', scripts=scripts) == ['unchanged', 'applied']
    assert prepared.value("SELECT count(*) FROM pg_class WHERE relname LIKE 't_old%'") == 1
    assert prepared.value('SELECT count(*) FROM pg_index WHERE NOT indisvalid') == 0


# --- a standby --------------------------------------------------------------------------------

READ_ONLY = [
    "SELECT * FROM rdsinit.apply('a.sql', 'CREATE TABLE a ()')",
    "SELECT * FROM rdsinit.apply_bundle('{a.sql}', '{CREATE TABLE a ()}')",
    "SELECT * FROM rdsinit.apply_file('/etc/hostname')",
    "CALL rdsinit.deploy('{a.sql}', '{CREATE TABLE a ()}')",
    "CALL rdsinit.deploy('{a.sql}', ARRAY[E'-- rdsinit: no-transaction\\nVACUUM'])",
    "SELECT * FROM rdsinit.plan('a.sql', 'CREATE TABLE a ()')",
    "SELECT rdsinit.ensure_database('never_made')",
    "SELECT * FROM rdsinit.baseline('1')",
    "SELECT * FROM rdsinit.undo('0')",
    'SELECT rdsinit.accept_drift()',
]


def test_a_standby_refuses_clearly_and_goes_on_when_it_is_promoted(has_extension):
    primary = Victim(**WITH_STANDBYS).initialize()
    standby = None
    try:
        primary.start().prepare()
        database = primary.database()
        call(database, 'apply')
        standby = standby_of(primary)
        there = Database(standby.server, database.name)
        for statement in READ_ONLY:
            with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction) as caught:
                there.rows(statement)
            assert 'on a standby server' in str(caught.value) and 'primary' in caught.value.diag.message_hint, statement
        # To look is allowed.
        assert there.rows('SELECT * FROM rdsinit.drift()') == []
        assert there.value("SELECT state FROM rdsinit.pending('{x.sql}', '{SELECT 1}')") == 'pending'

        standby.run('pg_ctl', 'promote', '--wait', '--silent', '--pgdata=%s' % standby.data)
        primary.stop()
        assert set(call(there, 'deploy', out_of_order=True)) == {'unchanged', 'applied'}
        assert there.rows('SELECT * FROM rdsinit.drift()') == []
    finally:
        primary.remove()
        if standby:
            standby.remove()

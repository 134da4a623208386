"""Each command of the server's own regression tests: what the server takes is applied, and planned; nothing drifts.

RDSINIT_REGRESS names their directory in the server's source, src/test/regress/sql; ./dev drift gets it.
"""

import contextlib
import os
import pathlib
import re

import psycopg2
import pytest

from corpus.splitter import DATA, PsqlLexer, without_leading
from support import Database
from support.cluster import Cluster, extension_places

pytestmark = pytest.mark.extension

SQL = os.environ.get('RDSINIT_REGRESS')
SETUP = 'test_setup.sql'        # tables that nearly all use
SCRIPTS = sorted(path.name for path in pathlib.Path(SQL).glob('*.sql') if path.name != SETUP) if SQL else []

COMMAND = re.compile(rb'^\s*\\[^\n]*$', re.MULTILINE)
VARIABLE = re.compile(rb''':(['"])(\w+)\1''')
SETTING = re.compile(r'(set|reset)\b', re.IGNORECASE)
# They change no schema, or are of a transaction of its own.
OTHERS = re.compile(r'(abort|analyze|begin|close|commit|copy|deallocate|declare|delete|discard|end|execute|explain|fetch|insert|listen|lock|'
                    r'merge|move|notify|prepare|reindex|release|rollback|savepoint|select|show|start|table|update|vacuum|values|with)\b', re.IGNORECASE)
DRIFT = 'SELECT kind, identity, change, expected, found FROM rdsinit.drift()'
# A function that takes a temporary table's row is gone with it, and reads differently to others until then.
TEMPORARY = re.compile(r'\bpg_temp_\d')
OPTIONS = '{"allow_data_loss": true}'
NO_TRANSACTION = '25001'
WITHOUT = '-- rdsinit: no-transaction\n'
# The server says this at COMMIT, to which a plan never comes.
AT_THE_END = re.compile('unsupported ON COMMIT')
MOST_SECONDS = 20


@pytest.fixture(scope='module')
def lexer(tmp_path_factory):
    lexer = PsqlLexer(tmp_path_factory.mktemp('psqlscan'), os.environ.get('PG_CONFIG', 'pg_config'))
    yield lexer
    lexer.close()


@pytest.fixture(scope='module')
def cluster(server, has_extension):
    """One for roles and tablespaces of all names, with a database that holds what all scripts begin with."""
    if not has_extension:
        pytest.skip('this server does not have the extension rdsinit')
    cluster = Cluster(**extension_places(server), statement_timeout='%ds' % MOST_SECONDS, max_prepared_transactions=2, autovacuum='off').initialize()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


@pytest.fixture(scope='module')
def prepared(cluster, lexer):
    database = Database(cluster.server, 'prepared').create()
    # some commands are run by roles that come with them
    database.rows('CREATE EXTENSION rdsinit; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA rdsinit TO PUBLIC')
    if SQL:
        assert run(database, commands(lexer, pathlib.Path(SQL) / SETUP))[0] > 20
    return database


@pytest.fixture
def fresh(cluster, prepared):
    """A copy of that database."""
    database = Database(cluster.server, 'regression')
    cluster.server.administer('CREATE DATABASE regression TEMPLATE prepared')
    yield database
    for (name,) in database.rows('SELECT quote_ident(subname) FROM pg_subscription'):
        for command in 'ALTER SUBSCRIPTION %s DISABLE', 'ALTER SUBSCRIPTION %s SET (slot_name = NONE)', 'DROP SUBSCRIPTION %s':
            database.rows(command % name)
    database.drop()


def commands(lexer, path):
    """As psql would send them, without its own commands."""
    script = COMMAND.sub(b'', VARIABLE.sub(rb'\1\2\1', DATA.sub(rb'\1', path.read_bytes())))
    return [without_leading(text).decode('utf-8', 'replace') for text in lexer.split(script)[0]]


def run(database, texts):
    """(how many were applied, what was wrong with which of them).  Many are there to fail."""
    applied, found = 0, []
    with contextlib.closing(database.connect()) as connection, contextlib.closing(database.connect()) as onlooker:
        cursor, drift = connection.cursor(), onlooker.cursor()
        for text in texts:
            if not text or OTHERS.match(text):
                continue
            if SETTING.match(text):
                error_of(cursor, text)
                continue
            before = fingerprint(drift)
            not_planned = error_of(cursor, 'SELECT rdsinit.plan(%s, %s, %s)', ('command.sql', text, OPTIONS))
            if fingerprint(drift) != before:
                found.append((text, 'the plan has changed something'))
            refused = error_of(cursor, 'SELECT rdsinit.apply(%s, %s, %s)', ('command.sql', text, OPTIONS))
            if code(not_planned) != code(refused) and not AT_THE_END.search(str(refused)):
                found.append((text, 'planned: %s; applied: %s' % (not_planned, refused)))
            if code(refused) == NO_TRANSACTION:
                refused = error_of(cursor, 'CALL rdsinit.deploy(%s, %s, %s)', (['command.sql'], [WITHOUT + text], OPTIONS))
                if refused:
                    error_of(cursor, text)      # it is another session's, with other settings, or is for no script
            elif refused and not error_of(cursor, text):
                found.append((text, str(refused)))
            applied += not refused
            rows = drifted(drift)
            if rows and not refused:
                found.append((text, rows))
    return applied, found


def error_of(cursor, *query):
    """The server's error, or None."""
    try:
        cursor.execute(*query)
    except psycopg2.Error as error:
        assert not cursor.connection.closed, 'the session is gone: %r' % (query,)
        return error
    return None


def code(error):
    return error and error.pgcode


def fingerprint(cursor):
    cursor.execute('SELECT rdsinit.fingerprint()')
    return cursor.fetchone()


def drifted(cursor):
    """What has, and no more from here on."""
    cursor.execute(DRIFT)
    rows = cursor.fetchall()
    if rows:
        cursor.execute('SELECT rdsinit.accept_drift()')
    return [row for row in rows if not TEMPORARY.search(row[-1] or '')]


@pytest.mark.skipif(not SQL, reason='RDSINIT_REGRESS names no directory')
@pytest.mark.parametrize('name', SCRIPTS)
def test_each_command_is_planned_and_applied_and_leaves_no_drift(fresh, lexer, name):
    assert run(fresh, commands(lexer, pathlib.Path(SQL) / name))[1] == []


def test_what_drifts_is_found(fresh):
    """Where a catalog is written to, which no hook tells."""
    applied, found = run(fresh, [
        'CREATE TABLE seen (a int)',
        "DO $$ BEGIN UPDATE pg_attribute SET attname = 'b' WHERE attrelid = 'seen'::regclass AND attname = 'a'; END $$",
        'SELECT nothing', 'CREATE TABLE nothing (a nothing)', 'CREATE TABLE more (a int)'])
    assert applied == 3
    assert [(text[:2], [row[1] for row in rows]) for text, rows in found] == [('DO', ['public.seen'])]

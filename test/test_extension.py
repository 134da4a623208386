"""The extension, where pg_regress cannot look: the server's log, a second session, a dump, other encodings."""

import contextlib
import hashlib
import os
import pathlib
import subprocess
import threading

import psycopg2
import pytest

pytestmark = pytest.mark.extension

ROOT = pathlib.Path(__file__).resolve().parent.parent
APPLY = 'SELECT outcome FROM rdsinit.apply(%s, %s)'


@pytest.fixture
def extended(database):
    """A database with the extension."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    return database


def run(program, *arguments, database=None, **environment):
    """One of PostgreSQL's client programs, on the server under test."""
    target = {'PGDATABASE': database.name} if database else {}
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **target, **environment})


# --- the examples ---------------------------------------------------------------------------

def test_the_init_script_can_be_run_again_and_again(database):
    database.create()
    for outcome in ('applied', 'unchanged'):
        output = run('psql', '-X', '-At', '-q', '-f', str(ROOT / 'examples' / 'init.sql'), database=database).stdout
        assert outcome in output
    assert database.relations() == ['your_schema.product']


def test_the_schema_is_the_one_that_was_ordered(extended):
    schema = (ROOT / 'examples' / 'schema.sql').read_text()
    assert extended.value(APPLY, ('schema.sql', schema)) == 'applied'
    assert extended.rows(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) "
        "FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "WHERE attrelid = 'your_schema.product'::regclass AND attnum > 0 ORDER BY attnum") == [
            ('id', 'character varying(20)', True, None),
            ('name', 'character varying(255)', True, None),
            ('avg_weekly_usage', 'numeric(10,2)', False, '0'),
            ('safety_stock', 'numeric(10,2)', False, '0'),
            ('max_stock', 'numeric(10,2)', False, '0'),
            ('description', 'text', False, None)]
    assert extended.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                          "WHERE conrelid = 'your_schema.product'::regclass AND contype = 'p'") == 'PRIMARY KEY (id)'


# --- what others see ------------------------------------------------------------------------

def test_a_database_needs_no_procedural_language(database, role):
    """Also where something has been given that is to be taken back."""
    database.create().rows('DROP EXTENSION plpgsql; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO "%s"' % role()[0])
    database.rows('CREATE EXTENSION rdsinit')
    assert database.rows(APPLY, ('a.sql', 'CREATE TABLE a ()')) == [('applied',)]
    assert database.rows('SELECT kind FROM rdsinit.drift()') == []
    assert database.value("SELECT rdsinit.plan_text('b.sql', 'CREATE TABLE b ()')")


def test_another_session_can_watch_where_a_call_is(extended):
    script = 'CREATE TABLE t (n int);\n\n\nSELECT pg_advisory_lock(1);\nSELECT 1;\n'
    with contextlib.closing(extended.connect()) as blocker, contextlib.closing(extended.connect()) as caller:
        blocker.cursor().execute('SELECT pg_advisory_lock(1)')
        call = threading.Thread(target=lambda: caller.cursor().execute(APPLY, ('schema.sql', script)))
        call.start()
        pid = caller.info.backend_pid
        extended.wait_until("SELECT wait_event = 'advisory' FROM pg_stat_activity WHERE pid = %s", (pid,))
        assert extended.value('SELECT query FROM pg_stat_activity WHERE pid = %s', (pid,)) == \
            'rdsinit: schema.sql:4, statement 2 of 3'

        # The session that waits for its turn says so.
        with contextlib.closing(extended.connect()) as waiter:
            wait = threading.Thread(target=lambda: waiter.cursor().execute(APPLY, ('schema.sql', script)))
            wait.start()
            extended.wait_until("SELECT query = 'rdsinit: waiting for its turn' FROM pg_stat_activity WHERE pid = %s",
                                (waiter.info.backend_pid,))
            blocker.cursor().execute('SELECT pg_advisory_unlock(1)')
            call.join(10)
            wait.join(10)
        assert not call.is_alive() and not wait.is_alive()
        assert extended.value('SELECT query FROM pg_stat_activity WHERE pid = %s', (pid,)).startswith('SELECT outcome')
    assert extended.history('rdsinit') == [('schema.sql', 'applied', 3, 0)]


def test_who_waits_in_vain_is_told_for_whom(extended):
    with contextlib.closing(extended.connect()) as holder, contextlib.closing(extended.connect()) as waiter:
        holder.autocommit = False
        holder.cursor().execute(APPLY, ('schema.sql', 'SELECT 1'))
        with pytest.raises(psycopg2.errors.LockNotAvailable) as caught:
            waiter.cursor().execute("SELECT * FROM rdsinit.apply('schema.sql', 'SELECT 1', '{\"retry_for\": \"50ms\"}')")
        assert 'PID %d ' % holder.info.backend_pid in caught.value.diag.message_detail
        assert '50 ms' in caught.value.diag.message_detail
        assert 'retry_for' in caught.value.diag.message_hint


@pytest.mark.parametrize('end', ['pg_cancel_backend', 'pg_terminate_backend'])
def test_a_call_that_is_ended_from_outside_leaves_nothing(extended, end):
    caught = []

    def call():
        try:
            caller.cursor().execute(APPLY, ('schema.sql', 'CREATE TABLE t (n int);\nSELECT pg_sleep(60);'))
        except psycopg2.Error as error:
            caught.append(error)

    with contextlib.closing(extended.connect()) as caller:
        thread = threading.Thread(target=call)
        thread.start()
        pid = caller.info.backend_pid
        extended.wait_until("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s", (pid,))
        extended.rows('SELECT %s(%d)' % (end, pid))
        thread.join(10)
    assert not thread.is_alive()
    if end == 'pg_cancel_backend':
        assert caught[0].pgcode == '57014'
        assert caught[0].diag.context == 'schema.sql:2:1: statement 2'
    else:
        assert isinstance(caught[0], psycopg2.OperationalError)
    assert extended.relations() == [] and extended.history('rdsinit') == []
    assert extended.value(APPLY, ('schema.sql', 'CREATE TABLE t (n int)')) == 'applied'


# --- what must stay secret ------------------------------------------------------------------

CANARY = 'c4n4ry-7f3a'


@pytest.mark.parametrize('script', [
    "CREATE ROLE nobody LOGIN PASSWORD '%s' NOSUCHOPTION",
    "CREATE ROLE nobody LOGIN '%s'",
    "SELECT 1;\nSELECT '%s",
    "SELECT $x$%s",
    "SELECT 1 /* %s",
    "DO $$ BEGIN EXECUTE 'ALTER ROLE nosuchrole PASSWORD ''%s'''; END $$",
    "DO $$ DECLARE x int := 1 / (length('%s') * 0); BEGIN END $$",
    "DO $$ BEGIN RAISE NOTICE 'harmless'; PERFORM 1 / 0 WHERE '%s' <> ''; END $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT nosuchcolumn || '%s' $$",
    "CREATE TABLE t (n int CHECK (n > 0));\nINSERT INTO t SELECT 0 WHERE '%s' <> ''",
    "ROLLBACK; -- %s",
    "COPY t FROM stdin;\n%s\n\\.\n",
    "\\set password %s\nSELECT :password",
    "\\set password 'a %s b'\nSELECT 1 :password;",
    "\\set password %s\nSELECT :'password'::int",
    "COPY nosuchtable FROM stdin;\n%s\n\\.\n",
    "SELECT set_config('client_min_messages', 'debug5', false);\nSELECT 1 / 0, '%s'"])
@pytest.mark.parametrize('name', ['schema.sql', None])
def test_no_error_and_no_log_line_repeats_the_script(extended, server_log, script, name):
    with server_log() as log, contextlib.closing(extended.connect()) as connection:
        connection.cursor().execute("SET log_min_messages = notice; SET log_error_verbosity = verbose")
        with pytest.raises(psycopg2.Error) as caught:
            connection.cursor().execute(APPLY, (name, script % CANARY))
        diag = caught.value.diag
        for field in ('message_primary', 'message_detail', 'message_hint', 'context', 'internal_query'):
            assert CANARY not in (getattr(diag, field) or ''), field
        assert diag.internal_query is None and diag.statement_position is None
        assert not any(CANARY in notice for notice in connection.notices)
    assert diag.message_primary in log.text, 'the log was not read'
    assert CANARY not in log.text


@pytest.fixture
def server_log(server):
    """server_log() is a context after which .text is what the server has logged within it."""
    path = pathlib.Path(_log_path(server))

    class Log:
        text = ''

    @contextlib.contextmanager
    def read():
        log, start = Log(), path.stat().st_size
        yield log
        with open(path, encoding='utf-8', errors='replace') as file:
            file.seek(start)
            log.text = file.read()
    return read


def _log_path(server):
    """Where the server's log is, if that is a file: its standard error."""
    data = pathlib.Path(server.value('SHOW data_directory'))
    postmaster = (data / 'postmaster.pid').read_text().split('\n', 1)[0]
    return os.readlink('/proc/%s/fd/2' % postmaster)


# --- dumps, encodings, size -----------------------------------------------------------------

def test_a_dump_brings_the_history_along(extended, server):
    extended.rows(APPLY, ('schema.sql', 'CREATE TABLE t (n int)'))
    dump = run('pg_dump', database=extended).stdout
    copy = type(extended)(server).create()
    try:
        subprocess.run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', copy.name], input=dump, text=True,
                       check=True, capture_output=True, timeout=60)
        assert copy.history('rdsinit') == [('schema.sql', 'applied', 1, 0)]
        assert copy.value(APPLY, ('schema.sql', 'CREATE TABLE t (n int)')) == 'unchanged'
        assert copy.value(APPLY, ('more.sql', 'CREATE TABLE u (n int)')) == 'applied'
        assert copy.rows('SELECT id, name FROM rdsinit.history ORDER BY id') == [(1, 'schema.sql'), (2, 'more.sql')]
    finally:
        copy.drop()


@pytest.mark.parametrize('encoding, word', [('LATIN1', 'Größe'), ('EUC_JP', '日本語'), ('SQL_ASCII', 'x')])
def test_places_and_checksums_do_not_depend_on_the_encoding(database, server, encoding, word):
    server.rows('CREATE DATABASE "%s" ENCODING %s LOCALE \'C\' TEMPLATE template0' % (database.name, encoding))
    database.rows('CREATE EXTENSION rdsinit')
    with contextlib.closing(database.connect()) as connection:
        connection.set_client_encoding('UTF8')
        cursor = connection.cursor()
        script = "CREATE TABLE \"%s\" (n text);\nINSERT INTO \"%s\" VALUES ('%s');" % (word, word, word)
        cursor.execute('SELECT checksum, rows FROM rdsinit.apply(%s, %s)', (word + '.sql', script))
        assert cursor.fetchone() == (hashlib.sha256(script.encode()).hexdigest(), 1)
        with pytest.raises(psycopg2.errors.UndefinedColumn) as caught:
            cursor.execute(APPLY, (word + '.sql', "SELECT 1;\nSELECT '%s', nosuchcolumn" % word))
        assert caught.value.diag.context == '%s.sql:2:%d: statement 2' % (word, 12 + len(word))


def test_a_long_script_does_not_pile_up_memory(extended):
    """A hundred thousand statements need memory for one of them, beside the script itself."""
    script = 'CREATE TABLE t (n int);\n' + ''.join('INSERT INTO t VALUES (%d);\n' % n for n in range(100_000))
    with contextlib.closing(extended.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute('SELECT statements, rows FROM rdsinit.apply(%s, %s)', ('first.sql', 'SELECT 1'))
        before = _private_memory(connection.info.backend_pid)
        cursor.execute('SELECT statements, rows FROM rdsinit.apply(%s, %s)', ('long.sql', script))
        assert cursor.fetchone() == (100_001, 100_000)
        used = _peak_private_memory(connection.info.backend_pid) - before
    assert used < 10 * len(script)


def _status(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as file:
        return {words[0].rstrip(':'): words[1] for words in map(str.split, file) if len(words) > 1}


def _private_memory(pid):
    status = _status(pid)
    return 1024 * int(status['RssAnon'])


def _peak_private_memory(pid):
    status = _status(pid)
    return 1024 * (int(status['VmHWM']) - int(status['RssFile']) - int(status['RssShmem']))

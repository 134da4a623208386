"""Security: nobody gets further by a call than by himself."""

import contextlib
import os
import pathlib
import re
import socket
import struct
import tempfile
import threading

import psycopg2
import pytest

from support.database import quoted

pytestmark = pytest.mark.extension

CANARY = 'canary-8c2e'
OUTSIDE = "CALL rdsinit.deploy('{a.sql}', ARRAY[E'-- rdsinit: no-transaction\\n' || %s])"
WHO = "DO $$ BEGIN INSERT INTO public.seen SELECT session_user, current_user, current_setting('is_superuser'); END $$;"


@pytest.fixture
def extended(database):
    database.create()
    database.rows('CREATE EXTENSION rdsinit; CREATE TABLE public.seen (session_name text, current_name text, is_superuser text);'
                  ' GRANT ALL ON public.seen TO PUBLIC')
    return database


@pytest.fixture
def caller(extended, role):
    """A role that may call everything, and has no other right."""
    login = role()
    extended.rows('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA rdsinit TO %s' % quoted(login[0]))
    return login


@contextlib.contextmanager
def session(database, login=()):
    with contextlib.closing(database.connect(*login)) as connection:
        yield connection.cursor()


# --- the worker -----------------------------------------------------------------------------

def test_a_worker_is_who_calls(extended, caller):
    with session(extended, caller) as cursor:
        cursor.execute(OUTSIDE, (WHO,))
    assert extended.rows('TABLE seen') == [(caller[0], caller[0], 'off')]


@pytest.mark.parametrize('become', ['SET SESSION AUTHORIZATION %s', 'SET ROLE %s'])
def test_a_superuser_who_has_become_somebody_is_that_one_in_the_worker(extended, caller, become):
    with session(extended) as cursor:
        cursor.execute(become % quoted(caller[0]))
        cursor.execute(OUTSIDE, (WHO,))
    (session_name, current_name, is_superuser), = extended.rows('TABLE seen')
    assert (current_name, is_superuser) == (caller[0], 'off')
    if 'SESSION' in become:
        assert session_name == caller[0]


@pytest.mark.parametrize('escape', ['RESET ROLE', 'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT', 'SET ROLE postgres',
                                    'SET SESSION AUTHORIZATION postgres', 'SET ROLE NONE', 'RESET ALL', "SET log_statement = 'none'"])
@pytest.mark.parametrize('authorized', [False, True])
def test_no_script_leads_out_of_the_callers_rights(extended, caller, escape, authorized):
    with session(extended, () if authorized else caller) as cursor:
        if authorized:
            cursor.execute('SET SESSION AUTHORIZATION %s' % quoted(caller[0]))
        with contextlib.suppress(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(OUTSIDE, (escape + ';\n' + WHO,))
    assert {name for row in extended.rows('TABLE seen') for name in row[:2]} <= {caller[0]}


def test_what_only_a_superuser_may_set_is_not_smuggled_in(extended, caller, role):
    """Nor does what a superuser has set go with a session that is none any more."""
    seen = "DO $$ BEGIN INSERT INTO public.seen SELECT current_setting('session_replication_role'); END $$;"
    with session(extended) as cursor:
        cursor.execute('SET session_replication_role = replica; SET SESSION AUTHORIZATION %s' % quoted(caller[0]))
        cursor.execute(OUTSIDE, (seen,))
    assert extended.value('SELECT session_name FROM seen') == 'origin'


@pytest.mark.parametrize('call', ["CALL rdsinit.deploy('{a.sql}', ARRAY[E'-- rdsinit: no-transaction\\nVACUUM'], '{}', report)",
                                  "PERFORM rdsinit.ensure_database('rdsinit_test_no_such')"])
def test_a_functions_owner_lends_no_worker_his_rights(extended, caller, call):
    extended.rows('CREATE FUNCTION public.lent() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $f$ DECLARE report jsonb; BEGIN %s; END $f$' % call)
    with session(extended, caller) as cursor, pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ActiveSqlTransaction)):
        cursor.execute('SELECT public.lent()')
    assert extended.value("SELECT count(*) FROM pg_database WHERE datname = 'rdsinit_test_no_such'") == 0


def test_ensure_database_needs_what_create_database_needs(extended, caller, server):
    with session(extended, caller) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("SELECT rdsinit.ensure_database('rdsinit_test_no_such')")


@pytest.mark.parametrize('options', ['{"owner": "x\\"; DROP DATABASE postgres; --"}', '{"encoding": "UTF8\'; DROP DATABASE d; --"}',
                                     '{"locale": "\\\\\'; x"}', '{"strategy": "wal_log; DROP TABLE t"}'])
@pytest.mark.parametrize('standard', ['on', 'off'])
def test_its_options_are_values_and_no_sql(extended, options, standard):
    with session(extended) as cursor:
        try:
            cursor.execute('SET standard_conforming_strings = %s' % standard)
        except psycopg2.Error:
            pytest.skip('this server knows one kind of string')
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute("SELECT rdsinit.ensure_database('rdsinit_test_no_such', %s)", (options,))
    assert caught.value.pgcode != '42601'


# --- restricted operations ------------------------------------------------------------------

def test_a_call_within_a_restricted_operation_is_restricted(extended, caller):
    """A superuser's REFRESH runs a view's functions as its owner, and lets them leave nothing behind."""
    extended.rows('GRANT CREATE ON SCHEMA public TO %s' % quoted(caller[0]))
    with session(extended, caller) as cursor:
        cursor.execute("""
            CREATE FUNCTION public.sneak(script text) RETURNS text LANGUAGE plpgsql AS $f$
            BEGIN
                RETURN (SELECT outcome FROM rdsinit.apply('sneak.sql', script, '{"force": true}'));
            EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
            END $f$;
            CREATE TABLE public.script AS SELECT 'SELECT 1'::text AS script;
            CREATE MATERIALIZED VIEW public.sneaky AS SELECT script, public.sneak(script) AS outcome FROM public.script WITH NO DATA""")
    for script in ('SET ROLE postgres', 'SET SESSION AUTHORIZATION DEFAULT', 'RESET ROLE', 'CREATE TEMPORARY TABLE t ()',
                   'PREPARE p AS SELECT 1', 'LISTEN l', WHO):
        extended.rows('UPDATE public.script SET script = %s', (script,))
        extended.rows('REFRESH MATERIALIZED VIEW public.sneaky')
        if script == WHO:
            assert {row[1] for row in extended.rows('TABLE seen')} <= {caller[0]}
        else:
            assert extended.value('SELECT outcome FROM public.sneaky') == '42501', script


# --- what a call tells ----------------------------------------------------------------------

def test_the_guard_does_not_tell_who_may_not_truncate_whether_there_are_rows(extended, caller):
    extended.rows('CREATE TABLE public.secret (n int); INSERT INTO public.secret VALUES (1); CREATE TABLE public.empty (n int)')
    said = set()
    for statement in 'TRUNCATE public.%s', 'DROP TABLE public.%s', 'ALTER TABLE public.%s DROP n':
        for table in 'secret', 'empty':
            for call in "rdsinit.apply('a.sql', %s)", "rdsinit.plan('a.sql', %s)":
                with session(extended, caller) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege) as caught:
                    cursor.execute('SELECT * FROM ' + call, (statement % table,))
                said.add(caught.value.diag.message_primary.replace(table, 'T'))
    assert len(said) == 2, 'permission denied, must be owner: %s' % said


def test_a_plan_counts_no_rows_for_who_may_not_read_them(extended, caller):
    extended.rows('CREATE TABLE public.secret (n int); INSERT INTO public.secret SELECT generate_series(1, 37);'
                  ' GRANT TRUNCATE, TRIGGER, REFERENCES ON public.secret TO %s' % quoted(caller[0]))
    with session(extended, caller) as cursor:
        cursor.execute("SELECT locks::text, warnings::text FROM rdsinit.plan('a.sql', 'LOCK TABLE public.secret')")
        assert '37' not in str(cursor.fetchall())
    with session(extended) as cursor:
        cursor.execute("SELECT locks::text FROM rdsinit.plan('a.sql', 'LOCK TABLE public.secret')")
        assert '37' in str(cursor.fetchall())


def test_definitions_hold_no_password(extended, caller):
    extended.rows("""
        CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', password '{0}', sslpassword '{0}', api_token '{0}');
        CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'u', password '{0}', anything '{0}');
        CREATE SUBSCRIPTION sub CONNECTION 'host=h password={0}' PUBLICATION p WITH (connect = false, slot_name = NONE);
        CREATE ROLE rdsinit_test_canary PASSWORD '{0}';
    """.format(CANARY))
    try:
        extended.rows("SELECT rdsinit.apply('a.sql', 'SELECT 1')")
        extended.rows('ALTER SERVER s OPTIONS (ADD more $$x$$)')
        with session(extended, caller) as cursor:
            for query in 'SELECT * FROM rdsinit.objects()', 'SELECT * FROM rdsinit.drift()', 'SELECT rdsinit.accept_drift()':
                cursor.execute(query)
                assert CANARY not in str(cursor.fetchall())
        assert CANARY not in str(extended.rows('TABLE rdsinit.object'))
        assert extended.value("SELECT count(*) FROM rdsinit.object WHERE kind IN ('server', 'user mapping', 'subscription')") == 3
    finally:
        extended.rows('DROP ROLE rdsinit_test_canary; DROP SUBSCRIPTION sub')


@pytest.mark.parametrize('script', ["SELECT '%s', pg_advisory_lock(7)", "\\set v %s\nSELECT :'v', pg_advisory_lock(7)"])
@pytest.mark.parametrize('outside', [False, True])
def test_nobody_sees_a_scripts_text_in_pg_stat_activity(extended, script, outside):
    call = OUTSIDE if outside else "SELECT rdsinit.apply('a.sql', %s)"
    with session(extended) as blocker, session(extended) as cursor:
        blocker.execute('SELECT pg_advisory_lock(7)')
        thread = threading.Thread(target=lambda: cursor.execute(call, (script % CANARY,)))
        thread.start()
        extended.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database())")
        shown = extended.rows("SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query <> 'SELECT pg_advisory_lock(7)'")
        blocker.execute('SELECT pg_advisory_unlock(7)')
        thread.join(20)
    assert any('rdsinit: a.sql' in (query or '') for query, in shown)
    assert CANARY not in str(shown)


def test_copying_data_needs_what_copy_needs(extended, caller):
    """COPY's data source is ours, and so are its checks."""
    extended.rows("""CREATE TABLE public.t (n int, m int); CREATE TABLE public.secured (n int); ALTER TABLE public.secured ENABLE ROW LEVEL SECURITY;
        CREATE TABLE public.other (n int); GRANT INSERT ON public.t, public.secured TO {0}; CREATE TABLE public.part (n int, m int); GRANT INSERT (n) ON public.part TO {0}"""
                  .format(quoted(caller[0])))
    for copy, allowed in (('t', True), ('t (m)', True), ('part (n)', True), ('part', False), ('part (m)', False), ('other', False),
                          ('t (n) FROM stdin WHERE n > 0', False), ('t (n) FROM stdin WHERE true', True), ('secured', None)):
        script = 'COPY public.%s;\n1%s\n\\.\n' % (copy if 'FROM' in copy else copy + ' FROM stdin', '' if '(' in copy or copy in ('other', 'secured') else '\t1')
        with session(extended, caller) as cursor:
            if allowed:
                cursor.execute("SELECT rows FROM rdsinit.apply('a.sql', %s, '{\"force\": true}')", (script,))
                assert cursor.fetchone() == (1,), copy
            else:
                with pytest.raises(psycopg2.errors.InsufficientPrivilege if allowed is False else psycopg2.errors.FeatureNotSupported):
                    cursor.execute("SELECT rows FROM rdsinit.apply('a.sql', %s, '{\"force\": true}')", (script,))


# --- ways to call ---------------------------------------------------------------------------

def message(kind, *parts):
    body = b''.join(parts)
    return kind + struct.pack('!I', len(body) + 4) + body


def fastpath_call(server, database, oid, arguments):
    """PostgreSQL's function call message, which goes past the executor; the answer's messages as (kind, body)."""
    import hashlib  # noqa: PLC0415
    with socket.create_connection((server.host, server.port), 20) as connection:
        stream = connection.makefile('rb')

        def read():
            kind, length = stream.read(1), struct.unpack('!I', stream.read(4))[0]
            return kind, stream.read(length - 4)
        start = struct.pack('!I', 196608) + b'user\0%s\0database\0%s\0\0' % (server.user.encode(), database.encode())
        connection.sendall(struct.pack('!I', len(start) + 4) + start)
        _scram(connection, read, server.password, hashlib)
        while read()[0] != b'Z':
            pass
        values = b''.join(struct.pack('!i', len(value)) + value for value in arguments)
        connection.sendall(message(b'F', struct.pack('!IHHH', oid, 1, 0, len(arguments)), values, struct.pack('!H', 0)))
        answers = []
        while not answers or answers[-1][0] != b'Z':
            answers.append(read())
        return answers


def _scram(connection, read, password, hashlib):
    import base64  # noqa: PLC0415
    import hmac  # noqa: PLC0415
    kind, body = read()
    assert kind == b'R'
    if struct.unpack('!I', body[:4])[0] == 0:
        return
    first = b'n=,r=rdsinit'
    connection.sendall(message(b'p', b'SCRAM-SHA-256\0', struct.pack('!I', len(first) + 3), b'n,,' + first))
    server_first = read()[1][4:]
    fields = dict(part.split(b'=', 1) for part in server_first.split(b','))
    salted = hashlib.pbkdf2_hmac('sha256', password.encode(), base64.b64decode(fields[b's']), int(fields[b'i']))
    key = hmac.digest(salted, b'Client Key', 'sha256')
    last = b'c=biws,r=' + fields[b'r']
    signature = hmac.digest(hashlib.sha256(key).digest(), first + b',' + server_first + b',' + last, 'sha256')
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature)))
    connection.sendall(message(b'p', last + b',p=' + proof))
    while True:
        kind, body = read()
        assert kind == b'R', body
        if struct.unpack('!I', body[:4])[0] == 0:
            return


def test_the_function_call_message_does_no_harm(extended, server):
    started = extended.value('SELECT pg_postmaster_start_time()')
    pid = extended.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    for oid, name, count in extended.rows("SELECT oid::int8, proname, pronargs FROM pg_proc WHERE pronamespace = 'rdsinit'::regnamespace"):
        for arguments in ([b'a.sql', b'SELECT 1', b'\1{}'][:count], [b''] * count):
            assert fastpath_call(server, extended.name, oid, arguments)[-1] == (b'Z', b'I'), name
    assert extended.value('SELECT pg_postmaster_start_time()') == started
    assert extended.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == pid, 'a backend has crashed'


@pytest.mark.parametrize('where', [
    'SELECT (SELECT count(*) FROM rdsinit.apply(%s, %s)) LIMIT 0', 'SELECT rdsinit.apply(%s, %s) LIMIT 0',
    'SELECT * FROM generate_series(1, 3), LATERAL rdsinit.apply(%s, %s)', 'SELECT rdsinit.apply(%s, %s), rdsinit.fingerprint()',
    "SELECT CASE WHEN random() < 2 THEN (SELECT outcome FROM rdsinit.apply(%s, %s)) END",
    'VALUES ((SELECT outcome FROM rdsinit.apply(%s, %s)))', 'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM rdsinit.apply(%s, %s)',
    'SELECT * FROM rdsinit.apply(%s, %s) AS a, rdsinit.statements($$SELECT 1$$) AS s'])
def test_a_call_may_stand_anywhere_in_a_query(extended, where):
    with session(extended) as cursor:
        for _ in range(1 if 'CURSOR' in where else 2):
            cursor.execute(where, ('a.sql', 'CREATE TABLE IF NOT EXISTS t (n int)'))
        cursor.execute("SELECT outcome FROM rdsinit.apply('b.sql', 'SELECT 1')")
        assert cursor.fetchone() == ('applied',)


@pytest.mark.parametrize('script', ["\\set a b\nSELECT " + ':a,' * 60000 + '1', '\\if true\n' * 200000 + '\\endif\n' * 200000],
                         ids=['variables', 'conditions'])
def test_a_script_that_takes_long_to_read_can_be_cancelled(extended, script):
    with session(extended) as cursor:
        cursor.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("SELECT count(*) FROM rdsinit.statements(%s)", (script,))


@pytest.mark.parametrize('names, bodies', [
    (['s%d.sql' % n for n in range(5000)], ['\\ir s%d.sql' % n for n in range(1, 5000)] + ['SELECT 1']),
    (['a.sql', 'b.sql'], ['\\ir b.sql', '\\ir a.sql']), (['a.sql'], ['\\i a.sql']),
    (['a.sql'], ['(' * 100000]), (['a.sql'], ['SELECT ' + '-' * 1 + '(' * 50000 + '1' + ')' * 50000]), (['a.sql'], ["SELECT '" + "\\" * 100000])],
    ids=['a chain', 'a circle', 'itself', 'parentheses', 'closed parentheses', 'backslashes'])
def test_depth_has_an_end(extended, names, bodies):
    pid = extended.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    for call in 'rdsinit.apply_bundle(%s, %s)', 'rdsinit.pending(%s, %s)', 'rdsinit.plan_bundle(%s, %s)':
        with session(extended) as cursor, contextlib.suppress(psycopg2.errors.ProgramLimitExceeded, psycopg2.errors.SyntaxError,
                                                              psycopg2.errors.StatementTooComplex, psycopg2.errors.InvalidParameterValue):
            cursor.execute('SELECT count(*) FROM ' + call, (names, bodies))
    assert extended.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == pid, 'a backend has crashed'


# --- files ----------------------------------------------------------------------------------

def test_a_path_of_the_caller_s_is_read_by_nobody_else_s_right(extended, caller):
    """Who may not read the server's files does not learn whether one is there."""
    said = set()
    for path in '/etc/passwd', '/no/such/file', '/etc', '/etc/shadow', 'relative', '':
        for call in 'apply_file', 'plan_file', 'plan_file_text', 'plan_file_html':
            with session(extended, caller) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege) as caught:
                cursor.execute('SELECT * FROM rdsinit.%s(%%s)' % call, (path,))
            said.add(caught.value.diag.message_primary)
    assert len(said) == 1


def test_the_text_of_a_file_that_is_no_script_is_not_shown(extended):
    with session(extended) as cursor, pytest.raises(psycopg2.errors.SyntaxError) as caught:
        cursor.execute("SELECT * FROM rdsinit.apply_file('/etc/passwd')")
    assert not re.search(r':/(root|bin|usr)', str(caught.value))
    assert os.path.basename('/etc/passwd') in caught.value.diag.context


def test_a_link_that_comes_after_the_look_is_not_followed(extended):
    """Whoever may write into the directory has it changed between the check and the run."""
    with tempfile.TemporaryDirectory(prefix='rdsinit-files-') as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        (directory / 'bundle').mkdir()
        (directory / 'bundle' / 'a.sql').write_text('SELECT pg_advisory_lock(7), pg_advisory_unlock(7);')
        for place in 'bundle/b.sql', 'outside.sql':
            (directory / place).write_text('CREATE TABLE public.b ();')
        failed = []

        def apply():
            try:
                cursor.execute('SELECT * FROM rdsinit.apply_file(%s)', (str(directory / 'bundle'),))
            except psycopg2.Error as error:
                failed.append(error)

        with session(extended) as blocker, session(extended) as cursor:
            blocker.execute('SELECT pg_advisory_lock(7)')
            thread = threading.Thread(target=apply)
            thread.start()
            extended.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database())")
            (directory / 'bundle' / 'b.sql').unlink()
            (directory / 'bundle' / 'b.sql').symlink_to(directory / 'outside.sql')
            blocker.execute('SELECT pg_advisory_unlock(7)')
            thread.join(20)
    assert failed and 'b.sql' in failed[0].diag.message_primary
    assert extended.relations() == ['public.seen']

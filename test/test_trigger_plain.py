"""The fallback: the trigger applies the files itself, where the extension is not to be had."""

import contextlib

import pytest

from support import Database
from support.scripts import BROKEN, SHOP, checksum


@pytest.fixture
def plain(trigger):
    def start(bundle=SHOP, **variables):
        return trigger(bundle, **{'RDSINIT_MODE': 'plain', **variables})
    return start


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def history(database):
    return database.history('rdsinit_plain')


# When it is used

def test_a_server_without_the_extension(trigger, bare_database):
    payload = trigger(SHOP, at=bare_database).succeed()
    assert set(payload) == {'statusCode', 'body', 'mode', 'reason', 'database', 'databaseCreated',
                            'scripts', 'durationMs'}
    assert (payload['mode'], payload['databaseCreated']) == ('plain', True)
    assert 'rdsinit' in payload['reason']
    script, = payload['scripts']
    assert isinstance(script.pop('durationMs'), int)
    assert script == {'name': 'schema.sql', 'outcome': 'applied', 'statements': 3, 'rows': 2,
                      'checksum': checksum(SHOP)}
    assert bare_database.rows('SELECT id, name FROM shop.product ORDER BY id') == [('a', 'Apple'), ('b', 'Bread')]


def test_the_log_says_which_way_was_taken_and_why(trigger, bare_database):
    function = trigger(SHOP, at=bare_database)
    payload = function.succeed()
    entry = function.wait_for_log(lambda entry: entry.get('mode'))
    assert (entry['mode'], entry['reason']) == ('plain', payload['reason'])


@pytest.mark.extension
def test_a_role_that_may_not_create_the_extension(trigger, database, role):
    """Nor anything else: the ledger is there already."""
    owner, password = role()
    deployer, other_password = role()
    database.create(owner)
    trigger('SELECT 1;', RDSINIT_MODE='plain', DB_USER=owner, DB_PASSWORD=password).succeed()
    database.rows('GRANT USAGE ON SCHEMA rdsinit_plain TO "{0}"; GRANT ALL ON ALL TABLES IN SCHEMA rdsinit_plain TO "{0}"'
                  .format(deployer))
    payload = trigger('SELECT 2;', DB_USER=deployer, DB_PASSWORD=other_password).succeed()
    assert payload['mode'] == 'plain'
    assert 'permission' in payload['reason']
    assert database.rows('SELECT applied_by FROM rdsinit_plain.history ORDER BY id') == [(owner,), (deployer,)]


def test_a_mode_asked_for_has_a_reason_too(plain):
    payload = plain().succeed()
    assert payload['mode'] == 'plain'
    assert 'RDSINIT_MODE' in payload['reason']


# What it promises

def test_a_history_row_for_each_script_that_was_applied(plain, database):
    plain().succeed()
    assert database.rows(
        'SELECT name, outcome, checksum, statements, rows, applied_by, duration > interval \'0\', '
        'applied_at BETWEEN now() - interval \'1min\' AND now(), rdsinit_version ~ \'^[0-9]+[.][0-9]+\' '
        'FROM rdsinit_plain.history') == [
            ('schema.sql', 'applied', checksum(SHOP), 3, 2, database.server.user, True, True, True)]


def test_the_ledger_has_the_designs_columns(plain, database):
    plain().succeed()
    assert database.rows(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = 'rdsinit_plain.history'::regclass AND attnum > 0 ORDER BY attnum") == [
            ('id', 'bigint', True), ('name', 'text', True), ('version', 'text', False), ('statement', 'integer', False),
            ('outcome', 'text', True), ('checksum', 'text', False), ('statements', 'bigint', True),
            ('rows', 'bigint', True), ('duration', 'interval', True), ('applied_by', 'text', True),
            ('applied_at', 'timestamp with time zone', True), ('rdsinit_version', 'text', True),
            ('undo_name', 'text', False), ('undo', 'text', False), ('lost', 'jsonb', False)]


@pytest.mark.extension
def test_the_ledger_is_made_as_the_extensions_is(plain, database):
    plain().succeed()
    database.rows('CREATE EXTENSION rdsinit')
    made = [database.rows(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation, attidentity FROM pg_attribute "
        "WHERE attrelid = c.oid AND attnum > 0 ORDER BY attnum".replace('c.oid', "'%s.history'::regclass" % schema)) +
        [row for row in database.rows(
            "SELECT replace(pg_get_indexdef(indexrelid), '%s.', '') FROM pg_index "
            "WHERE indrelid = '%s.history'::regclass ORDER BY 1" % (schema, schema))] +
        database.rows("SELECT conname, replace(pg_get_constraintdef(oid), 'pg_catalog.', '') FROM pg_constraint "
                      "WHERE conrelid = '%s.history'::regclass AND contype = 'c' ORDER BY 1" % schema)
        for schema in ('rdsinit', 'rdsinit_plain')]
    assert made[0] == made[1]


def test_a_ledger_of_other_columns_is_refused_with_a_way_out(plain, database):
    database.create().rows('CREATE SCHEMA rdsinit_plain; CREATE TABLE rdsinit_plain.history (id bigint, name text)')
    payload = plain().fail()
    assert (payload['errorType'], payload['sqlstate']) == ('Rdsinit.Database', '55000')
    assert 'columns' in payload['errorMessage'] and 'baseline' in payload['hint']
    assert database.relations() == []


def test_unchanged_scripts_are_not_run(plain, database):
    function = plain()
    function.succeed()
    script, = function.succeed()['scripts']
    assert (script['outcome'], script['statements'], script['rows']) == ('unchanged', 0, 0)
    assert history(database) == [('schema.sql', 'applied', 3, 2)]


@pytest.mark.parametrize('again', [SHOP.replace('\n', '\r\n'), '\ufeff' + SHOP], ids=['CRLF', 'BOM'])
def test_line_endings_and_a_byte_order_mark_change_nothing(plain, again):
    plain().succeed()
    script, = plain(again).succeed()['scripts']
    assert (script['outcome'], script['checksum']) == ('unchanged', checksum(SHOP))


def test_a_changed_script_is_applied_again(plain, database):
    plain('CREATE TABLE one ();').succeed()
    plain('CREATE TABLE two ();').succeed()
    assert database.relations() == ['public.one', 'public.two']


def test_force(plain):
    function = plain('CREATE TABLE IF NOT EXISTS one ();')
    assert [function.succeed(event)['scripts'][0]['outcome'] for event in ({}, {'force': True}, {})] == [
        'applied', 'applied', 'unchanged']


def test_an_error_leaves_nothing_behind(plain, database):
    payload = plain(BROKEN).fail()
    assert payload == {
        'errorType': 'Rdsinit.Script',
        'errorMessage': 'schema.sql:3:13: relation "shop.produkt" does not exist',
        'statusCode': 500,
        'body': 'RDS schema initialization failed. Error: '
                'schema.sql:3:13: relation "shop.produkt" does not exist',
        'sqlstate': '42P01', 'file': 'schema.sql', 'line': 3, 'column': 13, 'statement': 3,
        'mode': 'plain', 'database': database.name,
    }
    assert database.relations() == []
    assert not database.value("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname IN ('shop', 'rdsinit_plain'))")


def test_a_directory_is_applied_in_bytewise_order_all_or_nothing(plain, database):
    names = ['A10.sql', 'A2.sql', 'B.sql', 'a.sql', 'sub/deep/x.sql']
    files = {name: "INSERT INTO seen VALUES ('%s');" % name for name in reversed(names)}
    files['A10.sql'] = 'CREATE TABLE seen (n text, i int GENERATED ALWAYS AS IDENTITY);' + files['A10.sql']
    files.update({'.hidden.sql': 'SELECT wrong;', '.git/x.sql': 'SELECT wrong;', 'README.md': 'no SQL'})

    broken = plain({**files, 'z.sql': 'SELECT 1;\nSELECT nothing;'}).fail()
    assert (broken['file'], broken['line'], broken['column'], broken['statement']) == ('z.sql', 2, 8, 2)
    assert database.relations() == [] and history(database) is None

    payload = plain(files).succeed()
    assert [script['name'] for script in payload['scripts']] == names
    assert [n for n, in database.rows('SELECT n FROM seen ORDER BY i')] == names
    assert [row[0] for row in history(database)] == names


def test_only_the_changed_file_of_a_directory_is_applied(plain):
    plain({'a.sql': 'CREATE TABLE a ();', 'b.sql': 'CREATE TABLE b ();'}).succeed()
    payload = plain({'a.sql': 'CREATE TABLE a ();', 'b.sql': 'CREATE TABLE c ();'}).succeed()
    assert [(script['name'], script['outcome']) for script in payload['scripts']] == [
        ('a.sql', 'unchanged'), ('b.sql', 'applied')]


def test_rows_are_those_that_statements_changed(plain):
    script, = plain("""
        CREATE TABLE t AS SELECT generate_series(1, 10) AS n;   -- 10
        INSERT INTO t VALUES (11), (12);                        -- 2
        UPDATE t SET n = n WHERE n > 10;                        -- 2
        DELETE FROM t WHERE n = 1;                              -- 1
        SELECT * FROM t;                                        -- none: nothing changed
        """).succeed()['scripts']
    assert (script['statements'], script['rows']) == (5, 15)


def test_begin_and_commit_around_a_script_are_taken_out(plain, database):
    function = plain('BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nSTART TRANSACTION;\nCREATE TABLE b ();\nEND;\n')
    script, = function.succeed()['scripts']
    assert script['statements'] == 2
    function.wait_for_log(lambda entry: 'BEGIN' in entry['message'] and 'schema.sql' in str(entry))
    assert database.relations() == ['public.a', 'public.b']


def test_begin_and_commit_do_not_save_what_came_before_an_error(plain, database):
    payload = plain('BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nSELECT nothing;\n').fail()
    assert (payload['line'], payload['column']) == (4, 8)
    assert database.relations() == []


def test_two_at_once_apply_once(plain, database):
    database.create().rows('CREATE TABLE held (n int)')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        functions = [plain('INSERT INTO held VALUES (1);') for _ in range(2)]
        invocations = [function.send() for function in functions]
        # One waits for the table, the other for the ledger.
        database.wait_until("SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() "
                            "AND application_name = 'rdsinit' AND wait_event_type = 'Lock'")
        holder.cursor().execute('COMMIT')
    outcomes = [function.outcome(invocation) for function, invocation in zip(functions, invocations)]
    assert sorted(outcome.payload['scripts'][0]['outcome'] for outcome in outcomes) == ['applied', 'unchanged']
    assert database.rows('SELECT n FROM held') == [(1,)]
    assert len(history(database)) == 1


# What a script may do to its session

@pytest.mark.parametrize('setting', [
    "SET search_path = nowhere",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    'SET statement_timeout = 0',
    'SET lock_timeout = 0',
    'SET idle_in_transaction_session_timeout = 0',
    'SET client_encoding = LATIN1',
    "SET client_encoding = 'SQL_ASCII'",
    'SET standard_conforming_strings = off',
    'SET row_security = off',
    'SET session_replication_role = replica',
    'SET check_function_bodies = false',
    "SET default_tablespace = ''",
    'SET default_table_access_method = heap',
    'SET ROLE pg_monitor',
    'SET SESSION AUTHORIZATION pg_monitor',
    'SET LOCAL ROLE pg_monitor',
    'SET DateStyle = German',
    "SET IntervalStyle = iso_8601",
    "SET TimeZone = 'Asia/Kathmandu'",
    'SET bytea_output = escape',
    'SET extra_float_digits = -15',
    'SET CONSTRAINTS ALL DEFERRED',
    'DISCARD TEMP',
    "CREATE TEMP TABLE history (name text); CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea "
    "LANGUAGE sql AS 'SELECT NULL::bytea'",
])
def test_a_script_that_changes_its_session_is_recorded_all_the_same(plain, database, setting):
    script = 'CREATE TABLE public.a ();\n%s;\n' % setting
    outcome = plain(script).invoke()
    if 'non-standard string literals are not supported' in outcome.payload.get('errorMessage', ''):
        pytest.skip('since PostgreSQL 19 they cannot be switched off')
    assert outcome.kind == 'response', outcome.payload
    payload = outcome.payload
    assert payload['scripts'][0]['outcome'] == 'applied'
    assert database.rows('SELECT name, checksum, applied_by FROM rdsinit_plain.history') == [
        ('schema.sql', checksum(script), database.server.user)]
    assert database.relations() == ['public.a']


def test_a_scripts_search_path_holds_for_the_rest_of_the_script(plain, database):
    plain('CREATE SCHEMA s; SET search_path = s; CREATE TABLE t ();').succeed()
    assert database.relations() == ['s.t']


def test_each_script_starts_with_the_sessions_own_settings(trigger, database, mode):
    """As it does with a psql -f for each."""
    trigger({'a.sql': 'CREATE SCHEMA s; SET search_path = s; SET ROLE pg_monitor; SET DateStyle = German;',
             'b.sql': "CREATE TABLE t AS SELECT current_user::text AS who, current_setting('DateStyle') AS style;"},
            RDSINIT_MODE=mode).succeed()
    assert database.relations() == ['public.t']
    assert database.rows('SELECT who, style FROM t') == [(database.server.user, 'ISO, MDY')]


def test_a_scripts_role_owns_what_it_makes(plain, database, role):
    owner, _ = role('NOLOGIN')
    plain('CREATE SCHEMA s AUTHORIZATION "%s"; SET ROLE "%s"; CREATE TABLE s.t ();' % (owner, owner)).succeed()
    assert database.value("SELECT relowner::regrole::text FROM pg_class WHERE relname = 't'") == owner


def test_client_encoding_means_what_it_means_to_psql(plain, database):
    plain("CREATE TABLE t (x text); SET client_encoding = LATIN1; INSERT INTO t VALUES ('é');").succeed()
    assert database.value('SELECT x FROM t') == 'Ã©'


def test_dollar_quotes_atomic_bodies_and_rules_are_one_statement(plain):
    script, = plain("""
        CREATE TABLE t (n int);
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $body$ SELECT 1; SELECT 2; $body$;
        CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
        CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);
        SELECT ';', E'\\';', $$;$$, "n;" FROM (SELECT 1 AS "n;") q; /* ; /* ; */ ; */ -- ;
        """).succeed()['scripts']
    assert script['statements'] == 5


def test_a_last_statement_needs_no_semicolon_and_empty_ones_do_not_count(plain):
    script, = plain(';;\nSELECT 1;; -- nothing\n;SELECT 2').succeed()['scripts']
    assert script['statements'] == 2


# What it refuses, before anything runs

REFUSED = [
    'ROLLBACK', 'ABORT', 'ROLLBACK TO a', 'SAVEPOINT a', 'RELEASE a', "PREPARE TRANSACTION 'x'",
    "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'",
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'COMMIT AND CHAIN', 'END AND CHAIN',
    'rollback', '/* x */ RollBack -- y\n WORK',
]


@pytest.mark.parametrize('statement', REFUSED)
def test_what_would_break_the_one_transaction_is_refused(plain, untouched, statement):
    database = untouched('plain')
    payload = plain(at=database, bundle='CREATE SEQUENCE ran;\n%s;\n' % statement).fail()
    assert (payload['errorType'], payload['file'], payload['line']) == ('Rdsinit.Script', 'schema.sql', 2)
    assert payload['statement'] == 2
    assert payload['sqlstate'] == '0A000' and payload['hint']
    assert database.relations() == []


@pytest.mark.parametrize('statement', ['VACUUM', 'CREATE DATABASE x', 'CREATE INDEX CONCURRENTLY ON t (n)',
                                       'ALTER SYSTEM SET work_mem = 1'])
def test_what_cannot_run_in_a_transaction_says_so_with_its_place(plain, database, statement):
    payload = plain('CREATE TABLE t (n int);\n\n  %s;\n' % statement).fail()
    assert (payload['sqlstate'], payload['line'], payload['column'], payload['statement']) == ('25001', 3, 3, 2)
    assert payload['hint']
    assert database.relations() == []


# Where an error is

ERRORS = {
    'column': ('CREATE TABLE a ();\nSELECT nothing FROM a;', '42703', 2, 8, 2),
    'second on its line': ('SELECT 1; SELECT nothing;', '42703', 1, 18, 2),
    'tabs count as one': ('SELECT 1;\n\t\tSELECT\tnothing;', '42703', 2, 10, 2),
    'characters, not bytes': ("-- äöü\nSELECT 'äöü€😀', nothing;", '42703', 2, 17, 1),
    'characters before the statement': ("SELECT 'ä€😀'; SELECT nothing;", '42703', 1, 22, 2),
    'CRLF': ('CREATE TABLE a ();\r\n\r\nSELECT\r\n\tnothing;\r\n', '42703', 4, 2, 2),
    'lone CR is no line': ('SELECT 1;\rSELECT nothing;', '42703', 1, 18, 2),
    'byte-order mark': ('\ufeffSELECT nothing;', '42703', 1, 8, 1),
    'byte-order mark, second line': ('\ufeff\nSELECT nothing;', '42703', 2, 8, 1),
    'syntax error': ('SELECT 1;\n  CREATE TABEL x ();', '42601', 2, 10, 2),
    'syntax error at the end': ('SELECT 1;\nCREATE TABLE', '42601', 2, 13, 2),
    'inside a DO block': ("SELECT 1;\n\nDO $$\nBEGIN\n  PERFORM nothing;\nEND $$;", '42703', 3, 1, 2),
    'raised in a DO block': ("  DO $$ BEGIN\nRAISE EXCEPTION 'no' USING ERRCODE = 'RDS01'; END $$;", 'RDS01', 1, 3, 1),
    'PL/pgSQL syntax': ('SELECT 1;\nDO $$\nBEGIN\n  BOGUS;\nEND $$;', '42601', 4, 3, 2),
    'function body': ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT nothing $$;", '42703', 2, 10, 1),
    'no position: the statement': ('CREATE TABLE t (n int PRIMARY KEY);\n/* first */ -- second\n'
                                   '   INSERT INTO t VALUES (1), (1);', '23505', 3, 4, 2),
    'deferred constraint': ('CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n'
                            'INSERT INTO t VALUES (1), (1);', '23505', None, None, None),
}


@pytest.fixture(scope='module')
def untouched(server):
    """untouched(mode): one database for all the scripts of a mode that fail, and so leave nothing in it."""
    databases = {}
    yield lambda mode: databases.setdefault(mode, Database(server))
    for database in databases.values():
        database.drop()


@pytest.mark.parametrize('script, sqlstate, line, column, statement', ERRORS.values(), ids=ERRORS.keys())
def test_an_error_says_where_alike_in_both_modes(trigger, untouched, mode, script, sqlstate, line, column, statement):
    database = untouched(mode)
    payload = trigger(script, at=database, RDSINIT_MODE=mode).fail()
    assert (payload['errorType'], payload['sqlstate'], payload['file']) == ('Rdsinit.Script', sqlstate, 'schema.sql')
    assert (payload.get('line'), payload.get('column'), payload.get('statement')) == (line, column, statement)
    place = 'schema.sql:%d:%d: ' % (line, column) if line else 'schema.sql: '
    assert payload['errorMessage'].startswith(place)
    assert database.relations() == []


UNTERMINATED = {
    'quote': ("SELECT 1;\nSELECT\n  'abc\n\n;", 3, 3),
    'E quote': ("SELECT 1;\nSELECT\n  E'abc\\'\n\n;", 3, 3),
    'identifier': ('SELECT 1;\nSELECT\n  "abc\n\n;', 3, 3),
    'comment': ('SELECT 1;\nSELECT 2\n  /* abc /* */\n\n;', 3, 3),
    'dollar quote': ('SELECT 1;\nDO\n  $x$ BEGIN END $$;\n\n;', 3, 3),
}


@pytest.mark.parametrize('script, line, column', UNTERMINATED.values(), ids=UNTERMINATED.keys())
def test_what_is_not_ended_is_an_error_where_it_starts(trigger, untouched, mode, script, line, column):
    database = untouched(mode)
    payload = trigger('CREATE SEQUENCE ran;' + script, at=database, RDSINIT_MODE=mode).fail()
    assert (payload['sqlstate'], payload['file']) == ('42601', 'schema.sql')
    assert (payload['line'], payload['column']) == (line, column)
    assert 'unterminated' in payload['errorMessage']
    assert 'abc' not in payload['errorMessage']
    assert database.relations() == []


@pytest.mark.parametrize('body, line, column', [(b'SELECT 1;\nSELECT \'\xff\';', 2, 9), (b'SELECT \0;', 1, 8)],
                         ids=['invalid UTF-8', 'NUL'])
def test_a_script_that_is_no_text_is_refused(trigger, body, line, column):
    payload = trigger(body).fail()
    assert (payload['errorType'], payload['file']) == ('Rdsinit.Bundle', 'schema.sql')
    assert (payload['line'], payload['column']) == (line, column)


# A ledger that is somebody else's

@pytest.mark.parametrize('premade', [
    'CREATE SCHEMA rdsinit_plain AUTHORIZATION "%s"',
    'CREATE SCHEMA rdsinit_plain; GRANT ALL ON SCHEMA rdsinit_plain TO "%s"; SET ROLE "%s"; '
    'CREATE TABLE rdsinit_plain.history (id bigint, name text, outcome text, checksum text, statements bigint, '
    'rows bigint, duration interval, applied_by text, applied_at timestamptz, rdsinit_version text)',
], ids=['schema', 'table'])
def test_a_ledger_of_a_strangers_making_is_refused(plain, database, role, premade):
    mallory, _ = role('NOLOGIN')
    database.create().rows(premade.replace('%s', mallory))
    payload = plain().fail()
    assert payload['errorType'] == 'Rdsinit.Database'
    assert 'rdsinit_plain' in payload['errorMessage']
    assert 'own' in payload['errorMessage'] + payload.get('detail', '') + payload.get('hint', '')
    assert database.relations() == []

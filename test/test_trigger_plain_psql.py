"""The fallback runs what psql runs: inline data, meta-commands, variables."""

import json

import pytest

from support.psql import dump, dump_of_psql
from support.scripts import checksum


@pytest.fixture
def as_psql(plain, database):
    """as_psql(files, NAME=…): what the fallback makes of the files is what psql makes of them."""
    def run(files, **variables):
        name = 'schema.sql' if isinstance(files, (str, bytes)) or 'schema.sql' in files else 'main.sql'
        function = plain(files, RDSINIT_VARIABLES=json.dumps(variables) if variables else None)
        payload = function.succeed()
        expected = dump_of_psql(database.server, files, name=name, **variables)
        assert dump(database) == expected
        assert 'CREATE TABLE' in expected
        return function, payload
    return run


@pytest.fixture
def refused(plain, database):
    """refused(bundle): the error of a bundle that leaves nothing behind."""
    def run(bundle, **variables):
        payload = plain(bundle, **variables).fail()
        assert payload['errorType'] == 'Rdsinit.Script'
        assert database.relations() == []
        return payload
    return run


def place(payload):
    return payload['file'], payload.get('line'), payload.get('column')


def in_log(function, text):
    function.wait_for_log(lambda entry: text in entry['message'])


# Inline data

T = 'CREATE TABLE t (n int, x text);\n'

DATA = {
    'text': T + 'COPY t FROM stdin;\n1\tone\n2\t\\N\n3\ta\\tb\\\\\n\\.\nCREATE TABLE after ();\n',
    'column list and options': T + "COPY t (x, n) FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';');\n"
                                   'x;n\n"a;b\n\\.c";1\n;2\n\\.\n',
    'old options': T + "COPY t FROM stdin DELIMITER '|' NULL AS 'none';\n1|none\n\\.\n",
    'WHERE': T + 'COPY t FROM stdin WHERE n > 1;\n1\ta\n2\tb\n\\.\n',
    'CRLF': (T + 'COPY t FROM stdin;\n1\tone\n\\.\nCREATE TABLE after ();\n').replace('\n', '\r\n'),
    'no data': T + 'COPY t FROM stdin;\n\\.\n',
    'no end mark': T + 'COPY t FROM stdin;\n1\ta\n2\tb\n',
    'what follows on the line': T + 'COPY t FROM stdin; INSERT INTO t SELECT count(*) + 100 FROM t;\n1\ta\n\\.\n',
    'two on a line': T + 'COPY t FROM stdin; COPY t (n) FROM stdin; CREATE TABLE u ();\n1\ta\n\\.\n2\n\\.\n',
    'variables, quotes and comments in it': "\\set v 1\n" + T + 'COPY t FROM stdin;\n1\t:v \'\n2\t/* -- $$ ;\n\\.\n',
    'data that begins like a string': T + "COPY t (x) FROM stdin;\n'a'\n--b\n\\.\n",
    'a comment between': T + 'COPY t -- FROM file\nFROM /* x */ stdin; -- rest\n1\ta\n\\.\n',
    'many': T + ''.join('COPY t FROM stdin;\n%d\tx\n\\.\n' % n for n in range(200)),
    'large': T + 'COPY t FROM stdin;\n' + ''.join('%d\t%s\n' % (n, 'x' * 90) for n in range(30000)) + '\\.\n',
    'TO stdout': T + "INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n;\n"
                     'COPY t TO stdout;\nCOPY (SELECT 1) TO STDOUT WITH (FORMAT csv);\nCREATE TABLE after ();\n',
    'byte-order mark': '\ufeff' + T + 'COPY t FROM stdin;\n1\tä\n\\.\n',
    'bytes of another encoding': ("SET client_encoding = 'LATIN1';\n" + T + 'COPY t FROM stdin;\n1\té\n\\.\n'
                                  "\\encoding UTF8\nINSERT INTO t VALUES (2, 'x');\n").encode('latin-1'),
    'client_encoding': T + 'SET client_encoding = LATIN1;\nCOPY t FROM stdin;\n1\té\n\\.\n',
}


@pytest.mark.parametrize('script', DATA.values(), ids=DATA.keys())
def test_inline_data(as_psql, script):
    as_psql(script)


def test_an_end_mark_needs_no_newline(plain, database):
    plain(T + 'COPY t FROM stdin;\n1\ta\n\\.').succeed()
    assert database.rows('SELECT * FROM t') == [(1, 'a')]


def test_rows_of_inline_data_are_counted(plain):
    script, = plain(T + 'COPY t FROM stdin;\n1\ta\n2\tb\n\\.\nCOPY t TO stdout;\n').succeed()['scripts']
    assert (script['statements'], script['rows']) == (3, 4)


BAD_DATA = {
    'wrong type': ('1\ta\nx\tb\n\\.\n', '22P02', 4),
    'too few columns': ('1\ta\n2\n\\.\n', '22P04', 4),
    'too many columns': ('1\ta\tb\n\\.\n', '22P04', 3),
    'data that ends early': ('1\ta\n2', '22P04', 4),
    'a missing end mark': ('1\ta\nSELECT 1;\n', '22P02', 4),
}


@pytest.mark.parametrize('data, sqlstate, line', BAD_DATA.values(), ids=BAD_DATA.keys())
def test_an_error_in_the_data_names_the_files_line(refused, data, sqlstate, line):
    payload = refused(T + 'COPY t FROM stdin;\n' + data)
    assert (payload['sqlstate'], payload['statement']) == (sqlstate, 2)
    assert place(payload) == ('schema.sql', line, 1)


def test_bytes_of_another_encoding_before_the_script_says_so(refused):
    payload = refused("CREATE TABLE t (x text);\nINSERT INTO t VALUES ('é');\nSET client_encoding = LATIN1;".encode('latin-1'))
    assert (payload['sqlstate'], place(payload)) == ('22021', ('schema.sql', 2, 1))


def test_an_error_early_in_much_data(refused):
    payload = refused(T + 'COPY t FROM stdin;\nx\n' + '1\tx\n' * 500000 + '\\.\n')
    assert place(payload) == ('schema.sql', 3, 1)


# Files in files

def test_files_in_files(as_psql, database):
    _, payload = as_psql({
        'main.sql': 'CREATE TABLE one ();\n\\ir parts/a.sql\n\\i parts/b.sql\n\\i \'parts/quoted name.sql\'\nCREATE TABLE last ();',
        'parts/a.sql': 'CREATE TABLE a ();\n\\include_relative deeper/../c.sql\n',
        'parts/b.sql': 'CREATE TABLE b (n int);\nCOPY b FROM stdin;\n1\n\\.\n',
        'parts/c.sql': '\\set v 5\nCREATE TABLE c ()',
        'parts/quoted name.sql': '\\include ./parts/d.sql\n',
        'parts/d.sql': 'CREATE TABLE d AS SELECT :v AS v;',
    })
    assert [script['name'] for script in payload['scripts']] == ['main.sql']
    assert database.history('rdsinit_plain') == [('main.sql', 'applied', 7, 2)]


def test_a_file_that_another_includes_counts_in_its_checksum(plain):
    files = {'main.sql': '\\ir b.sql\n\\ir a.sql\n\\ir b.sql\n', 'a.sql': 'SELECT 1;', 'b.sql': 'SELECT 2;'}
    expected = checksum(''.join(checksum(files[name]) for name in ('main.sql', 'b.sql', 'a.sql')))
    script, = plain(files).succeed()['scripts']
    assert (script['checksum'], script['statements']) == (expected, 3)
    assert plain(files).succeed()['scripts'][0]['outcome'] == 'unchanged'
    script, = plain({**files, 'a.sql': 'SELECT 3;'}).succeed()['scripts']
    assert script['outcome'] == 'applied'


def test_a_part_that_is_not_read_this_time_is_a_part_all_the_same(plain, database):
    plain({'main.sql': '\\if false\n\\ir part.sql\n\\endif\n', 'part.sql': 'CREATE TABLE part ();'}).succeed()
    assert database.relations() == []


BAD_INCLUDES = {
    'missing': ({'a.sql': 'SELECT 1;\n  \\ir none.sql\n'}, '58P01', ('a.sql', 2, 3)),
    'directory': ({'a.sql': '\\i d', 'd/b.sql': ''}, '42809', ('a.sql', 1, 1)),
    'absolute': ({'a.sql': '\\i /etc/passwd'}, '0A000', ('a.sql', 1, 1)),
    'out of the root': ({'d/a.sql': '\\ir ../../a.sql'}, '0A000', ('d/a.sql', 1, 1)),
    'itself': ({'a.sql': '\n\\i a.sql'}, '22023', ('a.sql', 2, 1)),
    'cycle': ({'a.sql': '\\i b.sql', 'b.sql': '\n\\i c.sql', 'c.sql': ' \\i b.sql'}, '22023', ('c.sql', 1, 2)),
    'no name': ({'a.sql': '\\i'}, '42601', ('a.sql', 1, 1)),
}


@pytest.mark.parametrize('files, sqlstate, where', BAD_INCLUDES.values(), ids=BAD_INCLUDES.keys())
def test_what_cannot_be_included(refused, files, sqlstate, where):
    payload = refused({'A.sql': 'CREATE TABLE ran ();', **files})
    assert (payload['sqlstate'], place(payload)) == (sqlstate, where)
    assert payload.get('hint') or sqlstate == '42601'


def test_an_error_in_an_included_file_names_both_places(refused):
    payload = refused({'a.sql': 'SELECT 1;\n\\ir b.sql\n', 'b.sql': '\n SELECT nothing;'})
    assert place(payload) == ('b.sql', 2, 9)
    assert 'a.sql:2:1' in payload['detail']


# Variables

VARIABLES = {
    'all forms': ("CREATE TABLE :t (x text);\nINSERT INTO :t VALUES (:'x'), (:n), (:{?x}), (:{?none});\n"
                  'CREATE TABLE :"Q" ();\nCREATE TABLE l AS SELECT :\'t\'::text;\n'),
    'not in quotes and comments': "CREATE TABLE t AS SELECT ':n' a, $$:n$$ b, ':''n''' c, 1::int /* :n */ d -- :n\n;",
    'unset ones stay': "CREATE TABLE t AS SELECT (ARRAY[1,2,3])[1:2] a, (ARRAY[1,2])[:n :2] b, 'x'::text c;",
    'several statements in one': ':many\nCREATE TABLE after ();',
    'statement and a half': ':half b ();',
    'nested': "\\set a :n\n\\set b 'SELECT :a'\nCREATE TABLE t AS :b x;",
    'set takes arguments together': "\\set a 1 '+' ' 2' :n\nCREATE TABLE t AS SELECT :a x;",
    'escapes': "\\set a 'a''b\\n\\x41\\101\\\\'\nCREATE TABLE t AS SELECT :'a' x;",
    'unset': "\\set a 1\n\\unset a\nCREATE TABLE t AS SELECT :{?a} x;",
    'empty': "\\set a\nCREATE TABLE t AS SELECT :{?a} x :a, :'a' y;",
    "psql's own": "CREATE TABLE t AS SELECT :'ENCODING' e, :SERVER_VERSION_NUM v, :'SERVER_VERSION_NAME' n, "
                  ":'USER' u, :'DBNAME' = current_database() d;",
}


@pytest.mark.parametrize('script', VARIABLES.values(), ids=VARIABLES.keys())
def test_variables(as_psql, script):
    as_psql(script, t='tee', n='7', x="it's \\ \"x\"", Q='Quo"ted', many='CREATE TABLE m (); CREATE TABLE o ();',
            half='CREATE TABLE a (); CREATE TABLE')


def test_variables_of_the_event_go_before_those_of_the_environment(plain, database):
    plain("CREATE TABLE t AS SELECT :a AS a, :'b' AS b, :c AS c;", RDSINIT_VARIABLES='{"a": 1, "b": "x"}').succeed(
        {'variables': {'b': 'y', 'c': True}})
    assert database.rows('SELECT * FROM t') == [(1, 'y', True)]


WRONG = ['[]', '{"a": null}', '{"a": ["hidden"]}', '{"a b": "hidden"}', '{"": 1}', '{"a": "hidden"', '{"a":1,"a":2}']


@pytest.mark.parametrize('variables', WRONG)
def test_a_wrong_option_is_refused_and_not_shown(plain, variables):
    payload = plain('SELECT 1;', RDSINIT_VARIABLES=variables).fail()
    assert payload['errorType'] == 'Rdsinit.Configuration'
    assert 'RDSINIT_VARIABLES' in payload['errorMessage'] and 'hidden' not in payload['errorMessage']


@pytest.mark.parametrize('variables', [[], {'a': None}, {'a-b': 'hidden'}])
def test_wrong_variables_in_an_event_are_refused_and_not_shown(plain, variables):
    payload = plain('SELECT 1;').fail({'variables': variables})
    assert payload['errorType'] == 'Rdsinit.Event'
    assert 'variables' in payload['errorMessage'] and 'hidden' not in payload['errorMessage']


SECRETS = {
    'a constant': ("SELECT 1;\n  SELECT :'v'::int;", 'S3cret word', 2, 10),
    'a name': ('SELECT 1, :"v";', 'S3cret word', 1, 11),
    'a syntax error in it': ('SELECT 1, :v;', 'S3cret word', 1, 11),
    'a short one': ('SELECT 1, :v;', 'S3', 1, 11),
    'behind it': ("SELECT :'v', nothing;", 'S3cret word', 1, 14),
    'raised': ("SELECT set_config('x.y', :'v', true);\nDO $$ BEGIN RAISE '%', current_setting('x.y'); END $$;",
               'S3cret word', 2, 1),
    'cut off by the server': ("CREATE TEMP TABLE t (x text CHECK (x = ''));\nINSERT INTO t VALUES (:'v');",
                              'S3cret' * 30, 2, 1),
    'at the end': ("CREATE TEMP TABLE t (x text UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (:'v'), (:'v');",
                   'S3cret word', None, None),
    'a name that is none': ("\\set :v 1", 'S3cret-word', 1, 1),
    'an include': ("\\i :v", 'S3cret-word', 1, 1),
}


@pytest.mark.parametrize('script, value, line, column', SECRETS.values(), ids=SECRETS.keys())
def test_a_value_is_in_no_error_and_no_log(plain, script, value, line, column):
    function = plain("\\echo :w\nDO $$ BEGIN RAISE NOTICE 'S3cret word'; END $$;\n" + script,
                     RDSINIT_VARIABLES=json.dumps({'v': value, 'w': 'S3cret word'}))
    payload = function.fail()
    assert place(payload) == ('schema.sql', line and line + 2, column)
    assert value[:8] not in json.dumps(payload)
    function.stop()
    assert 'S3cret' not in function.stderr


# Conditions

CONDITIONS = {
    'branches': '\\if :yes\nCREATE TABLE a ();\n\\elif true\nCREATE TABLE b ();\n\\else\nCREATE TABLE c ();\n\\endif\n'
                '\\if no\n\\elif 1\nCREATE TABLE d ();\n\\endif\n\\if off\n\\else\nCREATE TABLE e ();\n\\endif\n',
    'nested': '\\if false\n\\if true\nSELECT wrong;\n\\else\nSELECT wrong;\n\\endif\n\\else\nCREATE TABLE a ();\n\\endif\n',
    'within a statement': 'CREATE TABLE t AS SELECT \\if :yes\n 1 \\else\n (2; \\endif\n AS x;',
    'not a boolean': '\\if maybe\nSELECT wrong;\n\\endif\nCREATE TABLE a ();',
    'a test': '\\if :{?yes}\nCREATE TABLE a ();\n\\endif\n\\if :{?none}\nSELECT wrong;\n\\endif\n',
    'on one line': '\\if true \\\\ CREATE TABLE a (); \\else \\\\ SELECT wrong; \\endif\n',
    'of a query': "SELECT true AS b, 1 AS n \\gset q_\n\\if :q_b\nCREATE TABLE a AS SELECT :q_n AS n;\n\\else\nSELECT wrong;\n\\endif",
}


@pytest.mark.parametrize('script', CONDITIONS.values(), ids=CONDITIONS.keys())
def test_conditions(as_psql, script):
    as_psql(script, yes='yes')


BAD_CONDITIONS = {
    'no endif': ('SELECT 1;\n \\if true\nSELECT 1;', 2, 2),
    'no endif in a branch not taken': ('\\if false\n\\if true\n\\endif\n', 1, 1),
    'no if': ('\\endif', 1, 1),
    'else twice': ('\\if true\n\\else\n\\else\n\\endif', 3, 1),
    'elif behind else': ('\\if true\n\\else\n\\elif true\n\\endif', 3, 1),
}


@pytest.mark.parametrize('script, line, column', BAD_CONDITIONS.values(), ids=BAD_CONDITIONS.keys())
def test_conditions_that_are_wrong(refused, script, line, column):
    payload = refused({'A.sql': 'CREATE TABLE ran ();', 'a.sql': script})
    assert (payload['sqlstate'], place(payload)) == ('42601', ('a.sql', line, column))


# Other commands

COMMANDS = {
    'g': 'CREATE TABLE a () \\g\nSELECT 1 \\g (format=csv)\nCREATE TABLE b () \\gx',
    'escaped semicolon': 'CREATE TABLE a (n int)\\; INSERT INTO a VALUES (1)\\;\nINSERT INTO a VALUES (2);',
    'gexec': "SELECT 'CREATE TABLE t' || n || ' ()', CASE WHEN n > 1 THEN 'CREATE TABLE u (); INSERT INTO u DEFAULT VALUES' "
             "END FROM generate_series(1, 2) n \\gexec\n",
    'reset': 'SELECT wrong \\r\nCREATE TABLE a ();',
    'quit': 'CREATE TABLE a ();\n\\q\nSELECT wrong;',
    'quit in an if': '\\if true\nCREATE TABLE a ();\n\\q\n\\endif\nSELECT wrong;',
    'quit in a statement': 'CREATE TABLE a ()\n\\q\nSELECT wrong;',
    'encoding': "\\encoding LATIN1\nCREATE TABLE a AS SELECT 'é' x;\n",
    'passed over': "\\a\n\\C title\n\\conninfo\n\\copyright\n\\d\n\\dt+ public.*\n\\errverbose\n\\f ,\n\\h SELECT\n\\H\n\\l\n"
                   "\\pset format csv\n\\t on\n\\T x\n\\timing\n\\x\n\\z\n\\?\nCREATE TABLE a ();",
    'in a statement': 'CREATE TABLE a AS SELECT 1 \\pset null x\n AS x;\nCREATE TABLE b\\t\n();',
    'restrict': '\\restrict abc\nCREATE TABLE a ();\nSELECT 1;\n\\unrestrict abc\n\\pset null x\n',
    'form feeds': '\fCREATE TABLE a ();\f\n\f\\set x 1\f\nCREATE TABLE b\f();\n',
    'CRLF': '\\set x 1\r\nCREATE TABLE a AS\r\nSELECT :x AS x\r\n;\r\n\\if true\r\nCREATE TABLE b ();\r\n\\endif\r\n',
    'one long line': ' '.join('CREATE TABLE t%d ();' % n for n in range(300)),
    'BEGIN and COMMIT': 'SELECT 1;\nCREATE TABLE a ();\nBEGIN;\nCREATE TABLE b ();\nCOMMIT;\nBEGIN;\nCREATE TABLE c ();\nEND;',
}


@pytest.mark.parametrize('script', COMMANDS.values(), ids=COMMANDS.keys())
def test_commands(as_psql, script):
    as_psql(script)


def test_strings_over_lines(as_psql, two_kinds_of_string):
    as_psql("SET standard_conforming_strings = off;\nCREATE TABLE a AS SELECT 'a\\';' \n 'b' x;\n"
            "SET standard_conforming_strings = on; CREATE TABLE b AS SELECT 'a\\' x;")


def test_a_string_that_goes_on_is_what_it_is_to_the_server(plain, database):
    plain("CREATE TABLE t AS SELECT E'a'\n  'b\\';c' AS x;").succeed()
    assert database.value('SELECT x FROM t') == "ab';c"


def test_connect_to_the_same_database_begins_with_the_settings_of_the_start(plain, database, two_kinds_of_string):
    plain('CREATE SCHEMA s;\nSET search_path = s;\nSET standard_conforming_strings = off;\nCREATE TABLE a ();\n'
          "\\connect %s\nCREATE TABLE b AS SELECT 'x\\' AS x;\n\\c\n\\c -\n" % database.name).succeed()
    assert database.relations() == ['public.b', 's.a']


@pytest.mark.parametrize('command, level', [('echo', 'INFO'), ('qecho', 'INFO'), ('warn', 'WARN')])
def test_what_is_echoed_goes_to_the_log(plain, command, level):
    function = plain('\\%s -n hello \'the  world\' "q"\n' % command)
    function.succeed()
    entry = function.wait_for_log(lambda entry: 'hello' in entry['message'])
    assert (entry['message'], entry['level']) == ('hello the  world "q"', level)


REFUSED = [
    '\\!', '\\! true', '\\!true', '\\copy t from stdin', '\\COPY t from x', '\\connect elsewhere', '\\c - somebody', '\\prompt x',
    '\\password', '\\cd', '\\getenv x HOME', '\\setenv x y', '\\lo_import x', '\\lo_list', '\\o file', '\\o |cat', '\\w file',
    '\\e', '\\ef', '\\ev', '\\edit', '\\watch', 'SELECT 1 \\g file', 'SELECT 1 \\g |cat', 'SELECT 1 \\gx |cat',
    '\\set x `id`', '\\echo `id`', '\\bind 1', '\\s file', '\\write x',
]


@pytest.mark.parametrize('command', REFUSED)
def test_commands_that_are_refused_before_anything_runs(refused, command):
    payload = refused('CREATE SEQUENCE ran;\n %s\n' % command)
    assert (payload['sqlstate'], place(payload)) == ('0A000', ('schema.sql', 2, command.index('\\') + 2))
    assert payload['hint']


WRONG_COMMANDS = {
    'unknown': ('\\nothing', '42601'),
    'unknown in a branch not taken': ('\\if false\n\\nothing', '42601'),
    'end mark': ('\\.', '42601'),
    'g alone': ('\\g', '42601'),
    'variable name': ('\\set a-b 1', '42602'),
    'unset name': ('\\unset a-b', '42602'),
    'quote': ("\\echo 'a", '42601'),
    'double quote': ('\\echo "a', '42601'),
    'unrestrict': ('\\unrestrict x', '42601'),
    'another key': ('\\restrict x\n\\unrestrict y', '22023'),
    'between': ('\\restrict x\n\\echo y', '0A000'),
    'byte': ("\\set a '\\xff'", '0A000'),
}


@pytest.mark.parametrize('script, sqlstate', WRONG_COMMANDS.values(), ids=WRONG_COMMANDS.keys())
def test_commands_that_are_wrong(refused, script, sqlstate):
    payload = refused('CREATE SEQUENCE ran;\n' + script)
    assert (payload['sqlstate'], place(payload)) == (sqlstate, ('schema.sql', 2 + script.count('\n'), 1))


def test_nothing_of_a_bundle_runs_before_all_of_it_is_checked(refused):
    payload = refused({'a.sql': "SELECT 1/0;", 'b.sql': 'SELECT 1;\n\\! true'})
    assert place(payload) == ('b.sql', 2, 1)


LATE = {
    'a branch': ("SELECT true AS b \\gset\n\\if :b\nROLLBACK;\n\\endif", '0A000', 3),
    'a text': ("SELECT 'ROLLBACK' AS v \\gset\n:v;", '0A000', 2),
    'gexec': ("SELECT 'COMMIT; ROLLBACK'\n\\gexec", '0A000', 1),
    'no row': ('SELECT 1 WHERE false \\gset', 'P0002', 1),
    'two rows': ('SELECT generate_series(1, 2) \\gset', 'P0003', 1),
    'no name': ('SELECT 1 AS "a b" \\gset', '42602', 1),
    'an include': ("SELECT 'none.sql' AS f \\gset\n\\i :f", '58P01', 2),
}


@pytest.mark.parametrize('script, sqlstate, line', LATE.values(), ids=LATE.keys())
def test_what_a_query_decides_is_checked_when_it_is_reached(refused, script, sqlstate, line):
    payload = refused('CREATE TABLE ran ();\n' + script)
    assert (payload['sqlstate'], payload['line']) == (sqlstate, line + 1)


def test_commands_end_statements_of_any_kind(plain, database):
    script, = plain(T + 'COPY t FROM stdin \\g\n1\ta\n\\.\n\\set s \'SELECT 1; SELECT\'\n:s 2;\n').succeed()['scripts']
    assert (script['statements'], script['rows']) == (4, 1)


UNTERMINATED = {
    'in an included file': ({'a.sql': '\\ir b.sql\n;', 'b.sql': 'SELECT 1;\n  $x$ '}, ('b.sql', 2, 3)),
    'behind a value': ({'a.sql': "\\set v 'a long value'\nSELECT :'v', (1;"}, ('a.sql', 2, 14)),
    'behind a command': ({'a.sql': 'SELECT \\echo x\n  /* x'}, ('a.sql', 2, 3)),
}


@pytest.mark.parametrize('files, where', UNTERMINATED.values(), ids=UNTERMINATED.keys())
def test_what_is_not_ended(refused, files, where):
    payload = refused(files)
    assert (payload['sqlstate'], place(payload)) == ('42601', where)
    assert 'unterminated' in payload['errorMessage']

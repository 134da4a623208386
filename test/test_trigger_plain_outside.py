"""The fallback runs scripts without a transaction, statement by statement, and goes on where it has ended."""

import contextlib

import pytest

from support.scripts import checksum

MARK = '-- rdsinit: no-transaction\n'
TABLE = 'CREATE TABLE t (n int, m int);\nINSERT INTO t SELECT n, n FROM generate_series(1, 10) n;\n'
INDEX = 'CREATE INDEX CONCURRENTLY i ON t (n);\n'


@pytest.fixture
def refused(plain, database):
    """refused(body): the error of a script that is refused before anything runs."""
    def run(body, **variables):
        payload = plain({'V1__a.sql': 'CREATE SEQUENCE ran;', 'V2__b.sql': body}, **variables).fail()
        assert payload['errorType'] == 'Rdsinit.Script' and payload['file'] == 'V2__b.sql'
        assert database.relations() == []
        return payload
    return run


def outcomes(payload):
    return [(script['name'], script['outcome']) for script in payload['scripts']]


def rows(database, columns='name, statement, outcome'):
    return database.rows('SELECT %s FROM rdsinit_plain.history ORDER BY id' % columns)


def indexes(database):
    return database.rows('SELECT indexrelid::regclass::text, indisvalid FROM pg_index '
                         "WHERE indrelid = 't'::regclass ORDER BY 1")


def started(database, name, statement, outcome='started', text='?', version='2'):
    """As if a call had ended there."""
    database.rows(
        'INSERT INTO rdsinit_plain.history (name, version, statement, outcome, checksum, statements, rows, duration, '
        "applied_by, applied_at, rdsinit_version) VALUES (%s, %s, %s, %s, %s, 0, 0, '0', 'x', now(), '0')",
        (name, version, statement, outcome, checksum(text)))


@contextlib.contextmanager
def invalid(database, index='i', definition='ON t (n)'):
    """An INVALID index, as CREATE INDEX CONCURRENTLY leaves it that is broken off."""
    database.rows('CREATE INDEX %s %s' % (index, definition))
    database.rows("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '%s'::regclass" % index)
    yield


# Which scripts those are

MARKED = {
    'own mark': {'V2__b.sql': MARK + INDEX},
    'own mark among comments': {'V2__b.sql': '\n-- An index.\n--  RDSINIT:  no-transaction \n\n' + INDEX},
    'repeatable': {'z.sql': MARK + 'CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (n);'},
    'dbmate': {'2_b.sql': '-- migrate:up transaction:false\n' + INDEX + '-- migrate:down\nDROP INDEX i;\n'},
    'goose': {'2_b.sql': '-- +goose NO TRANSACTION\n-- +goose Up\n' + INDEX + '-- +goose Down\nDROP INDEX i;\n'},
    'diesel': {'2_b/up.sql': INDEX, '2_b/metadata.toml': '# x\nrun_in_transaction = false # y\n'},
}


@pytest.mark.parametrize('files', MARKED.values(), ids=MARKED.keys())
def test_a_script_says_that_it_wants_no_transaction(plain, database, files):
    name = next(iter(files))
    function = plain({'V1__a.sql': TABLE, **files, 'V3__c.sql': 'ALTER TABLE t ADD COLUMN c int;'})
    expected = ['V1__a.sql', *sorted([name, 'V3__c.sql'], key=lambda each: (each == 'z.sql', each.lstrip('V')))]
    assert outcomes(function.succeed()) == [(each, 'applied') for each in expected]
    assert indexes(database) == [('i', True)]
    assert [row for row in rows(database) if row[0] == name] == [(name, 1, 'started'), (name, 1, 'done'), (name, None, 'applied')]
    assert {outcome for _, outcome in outcomes(function.succeed())} == {'unchanged'}


@pytest.mark.parametrize('metadata', ['run_in_transaction = true\n', '', '[x]\nrun_in_transaction = false\n',
                                      'run_in_transaction_x = false\n', '# run_in_transaction = false\n'])
def test_diesels_metadata_that_does_not_say_so(plain, metadata):
    payload = plain({'1_a/up.sql': TABLE, '2_b/up.sql': INDEX, '2_b/metadata.toml': metadata}).fail()
    assert (payload['file'], payload['sqlstate']) == ('2_b/up.sql', '25001')
    assert '-- rdsinit: no-transaction' in payload['hint']


def test_diesels_metadata_that_is_not_understood(plain):
    payload = plain({'2_b/up.sql': INDEX, '2_b/metadata.toml': '\nrun_in_transaction = maybe\n'}).fail()
    assert (payload['errorType'], payload['file'], payload['line']) == ('Rdsinit.Bundle', '2_b/metadata.toml', 2)
    assert 'neither true nor false' in payload['errorMessage']


def test_a_mark_behind_a_statement_is_none(plain):
    assert plain({'V1__a.sql': TABLE + MARK + INDEX}).fail()['sqlstate'] == '25001'


# How they run

def test_each_statement_has_its_row(plain, database):
    body = MARK + TABLE + 'SET work_mem = 128;\n' + INDEX + '/* x */ VACUUM (ANALYZE) t; -- y\n'
    script, = plain({'V2.0__b.sql': body}).succeed()['scripts']
    assert (script['statements'], script['rows']) == (5, 10)
    create, insert = (line.rstrip(';') for line in TABLE.splitlines())
    assert rows(database, 'name, version, statement, outcome, checksum, statements, rows, applied_by') == [
        ('V2.0__b.sql', '2', statement, outcome, checksum(text), statements, count, database.server.user)
        for statement, outcome, text, statements, count in [
            (1, 'done', create, 1, 0), (2, 'done', insert, 1, 10),
            (4, 'started', INDEX[:-2], 0, 0), (4, 'done', INDEX[:-2], 1, 0),
            (5, 'started', 'VACUUM (ANALYZE) t', 0, 0), (5, 'done', 'VACUUM (ANALYZE) t', 1, 0),
            (None, 'applied', body, 5, 10)]]


def test_what_comes_before_it_is_committed_and_what_comes_after_it_is_not(plain, database):
    payload = plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + INDEX, 'V3__c.sql': 'CREATE TABLE c ();',
                     'V4__d.sql': 'CREATE TABLE d ();\nSELECT nothing;'}).fail()
    assert (payload['file'], payload['line'], payload['column']) == ('V4__d.sql', 2, 8)
    assert outcomes(payload) == [('V1__a.sql', 'applied'), ('V2__b.sql', 'applied')]
    assert 'committed' in payload['detail']
    assert database.relations() == ['public.t'] and indexes(database) == [('i', True)]


def test_nothing_runs_before_all_is_checked(plain, database):
    payload = plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + INDEX, 'V3__c.sql': 'SELECT 1;\nROLLBACK;'}).fail()
    assert (payload['file'], payload['line'], payload['sqlstate']) == ('V3__c.sql', 2, '0A000')
    assert database.relations() == []
    assert 'scripts' not in payload


def test_a_failed_statement_is_recorded_and_run_again(plain, database):
    files = {'V1__a.sql': TABLE, 'V2__b.sql': MARK + 'CREATE TABLE one ();\n  SELECT n FROM later;\nCREATE TABLE two ();\n'}
    function = plain(files)
    payload = function.fail()
    assert (payload['file'], payload['line'], payload['column'], payload['statement']) == ('V2__b.sql', 2 + 1, 17, 2)
    assert outcomes(payload) == [('V1__a.sql', 'applied')]
    assert rows(database)[1:] == [('V2__b.sql', 1, 'done'), ('V2__b.sql', 2, 'failed')]
    database.rows('CREATE TABLE later (n int)')
    script = function.succeed()['scripts'][1]
    assert (script['outcome'], script['statements']) == ('applied', 3)
    assert rows(database)[3:] == [('V2__b.sql', 2, 'done'), ('V2__b.sql', 3, 'done'), ('V2__b.sql', None, 'applied')]
    assert database.relations() == ['public.later', 'public.one', 'public.t', 'public.two']


def test_what_a_script_sets_holds_for_the_rest_of_it_also_when_it_goes_on(plain, database):
    body = MARK + ("SELECT pg_catalog.set_config('search_path', 's', false);\nSET ROLE pg_monitor;\nRESET ROLE;\n"
                   'CREATE TABLE a ();\nSELECT nothing FROM later;\nCREATE TABLE b ();\n'
                   "PREPARE p AS SELECT 1;\nEXECUTE p;\nVACUUM;\nCREATE TABLE c ();\n")
    function = plain({'V1__a.sql': 'CREATE SCHEMA s;', 'V2__b.sql': body, 'V3__c.sql': 'CREATE TABLE d ();'})
    function.fail()
    assert database.relations() == ['s.a']
    database.rows('CREATE TABLE s.later (nothing int)')
    function.succeed()
    assert database.relations() == ['public.d', 's.a', 's.b', 's.c', 's.later']


@pytest.mark.parametrize('setting', [
    'SET search_path = nowhere', "SET client_encoding = 'LATIN1'", 'SET ROLE pg_monitor', 'SET SESSION AUTHORIZATION pg_monitor',
    'SET statement_timeout = 0', 'SET lock_timeout = 0', 'SET standard_conforming_strings = off', 'SET TimeZone = UTC',
    'SET default_transaction_read_only = on', "SET default_transaction_isolation = 'serializable'", 'DISCARD ALL', 'RESET ALL',
    'SET LOCAL search_path = nowhere', 'SET CONSTRAINTS ALL DEFERRED', 'SET idle_in_transaction_session_timeout = 1',
    "SET IntervalStyle = 'iso_8601'",
])
def test_whatever_it_sets_the_ledger_is_written(plain, database, request, setting):
    if 'strings' in setting:
        request.getfixturevalue('two_kinds_of_string')
    payload = plain({'V1__ä.sql': MARK + 'CREATE TABLE public.t (n int);\n%s;\nSELECT 1;\n' % setting,
                     'V2__b.sql': 'CREATE TABLE u ();'}).succeed()
    assert {outcome for _, outcome in outcomes(payload)} == {'applied'}
    assert database.relations() == ['public.t', 'public.u']
    assert rows(database, 'DISTINCT id, name, applied_by') == [
        (n, 'V1__ä.sql' if n < 4 else 'V2__b.sql', database.server.user) for n in range(1, 5)]


def test_a_statement_that_no_transaction_can_hold_is_found_out(plain, database):
    """Those that the words do not show: the server says so."""
    body = MARK + ('CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE a (); COMMIT; CREATE TABLE b (); END $$;\n'
                   'CALL p();\nDO $$ BEGIN CREATE TABLE c (); COMMIT; END $$;\n'
                   'CREATE TABLE h (n int PRIMARY KEY) PARTITION BY RANGE (n);\n'
                   'CREATE TABLE h1 PARTITION OF h FOR VALUES FROM (0) TO (9);\nREINDEX TABLE h;\n'
                   'ALTER TABLE h DETACH PARTITION h1 CONCURRENTLY;\n')
    script, = plain({'V1__a.sql': body}).succeed()['scripts']
    assert script['statements'] == 7
    assert database.relations() == ['public.' + name for name in ('a', 'b', 'c', 'h', 'h1')]
    assert [(statement, outcome) for _, statement, outcome in rows(database)] == [
        (1, 'done'), (2, 'started'), (2, 'done'), (3, 'started'), (3, 'done'), (4, 'done'), (5, 'done'),
        (6, 'started'), (6, 'done'), (7, 'started'), (7, 'done'), (None, 'applied')]


def test_an_enum_value_can_be_used_by_the_next_statement(plain):
    plain({'V1__a.sql': "CREATE TYPE e AS ENUM ('a');",
           'V2__b.sql': MARK + "ALTER TYPE e ADD VALUE 'b';\nCREATE TABLE t AS SELECT 'b'::e AS e;"}).succeed()


def test_includes_count_their_statements_on(plain, database):
    plain({'V1__a.sql': MARK + 'CREATE TABLE a ();\n\\ir parts/b.sql\nCREATE TABLE c ();\n',
           'parts/b.sql': 'CREATE TABLE b ();\nCREATE TABLE b2 ();\n'}).succeed()
    assert [row[1] for row in rows(database)] == [1, 2, 3, 4, None]


def test_a_variables_value_is_not_shown(plain):
    import json
    payload = plain({'V1__a.sql': MARK + "SELECT :'secret'::int;"}, RDSINIT_VARIABLES=json.dumps({'secret': 'hush'})).fail()
    assert 'hush' not in json.dumps(payload)


@pytest.mark.parametrize('statement, what', [
    ('BEGIN', 'BEGIN or COMMIT'), ('COMMIT', 'BEGIN or COMMIT'), ('START TRANSACTION', 'BEGIN or COMMIT'),
    ('END', 'BEGIN or COMMIT'), ('SELECT 1 AS a \\gset', '\\gset'), ("SELECT 'SELECT 1' \\gexec", '\\gexec'),
    ('COPY t FROM stdin', 'COPY FROM stdin'), ('ROLLBACK', None), ('SAVEPOINT a', None),
])
def test_what_is_refused_in_such_a_script_before_anything_runs(refused, statement, what):
    end = '\n\\.\n' if 'COPY' in statement else '' if '\\' in statement else ';'
    payload = refused(MARK + 'SELECT 1;\n %s%s\n' % (statement, ';' + end if 'COPY' in statement else end))
    assert (payload['line'], payload['column'], payload['sqlstate']) == (3, 2, '0A000')
    if what:
        assert payload['errorMessage'].endswith(
            ': %s is not allowed in a script that asks for no transaction' % what)
    assert payload['hint']


# How they go on: what is known

def test_a_statement_that_is_done_must_not_change(plain, database):
    def files(first, second='SELECT nothing;'):
        return {'V2__b.sql': MARK + '-- comments may\n%s;\n%s\n' % (first, second)}
    plain(files('CREATE TABLE a ()')).fail()
    payload = plain(files('CREATE TABLE b ()')).fail()
    assert payload['errorMessage'] == (
        'V2__b.sql:3:1: statement 1 of script "V2__b.sql" has changed since it was done')
    assert payload['sqlstate'] == '55000' and '"allow_changed"' in payload['hint']
    plain(files('/* x */ CREATE TABLE a ()', 'SELECT 1;')).succeed()
    assert database.relations() == ['public.a']


def test_allowed_it_is_taken_for_done(plain, database):
    plain({'V2__b.sql': MARK + 'CREATE TABLE a ();\nSELECT nothing;'}).fail()
    plain({'V2__b.sql': MARK + 'CREATE TABLE b ();\nSELECT 1;'}).succeed({'allow_changed': True})
    assert database.relations() == ['public.a']


def test_rows_of_an_earlier_application_do_not_count(plain, database):
    """A repeatable script that has changed is run anew, from its first statement."""
    plain({'r.sql': MARK + 'CREATE TABLE a ();\n'}).succeed()
    plain({'r.sql': MARK + 'CREATE TABLE b ();\n'}).succeed()
    assert database.relations() == ['public.a', 'public.b']


# How they go on: what is not known

@pytest.fixture
def broken_off(plain, database):
    """broken_off(statement, …): a function whose script's only statement was started, and no more is known."""
    def start(statement, outcome='started', **variables):
        plain({'V1__a.sql': TABLE}).succeed()
        started(database, 'V2__b.sql', 1, outcome, statement)
        return plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + ' ' + statement + ';\n'}, **variables)
    return start


def last(database):
    """The rows of the second script since it was broken off."""
    return [row[1:] for row in rows(database)[2:]]


DONE = [(1, 'done'), (None, 'applied')]
AGAIN = [(1, 'started'), *DONE]


def test_how_it_ended_is_the_callers_to_say(broken_off, database):
    payload = broken_off("ALTER SYSTEM SET work_mem = '4MB'").fail()
    assert payload['errorMessage'] == ('V2__b.sql:2:2: statement 1, ALTER SYSTEM, was started by an earlier call, '
                                       'and how it ended is not known')
    assert (payload['sqlstate'], payload['statement']) == ('55000', 1)
    assert all('"%s"' % word in payload['hint'] for word in ('resume', 'skip', 'again'))
    assert last(database) == []


@pytest.mark.parametrize('event, variables', [({'resume': 'skip'}, {}), ({}, {'RDSINIT_RESUME': 'skip'})],
                         ids=['event', 'environment'])
def test_skipped(broken_off, database, event, variables):
    function = broken_off('CREATE DATABASE rdsinit_never', **variables)
    function.succeed(event)
    assert last(database) == [(1, 'skipped'), (None, 'applied')]
    assert outcomes(function.succeed()) == [('V1__a.sql', 'unchanged'), ('V2__b.sql', 'unchanged')]


def test_run_again(broken_off, database):
    broken_off('CREATE DATABASE postgres').fail({'resume': 'again'})
    assert last(database) == [(1, 'started'), (1, 'failed')]


def test_one_that_is_said_to_be_skipped_stays_so(broken_off, plain, database):
    broken_off('CREATE DATABASE rdsinit_never')
    files = {'V1__a.sql': TABLE, 'V2__b.sql': MARK + ' CREATE DATABASE rdsinit_never;\nSELECT nothing;\n'}
    plain(files).fail({'resume': 'skip'})
    payload = plain(files).fail()
    assert (payload['line'], payload['sqlstate']) == (3, '42703')


@pytest.mark.parametrize('statement', ['VACUUM t', 'VACUUM', 'ANALYZE', 'REINDEX TABLE CONCURRENTLY t', 'REINDEX TABLE t',
                                       'DROP INDEX CONCURRENTLY IF EXISTS nothing'])
def test_what_does_no_harm_is_run_again(broken_off, database, statement):
    broken_off(statement).succeed()
    expected = DONE if 'DROP' in statement else AGAIN
    assert last(database) == expected


def test_a_dropped_index_is_dropped(broken_off, database):
    broken_off('DROP INDEX CONCURRENTLY public . "i"').succeed()
    assert last(database) == DONE


def test_one_that_is_still_there_is_dropped_now(broken_off, database):
    function = broken_off('DROP INDEX CONCURRENTLY i')
    with invalid(database):
        function.succeed()
    assert last(database) == AGAIN and indexes(database) == []


def test_one_that_never_was_there_is_an_error(plain):
    function = plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + 'DROP INDEX CONCURRENTLY nothing;'})
    assert [function.fail()['sqlstate'] for _ in range(2)] == ['42704', '42704']


CREATE = {
    'named': ('CREATE INDEX CONCURRENTLY i ON t (n)', 'i'),
    'unnamed': ('CREATE INDEX CONCURRENTLY ON t (n)', 't_n_idx'),
    'qualified': ('create index concurrently "i" on only public . "t" using btree (n)', 'i'),
    'unique': ('CREATE UNIQUE INDEX CONCURRENTLY i ON t (n)', 'i'),
    'if not exists': ('CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (n)', 'i'),
    'an expression': ("CREATE INDEX CONCURRENTLY i ON t (abs(t.n) DESC, (n + m)) INCLUDE (m) WITH (fillfactor = 50) WHERE t.n > 0",
                      'i'),
}


@pytest.mark.parametrize('outcome', ['started', 'failed'])
@pytest.mark.parametrize('statement, name', CREATE.values(), ids=CREATE.keys())
def test_an_invalid_index_is_dropped_and_built_again(broken_off, database, statement, name, outcome):
    function = broken_off(statement, outcome)
    database.rows(statement.lower().replace('concurrently', ''))
    database.rows("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '%s'::regclass" % name)
    function.succeed()
    assert indexes(database) == [(name, True)]
    assert last(database) == AGAIN


@pytest.mark.parametrize('statement, name', CREATE.values(), ids=CREATE.keys())
def test_a_valid_index_of_the_same_definition_is_the_finished_one(broken_off, database, statement, name):
    function = broken_off(statement)
    database.rows(statement.lower().replace('concurrently', ''))
    before = database.value("SELECT '%s'::regclass::oid" % name)
    function.succeed()
    assert database.value("SELECT '%s'::regclass::oid" % name) == before
    assert last(database) == DONE


@pytest.mark.parametrize('other', ['(m)', '(n DESC)', '(n) WHERE n > 0', '(n) INCLUDE (m)', 'USING hash (n)'])
def test_a_valid_index_of_another_definition_is_not(broken_off, database, other):
    function = broken_off('CREATE INDEX CONCURRENTLY i ON t (n)')
    database.rows('CREATE INDEX i ON t ' + other)
    assert function.fail()['sqlstate'] == '42P07'
    assert last(database) == [(1, 'started'), (1, 'failed')]


def test_a_unique_index_is_not_one_that_is_not(broken_off, database):
    function = broken_off('CREATE UNIQUE INDEX CONCURRENTLY i ON t (n)')
    database.rows('CREATE INDEX i ON t (n)')
    assert function.fail()['sqlstate'] == '42P07'


def test_an_index_that_is_not_there_is_built(broken_off, database):
    broken_off('CREATE INDEX CONCURRENTLY i ON t (n)').succeed()
    assert last(database) == AGAIN and indexes(database) == [('i', True)]


def test_an_unnamed_one_beside_another_invalid_one(broken_off, database):
    """An INVALID index that is another's is left alone."""
    function = broken_off('CREATE INDEX CONCURRENTLY ON t (n)')
    with invalid(database, 'other', 'ON t (m)'):
        function.succeed()
    assert indexes(database) == [('other', False), ('t_n_idx', True)]


def test_a_table_whose_columns_were_dropped_and_whose_name_needs_quotes(plain, database):
    table = 'CREATE TABLE "T .x" (a int, n int);\nALTER TABLE "T .x" DROP COLUMN a;\n'
    statement = 'CREATE INDEX CONCURRENTLY ON public."T .x" (n)'
    plain({'V1__a.sql': table}).succeed()
    started(database, 'V2__b.sql', 1)
    database.rows('CREATE INDEX ON "T .x" (n)')
    plain({'V1__a.sql': table, 'V2__b.sql': MARK + statement + ';'}).succeed()
    assert last(database) == DONE


def test_an_index_of_a_table_that_is_not_there_has_the_servers_error(broken_off):
    payload = broken_off('CREATE INDEX CONCURRENTLY i ON nothing (n)').fail()
    assert (payload['sqlstate'], payload['line']) == ('42P01', 2)


@pytest.mark.parametrize('condition', ['IF NOT EXISTS ', ''])
def test_an_invalid_index_that_is_anothers_is_left_alone(plain, database, condition):
    """Above all IF NOT EXISTS never takes it for the finished one."""
    plain({'V1__a.sql': TABLE}).succeed()
    function = plain({'V1__a.sql': TABLE, 'V2__b.sql': MARK + 'CREATE INDEX CONCURRENTLY %si ON t (n);' % condition})
    with invalid(database):
        for _ in range(2):
            payload = function.fail()
    assert len(rows(database)) == 1
    assert payload['errorMessage'] == 'V2__b.sql:2:1: there is an index i, but it is INVALID'
    assert payload['sqlstate'] == '55000' and 'DROP INDEX CONCURRENTLY public.i;' in payload['hint']
    assert indexes(database) == [('i', False)]


def test_a_unique_index_that_cannot_be_is_built_when_it_can(plain, database):
    """The whole way, without anything made by hand."""
    function = plain({'V1__a.sql': TABLE + 'INSERT INTO t VALUES (1, 1);',
                      'V2__b.sql': MARK + 'CREATE UNIQUE INDEX CONCURRENTLY ON t (n);\nCREATE TABLE after ();'})
    assert function.fail()['sqlstate'] == '23505'
    assert indexes(database) == [('t_n_idx', False)]
    assert function.fail()['sqlstate'] == '23505'
    database.rows('DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t)')
    function.succeed()
    assert indexes(database) == [('t_n_idx', True)]

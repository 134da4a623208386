"""Migrations through the trigger, by the extension and by the fallback alike; and a ledger that is adopted."""

import contextlib

import pytest

from support import Database

MARK = '-- rdsinit: no-transaction\n'
TABLE = 'CREATE TABLE t (n int, m int);\nINSERT INTO t SELECT n, n % 7 FROM generate_series(1, 100) n;\n'

LEDGER = {'extension': 'rdsinit', 'plain': 'rdsinit_plain'}


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


@pytest.fixture
def deploy(trigger, mode):
    def start(bundle, **variables):
        return trigger(bundle, **{'RDSINIT_MODE': mode, **variables})
    return start


def outcomes(payload):
    return [(script['name'], script['outcome']) for script in payload['scripts']]


def rows(database, mode, columns='name, version, statement, outcome'):
    return database.rows('SELECT %s FROM %s.history ORDER BY id' % (columns, LEDGER[mode]))


BUNDLE = {
    'V1__a.sql': TABLE,
    'V01.2__b.sql': '-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\nDROP TABLE b;\n',
    'V2__c.sql': MARK + '-- A comment.\nSET search_path = pg_catalog, public;\nCREATE INDEX CONCURRENTLY i ON t (n); -- another\n'
                 'INSERT INTO public.t VALUES (1, 2);\nVACUUM t;\nSELECT 1',
    'V3__d.up.sql': 'CREATE TABLE d ();', 'V3__d.down.sql': 'DROP TABLE d;\n',
    '4_e/up.sql': 'CREATE INDEX CONCURRENTLY ON t (m);', '4_e/down.sql': 'DROP INDEX t_m_idx;',
    '4_e/metadata.toml': 'run_in_transaction = false\n',
    'R__v.sql': 'CREATE OR REPLACE VIEW v AS SELECT n FROM t;',
    'main.sql': '\\ir parts/x.sql\nSELECT 2;', 'parts/x.sql': 'SELECT 1;',
}


def test_a_bundle_of_all_kinds(deploy, database, mode):
    function = deploy(BUNDLE)
    order = ['V1__a.sql', 'V01.2__b.sql', 'V2__c.sql', 'V3__d.up.sql', '4_e/up.sql', 'R__v.sql', 'main.sql']
    assert outcomes(function.succeed()) == [(name, 'applied') for name in order]
    assert [row[0] for row in rows(database, mode) if row[2] is None] == order
    assert database.value('SELECT count(*) FROM pg_index WHERE indisvalid '
                          "AND indexrelid IN ('i'::regclass, 't_m_idx'::regclass)") == 2
    assert outcomes(function.succeed()) == [(name, 'unchanged') for name in order]


@pytest.mark.extension
def test_both_write_the_same_history(trigger, database):
    """So that one of them can take over from the other."""
    columns = 'name, version, statement, outcome, checksum, statements, rows, undo_name, undo, applied_by, rdsinit_version'
    trigger(BUNDLE, RDSINIT_MODE='plain').succeed()
    plain = rows(database, 'plain', columns)
    database.drop()
    trigger(BUNDLE, RDSINIT_MODE='extension').succeed()
    assert rows(database, 'extension', columns) == plain


@pytest.mark.parametrize('variable, key', [(None, True), ('true', None)], ids=['event', 'environment'])
def test_options(deploy, database, variable, key):
    def options(*names):
        event = {name: key for name in names if key}
        return event, {'RDSINIT_' + name.upper(): variable for name in names if variable}

    deploy({'V1__a.sql': 'SELECT 1;', 'V3__c.sql': 'SELECT 3;'}).succeed()
    changed = {'V2__b.sql': 'SELECT 2;', 'V3__c.sql': 'SELECT 33;'}
    for given, word in [((), 'changed'), (('allow_changed',), 'missing'), (('allow_changed', 'allow_missing'), 'below')]:
        event, variables = options(*given)
        payload = deploy(changed, **variables).fail(event)
        assert word in payload['errorMessage'] and payload['sqlstate'] == '55000' and payload['hint']
    event, variables = options('allow_changed', 'allow_missing', 'out_of_order')
    assert outcomes(deploy(changed, **variables).succeed(event)) == [('V2__b.sql', 'applied'), ('V3__c.sql', 'baseline')]


@pytest.mark.extension
@pytest.mark.parametrize('event, variables', [({'allow_data_loss': True}, {}), ({}, {'RDSINIT_ALLOW_DATA_LOSS': 'true'})],
                         ids=['event', 'environment'])
def test_data_are_lost_only_where_that_was_said(trigger, database, event, variables):
    trigger('CREATE TABLE full_ AS SELECT 1 AS n;').succeed()
    payload = trigger('DROP TABLE full_;').fail()
    assert (payload['sqlstate'], payload['file'], payload['line'], payload['column']) == ('55000', 'schema.sql', 1, 1)
    assert 'allow_data_loss' in payload['hint']
    trigger('DROP TABLE full_;', **variables).succeed(event)
    assert database.relations() == []


@pytest.mark.parametrize('event, variables', [({'baseline': '2'}, {}), ({}, {'RDSINIT_BASELINE': '2.0'})],
                         ids=['event', 'environment'])
def test_a_baseline(deploy, database, mode, event, variables):
    function = deploy({'V1__a.sql': 'SELECT wrong;', 'V2__b.sql': 'SELECT wrong;', 'V3__c.sql': 'SELECT 3;'}, **variables)
    for outcome in ('applied', 'unchanged'):
        assert outcomes(function.succeed(event)) == [
            ('V1__a.sql', 'baseline'), ('V2__b.sql', 'baseline'), ('V3__c.sql', outcome)]
    assert rows(database, mode) == [('(baseline)', '2', None, 'baseline'), ('V3__c.sql', '3', None, 'applied')]


def test_a_baseline_that_cannot_be(deploy, database, mode):
    function = deploy({'V1__a.sql': 'SELECT 1;'})
    function.succeed()
    payload = function.fail({'baseline': '2'})
    assert payload['sqlstate'] == '55000' and payload['mode'] == mode
    assert 'baseline' in payload['hint']


def test_what_is_committed_though_it_failed(deploy, database):
    function = deploy({'V1__a.sql': TABLE, 'V2__b.sql': MARK + 'CREATE INDEX CONCURRENTLY i ON t (n);\nSELECT nothing FROM later;'})
    payload = function.fail()
    assert (payload['errorType'], payload['sqlstate'], payload['file'], payload['line'], payload['statement']) == (
        'Rdsinit.Script', '42P01', 'V2__b.sql', 3, 2)
    assert outcomes(payload) == [('V1__a.sql', 'applied')]
    assert 'committed' in payload['detail']
    database.rows('CREATE TABLE later (nothing int)')
    assert outcomes(function.succeed()) == [('V1__a.sql', 'unchanged'), ('V2__b.sql', 'applied')]


def test_a_single_file_need_not_be_all_that_there_is(deploy, tmp_path):
    for name in ('V1__a.sql', 'V2__b.sql'):
        (tmp_path / name).write_text('SELECT 1;')
        payload = deploy(None, RDSINIT_BUNDLE=tmp_path / name).succeed()
        assert outcomes(payload) == [(name, 'applied')]


def test_nothing_is_committed_where_all_is_one_transaction(deploy, database):
    payload = deploy({'V1__a.sql': TABLE, 'V2__b.sql': 'SELECT nothing;'}).fail()
    assert 'scripts' not in payload and 'committed' not in payload.get('detail', '')
    assert database.relations() == []


def test_a_statement_of_unknown_outcome(deploy, database, mode):
    deploy({'V1__a.sql': TABLE}).succeed()
    database.rows("INSERT INTO %s.history (name, version, statement, outcome, checksum, statements, rows, duration, "
                  "applied_by, applied_at, rdsinit_version) "
                  "VALUES ('V2__b.sql', '2', 1, 'started', 'x', 0, 0, '0', 'x', now(), '0')" % LEDGER[mode])
    function = deploy({'V1__a.sql': TABLE, 'V2__b.sql': MARK + '\n CREATE DATABASE rdsinit_never;'})
    payload = function.fail()
    assert (payload['sqlstate'], payload['file'], payload['line'], payload['column'], payload['statement']) == (
        '55000', 'V2__b.sql', 3, 2, 1)
    assert 'resume' in payload['hint']
    function.succeed({'resume': 'skip'})
    assert [row[2:] for row in rows(database, mode)[-2:]] == [(1, 'skipped'), (None, 'applied')]


@pytest.mark.extension
def test_who_may_call_need_not_be_allowed_to_read_the_history(trigger, database, role):
    name, password = role()
    database.create().rows('CREATE EXTENSION rdsinit; GRANT EXECUTE ON PROCEDURE rdsinit.deploy TO "%s"; '
                           'GRANT EXECUTE ON FUNCTION rdsinit.baseline TO "%s"; GRANT CREATE ON SCHEMA public TO "%s"'
                           % (name, name, name))
    function = trigger({'V2__a.sql': MARK + 'CREATE TABLE a ();'}, DB_USER=name, DB_PASSWORD=password)
    assert outcomes(function.succeed({'baseline': '1'})) == [('V2__a.sql', 'applied')]


# A ledger that is adopted

FILES = {'V1__a.sql': TABLE, 'schema.sql': 'CREATE TABLE s ();'}


@pytest.mark.extension
@pytest.mark.parametrize('then', ['auto', 'extension'])
def test_the_plain_ledger_is_adopted_when_the_extension_has_come(trigger, database, then):
    trigger(FILES, RDSINIT_MODE='plain').succeed()
    function = trigger({**FILES, 'V2__b.sql': 'CREATE TABLE b ();'}, RDSINIT_MODE=then)
    payload = function.succeed()
    assert payload['mode'] == 'extension'
    assert outcomes(payload) == [('V1__a.sql', 'unchanged'), ('V2__b.sql', 'applied'), ('schema.sql', 'unchanged')]
    function.wait_for_log(lambda entry: 'adopted' in entry['message'] and 'rdsinit_plain.history' in entry['message'])
    assert database.history('rdsinit_plain') is None
    assert database.value("SELECT to_regclass('rdsinit_plain.history_adopted') IS NOT NULL")
    assert {outcome for _, outcome in outcomes(function.succeed())} == {'unchanged'}


@pytest.mark.extension
def test_who_applies_in_plain_mode_is_waited_for_before_its_ledger_is_adopted(trigger, database):
    trigger(FILES, RDSINIT_MODE='plain').succeed()
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE t')
        files = {**FILES, 'V2__b.sql': MARK + 'CREATE TABLE b ();\nALTER TABLE t ADD COLUMN c int;'}
        plain, other = trigger(files, RDSINIT_MODE='plain'), trigger(files)
        first = plain.send()
        database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() "
                            "AND application_name = 'rdsinit' AND wait_event_type = 'Lock'")
        second = other.send()
        database.wait_until("SELECT count(*) = 3 FROM pg_stat_activity WHERE datname = current_database() "
                            "AND application_name = 'rdsinit'")
        holder.cursor().execute('COMMIT')
    assert plain.outcome(first).kind == 'response'
    payload = other.outcome(second).payload
    assert payload['mode'] == 'extension' and {outcome for _, outcome in outcomes(payload)} == {'unchanged'}


@pytest.mark.extension
def test_several_that_adopt_at_once(trigger, database):
    trigger(FILES, RDSINIT_MODE='plain').succeed()
    functions = [trigger(FILES) for _ in range(3)]
    invocations = [function.send() for function in functions]
    for function, invocation in zip(functions, invocations):
        payload = function.outcome(invocation).payload
        assert payload.get('mode') == 'extension' and {outcome for _, outcome in outcomes(payload)} == {'unchanged'}


@pytest.mark.extension
def test_plain_mode_stays_with_its_ledger(trigger, database):
    function = trigger(FILES, RDSINIT_MODE='plain')
    function.succeed()
    assert function.succeed()['mode'] == 'plain'
    database.rows('CREATE EXTENSION rdsinit')
    assert {outcome for _, outcome in outcomes(function.succeed())} == {'unchanged'}


@pytest.mark.extension
def test_plain_mode_leaves_the_extensions_ledger_alone(trigger, database):
    trigger(FILES, RDSINIT_MODE='plain').succeed()
    trigger(FILES).succeed()
    payload = trigger(FILES, RDSINIT_MODE='plain').fail()
    assert payload['errorType'] == 'Rdsinit.Database' and 'extension' in payload['errorMessage'] and payload['hint']


def test_the_plain_ledger_stays_where_there_is_no_extension(trigger, bare_database):
    function = trigger(FILES, at=bare_database)
    assert [function.succeed()['mode'] for _ in range(2)] == ['plain', 'plain']


@pytest.mark.extension
def test_a_role_that_may_not_create_the_extension_stays_with_the_plain_ledger(trigger, database, role):
    """It may not create in the database: somebody else has made the ledger, and the tables."""
    owner, password = role()
    deployer, other_password = role()
    database.create(owner)
    database.rows('GRANT ALL ON SCHEMA public TO "%s"' % owner)
    trigger(FILES, RDSINIT_MODE='plain', DB_USER=owner, DB_PASSWORD=password).succeed()
    database.rows('GRANT USAGE ON SCHEMA rdsinit_plain TO "{0}"; GRANT ALL ON ALL TABLES IN SCHEMA rdsinit_plain TO "{0}"'.format(deployer))
    function = trigger(FILES, DB_USER=deployer, DB_PASSWORD=other_password)
    assert [function.succeed()['mode'] for _ in range(2)] == ['plain', 'plain']


@pytest.mark.extension
def test_a_ledger_that_cannot_be_adopted_says_why(trigger, database):
    trigger(FILES, RDSINIT_MODE='plain').succeed()
    database.rows("CREATE EXTENSION rdsinit; CREATE TABLE rdsinit_plain.history_adopted ()")
    payload = trigger(FILES).fail()
    assert payload['errorMessage'].startswith("could not adopt the plain mode's ledger, rdsinit_plain.history: ")
    assert Database(database.server, database.name).history('rdsinit_plain') is not None

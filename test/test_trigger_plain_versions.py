"""The fallback decides what is pending: names, versions, sections, what was applied before."""

import pytest

from support.scripts import checksum

RECORDS = 'CREATE TABLE IF NOT EXISTS ran (n int GENERATED ALWAYS AS IDENTITY, what text);\n'


def ran(what):
    """A script that leaves a trace."""
    return RECORDS + "INSERT INTO ran (what) VALUES ('%s');\n" % what


@pytest.fixture
def refused(plain, database):
    """refused(files, event, …): the error of a bundle that leaves the database as it was."""
    def run(files, event=b'{}', **variables):
        database.exists() or database.create()
        before = traces(database), rows(database)
        payload = plain(files, **variables).fail(event)
        assert payload['errorType'] == 'Rdsinit.Script'
        assert (traces(database), rows(database)) == before
        assert 'scripts' not in payload
        return payload
    return run


def outcomes(payload):
    return [(script['name'], script['outcome']) for script in payload['scripts']]


def traces(database):
    """What ran, in order."""
    if not database.value("SELECT to_regclass('ran') IS NOT NULL"):
        return []
    return [what for what, in database.rows('SELECT what FROM ran ORDER BY n')]


def rows(database, columns='name, version, outcome'):
    if not database.value("SELECT to_regclass('rdsinit_plain.history') IS NOT NULL"):
        return []
    return database.rows('SELECT %s FROM rdsinit_plain.history ORDER BY id' % columns)


# Names and order

ORDERED = {
    'flyway': ['V1__a.sql', 'V1.2__b.sql', 'V1_3__c.sql', 'V1.10__d.sql', 'V2__e.sql', 'V10__f.sql', 'R__a.sql', 'R__b.sql'],
    'golang-migrate': ['1_a.up.sql', '2_b.up.sql', '0010_c.up.sql'],
    'dbmate': ['20250101000000_b.sql', '20260101000000_a.sql', 'schema.sql'],
    'diesel': ['00000000000000_setup/up.sql', '2025-01-01-120000_b/up.sql',
               '2025-01-01-120000-0000_c/up.sql', '2025-01-01-120000-0001_a/up.sql', '20260101120000_a/up.sql'],
    'prisma': ['20250101000000_b/migration.sql', '20260101000000_a/migration.sql'],
    'long': ['V9__a.sql', 'V123456789012345678901234567890__b.sql', 'V123456789012345678901234567891__c.sql'],
}


@pytest.mark.parametrize('names', ORDERED.values(), ids=ORDERED.keys())
def test_versions_go_up_as_numbers_then_come_the_others_by_name(plain, database, names):
    payload = plain({name: ran(name) for name in reversed(names)}).succeed()
    assert outcomes(payload) == [(name, 'applied') for name in names]
    assert traces(database) == names
    payload = plain({name: ran(name) for name in names}).succeed()
    assert outcomes(payload) == [(name, 'unchanged') for name in names]


def test_a_row_has_the_canonical_version(plain, database):
    plain({'V01.20.0__a.sql': 'SELECT 1;', '2026-01-01-120000_b/up.sql': 'SELECT 1;', 'c.sql': 'SELECT 1;'}).succeed()
    assert rows(database, 'name, version, statement, checksum') == [
        ('V01.20.0__a.sql', '1.20', None, checksum('SELECT 1;')),
        ('2026-01-01-120000_b/up.sql', '20260101120000', None, checksum('SELECT 1;')),
        ('c.sql', None, None, checksum('SELECT 1;'))]


def test_a_version_that_has_another_name_is_the_same(plain):
    plain({'V1__a.sql': ran('a')}).succeed()
    assert outcomes(plain({'V01.0__b.sql': ran('a')}).succeed()) == [('V01.0__b.sql', 'unchanged')]


@pytest.mark.parametrize('name, problem', [
    ('V1.sql', 'has a version and no text'), ('V1__.sql', 'has a version and no text'), ('12.sql', 'has a version and no text'),
    ('V1_x.sql', 'has one underscore between its version and its text'), ('B1__x.sql', 'is a baseline migration'),
    ('U1__.sql', 'has a version and no text'),
])
def test_a_name_that_is_not_right_is_an_error_before_anything_runs(refused, name, problem):
    payload = refused({'V0__a.sql': ran('a'), name: ran('b')})
    assert payload['errorMessage'] == 'script "%s" %s' % (name, problem)
    assert payload['sqlstate'] == '42602' and payload['hint']


def test_the_name_of_a_part_does_not_matter(plain, database):
    payload = plain({'main.sql': RECORDS + '\\ir parts/1.sql\n\\ir parts/V1.sql\n',
                     'parts/1.sql': ran('1'), 'parts/V1.sql': ran('V1')}).succeed()
    assert outcomes(payload) == [('main.sql', 'applied')]
    assert traces(database) == ['1', 'V1']


def test_two_of_one_version_are_an_error(refused):
    payload = refused({'V1__a.sql': ran('a'), '01_b.sql': ran('b')})
    assert payload['errorMessage'] == 'scripts "01_b.sql" and "V1__a.sql" have the same version'
    assert payload['sqlstate'] == '42710' and payload['hint']


# Sections and what takes a version back

DBMATE = '-- migrate:up\n' + ran('up') + '\n-- migrate:down\nDROP TABLE ran;\n'
GOOSE = ('-- +goose Up\n-- +goose StatementBegin\n' + ran('up') + '-- +goose StatementEnd\n'
         '-- +goose Down\nDROP TABLE ran;\n')


@pytest.mark.parametrize('body', [DBMATE, GOOSE, DBMATE.replace('\n', '\r\n'), '\ufeff' + DBMATE],
                         ids=['dbmate', 'goose', 'CRLF', 'BOM'])
def test_only_the_section_that_goes_up_is_run_and_the_other_is_kept(plain, database, body):
    function = plain({'1_a.sql': body})
    script, = function.succeed()['scripts']
    assert (script['outcome'], script['statements']) == ('applied', 2)
    (name, undo), = rows(database, 'undo_name, undo')
    assert name == '1_a.sql'
    lines = body.lstrip('\ufeff').split('\n')
    down = next(i for i, line in enumerate(lines) if 'own' in line)
    assert undo.split('\n') == [''] * down + lines[down:]
    assert outcomes(function.succeed()) == [('1_a.sql', 'unchanged')]


def test_a_script_of_its_own_that_goes_down_is_kept_and_never_run(plain, database):
    files = {'1_a.up.sql': ran('1'), '1_a.down.sql': 'SELECT wrong;', 'V2__b.sql': ran('2'), 'U2__b.sql': 'SELECT wrong2;',
             '3_c/up.sql': ran('3'), '3_c/down.sql': 'SELECT wrong3;', 'V4__d.sql': ran('4')}
    payload = plain(files).succeed()
    assert outcomes(payload) == [(name, 'applied') for name in ('1_a.up.sql', 'V2__b.sql', '3_c/up.sql', 'V4__d.sql')]
    assert rows(database, 'undo_name, undo') == [
        ('1_a.down.sql', 'SELECT wrong;'), ('U2__b.sql', 'SELECT wrong2;'), ('3_c/down.sql', 'SELECT wrong3;'), (None, None)]


def test_a_place_behind_the_sections_mark_is_that_in_the_file(refused):
    payload = refused({'1_a.sql': '-- migrate:up\n\nSELECT 1;\n  SELECT nothing;\n-- migrate:down\nSELECT 2;\n'})
    assert (payload['file'], payload['line'], payload['column'], payload['statement']) == ('1_a.sql', 4, 10, 2)


@pytest.mark.parametrize('body, line, problem', [
    ('-- migrate:down\nSELECT 1;\n', 1, 'a section that goes down, and none that goes up'),
    ('SELECT 1;\n-- migrate:up\nSELECT 2;\n', 2, 'statements in front of the section that goes up'),
    ('-- +goose Up\nSELECT 1;\n-- +goose Up\n', 3, 'a second section that goes up'),
    ('-- +goose Up\n-- +goose ENVSUB ON\n', 2, "goose's substitution of environment variables, which is not done here"),
])
def test_sections_that_are_not_right_are_an_error_with_its_line(refused, body, line, problem):
    payload = refused({'1_a.sql': body})
    assert payload['errorMessage'] == '1_a.sql:%d:1: script "1_a.sql" has %s' % (line, problem)
    assert payload['sqlstate'] == '42601' and payload['hint']


def test_a_repeatable_script_has_no_sections(plain, database):
    plain({'schema.sql': ran('a') + '-- migrate:down\n' + ran('b')}).succeed()
    assert traces(database) == ['a', 'b']


def test_what_goes_down_has_to_be_text(refused):
    payload = refused({'1_a.up.sql': ran('a'), '1_a.down.sql': "SET client_encoding = 'LATIN1';\n-- é\n".encode('latin-1')})
    assert 'UTF-8' in payload['errorMessage'] and payload['file'] == '1_a.down.sql'


# What was applied before

def test_a_versioned_script_that_has_changed_is_an_error(plain, refused):
    plain({'V1__a.sql': ran('a'), 'V2__b.sql': ran('b'), 'V3__c.sql': ran('c')}).succeed()
    payload = refused({'V1__a.sql': ran('A'), 'V2__b.sql': ran('B'), 'V3__c.sql': ran('c'), 'V4__d.sql': ran('d')})
    assert payload['errorMessage'] == 'script "V1__a.sql" has changed since its version 1 was applied'
    assert payload['detail'] == '1 more is changed.'
    assert payload['sqlstate'] == '55000' and '"allow_changed"' in payload['hint']


@pytest.mark.parametrize('event, variables', [({'allow_changed': True}, {}), ({}, {'RDSINIT_ALLOW_CHANGED': 'true'})],
                         ids=['event', 'environment'])
def test_allowed_it_is_taken_for_applied_as_it_is(plain, database, event, variables):
    plain({'V1__a.sql': ran('a')}).succeed()
    function = plain({'V1__a.sql': ran('A'), 'V2__b.sql': ran('b')}, **variables)
    assert outcomes(function.succeed(event)) == [('V1__a.sql', 'baseline'), ('V2__b.sql', 'applied')]
    assert traces(database) == ['a', 'b']
    assert rows(database, 'name, version, outcome, checksum, statements') == [
        ('V1__a.sql', '1', 'applied', checksum(ran('a')), 2), ('V1__a.sql', '1', 'adopted', checksum(ran('A')), 0),
        ('V2__b.sql', '2', 'applied', checksum(ran('b')), 2)]
    assert outcomes(function.succeed()) == [('V1__a.sql', 'unchanged'), ('V2__b.sql', 'unchanged')]


def test_a_script_that_is_missing_is_an_error(plain, refused, database):
    plain({'V1__a.sql': ran('a'), 'V2__b.sql': ran('b')}).succeed()
    files = {'V2__b.sql': ran('b'), 'V3__c.sql': ran('c')}
    payload = refused(files)
    assert payload['errorMessage'] == (
        'script "V1__a.sql" is missing: its version 1 was applied, and the bundle does not have it')
    assert payload['sqlstate'] == '55000' and '"allow_missing"' in payload['hint']
    assert outcomes(plain(files).succeed({'allow_missing': True})) == [('V2__b.sql', 'unchanged'), ('V3__c.sql', 'applied')]
    assert outcomes(plain(files, RDSINIT_ALLOW_MISSING='on').succeed()) == [
        ('V2__b.sql', 'unchanged'), ('V3__c.sql', 'unchanged')]
    assert traces(database) == ['a', 'b', 'c']


def test_a_bundle_without_versions_misses_none(plain):
    plain({'V1__a.sql': ran('a')}).succeed()
    assert outcomes(plain({'other.sql': ran('b')}).succeed()) == [('other.sql', 'applied')]


def test_a_version_below_the_newest_is_an_error(plain, refused, database):
    plain({'V1__a.sql': ran('a'), 'V3__c.sql': ran('c')}).succeed()
    files = {'V1__a.sql': ran('a'), 'V2__b.sql': ran('b'), 'V3__c.sql': ran('c')}
    payload = refused(files)
    assert payload['errorMessage'] == 'script "V2__b.sql" has version 2, below 3, which was applied already'
    assert payload['sqlstate'] == '55000' and '"out_of_order"' in payload['hint']
    assert outcomes(plain(files).succeed({'out_of_order': True})) == [
        ('V1__a.sql', 'unchanged'), ('V2__b.sql', 'applied'), ('V3__c.sql', 'unchanged')]
    assert traces(database) == ['a', 'c', 'b']


def test_out_of_order_in_the_environment(plain):
    plain({'V2__b.sql': ran('b')}).succeed()
    payload = plain({'V1__a.sql': ran('a'), 'V2__b.sql': ran('b')}, RDSINIT_OUT_OF_ORDER='1').succeed()
    assert outcomes(payload) == [('V1__a.sql', 'applied'), ('V2__b.sql', 'unchanged')]


def test_force_is_for_repeatable_scripts_alone(plain, database):
    function = plain({'V1__a.sql': ran('a'), 'r.sql': ran('r')})
    function.succeed()
    assert outcomes(function.succeed({'force': True})) == [('V1__a.sql', 'unchanged'), ('r.sql', 'applied')]
    assert traces(database) == ['a', 'r', 'r']


def test_a_version_that_was_undone_is_pending_again(plain, database):
    function = plain({'V1__a.sql': ran('a'), 'V2__b.sql': ran('b')})
    function.succeed()
    database.rows("INSERT INTO rdsinit_plain.history (name, version, outcome, statements, rows, duration, applied_by, "
                  "applied_at, rdsinit_version) VALUES ('V2__b.sql', '2', 'undone', 1, 0, '0', 'x', now(), '0')")
    assert outcomes(function.succeed()) == [('V1__a.sql', 'unchanged'), ('V2__b.sql', 'applied')]


def test_all_pending_scripts_are_one_transaction(refused):
    payload = refused({'V1__a.sql': ran('a'), 'V2__b.sql': 'SELECT nothing;', 'V3__c.sql': ran('c')})
    assert (payload['file'], payload['line']) == ('V2__b.sql', 1)


def test_many_scripts_take_no_round_trip_each(plain, database, proxy):
    """The server is asked a handful of things, however many scripts there are: names and checksums go in a few packets."""
    sent = []
    through = proxy()
    files = {'V%d__x.sql' % n: 'SELECT %d;\n' % n for n in range(1, 1001)}
    files.update({'r%04d.sql' % n: 'SELECT %d;\n' % n for n in range(500)})
    function = plain(files, DB_HOST='127.0.0.1', DB_PORT=through.port)
    function.succeed(timeout=60)
    through.watch = lambda data, port: sent.append(len(data))
    payload = function.succeed()
    assert {script['outcome'] for script in payload['scripts']} == {'unchanged'}
    assert 0 < len(sent) < 100, sent


# What a database has already

@pytest.mark.parametrize('event, variables', [({'baseline': '2.0'}, {}), ({}, {'RDSINIT_BASELINE': '2'})],
                         ids=['event', 'environment'])
def test_a_baseline_is_what_the_database_has_already(plain, database, event, variables):
    files = {'V1__a.sql': ran('a'), 'V2__b.sql': ran('b'), 'V3__c.sql': ran('c'), 'r.sql': ran('r')}
    function = plain(files, **variables)
    assert outcomes(function.succeed(event)) == [
        ('V1__a.sql', 'baseline'), ('V2__b.sql', 'baseline'), ('V3__c.sql', 'applied'), ('r.sql', 'applied')]
    assert traces(database) == ['c', 'r']
    assert rows(database, 'name, version, statement, outcome, checksum')[0] == ('(baseline)', '2', None, 'baseline', None)
    # The same baseline again is harmless, and so is none.
    for again in (event, {}):
        assert {outcome for _, outcome in outcomes(function.succeed(again))} == {'baseline', 'unchanged'}
    assert len(rows(database)) == 3


def test_a_baseline_goes_up_as_long_as_nothing_was_applied(plain, refused, database):
    plain({'V1__a.sql': ran('a')}).succeed({'baseline': '1'})
    plain({'V2__b.sql': ran('b')}).succeed({'baseline': '2'})
    payload = refused({'V3__c.sql': ran('c')}, {'baseline': '1.5'})
    assert payload['errorMessage'] == 'the baseline cannot be version 1.5: it is version 2 already'
    assert payload['sqlstate'] == '55000' and payload['hint']


def test_a_baseline_comes_before_what_is_applied(plain, refused):
    plain({'V1__a.sql': ran('a')}).succeed()
    payload = refused({'V1__a.sql': ran('a'), 'V2__b.sql': ran('b')}, {'baseline': '2'})
    assert payload['errorMessage'] == (
        'the baseline cannot be version 2: script "V1__a.sql", version 1, was applied already')
    assert payload['sqlstate'] == '55000' and payload['hint']


def test_a_baseline_is_rolled_back_with_the_rest(refused):
    refused({'V1__a.sql': ran('a'), 'V3__c.sql': 'SELECT nothing;'}, {'baseline': '2'})


@pytest.mark.parametrize('key, value, expected', [
    ('baseline', 'x', 'a version'), ('baseline', 1, 'a version'), ('baseline', '1.', 'a version'),
    ('resume', 'later', '"skip" or "again"'), ('resume', True, '"skip" or "again"'),
    ('out_of_order', 'yes', 'true or false'), ('allow_missing', 1, 'true or false'),
    ('allow_changed', None, 'true or false'),
])
def test_a_wrong_value_in_the_event(plain, key, value, expected):
    payload = plain('').fail({key: value})
    assert payload['errorType'] == 'Rdsinit.Event'
    assert '"%s"' % key in payload['errorMessage'] and expected in payload['errorMessage']


@pytest.mark.parametrize('name', ['RDSINIT_BASELINE', 'RDSINIT_RESUME', 'RDSINIT_OUT_OF_ORDER', 'RDSINIT_ALLOW_CHANGED',
                                  'RDSINIT_ALLOW_MISSING'])
def test_a_wrong_value_in_the_environment(plain, name):
    payload = plain('', **{name: 'wrong'}).fail()
    assert payload['errorType'] == 'Rdsinit.Configuration' and name in payload['errorMessage']

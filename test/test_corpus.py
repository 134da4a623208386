"""Scripts as they are found: what psql applies is applied to the same result, what it refuses is refused there.

The project's own cover each feature; RDSINIT_CORPUS names a directory of others.
"""

import os
import pathlib

import pytest

from corpus import Report, Runner, find
from corpus.cases import includes, without_transactions
from corpus.runner import CannotPrepare

OWN = pathlib.Path(__file__).resolve().parent / 'corpus' / 'own'
ELSEWHERE = os.environ.get('RDSINIT_CORPUS')


@pytest.fixture(scope='module')
def runner(server, has_extension):
    if not has_extension:
        pytest.skip('this server does not have the extension rdsinit')
    return Runner(server)


def check(runner, case, capsys):
    report = Report()
    try:
        for verdict in runner.run(case):
            report.add(verdict)
    except CannotPrepare as error:
        pytest.skip('prerequisites: %s' % error)
    if report.failures:
        report.print()
        pytest.fail(capsys.readouterr().out, pytrace=False)
    assert report.counts.keys() == set(runner.ways)
    return report


@pytest.mark.parametrize('case', find(OWN), ids=lambda case: case.name)
def test_own_script(runner, case, capsys, request):
    """What is named bad is refused by psql, too, and the others it applies."""
    if case.name == 'quotes_old.sql':
        request.getfixturevalue('two_kinds_of_string')
    expected = 'refused' if case.name.startswith('bad_') else 'applied'
    for count in check(runner, case, capsys).counts.values():
        assert count == {expected + ' by psql': 1, expected + ' alike': 1}


@pytest.mark.skipif(not ELSEWHERE, reason='RDSINIT_CORPUS names no directory')
@pytest.mark.parametrize('case', find(ELSEWHERE) if ELSEWHERE else [], ids=lambda case: case.name)
def test_script_from_elsewhere(runner, case, capsys):
    check(runner, case, capsys)


# --- the runner itself: it has to see what is wrong -------------------------------------------

def readable(directory):
    for each in [directory, *list(directory.parents)[:2]]:
        each.chmod(0o755)


def judged(runner, tmp_path, script, changed):
    """The verdict on a way that applies another script than psql does."""
    readable(tmp_path)
    path = tmp_path / 'schema.sql'
    path.write_text(script)
    real = runner.ways
    from corpus import ways
    original = ways.WAYS['apply']

    def other(path, database, variables=None):
        copy = tmp_path / 'other' / path.name
        copy.parent.mkdir()
        copy.write_text(changed)
        return original(copy, database, variables)
    try:
        runner.ways, ways.WAYS['apply'] = ['apply'], other
        return next(iter(runner.run(find(tmp_path, 'schema')[0])))
    finally:
        runner.ways, ways.WAYS['apply'] = real, original


@pytest.mark.parametrize('script, changed, reason', [
    ('CREATE TABLE t (n int);', 'CREATE TABLE t (n int);', None),
    ('CREATE TABLE t (n int);', 'CREATE TABLE t (n int8);', 'the dumps differ'),
    ('CREATE TABLE t AS SELECT 1 AS n;', 'CREATE TABLE t AS SELECT 2 AS n;', 'the dumps differ'),
    ('CREATE TABLE t AS SELECT now() AS n;', 'CREATE TABLE t AS SELECT now() AS n;', None),
    ('CREATE TABLE t AS SELECT now() AS n;', 'CREATE TABLE t AS SELECT now() AS m;', 'the dumps differ'),
    ('CREATE ROLE rdsinit_corpus_r;', 'CREATE ROLE rdsinit_corpus_r LOGIN;', 'the roles differ'),
    ('SELECT 1;\nSELECT x;', 'SELECT 1;\nSELECT 2;', 'applied, though psql says'),
    ('SELECT 1;\nSELECT x;', 'SELECT x;\nSELECT 2;', 'refused otherwise'),
    ('SELECT 1;\nSELECT x;', 'SELECT 1;\nSELECT 1/0;', 'refused otherwise'),
    ('SELECT 1;\nSELECT x;\nSELEKT;', 'SELECT 1;\nSELECT x;\nSELEKT;', None),
    ('SELECT 1;\nSELECT x;\nSELECT 2;', 'SELECT 1;\nSELECT x;\nSELEKT;', 'refused otherwise'),
    ('SELECT 1;', 'SELECT x;', 'refused: '),
], ids=str)
def test_the_runner_sees(runner, tmp_path, script, changed, reason):
    verdict = judged(runner, tmp_path, script, changed)
    assert (verdict.reason or '').startswith(reason or '') and (verdict.reason is None) == (reason is None)


QUERY_INSIDE = """
CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*)
	FROM there_is_none);
END
$$;

CREATE TABLE before_it (id int);
SELECT 1,
	counted();
CREATE TABLE behind_it (id int);
CREATE TABLE and_that (id int);
"""


def test_a_query_within_a_function_has_lines_of_its_own(runner, tmp_path, capsys):
    """The statement that has called it is named."""
    readable(tmp_path)
    (tmp_path / 'bad.sql').write_text(QUERY_INSIDE)
    report = check(runner, find(tmp_path, 'bad')[0], capsys)
    assert all(count == {'refused by psql': 1, 'refused alike': 1} for count in report.counts.values())


def test_own_transactions_are_taken_out_and_nothing_else():
    body = (b'BEGIN;\nSELECT 1; -- COMMIT;\nCOMMIT;\r\nCREATE FUNCTION f() AS $x$\nBEGIN\nCOMMIT;\nEND;\n$x$;\n'
            b"SELECT '\nCOMMIT;\n';\n/*\nBEGIN;\n*/ START TRANSACTION;\nSELECT CASE WHEN 1\nEND;SELECT 2; COMMIT; end;\n"
            b"\\set x 'it\nCOPY t FROM stdin;\nit's\nCOMMIT;\n\\.\nCOMMIT;")
    assert without_transactions(body) == (
        b'\nSELECT 1; -- COMMIT;\n\r\nCREATE FUNCTION f() AS $x$\nBEGIN\nCOMMIT;\nEND;\n$x$;\n'
        b"SELECT '\nCOMMIT;\n';\n/*\nBEGIN;\n*/ \nSELECT CASE WHEN 1\nEND;SELECT 2;  \n"
        b"\\set x 'it\nCOPY t FROM stdin;\nit's\nCOMMIT;\n\\.\n")


def test_includes_are_found():
    assert sorted(includes(OWN / 'include.sql')) == [
        'include.sql', 'include/deeper/data.sql', 'include/deeper/more.sql', 'include/tables.sql']

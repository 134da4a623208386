"""Other projects' migrations through the trigger, from first to last: what psql makes of them, and once.

RDSINIT_CORPUS names the directory that holds them, in migrations/.
"""

import os

import pytest

from corpus.migrations import find_sets
from corpus.state import forget_rdsinit
from support import Database
from support.psql import dump, psql

ELSEWHERE = os.environ.get('RDSINIT_CORPUS')

pytestmark = pytest.mark.skipif(not ELSEWHERE, reason='RDSINIT_CORPUS names no directory')

# A value that the same transaction has added to an enum: the bundle has to be deployed in two parts.
UNSAFE_USE = '55P04'


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def outcomes(payload):
    return [(script['name'], script['outcome']) for script in payload['scripts']]


def deploy(once, migrations, database, mode):
    """The whole set, as often as it takes; the last payload."""
    def run(count=None):
        return once(migrations.bundle(count), '--timeout', '120', RDSINIT_MODE=mode, DB_NAME=database.name)

    names = [step.name for step in migrations.steps]
    while (result := run()).code != 0:
        if 'has no update path' in result.payload['errorMessage']:
            pytest.skip('the set wants the extensions of an older PostgreSQL: ' + result.payload['errorMessage'])
        assert result.payload.get('sqlstate') == UNSAFE_USE, result.payload
        part = run(names.index(result.payload['file']))
        assert part.code == 0, part.payload
    return result.payload


def by_psql(server, migrations):
    """The schema that psql makes of them, file by file."""
    database = Database(server).create()
    try:
        database.rows(migrations.sql_first or 'SELECT 1')
        for step in migrations.steps:
            finished = psql(database, step.psql, single=step.single)
            assert finished.returncode == 0, (step.name, finished.stderr)
        return dump(database, '--schema-only')
    finally:
        database.drop()


@pytest.fixture(scope='module')
def expected(server):
    """expected(migrations): by psql, once for all modes."""
    known = {}
    return lambda migrations: known.setdefault(migrations.name, None) or known.update(
        {migrations.name: by_psql(server, migrations)}) or known[migrations.name]


@pytest.mark.parametrize('migrations', find_sets(ELSEWHERE) if ELSEWHERE else [], ids=lambda each: each.name)
def test_a_set_from_first_to_last(once, database, mode, migrations, expected):
    database.create().rows(migrations.sql_first or 'SELECT 1')
    migrations = migrations.as_far_as(database.server.has_extension)
    payload = deploy(once, migrations, database, mode)
    names = [step.name for step in migrations.steps]
    assert [name for name, _ in outcomes(payload)] == names
    again = once(migrations.bundle(), RDSINIT_MODE=mode, DB_NAME=database.name)
    assert outcomes(again.payload) == [(name, 'unchanged') for name in names]

    ledger = {'plain': 'rdsinit_plain', 'extension': 'rdsinit'}[mode]
    assert [name for name, in database.rows(
        'SELECT name FROM %s.history WHERE statement IS NULL ORDER BY id' % ledger)] == names
    undone = {name for name in migrations.others if name.endswith('.sql')}
    kept = {name for name, in database.rows('SELECT undo_name FROM %s.history WHERE undo IS NOT NULL' % ledger)}
    assert undone <= kept

    forget_rdsinit(database)
    assert dump(database, '--schema-only') == expected(migrations)

"""Security: names that mean what the server means by them, whatever search_path is and whoever has made what."""

import contextlib
import json
import re

import psycopg2
import pytest

from support import traps

pytestmark = pytest.mark.extension

PATHS = ['evil, pg_catalog', 'evil, pg_temp, pg_catalog, public']

CALLS = [
    "SELECT * FROM rdsinit.apply('a.sql', 'CREATE TABLE public.a (n int)')",
    "SELECT * FROM rdsinit.apply('a.sql', 'CREATE TABLE public.a (n int)')",
    "SELECT * FROM rdsinit.apply_bundle('{V1__b.sql,U1__b.sql}', '{CREATE TABLE public.b (n int),DROP TABLE public.b}')",
    "SELECT * FROM rdsinit.plan('c.sql', 'CREATE INDEX ON public.a (n); ALTER TABLE public.a ALTER n TYPE bigint; DROP TABLE public.a')",
    "SELECT rdsinit.plan_text('c.sql', 'DROP TABLE public.a')",
    "SELECT rdsinit.plan_html('c.sql', 'DROP TABLE public.a')",
    "SELECT * FROM rdsinit.plan_bundle('{c.sql}', '{SELECT 1}')",
    "SELECT * FROM rdsinit.pending('{V1__b.sql,d.sql}', '{SELECT 1,SELECT 2}')",
    "SELECT * FROM rdsinit.undo('0')",
    "SELECT * FROM rdsinit.statements('SELECT 1; CREATE TABLE t ()')",
    "SELECT * FROM rdsinit.drift()",
    "SELECT rdsinit.accept_drift()",
    "SELECT * FROM rdsinit.objects()",
    "SELECT rdsinit.fingerprint()",
    "TABLE rdsinit.status",
    "CALL rdsinit.deploy('{e.sql,f.sql}', ARRAY['CREATE TABLE public.e (n int)',"
    " E'-- rdsinit: no-transaction\\nCREATE INDEX CONCURRENTLY i ON public.e (n);\\nVACUUM public.e;\\nALTER TABLE public.e ADD m int'])",
    "SELECT * FROM rdsinit.adopt('public.schema_migrations')",
    "SELECT * FROM rdsinit.adopt('public.flyway_schema_history')",
    "SELECT * FROM rdsinit.adopt('public.goose_db_version')",
    "SELECT * FROM rdsinit.adopt('public.__diesel_schema_migrations')",
    "SELECT * FROM rdsinit.adopt('public._prisma_migrations')",
    "SELECT * FROM rdsinit.adopt('public.dbmate_migrations')",
    "SELECT * FROM rdsinit.adopt('rdsinit_plain.history')",
    "SELECT * FROM rdsinit.baseline('3')",
]

OTHER_TOOLS = """
CREATE TABLE public.schema_migrations AS SELECT 1::bigint AS version, false AS dirty;
CREATE TABLE public.dbmate_migrations AS SELECT '1'::text AS version;
CREATE TABLE public.flyway_schema_history AS SELECT 1 AS installed_rank, '1'::text AS version, 'V1__x.sql'::text AS script, 'SQL'::text AS type, true AS success;
CREATE TABLE public.goose_db_version AS SELECT 1 AS id, 1::bigint AS version_id, true AS is_applied, now() AS tstamp;
CREATE TABLE public.__diesel_schema_migrations AS SELECT '202601011200000001'::text AS version, now() AS run_on;
CREATE TABLE public._prisma_migrations AS SELECT '20260101_x'::text AS migration_name, now() AS finished_at, NULL::timestamptz AS rolled_back_at,
    now() AS started_at, 1 AS applied_steps_count;
CREATE SCHEMA rdsinit_plain;
CREATE TABLE rdsinit_plain.history (LIKE rdsinit.history);
INSERT INTO rdsinit_plain.history VALUES (1, 'V1__x.sql', '1', NULL, 'applied', NULL, 1, 0, '1 s', 'x', now(), '0', 'U1__x.sql', 'SELECT 1');
"""


@pytest.fixture
def trapped(database, role):
    """A database with the extension, and a trap under each of the server's names."""
    database.create()
    traps.lay(database, role())
    return database


def prepare(database):
    database.rows('CREATE EXTENSION IF NOT EXISTS rdsinit')
    database.rows(OTHER_TOOLS)
    # So that each of them can be adopted: a history that has versions adopts none.
    return [call if 'adopt(' not in call else 'BEGIN; DELETE FROM ONLY rdsinit.history; %s; ROLLBACK' % call for call in CALLS]


@pytest.mark.parametrize('path', PATHS)
def test_nothing_of_an_attackers_is_called(trapped, path):
    calls = prepare(trapped)
    trapped.rows('ALTER TABLE rdsinit_plain.history RENAME TO other')
    with contextlib.closing(trapped.connect()) as connection:
        cursor = connection.cursor()
        if 'pg_temp' in path:
            traps.lay_temporary(cursor)
        cursor.execute('SET search_path = ' + path)
        for call in calls:
            cursor.execute(call.replace('rdsinit_plain.history', 'rdsinit_plain.other'))
    assert not traps.stepped_on(trapped)


def test_the_traps_are_deadly(trapped):
    """… and whoever is careless steps on them."""
    for careless in "SELECT 'a' || 'b'::pg_catalog.text", 'SELECT count(*) FROM pg_class', "SELECT '1'::text", 'SELECT now()':
        with pytest.raises(psycopg2.Error, match='trapped|no operator'):
            trapped.rows('SET search_path = evil, pg_catalog; ' + careless)
    assert traps.stepped_on(trapped)


def test_nor_while_the_extension_is_installed(trapped):
    with contextlib.closing(trapped.connect()) as connection:
        cursor = connection.cursor()
        traps.lay_temporary(cursor)
        cursor.execute('SET search_path = evil, pg_temp, pg_catalog')
        cursor.execute('CREATE EXTENSION rdsinit')
    assert not traps.stepped_on(trapped)


def test_nor_when_it_is_said_who_is_in_the_way(trapped):
    trapped.rows('CREATE EXTENSION rdsinit; CREATE TABLE public.t (n int)')
    with contextlib.closing(trapped.connect()) as holder, contextlib.closing(trapped.connect()) as caller:
        holder.autocommit = False
        holder.cursor().execute('LOCK TABLE public.t')
        caller.cursor().execute('SET search_path = evil, pg_catalog')
        with pytest.raises(psycopg2.errors.LockNotAvailable) as caught:
            caller.cursor().execute("SELECT rdsinit.apply('a.sql', 'ALTER TABLE public.t ADD m int',"
                                    ' \'{"lock_timeout": "50ms", "retry_for": "50ms"}\')')
        assert str(holder.info.backend_pid) in caught.value.diag.message_detail
        holder.rollback()
    assert not traps.stepped_on(trapped)


@pytest.mark.parametrize('mode', ['extension', 'plain'])
def test_nor_by_the_trigger(trigger, trapped, server, mode):
    """A database's owner may set search_path for everybody who connects."""
    trapped.rows('ALTER DATABASE "%s" SET search_path = evil, pg_catalog' % trapped.name)
    bundle = {'V1__a.sql': 'CREATE TABLE public.a (n int);', 'b.sql': '-- rdsinit: no-transaction\nCREATE INDEX CONCURRENTLY i ON public.a (n);',
              'c.sql': 'ALTER TABLE public.a ADD m int; DROP TABLE IF EXISTS public.z;'}
    function = trigger(bundle, RDSINIT_MODE=mode)
    assert [script['outcome'] for script in function.succeed()['scripts']] == ['applied'] * 3
    assert [script['outcome'] for script in function.succeed()['scripts']] == ['unchanged'] * 3
    if mode == 'extension':
        function.succeed({'plan': True})
    assert server.value('SELECT is_called FROM evil.trapped', database=trapped.name) is False


# --- names that are more than names ---------------------------------------------------------

ODD = '"><script>alert(1)</script>\'%s%n\r\n\t\x1b[31m\x07\u009b31m\u202e&amp;\\'


@pytest.fixture
def odd(database):
    """A database with rows in a table whose name, column and comment are all that a name can be."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    with contextlib.closing(database.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute('CREATE TABLE public.{0} ({0} int); INSERT INTO public.{0} VALUES (1)'.format(identifier(ODD)))
        cursor.execute('COMMENT ON TABLE public.%s IS %%s' % identifier(ODD).replace('%', '%%'), (ODD,))
    return database


def identifier(name):
    return '"%s"' % name.replace('"', '""')


SCRIPT = 'ALTER TABLE public.{0} ALTER {0} TYPE bigint; CREATE INDEX ON public.{0} ({0}); DROP TABLE public.{0};'.format(identifier(ODD))


def test_a_plan_as_text_moves_no_cursor(odd):
    text = odd.value("SELECT rdsinit.plan_text('odd.sql', %s)", (SCRIPT,))
    assert 'script' in text
    assert re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]', text) is None
    assert max(len(line) for line in text.split('\n')) <= 100


def test_a_plan_as_a_page_has_no_markup_but_its_own(odd):
    page = odd.value("SELECT rdsinit.plan_html('odd.sql', %s)", (SCRIPT,))
    assert '&lt;script&gt;' in page and '<script' not in page
    assert re.search('[^\n\x20-\x7e]', page) is None
    assert "default-src 'none'" in page
    # No attribute holds what is from outside.
    assert not re.search(r'<[^>]*(alert|&quot;)', page)


def test_a_plans_json_is_json(odd):
    for locks, warnings in odd.rows("SELECT locks::text, warnings::text FROM rdsinit.plan('odd.sql', %s)", (SCRIPT,)):
        json.loads(locks), json.loads(warnings)


def test_what_was_lost_is_json_too(odd):
    odd.rows("SELECT rdsinit.apply('odd.sql', %s, '{\"allow_data_loss\": true}')", ('DROP TABLE public.%s' % identifier(ODD),))
    lost, = odd.value('SELECT lost FROM rdsinit.history')
    assert lost['rows'] == 1 and lost['table'] == 'public.' + identifier(ODD)


def test_drift_tells_of_it_and_can_be_accepted(odd):
    odd.rows("SELECT rdsinit.apply('a.sql', 'SELECT 1')")
    odd.rows('ALTER TABLE public.%s ADD extra int' % identifier(ODD))
    assert odd.rows('SELECT kind, identity, change FROM rdsinit.drift()') == [('table', 'public.' + identifier(ODD), 'changed')]
    assert odd.value('SELECT rdsinit.accept_drift()') == 1
    assert odd.rows('SELECT * FROM rdsinit.drift()') == []


@pytest.mark.parametrize('name', ['a\nb.sql', 'a\x1b[2Jb.sql', '\t', '', 'x' * 1025], ids=range(5))
def test_a_scripts_name_holds_no_control_characters(database, name):
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    for call in ("rdsinit.apply(%s, 'SELECT 1')", "rdsinit.plan(%s, 'SELECT 1')", "rdsinit.apply_bundle(ARRAY[%s], '{SELECT 1}')",
                 "rdsinit.pending(ARRAY[%s], '{SELECT 1}')"):
        with pytest.raises(psycopg2.errors.InvalidParameterValue):
            database.rows('SELECT * FROM ' + call, (name,))

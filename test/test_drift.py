"""Drift and fingerprints: every kind of change is seen, and nothing else is."""

import contextlib
import os
import subprocess

import pytest

from support import Database
from support.schema import BLOCKS, CHANGES, NO_CHANGES

pytestmark = pytest.mark.extension

FINGERPRINT = 'SELECT rdsinit.fingerprint()'
DRIFT = 'SELECT kind, identity, change FROM rdsinit.drift()'


@pytest.fixture(scope='module')
def names(server):
    """Two roles, which objects of the schema name."""
    names = {each: 'drift_%d_%s' % (os.getpid(), each) for each in ('role', 'other', 'name')}
    for each in ('role', 'other'):
        server.rows('CREATE ROLE ' + names[each])
    yield names
    for each in ('role', 'other'):
        server.rows('DROP ROLE ' + names[each])


@pytest.fixture(scope='module')
def shop(server, names):
    """A connection to a database that rdsinit has applied the schema to."""
    database = Database(server)
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    connection = begin(database)
    for number, block in enumerate(BLOCKS):
        value(connection.cursor(), 'SELECT rdsinit.apply(%s, %s)', 'block %d.sql' % number, block.format(**names))
    connection.commit()
    yield connection
    connection.close()
    database.drop()


@pytest.fixture
def cursor(shop):
    """Whatever a test does is rolled back."""
    yield shop.cursor()
    shop.rollback()


def begin(database):
    """A connection to it that commits nothing by itself."""
    connection = database.connect()
    connection.autocommit = False
    return connection


def value(cursor, query, *parameters):
    cursor.execute(query, parameters)
    return cursor.fetchone()[0]


def rows(cursor, query, *parameters):
    cursor.execute(query, parameters)
    return cursor.fetchall()


def test_what_was_applied_is_no_drift(cursor):
    assert rows(cursor, DRIFT) == []
    assert value(cursor, "SELECT count(DISTINCT kind) FROM rdsinit.object") >= 30


@pytest.mark.parametrize('change', CHANGES)
def test_a_change_outside_is_drift(cursor, names, change):
    before = value(cursor, FINGERPRINT)
    cursor.execute(change.format(**names))
    assert rows(cursor, DRIFT) != []
    assert value(cursor, FINGERPRINT) != before


@pytest.mark.parametrize('change', CHANGES)
def test_a_change_by_a_script_is_none(cursor, names, change):
    before = value(cursor, FINGERPRINT)
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('change.sql', change.format(**names)))
    assert rows(cursor, DRIFT) == []
    assert value(cursor, FINGERPRINT) != before


@pytest.mark.parametrize('change', CHANGES)
def test_drift_that_is_accepted_is_none(cursor, names, change):
    cursor.execute(change.format(**names))
    differs = len(rows(cursor, DRIFT))
    assert value(cursor, 'SELECT rdsinit.accept_drift()') == differs
    assert rows(cursor, DRIFT) == []
    kept = rows(cursor, 'SELECT kind, identity, definition FROM rdsinit.object')
    assert sorted(kept) == sorted(rows(cursor, 'SELECT * FROM rdsinit.objects()'))


@pytest.mark.parametrize('query', [
    'SELECT 1 AS a, b FROM public.pairs', 'SELECT a, b FROM public.pairs ORDER BY a + b', 'TABLE public.pairs UNION ALL SELECT 3, 4',
    '(SELECT a, b FROM public.pairs UNION SELECT 1, 2) ORDER BY 1 LIMIT 1', "VALUES (1, 'one'), (2, 'two')",
    "SELECT x.* FROM (VALUES (1, 2)) AS x (one, two)", 'WITH w AS (SELECT count(*) FROM public.pairs) SELECT w.count AS a, 2 AS b FROM w',
    'SELECT p.a, q.b FROM public.pairs AS p JOIN public.pairs AS q USING (a)', 'SELECT a, (SELECT max(b) FROM public.pairs) AS b FROM public.pairs'])
def test_a_view_is_written_as_the_server_writes_it(cursor, query):
    """Also when its columns are renamed, and those that it reads."""
    cursor.execute('CREATE TABLE public.pairs (a int, b int); CREATE VIEW public.v AS ' + query)

    def same():
        cursor.execute("SET LOCAL search_path = pg_catalog")
        return rows(cursor, "SELECT definition LIKE '%%AS' || replace(pg_get_viewdef('public.v'::regclass), '_', '\\_') || '%%'"
                            " FROM rdsinit.objects() WHERE kind = 'view' AND identity = 'public.v'") == [(True,)]
    assert same()
    first, second = (row[0] for row in rows(
        cursor, "SELECT attname FROM pg_attribute WHERE attrelid = 'public.v'::regclass AND attnum > 0 ORDER BY attnum"))
    cursor.execute('ALTER VIEW public.v RENAME COLUMN "%s" TO renamed' % first)
    assert same()
    cursor.execute('ALTER VIEW public.v RENAME COLUMN "%s" TO "%s"; ALTER VIEW public.v RENAME COLUMN renamed TO "%s"' % (second, first, second))
    assert same()
    cursor.execute('ALTER TABLE public.pairs RENAME COLUMN b TO c')
    assert same()


def test_what_is_kept_is_found_by_its_name(cursor):
    """Two names can have the same hash."""
    cursor.execute('ALTER SEQUENCE shop.number OWNED BY NONE')
    cursor.execute("UPDATE rdsinit.object SET hash = (SELECT hash FROM rdsinit.object WHERE identity = 'shop.number')"
                   " WHERE identity IN ('shop.sale', 'shop.cheap')")
    count = value(cursor, 'SELECT count(*) FROM rdsinit.object')
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('number.sql', 'ALTER SEQUENCE shop.number CACHE 3'))
    assert rows(cursor, DRIFT) == []
    assert value(cursor, 'SELECT count(*) FROM rdsinit.object') == count


@pytest.mark.parametrize('change', NO_CHANGES)
def test_what_changes_no_schema_is_none(cursor, names, change):
    before = value(cursor, FINGERPRINT)
    cursor.execute(change.format(**names))
    assert rows(cursor, DRIFT) == []
    assert value(cursor, FINGERPRINT) == before


@pytest.mark.parametrize('catalog, name, column', [
    ('pg_class', 'labelled', 0), ('pg_class', 'labelled', 1), ('pg_type', 'labelled_pair', 0), ('pg_class', 'labelled_pair', 2)])
def test_a_label_is_a_part_of_what_it_is_on(cursor, catalog, name, column):
    """A provider of labels is a module, and none comes with PostgreSQL: the row is written by hand."""
    cursor.execute('CREATE TABLE public.labelled (a int); CREATE TYPE public.labelled_pair AS (a int, b int)')
    before = value(cursor, FINGERPRINT)
    cursor.execute('SET LOCAL allow_system_table_mods = on')
    cursor.execute("INSERT INTO pg_seclabel SELECT oid, %s::regclass, %s, 'provider', 'secret' FROM {0} WHERE {1} = %s".format(
        catalog, 'relname' if catalog == 'pg_class' else 'typname'), (catalog, column, name))
    assert value(cursor, FINGERPRINT) != before


def test_no_definition_shows_a_secret(cursor):
    assert rows(cursor, "SELECT identity FROM rdsinit.objects() WHERE definition ~ 'sesame'") == []
    assert rows(cursor, "SELECT definition FROM rdsinit.objects() WHERE kind = 'server'")[0][0].count('password=***') == 1


def test_the_order_in_which_a_schema_was_made_is_none_of_it(server, shop, names):
    other = Database(server)
    other.create()
    try:
        other.rows('CREATE EXTENSION rdsinit')
        with contextlib.closing(begin(other)) as connection:
            cursor = connection.cursor()
            for number in range(50):
                cursor.execute('CREATE TABLE public.junk_%d (a int); CREATE FUNCTION public.junk_%d() RETURNS int LANGUAGE sql AS %s' % (
                    number, number, "'SELECT 1'"))
            for block in reversed(BLOCKS):
                cursor.execute(block.format(**names))
            # columns that are gone, and objects that were made anew
            cursor.execute("""
                ALTER TABLE shop.sale ADD gone int, ADD gone_too text;
                ALTER TABLE shop.sale DROP gone, DROP gone_too;
                ALTER TYPE shop.address ADD ATTRIBUTE gone int;
                ALTER TYPE shop.address DROP ATTRIBUTE gone;
                DROP INDEX shop.product_name;
                CREATE INDEX product_name ON shop.product (lower(name)) WHERE price > 1;
                REVOKE SELECT ON shop.product FROM {role};
                GRANT SELECT ON shop.product TO {role};""".format(**names))
            for number in range(50):
                cursor.execute('DROP TABLE public.junk_%d; DROP FUNCTION public.junk_%d' % (number, number))
            assert rows(cursor, 'SELECT * FROM rdsinit.objects() ORDER BY 1, 2') == rows(
                shop.cursor(), 'SELECT * FROM rdsinit.objects() ORDER BY 1, 2')
            assert value(cursor, FINGERPRINT) == value(shop.cursor(), FINGERPRINT)
    finally:
        other.drop()
        shop.rollback()


def test_a_dump_restored_has_the_same_fingerprint_and_no_drift(server, shop, names):
    other = Database(server)
    other.create()
    source = shop.info.dbname
    try:
        dump = subprocess.run(['pg_dump', source], check=True, capture_output=True, text=True, timeout=120).stdout
        subprocess.run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', other.name], input=dump, check=True,
                       capture_output=True, text=True, timeout=120)
        with contextlib.closing(begin(other)) as connection:
            cursor = connection.cursor()
            assert rows(cursor, 'SELECT * FROM rdsinit.drift()') == []
            assert value(cursor, FINGERPRINT) == value(shop.cursor(), FINGERPRINT)
    finally:
        other.drop()
        shop.rollback()

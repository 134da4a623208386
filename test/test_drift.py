"""Drift and fingerprints: every kind of change is seen, and nothing else is."""

import contextlib
import os
import subprocess
import threading

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


INDEXES = """
CREATE TABLE public.indexed (a int, "B c" text, v varchar(10), n name, d date, r int4range, j jsonb, l text COLLATE "C", i int[], p point);
CREATE DOMAIN public.short AS varchar(10);
ALTER TABLE public.indexed ADD COLUMN s public.short;
CREATE UNIQUE INDEX i01 ON public.indexed (a);
CREATE UNIQUE INDEX i02 ON public.indexed (a, "B c") NULLS NOT DISTINCT;
CREATE INDEX i03 ON public.indexed (v);
CREATE INDEX "I 04" ON public.indexed ("B c" DESC, a NULLS FIRST);
CREATE INDEX i05 ON public.indexed (a) INCLUDE (d);
CREATE INDEX i06 ON public.indexed (lower("B c"), a) WHERE d IS NOT NULL;
CREATE INDEX i07 ON public.indexed ((a + 1), abs(a), (a * 2 - abs(a)));
CREATE INDEX i08 ON public.indexed ((CASE WHEN a > 0 THEN d END)) WHERE CASE WHEN a > 0 THEN true ELSE d IS NULL END;
CREATE INDEX i09 ON public.indexed (coalesce(a, 0), nullif(a, 0), greatest(a, 1), (a::text), (j ->> 'x'), (a IS NULL));
CREATE INDEX i10 ON public.indexed (l);
CREATE INDEX i11 ON public.indexed ("B c" COLLATE "C");
CREATE INDEX i12 ON public.indexed ("B c" text_pattern_ops);
CREATE INDEX i13 ON public.indexed (lower(l COLLATE "POSIX"), upper(l) COLLATE "POSIX");
CREATE INDEX i14 ON public.indexed USING hash (d);
CREATE INDEX i15 ON public.indexed USING gin (j);
CREATE INDEX i16 ON public.indexed USING gin (j jsonb_path_ops);
CREATE INDEX i17 ON public.indexed USING gist (r);
CREATE INDEX i18 ON public.indexed USING gist (to_tsvector('simple', "B c") tsvector_ops (siglen = 100));
CREATE INDEX i19 ON public.indexed USING brin (d) WITH (pages_per_range = 16);
CREATE INDEX i20 ON public.indexed (n);
CREATE INDEX i21 ON public.indexed USING gin (i);
CREATE INDEX i22 ON public.indexed (s);
CREATE INDEX i23 ON public.indexed USING spgist (p);
CREATE INDEX i24 ON public.indexed (a) WHERE a > 10 AND (d < '2020-01-01' OR "B c" ~ 'x');
CREATE INDEX i25 ON public.indexed (substring("B c" FROM 2 FOR 3), (d + 1), (d - d), ("B c" || 'x'));
CREATE INDEX i26 ON public.indexed (date_part('year', d)) WITH (fillfactor = 50);
CREATE INDEX i27 ON public.indexed ((indexed IS NULL), (extract(year FROM d)));
CREATE TABLE public.parted (a int, b text) PARTITION BY RANGE (a);
CREATE TABLE public.part PARTITION OF public.parted FOR VALUES FROM (1) TO (2);
CREATE INDEX i28 ON public.parted (a);
CREATE INDEX i29 ON ONLY public.parted (lower(b));
CREATE OPERATOR CLASS public.mine DEFAULT FOR TYPE varchar USING btree AS
    OPERATOR 1 < (text, text), OPERATOR 2 <= (text, text), OPERATOR 3 = (text, text), OPERATOR 4 >= (text, text), OPERATOR 5 > (text, text),
    FUNCTION 1 (varchar, varchar) bttextcmp (text, text);
CREATE INDEX i30 ON public.indexed (v);
CREATE INDEX i33 ON public.indexed (a) WHERE CASE WHEN a > 0 THEN d IS NULL ELSE false END;
CREATE INDEX i34 ON public.indexed ((a + CASE a WHEN 1 THEN 2 END), lower(CASE WHEN a > 0 THEN "B c" END));
CREATE INDEX i35 ON public.indexed (a) WHERE "B c" <> '{CASE';
CREATE DOMAIN public.counted AS int;
ALTER TABLE public.indexed ADD COLUMN o public.counted;
CREATE OPERATOR CLASS public.of_counted DEFAULT FOR TYPE public.counted USING btree AS
    OPERATOR 1 < (int, int), OPERATOR 2 <= (int, int), OPERATOR 3 = (int, int), OPERATOR 4 >= (int, int), OPERATOR 5 > (int, int),
    FUNCTION 1 (public.counted, public.counted) btint4cmp (int, int);
CREATE INDEX i36 ON public.indexed (o);
CREATE INDEX i37 ON public.indexed (o public.of_counted);
CREATE INDEX i31 ON public.indexed (v text_ops, "B c" public.mine);
CREATE MATERIALIZED VIEW public.indexed_view AS SELECT a, "B c" FROM public.indexed;
CREATE UNIQUE INDEX i32 ON public.indexed_view (a) WHERE "B c" <> '';
"""


CONSTRAINTS = """
CREATE DOMAIN public.few AS int CONSTRAINT c01 CHECK (VALUE < 10);
ALTER DOMAIN public.few ADD CONSTRAINT c02 CHECK (VALUE > 0) NOT VALID;
CREATE TABLE public.checked (
    a int CONSTRAINT c03 PRIMARY KEY,
    "B c" text CONSTRAINT c04 UNIQUE,
    c date CONSTRAINT c05 UNIQUE DEFERRABLE INITIALLY DEFERRED,
    r int4range,
    CONSTRAINT c06 UNIQUE ("B c", a) INCLUDE (c),
    CONSTRAINT c07 UNIQUE NULLS NOT DISTINCT (a, c),
    CONSTRAINT c08 CHECK (a > 0),
    CONSTRAINT c09 CHECK (CASE WHEN a > 5 THEN "B c" <> '' ELSE true END),
    CONSTRAINT c10 CHECK (c IS NOT NULL OR a IN (1, 2)) NO INHERIT,
    CONSTRAINT c11 CHECK (true),
    CONSTRAINT c13 EXCLUDE USING gist (r WITH &&),
    CONSTRAINT c14 FOREIGN KEY (a) REFERENCES public.checked ON DELETE CASCADE,
    CONSTRAINT c15 UNIQUE (c, a) DEFERRABLE);
ALTER TABLE public.checked ADD CONSTRAINT c16 CHECK (a < 100) NOT VALID;
CREATE TABLE public.kept_to (LIKE public.checked INCLUDING ALL);
CREATE TABLE public.heir () INHERITS (public.checked);
CREATE TABLE public.whole (a int CONSTRAINT c12 CHECK (whole IS NOT NULL));
"""

ROUTINES = """
CREATE TYPE public.duo AS (a int, b text);
CREATE FUNCTION public.f01() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION public.f02(int, "A b" text, c timestamp with time zone[] DEFAULT NULL, d varchar(3) DEFAULT upper('x') || 'y') RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 5 AS 'SELECT 1';
CREATE FUNCTION public.f03(a int) RETURNS SETOF public.duo LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 7 PARALLEL RESTRICTED
    AS $x$ BEGIN /* $function$ $functionx */ RETURN; END $x$;
CREATE FUNCTION public.f04(a int, OUT b int, INOUT c text) LANGUAGE sql AS 'SELECT 1, $2';
CREATE FUNCTION public.f05(VARIADIC a int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.f06() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT 1, NULL::text';
CREATE FUNCTION public.f07(a int) RETURNS int RETURN a + 1;
CREATE FUNCTION public.f08(a int) RETURNS int BEGIN ATOMIC SELECT a; END;
CREATE FUNCTION public.f09(a int) RETURNS int LANGUAGE sql SET search_path = public, "$user" SET work_mem = '1MB' AS 'SELECT 1';
CREATE FUNCTION public.f10(a int) RETURNS int LANGUAGE sql WINDOW AS 'SELECT 1';
CREATE FUNCTION public.f11(double precision) RETURNS double precision LANGUAGE internal AS 'dsin';
CREATE FUNCTION public.f12() RETURNS SETOF record LANGUAGE sql COST 0.5 ROWS 1000 AS 'SELECT 1';
CREATE FUNCTION public.f13() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION public."F 14"(a public.duo, b public.duo[], anyelement) RETURNS public.duo LANGUAGE sql AS 'SELECT $1

';
CREATE PROCEDURE public.p15() LANGUAGE plpgsql AS 'BEGIN NULL; /* $procedure$ */ END';
CREATE PROCEDURE public.p16(a int, b text DEFAULT 'x') LANGUAGE sql SECURITY DEFINER AS '';
CREATE PROCEDURE public.p17(a int, INOUT b text DEFAULT 'x') LANGUAGE sql AS 'SELECT NULL';
"""


@pytest.mark.parametrize('script, kinds, pattern, expected, count', [
    (INDEXES, ['index'], '^public[.](i[0-9]|.I 04|part_)', 'pg_get_indexdef(identity::regclass)', 38),
    (CONSTRAINTS, ['constraint', 'domain constraint'], ' on public[.](few|checked|kept_to|heir|whole)$',
     "(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE identity = quote_ident(conname) || ' on '"
     " || coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text))", 28),
    (ROUTINES, ['function', 'procedure'], '^public[.](f[01]|.F 14|p1)', 'rtrim(pg_get_functiondef(identity::regprocedure), E\'\\n\')', 17)],
    ids=['indexes', 'constraints', 'routines'])
def test_what_is_written_is_what_the_server_writes(cursor, script, kinds, pattern, expected, count):
    """Of the usual ones, which are not written by the server's own functions, and of those around them."""
    cursor.execute(script)
    cursor.execute('SET LOCAL search_path = pg_catalog')
    cursor.execute('SELECT definition, ' + expected + ' FROM rdsinit.objects() WHERE kind = ANY (%s) AND identity ~ %s ORDER BY identity',
                   (kinds, pattern))
    written = cursor.fetchall()
    assert len(written) >= count    # newer servers have a constraint for each NOT NULL
    for definition, by_server in written:
        assert definition == by_server or definition.startswith(by_server + '\n'), by_server


@pytest.mark.parametrize('script', [
    "COMMENT ON TABLE two.t IS 'a'; ALTER TABLE two.t RENAME TO s; ALTER TABLE two.u RENAME TO t; COMMENT ON TABLE two.t IS 'b'; GRANT SELECT ON two.t TO PUBLIC",
    "GRANT SELECT ON two.t TO PUBLIC; DROP TABLE two.t; CREATE TABLE two.t (b int); GRANT SELECT, INSERT ON two.t TO PUBLIC",
    "COMMENT ON COLUMN two.t.a IS 'a'; ALTER SCHEMA two RENAME TO four; ALTER SCHEMA three RENAME TO two; COMMENT ON COLUMN two.t.a IS 'b'",
    "COMMENT ON TABLE two.t IS 'a'; ALTER TABLE two.t SET SCHEMA public; ALTER TABLE three.t SET SCHEMA two; COMMENT ON TABLE two.t IS 'b'",
    "COMMENT ON TABLE two.t IS 'a'; DO $$ BEGIN DROP TABLE two.t; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN COMMENT ON TABLE two.t IS 'b'; END $$",
    "DO $$ BEGIN COMMENT ON TABLE two.t IS 'a'; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END $$; COMMENT ON TABLE two.t IS 'b'",
    "COMMENT ON TABLE two.t IS 'a'; SET LOCAL search_path = three; COMMENT ON TABLE t IS 'b'; ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE two.t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON two.t, three.t TO PUBLIC; COMMENT ON VIEW three.v IS 'b'",
])
def test_a_name_that_a_script_has_used_before_may_mean_another_table(cursor, script):
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('two.sql', (
        'CREATE SCHEMA two; CREATE SCHEMA three; CREATE TABLE two.t (a int); CREATE TABLE two.u (a int); CREATE TABLE three.t (a int);'
        ' CREATE VIEW three.v AS SELECT 1 AS a')))
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('names.sql', script))
    assert rows(cursor, DRIFT) == []


PARTITIONED = """
CREATE TABLE public.p (a int NOT NULL, b int) PARTITION BY RANGE (a);
CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (1) TO (2);
CREATE TABLE public.p2 (a int NOT NULL, b int);
CREATE TABLE public.q (a int PRIMARY KEY);
CREATE INDEX pb ON public.p (b);
CREATE INDEX p2b ON public.p2 (b);
CREATE INDEX p1a ON public.p1 (a);
"""
JOINED = """
CREATE TABLE public.l (a int, b int);
CREATE TABLE public.r (a int, c int);
CREATE VIEW public.j AS SELECT * FROM public.l JOIN public.r AS s (a, x) USING (a);
CREATE FUNCTION public.all_of_l() RETURNS SETOF public.l LANGUAGE sql AS 'TABLE public.l';
CREATE VIEW public.k AS SELECT f.a FROM public.all_of_l() AS f;
CREATE TABLE public.o (a int);
CREATE POLICY of_o ON public.o USING (EXISTS (SELECT FROM public.l JOIN public.r AS s (a, x) USING (a)));
"""
OPERATORS = """
CREATE FUNCTION public.same(boolean, boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR public.=== (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = public.same, NEGATOR = OPERATOR(public.!==));
"""


@pytest.mark.parametrize('before, after', [
    (PARTITIONED, 'ALTER TABLE public.p DETACH PARTITION public.p1'),
    (PARTITIONED, 'ALTER TABLE public.p ATTACH PARTITION public.p2 FOR VALUES FROM (2) TO (3)'),
    (PARTITIONED + 'ALTER TABLE public.p ADD FOREIGN KEY (a) REFERENCES public.q; ALTER TABLE public.p2 ADD FOREIGN KEY (a) REFERENCES public.q',
     'ALTER TABLE public.p ATTACH PARTITION public.p2 FOR VALUES FROM (2) TO (3)'),
    (PARTITIONED + 'ALTER TABLE public.p1 ADD FOREIGN KEY (a) REFERENCES public.q', 'ALTER TABLE public.p ADD FOREIGN KEY (a) REFERENCES public.q'),
    (PARTITIONED + 'ALTER TABLE public.p ALTER COLUMN a DROP NOT NULL', 'ALTER TABLE public.p ADD PRIMARY KEY (a)'),
    (PARTITIONED + 'CREATE INDEX pa ON ONLY public.p (a)', 'ALTER INDEX public.pa ATTACH PARTITION public.p1a'),
    (PARTITIONED, 'CREATE INDEX pa ON public.p (a)'),
    (PARTITIONED, 'SET search_path = public; CREATE INDEX pa ON p (a); ALTER TABLE p DETACH PARTITION p1; ALTER TABLE p ADD CHECK (a > 0)'),
    ('CREATE TABLE public.h (a int); CREATE TABLE public.heir () INHERITS (public.h)', 'ALTER TABLE public.h ADD CHECK (a > 0), ALTER COLUMN a SET NOT NULL'),
    ('CREATE TABLE public.h (a int); CREATE TABLE public.heir (a int PRIMARY KEY)', 'ALTER TABLE public.heir INHERIT public.h'),
    ('CREATE TABLE public.u (a int NOT NULL, b int); CREATE UNIQUE INDEX u_a ON public.u (a)', 'ALTER TABLE public.u ADD UNIQUE USING INDEX u_a'),
    ('CREATE TABLE public.u (a int NOT NULL, b int); CREATE UNIQUE INDEX u_a ON public.u (a)', 'ALTER TABLE public.u ADD CONSTRAINT k PRIMARY KEY USING INDEX u_a'),
    ('CREATE UNLOGGED TABLE public.s (a serial, b int GENERATED ALWAYS AS IDENTITY)', 'ALTER TABLE public.s SET LOGGED'),
    ('CREATE TABLE public.s (a serial, b int GENERATED ALWAYS AS IDENTITY)', 'ALTER TABLE public.s SET UNLOGGED'),
    ('CREATE TABLE public.s (a serial)', 'ALTER TABLE public.s_a_seq RENAME TO other'),
    ('CREATE TABLE public.s (a serial)', 'ALTER SEQUENCE public.s_a_seq RENAME TO other'),
    (JOINED, 'ALTER TABLE public.r ADD COLUMN b int'),
    (JOINED, 'ALTER TABLE public.l ADD COLUMN c int; ALTER TABLE public.l DROP COLUMN b CASCADE'),
    (JOINED, 'DO $$ BEGIN ALTER TABLE public.r ADD COLUMN b int; END $$'),
    ('CREATE TABLE public.h (a int); CREATE TABLE public.heir (b int) INHERITS (public.h)', 'ALTER TABLE public.h ADD COLUMN b int NOT NULL'),
    ('CREATE DOMAIN public.d AS int', 'ALTER DOMAIN public.d SET NOT NULL; ALTER DOMAIN public.d ADD CONSTRAINT c CHECK (value > 0)'),
    (OPERATORS, 'CREATE OPERATOR public.!== (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = public.same, NEGATOR = OPERATOR(public.===))'),
    (OPERATORS, 'DROP OPERATOR public.=== (boolean, boolean)'),
    (OPERATORS, 'DROP OPERATOR public.!== (boolean, boolean)'),
    (OPERATORS, 'DROP FUNCTION public.same CASCADE')])
def test_what_the_server_does_not_tell_is_kept(cursor, before, after):
    """Of what changes along with what a command names, its hooks say nothing: test_drift_regression.py has found these."""
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('before.sql', before))
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('after.sql', after))
    cursor.execute('SELECT kind, identity, change, expected, found FROM rdsinit.drift()')
    assert cursor.fetchall() == []


@pytest.mark.parametrize('setup, drop', [
    ('CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE of_heap2 (a int) USING heap2', 'DROP ACCESS METHOD heap2 CASCADE'),
    ('CREATE ACCESS METHOD hash2 TYPE INDEX HANDLER hashhandler; CREATE OPERATOR CLASS c DEFAULT FOR TYPE int USING hash2'
     ' AS OPERATOR 1 =, FUNCTION 1 hashint4(int); CREATE TABLE t (a int); CREATE INDEX i ON t USING hash2 (a)', 'DROP ACCESS METHOD hash2 CASCADE'),
    ("CREATE FUNCTION good(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE TABLE t (a int CHECK (good(a))); CREATE DOMAIN d AS int CHECK (good(value))",
     'DROP FUNCTION good CASCADE'),
    ("CREATE SEQUENCE s; CREATE TABLE t (a int, b int); ALTER SEQUENCE s OWNED BY t.b", 'ALTER TABLE t DROP COLUMN b'),
    ('CREATE TABLE t (a int); CREATE VIEW w AS TABLE t; CREATE RULE r AS ON UPDATE TO t DO ALSO NOTHING; CREATE INDEX ON t ((a + 1))', 'DROP TABLE t CASCADE')],
    ids=['table access method', 'index access method', 'function of a check', 'column of a sequence', 'table'])
def test_what_somebody_drops_meanwhile(database, setup, drop):
    """They hold a view that is read first, until they have dropped the rest."""
    database.create().rows('CREATE EXTENSION rdsinit; CREATE VIEW held AS SELECT 1 AS a; ' + setup)
    with contextlib.closing(database.connect()) as other, contextlib.closing(database.connect()) as reader:
        dropping, reading = other.cursor(), reader.cursor()
        dropping.execute('BEGIN; CREATE OR REPLACE VIEW held AS SELECT 1 AS a')
        thread = threading.Thread(target=reading.execute, args=(DRIFT.replace('drift()', 'objects()').replace(', change', ''),))
        thread.start()
        try:
            database.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
        finally:
            dropping.execute('SET LOCAL client_min_messages = warning; %s; COMMIT' % drop)
            thread.join(30)
        assert ('view', 'public.held') in reading.fetchall()
        reading.execute('SELECT rdsinit.fingerprint()')


def test_each_script_that_names_a_table_has_touched_it(cursor):
    cursor.execute('SELECT rdsinit.apply_bundle(%s, %s)', (['V1__a.sql', 'V2__b.sql'], [
        'CREATE SCHEMA two; CREATE TABLE two.t (a int); GRANT SELECT ON two.t TO PUBLIC', "GRANT INSERT ON two.t TO PUBLIC"]))
    assert value(cursor, "SELECT script FROM rdsinit.object WHERE identity = 'two.t'") == 'V2__b.sql'
    assert rows(cursor, DRIFT) == []


MANY = r"""
CREATE SCHEMA many;
DO $$ BEGIN
    FOR n IN 1..300 LOOP
        EXECUTE format('CREATE TABLE many.t%s (a int)', n);
        EXECUTE format('CREATE FUNCTION many.f%s() RETURNS int LANGUAGE sql AS ''SELECT 1''', n);
    END LOOP;
END $$;
SELECT rdsinit.accept_drift();
"""


@pytest.mark.parametrize('numbers', [range(1, 21), [*range(1, 11), 300], [1, *range(290, 301)], range(1, 301, 10)],
                         ids=['close', 'and a late one', 'and an early one', 'far apart'])
def test_objects_that_were_made_long_after_each_other_are_found(cursor, numbers):
    """They are read together, as far as there are not too many others between them."""
    cursor.execute(MANY)
    cursor.execute('SELECT rdsinit.apply(%s, %s)', ('some.sql', ''.join(
        "COMMENT ON TABLE many.t%d IS 'found'; ALTER FUNCTION many.f%d() STABLE;" % (n, n) for n in numbers)))
    assert rows(cursor, DRIFT) == []
    for kind, text in ('table', 'found'), ('function', 'STABLE'):
        assert value(cursor, 'SELECT count(*) FROM rdsinit.object WHERE kind = %s AND script = %s AND strpos(definition, %s) > 0',
                     kind, 'some.sql', text) == len(numbers)


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

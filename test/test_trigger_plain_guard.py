"""The fallback's data-loss guard: what held rows is not dropped or emptied, whatever does it; what held none may be."""

import contextlib
import random

import pytest

MARK = '-- rdsinit: no-transaction\n'

TABLES = '''
CREATE TABLE full_one (id int PRIMARY KEY, a text, b int, g int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO full_one VALUES (1, 'x', NULL), (2, NULL, NULL);
CREATE TABLE "Empty One" (id int PRIMARY KEY, a text);
CREATE TABLE emptied AS SELECT 1 AS a; DELETE FROM emptied;
CREATE SCHEMA s; CREATE TABLE s.inside AS SELECT 1 AS a;
CREATE TABLE part (n int, v text) PARTITION BY LIST (n);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part VALUES (1, 'x');
CREATE TABLE parent (a int, c int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1, 1);
CREATE TYPE pair AS (x int, y int); CREATE TABLE typed (id int, p pair); INSERT INTO typed VALUES (1, ROW(NULL, NULL));
CREATE DOMAIN word AS text; CREATE TABLE worded (id int, w word); INSERT INTO worded VALUES (1, 'x');
CREATE VIEW v AS SELECT a FROM full_one;
'''


@pytest.fixture
def tables(database):
    database.create().rows(TABLES)
    return database


# What the server counts of it, and does not take back.
CAUGHT = "DO $$ BEGIN %s; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END $$"

LOSES = [
    ('DROP TABLE full_one CASCADE', 'table public.full_one has rows, and this statement would drop it'),
    ('TRUNCATE full_one', 'table public.full_one has rows, and this statement would truncate it'),
    ('DELETE FROM full_one WHERE id = 1; TRUNCATE full_one', 'table public.full_one has rows, and this statement would truncate it'),
    ('TRUNCATE full_one; INSERT INTO full_one VALUES (7), (8), (9)', 'table public.full_one has rows, and this statement would truncate it'),
    ('ALTER TABLE full_one DROP COLUMN a CASCADE', 'column "a" of table public.full_one has values, and this statement would drop it'),
    ('DROP SCHEMA s CASCADE', 'table s.inside has rows, and this statement would drop it'),
    ('DROP TABLE part', 'table public.part_1 has rows, and this statement would drop it'),
    ('DROP TABLE part_1', 'table public.part_1 has rows, and this statement would drop it'),
    ('TRUNCATE part', 'table public.part_1 has rows, and this statement would truncate it'),
    ('ALTER TABLE parent DROP COLUMN c', 'column "c" of table public.child has values, and this statement would drop it'),
    ('ALTER TABLE typed DROP COLUMN p', 'column "p" of table public.typed has values, and this statement would drop it'),
    ('DROP TYPE pair CASCADE', 'column "p" of table public.typed has values, and this statement would drop it'),
    ('DROP DOMAIN word CASCADE', 'column "w" of table public.worded has values, and this statement would drop it'),
    ("DO $$ BEGIN EXECUTE 'DROP TABLE full_one CASCADE'; END $$", 'table public.full_one has rows, and this statement would drop it'),
    ("DO $$ BEGIN TRUNCATE full_one; END $$", 'table public.full_one has rows, and this statement would truncate it'),
    ('ALTER TABLE full_one RENAME TO other; DROP TABLE other CASCADE', 'table public.full_one has rows, and this statement would drop it'),
    ('ALTER TABLE part DETACH PARTITION part_1; DROP TABLE part_1', 'table public.part_1 has rows, and this statement would drop it'),
    ('DROP TABLE full_one CASCADE; CREATE TABLE full_one (id int)', 'table public.full_one has rows, and this statement would drop it'),
    (CAUGHT % 'DELETE FROM full_one' + '; TRUNCATE full_one', 'table public.full_one has rows, and this statement would truncate it'),
    (CAUGHT % 'DELETE FROM full_one' + '; TRUNCATE full_one; INSERT INTO full_one VALUES (7)',
     'table public.full_one has rows, and this statement would truncate it'),
    ("DO $$ BEGIN BEGIN DELETE FROM full_one; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END; TRUNCATE full_one; END $$",
     'table public.full_one has rows, and this statement would truncate it'),
    ('ALTER TABLE full_one ALTER COLUMN b TYPE bigint; TRUNCATE full_one', 'table public.full_one has rows, and this statement would truncate it'),
    ('ALTER TABLE full_one ALTER COLUMN b TYPE bigint; TRUNCATE full_one; INSERT INTO full_one VALUES (7), (8), (9)',
     'table public.full_one has rows, and this statement would truncate it'),
    ("CREATE FUNCTION loses() RETURNS int LANGUAGE plpgsql AS 'BEGIN TRUNCATE full_one; RETURN 1; END'; ALTER TABLE worded ADD COLUMN n int DEFAULT loses()",
     'table public.full_one has rows, and this statement would truncate it'),
    ("SELECT 'DROP TABLE worded' \\gexec\n--", 'table public.worded has rows, and this statement would drop it'),
]


@pytest.mark.parametrize('statement, message', LOSES, ids=[each[0] for each in LOSES])
def test_what_holds_rows_stays(plain, tables, statement, message):
    before = tables.rows('SELECT * FROM full_one ORDER BY id')
    function = plain({'V1__a.sql': 'CREATE TABLE made ();', 'V2__b.sql': '\n\nCREATE TABLE also ();\n  %s;\nCREATE TABLE too ();' % statement})
    payload = function.fail()
    assert message in payload['errorMessage'] and payload['sqlstate'] == '55000'
    assert (payload['file'], payload['line']) == ('V2__b.sql', 4)
    assert 'allow_data_loss' in payload['hint'] and payload['errorType'] == 'Rdsinit.Script'
    assert 'public.made' not in tables.relations() and not tables.history('rdsinit_plain')
    assert tables.rows('SELECT * FROM full_one ORDER BY id') == before
    assert [script['outcome'] for script in function.succeed({'allow_data_loss': True})['scripts']] == ['applied'] * 2


@pytest.mark.parametrize('how', ['SELECT lose()', 'INSERT INTO "Empty One" VALUES (1)', 'ALTER TABLE "Empty One" RENAME a TO b'],
                         ids=['function', 'trigger', 'event trigger'])
def test_what_no_words_show_is_found_at_the_scripts_end(plain, tables, how):
    """Then only the script can be named."""
    tables.rows('''CREATE FUNCTION lose() RETURNS int LANGUAGE plpgsql AS $$ BEGIN TRUNCATE full_one; RETURN 1; END $$;
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN TRUNCATE full_one; RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON "Empty One" FOR EACH ROW EXECUTE FUNCTION fired();
CREATE FUNCTION happens() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN TRUNCATE full_one; END $$;
CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION happens();''')
    payload = plain({'V1__a.sql': 'CREATE TABLE made ();', 'V2__b.sql': how + ';'}).fail()
    assert payload['errorMessage'] == 'V2__b.sql: table public.full_one has rows, and this script would truncate it'
    assert tables.value('SELECT count(*) FROM full_one') == 2 and 'public.made' not in tables.relations()


@pytest.mark.parametrize('statement', [
    'DROP TABLE "Empty One"', 'TRUNCATE "Empty One"', 'DROP TABLE emptied', 'TRUNCATE emptied; INSERT INTO emptied VALUES (1)',
    'ALTER TABLE full_one DROP COLUMN b', 'ALTER TABLE full_one DROP COLUMN g', 'DROP TABLE part_2',
    'ALTER TABLE full_one ALTER COLUMN a TYPE varchar(9) USING upper(a)', 'ALTER TABLE full_one ALTER COLUMN b TYPE bigint',
    'DELETE FROM full_one', 'DELETE FROM full_one; ALTER TABLE full_one ALTER COLUMN b TYPE bigint',
    'CREATE TABLE t AS SELECT 1 AS a; DROP TABLE t', 'CREATE TABLE t AS SELECT 1 AS a; TRUNCATE t',
    'ALTER TABLE full_one ADD COLUMN n int DEFAULT 1; ALTER TABLE full_one DROP COLUMN n',
    'CREATE TEMP TABLE t AS SELECT 1 AS a; DROP TABLE t', 'CLUSTER full_one USING full_one_pkey', 'DROP VIEW v',
    'ALTER TABLE full_one DROP CONSTRAINT full_one_pkey', 'ALTER TABLE full_one SET UNLOGGED',
    "DO $$ BEGIN TRUNCATE full_one; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    CAUGHT % 'INSERT INTO full_one SELECT n FROM generate_series(100, 300) AS n' + '; ALTER TABLE full_one ALTER COLUMN b TYPE bigint',
    CAUGHT % 'DELETE FROM full_one' + '; ALTER TABLE full_one ALTER COLUMN b TYPE bigint',
    'ALTER TABLE full_one ALTER COLUMN b TYPE bigint; DELETE FROM full_one',
    'DELETE FROM full_one; ALTER TABLE IF EXISTS ONLY public.Full_One ALTER b TYPE bigint; ALTER TABLE "full_one" ALTER b TYPE int',
    'DELETE FROM full_one; INSERT INTO full_one VALUES (5); CLUSTER VERBOSE full_one USING full_one_pkey',
    'ALTER TABLE part DETACH PARTITION part_1', 'LOCK TABLE full_one'])
def test_what_loses_nothing_is_done(plain, tables, statement):
    tables.rows('DROP VIEW v; CREATE VIEW v AS SELECT 1 AS one')
    function = plain('SET search_path = public;\nSET ROLE postgres;\n%s;\nCREATE TABLE made AS SELECT current_setting(\'search_path\') AS path;' % statement)
    assert function.succeed()['scripts'][0]['outcome'] == 'applied'
    assert tables.value('SELECT path FROM made') == 'public'
    assert len(tables.history('rdsinit_plain')) == 1


def test_a_column_that_was_dropped_long_ago_is_none_of_ours(plain, tables):
    tables.rows('DROP VIEW v; ALTER TABLE full_one DROP COLUMN a')
    plain('ALTER TABLE full_one DROP COLUMN b;').succeed()


def test_of_several_columns_the_populated_one_is_named(plain, tables):
    payload = plain('ALTER TABLE full_one DROP COLUMN b, DROP COLUMN a CASCADE;').fail()
    assert 'column "a" of table public.full_one has values' in payload['errorMessage']


def test_a_row_that_comes_meanwhile_is_found_or_kept_out(plain, tables):
    """Empty when it is looked at is not enough: nobody may add a row between the look and the drop."""
    tables.rows('CREATE SEQUENCE runs')
    function = plain('SELECT nextval(\'runs\');\nSELECT pg_sleep(1);\nDROP TABLE "Empty One";', RDSINIT_LOCK_TIMEOUT='5s')
    invocation = function.send()
    tables.wait_until('SELECT last_value = 2 FROM runs')
    tables.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
    with contextlib.closing(tables.connect()) as other, other.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
        with pytest.raises(Exception, match='lock timeout'):
            cursor.execute('INSERT INTO "Empty One" VALUES (1)')
    assert function.outcome(invocation).kind == 'response'


def test_who_may_not_read_it_is_not_told_that_it_is_empty(plain, database, role):
    owner, password = role()
    database.create(owner).rows('CREATE TABLE private (a int); GRANT TRUNCATE ON private TO %s; INSERT INTO private VALUES (1); '
                                'GRANT ALL ON SCHEMA public TO %s' % (owner, owner))
    payload = plain('TRUNCATE private;', DB_USER=owner, DB_PASSWORD=password).fail()
    assert 'could not prove that table public.private is empty, which this statement would truncate' in payload['errorMessage']
    assert 'permission denied' in payload['detail'] and payload['line'] == 1
    assert database.value('SELECT count(*) FROM private') == 1


def test_rows_that_row_security_hides_are_rows(plain, database, role):
    owner, password = role()
    database.create(owner).rows('CREATE TABLE hidden AS SELECT 1 AS a; ALTER TABLE hidden OWNER TO %s; '
                                'ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY' % owner)
    for statement in 'DROP TABLE hidden', 'TRUNCATE hidden':
        payload = plain(statement + ';', DB_USER=owner, DB_PASSWORD=password).fail()
        assert 'could not prove that table public.hidden is empty' in payload['errorMessage']


def test_a_large_table_is_not_looked_at_to_its_end(plain, tables):
    tables.rows("CREATE TABLE large (a int, filler text, nothing int) WITH (autovacuum_enabled = off); ALTER TABLE large ALTER filler SET STORAGE PLAIN; "
                "INSERT INTO large SELECT n, repeat('x', 6000) FROM generate_series(1, 1100) n")
    payload = plain('ALTER TABLE large DROP COLUMN nothing;').fail()
    assert 'could not prove that column "nothing" of table public.large is empty' in payload['errorMessage']
    assert 'table public.large has rows' in plain('DROP TABLE large;').fail()['errorMessage']


def test_without_a_transaction(plain, tables):
    bundle = {'V1__a.sql': MARK + 'CREATE TABLE made ();\nALTER TABLE full_one DROP COLUMN b;\nTRUNCATE full_one;\nCREATE TABLE after ();'}
    payload = plain(bundle).fail()
    assert payload['errorMessage'] == 'V1__a.sql:4:1: table public.full_one has rows, and this statement would truncate it'
    assert tables.value('SELECT count(*) FROM full_one') == 2
    assert tables.rows("SELECT statement, outcome FROM rdsinit_plain.history ORDER BY id") == [(1, 'done'), (2, 'done'), (3, 'failed')]
    assert plain(bundle, RDSINIT_ALLOW_DATA_LOSS='true').succeed()['scripts'][0]['outcome'] == 'applied'
    assert tables.value('SELECT count(*) FROM full_one') == 0


def test_in_one_block_without_a_transaction(plain, tables):
    block = "DO $$ BEGIN BEGIN DELETE FROM full_one; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END; TRUNCATE full_one; END $$;"
    payload = plain({'V1__a.sql': MARK + block}).fail()
    assert payload['errorMessage'] == 'V1__a.sql:2:1: table public.full_one has rows, and this statement would truncate it'
    assert tables.value('SELECT count(*) FROM full_one') == 2


@pytest.mark.parametrize('mark', ['', MARK], ids=['in a transaction', 'without'])
def test_what_a_deferred_trigger_does_is_seen(plain, tables, mark):
    tables.rows('''CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN TRUNCATE full_one; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON "Empty One" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fired()''')
    payload = plain({'V1__a.sql': mark + 'INSERT INTO "Empty One" VALUES (1);'}).fail()
    assert 'table public.full_one has rows' in payload['errorMessage'] and payload['file'] == 'V1__a.sql'
    assert tables.value('SELECT count(*) FROM full_one') == 2


def test_with_event_triggers_no_words_prove_a_rewrite(plain, tables):
    """One can truncate the table after ALTER TABLE has rewritten it, in the file that is new already."""
    tables.rows('''CREATE FUNCTION happens() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN TRUNCATE full_one; END';
CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION happens()''')
    payload = plain('ALTER TABLE full_one ALTER COLUMN b TYPE bigint;').fail()
    assert 'table public.full_one has rows' in payload['errorMessage']
    assert tables.value('SELECT count(*) FROM full_one') == 2


def test_a_session_that_counts_nothing_proves_nothing(plain, tables):
    tables.rows('ALTER DATABASE "%s" SET track_counts = off' % tables.name)
    payload = plain('DO $$ BEGIN TRUNCATE full_one; INSERT INTO full_one VALUES (7); END $$;').fail()
    assert 'table public.full_one has rows' in payload['errorMessage'] and payload['line'] == 1


def test_another_database_counts_as_full(plain, tables, server):
    server.rows('CREATE DATABASE rdsinit_test_victim')
    try:
        bundle = {'V1__a.sql': MARK + 'DROP DATABASE rdsinit_test_victim;'}
        payload = plain(bundle).fail()
        assert payload['sqlstate'] == '55000' and 'which this statement would drop' in payload['errorMessage'] and payload['line'] == 2
        plain(bundle, RDSINIT_ALLOW_DATA_LOSS='true').succeed()
    finally:
        server.rows('DROP DATABASE IF EXISTS rdsinit_test_victim')


def test_what_an_earlier_transaction_deleted_is_not_counted(plain, tables):
    payload = plain({'V1__a.sql': MARK + 'DELETE FROM full_one WHERE id = 1;\nTRUNCATE full_one;\n'}).fail()
    assert 'table public.full_one has rows' in payload['errorMessage']
    assert tables.value('SELECT count(*) FROM full_one') == 1


def test_many_empty_ones_cost_a_few_runs_and_not_one_each(plain, database):
    database.create().rows("DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE 'CREATE TABLE t' || i || ' (a int)'; END LOOP; END $$; INSERT INTO t250 VALUES (1)")
    drops = ''.join('DROP TABLE t%d;\n' % number for number in range(1, 301))
    function = plain("SELECT nextval('runs');\n" + drops)
    database.rows('CREATE SEQUENCE runs')
    payload = function.fail()
    assert payload['errorMessage'].endswith('table public.t250 has rows, and this script would drop it')
    database.rows('DELETE FROM t250')
    function.succeed()
    assert database.value('SELECT last_value FROM runs') < 12
    assert database.relations() == ['public.runs']


def test_sequences_apart_a_second_run_leaves_nothing_twice(plain, tables):
    """An empty table that goes costs a second run: it is as if there had been one."""
    function = plain('CREATE TABLE log (t text);\nINSERT INTO log VALUES (\'x\');\nPREPARE p AS SELECT 1;\nDROP TABLE emptied;\nINSERT INTO log VALUES (\'y\');')
    assert function.succeed()['scripts'][0]['statements'] == 5
    assert tables.rows('SELECT t FROM log') == [('x',), ('y',)]


def random_statements(generator):
    """Statements that make, fill, empty and drop, in any order; some of them fail, within a block of their own."""
    name = lambda: 't%d' % generator.randrange(5)
    column = lambda: 'c%d' % generator.randrange(3)
    makers = [
        lambda: 'CREATE TABLE IF NOT EXISTS %s (c0 int, c1 int, c2 int, k int)' % name(),
        lambda: 'INSERT INTO %s (c0) VALUES (1)' % name(),
        lambda: 'DELETE FROM %s' % name(),
        lambda: 'TRUNCATE %s' % name(),
        lambda: 'DROP TABLE %s' % name(),
        lambda: 'ALTER TABLE %s DROP COLUMN %s' % (name(), column()),
        lambda: 'ALTER TABLE %s ADD COLUMN %s int' % (name(), column()),
        lambda: 'ALTER TABLE %s RENAME TO %s' % (name(), name()),
        lambda: "DELETE FROM %s; RAISE 'no'" % name(),
        lambda: "INSERT INTO %s SELECT 1 FROM generate_series(1, 9); RAISE 'no'" % name(),
        lambda: "TRUNCATE %s; RAISE 'no'" % name(),
    ]
    for _ in range(generator.randrange(1, 9)):
        if generator.random() < 0.2:
            yield 'ALTER TABLE IF EXISTS %s ALTER COLUMN k TYPE %s;' % (name(), generator.choice(['int', 'bigint']))
            continue
        yield ('DO $do$ BEGIN %s; EXCEPTION WHEN undefined_table OR undefined_column OR duplicate_table OR duplicate_column OR raise_exception THEN NULL; END $do$;'
               % generator.choice(makers)())


@pytest.mark.parametrize('seed', range(40))
def test_at_random_against_a_model(plain, database, seed):
    """Each statement is run by itself, and what it drops is looked at just before: the model.  The guard comes to the same."""
    generator = random.Random(seed)
    database.create()
    for table in range(3):
        database.rows('CREATE TABLE t%d (c0 int, c1 int, c2 int, k int)' % table)
        if generator.random() < 0.6:
            database.rows('INSERT INTO t%d (c%d) VALUES (1)' % (table, generator.randrange(3)))
    statements = list(random_statements(generator))
    lost = model(database, statements)
    outcome = plain('\n'.join(statements)).invoke()
    assert (outcome.kind == 'error') == lost, (statements, outcome.payload)
    if lost:
        assert outcome.payload['sqlstate'] == '55000', (statements, outcome.payload)


def model(database, statements):
    """
    Would the statements lose rows that were there before they began?  All is rolled back.  (What they have
    deleted, and then truncate, counts as truncated: nothing shows a client in which order that was.)
    """
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT oid, relname FROM pg_class WHERE relname ~ '^t[0-9]$' ORDER BY oid")
        before = {oid: {'rows': _count(cursor, name), 'columns': _columns(cursor, oid, name)} for oid, name in cursor.fetchall()}
        for statement in statements:
            files = _files(cursor)
            cursor.execute(statement)
            for oid in before:
                if before[oid]['rows'] and not _name(cursor, oid):
                    return True
                if before[oid]['rows'] and 'TRUNCATE' in statement and _files(cursor)[oid] != files[oid]:
                    return True
                for number in before[oid]['columns']:
                    cursor.execute('SELECT attisdropped FROM pg_attribute WHERE attrelid = %s AND attnum = %s', (oid, number))
                    if cursor.fetchone()[0]:
                        return True
    return False


def _files(cursor):
    cursor.execute("SELECT oid, relfilenode FROM pg_class WHERE relkind = 'r'")
    return dict(cursor.fetchall())


def _name(cursor, oid):
    cursor.execute('SELECT relname FROM pg_class WHERE oid = %s', (oid,))
    found = cursor.fetchone()
    return found[0] if found else None


def _count(cursor, name):
    cursor.execute('SELECT count(*) FROM %s' % name)
    return cursor.fetchone()[0]


def _columns(cursor, oid, name):
    """The numbers of the columns that hold a value."""
    cursor.execute('SELECT attnum, attname FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped', (oid,))
    found = []
    for number, column in cursor.fetchall():
        cursor.execute('SELECT count(%s) FROM %s' % (column, name))
        if cursor.fetchone()[0]:
            found.append(number)
    return found


# What may go is gone, and the history says what it was

SHELVES = ('CREATE TABLE dropped AS SELECT g AS n FROM generate_series(1, 3) AS g; CREATE TABLE "Emptied" AS TABLE dropped;'
          'CREATE TABLE shorter AS SELECT g AS n, g AS "Gone" FROM generate_series(1, 5) AS g;'
          'CREATE TABLE rewritten AS TABLE dropped; CREATE TABLE unknown (); ANALYZE dropped, "Emptied", shorter, rewritten;')


def losses(database, ledger='rdsinit_plain'):
    return database.rows('SELECT name, statement, lost FROM %s.history WHERE lost IS NOT NULL ORDER BY id' % ledger)


def test_what_was_let_go_is_in_the_history(plain, database):
    database.create().rows(SHELVES)
    function = plain({'a.sql': 'DROP TABLE dropped CASCADE;',
                      'b.sql': 'ALTER TABLE shorter DROP COLUMN "Gone"; TRUNCATE "Emptied"; DROP TABLE unknown;'
                               'ALTER TABLE rewritten ALTER n TYPE bigint; CREATE TABLE own AS SELECT 1 AS n; DROP TABLE own;',
                      'c.sql': 'SELECT 1;'}, RDSINIT_ALLOW_DATA_LOSS='true')
    function.succeed()
    assert losses(database) == [
        ('a.sql', None, [{'table': 'public.dropped', 'rows': 3}]),
        ('b.sql', None, [{'table': 'public."Emptied"', 'rows': 3},
                         {'table': 'public.shorter', 'column': 'Gone', 'rows': 5}, {'table': 'public.unknown'}])]


def test_nothing_is_said_to_be_lost_that_was_not(plain, database):
    database.create().rows(SHELVES)
    plain('ALTER TABLE rewritten ALTER n TYPE bigint; INSERT INTO dropped VALUES (4); CREATE TABLE own (); DROP TABLE own;',
          RDSINIT_ALLOW_DATA_LOSS='true').succeed()
    assert losses(database) == []


def test_what_a_statement_of_its_own_let_go(plain, database):
    database.create().rows(SHELVES)
    plain({'V1__a.sql': '-- rdsinit: no-transaction\nSELECT 1;\nDROP TABLE dropped;\nTRUNCATE "Emptied";'},
          RDSINIT_ALLOW_DATA_LOSS='true').succeed()
    assert losses(database) == [('V1__a.sql', 2, [{'table': 'public.dropped', 'rows': 3}]),
                              ('V1__a.sql', 3, [{'table': 'public."Emptied"', 'rows': 3}])]


@pytest.mark.extension
@pytest.mark.parametrize('is_old', [False, True], ids=['new', 'old'])
def test_the_extension_takes_that_over(trigger, database, is_old):
    """A table from before there was such a column has nothing to tell."""
    database.create().rows(SHELVES)
    bundle = {'a.sql': 'DROP TABLE IF EXISTS dropped;'}
    trigger(bundle, RDSINIT_MODE='plain', RDSINIT_ALLOW_DATA_LOSS='true').succeed()
    if is_old:
        database.rows('ALTER TABLE rdsinit_plain.history DROP COLUMN lost')
    database.rows('CREATE EXTENSION rdsinit')
    payload = trigger(bundle).succeed()
    assert (payload['mode'], payload['scripts'][0]['outcome']) == ('extension', 'unchanged')
    assert losses(database, 'rdsinit') == ([] if is_old else [('a.sql', None, [{'table': 'public.dropped', 'rows': 3}])])

"""What a plan does where others hold locks."""

import pathlib
import tempfile
import threading
import time

import pytest

pytestmark = pytest.mark.extension

SCRIPT = 'SELECT 1;\nALTER TABLE product ADD x int;\nSELECT 2;'


class Reader(threading.Thread):
    """Somebody who reads the table, for so many seconds."""

    def __init__(self, database, seconds):
        super().__init__()
        self.connection = database.connect()
        self.connection.autocommit = False
        self.connection.cursor().execute('SELECT * FROM product')
        self.seconds = seconds
        self.start()

    def run(self):
        time.sleep(self.seconds)
        self.connection.close()


def waits(database, options):
    return database.rows(
        "SELECT line, w ->> 'severity', w ->> 'message', waited > '0' FROM rdsinit.plan('schema.sql', %s, %s),"
        " jsonb_array_elements(warnings) AS w WHERE w ->> 'rule' = 'lock-wait'", (SCRIPT, options))


def test_a_statement_that_waits_for_a_lock(planned):
    reader = Reader(planned, 0.5)
    (line, severity, message, waited), = waits(planned, '{}')
    reader.join()
    assert (line, severity, waited) == (2, 'medium', True)
    assert message.startswith('it waits for a lock, here for ')
    assert waits(planned, '{}') == []


def test_a_lock_that_is_not_to_be_had_is_asked_for_again(planned):
    reader = Reader(planned, 1)
    (line, severity, message, _), = waits(planned, '{"lock_timeout": "100ms"}')
    reader.join()
    assert (line, severity) == (2, 'high')
    assert message.startswith('a lock was not to be had here, and all was tried again')


def test_it_gives_up_as_apply_does(planned):
    reader = Reader(planned, 2)
    with pytest.raises(Exception) as error:
        waits(planned, '{"lock_timeout": "50ms", "retry_for": "300ms"}')
    reader.join()
    assert error.value.pgcode == '55P03'
    assert 'AccessExclusiveLock on relation public.product' in str(error.value)
    assert 'schema.sql:2:1: statement 2' in str(error.value)


def test_nothing_is_locked_behind_a_plan(planned):
    """In a transaction that goes on, others can work with what the plan had locked, and apply."""
    connection = planned.connect()
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM rdsinit.plan('schema.sql', %s)", (SCRIPT,))
    assert cursor.fetchone() == (3,)
    assert planned.value("SELECT outcome FROM rdsinit.apply('schema.sql', %s, '{\"retry_for\": 0}')", (SCRIPT,)) == 'applied'
    connection.close()


def test_many_locks_are_all_seen(planned):
    """More than are gone through after each statement."""
    planned.rows("DO $$ BEGIN FOR i IN 1..600 LOOP EXECUTE 'CREATE TABLE t' || i || ' (n int)'; END LOOP; END $$")
    found = planned.rows(
        "SELECT ordinal, array_agg(l ->> 'relation' || ' ' || (l ->> 'mode')) FROM rdsinit.plan('schema.sql', %s),"
        " jsonb_array_elements(locks) AS l GROUP BY ordinal ORDER BY ordinal",
        ('\n'.join('SELECT * FROM t%d;' % i for i in range(1, 601)) + '\n' +
         '\n'.join('DO $$ BEGIN LOCK TABLE t%d IN SHARE MODE; END $$;' % i for i in range(1, 601)),))
    assert len(found) == 1200
    assert [locks for _, locks in found[:600]] == [['public.t%d AccessShareLock' % i] for i in range(1, 601)]
    assert [locks for _, locks in found[600:]] == [['public.t%d ShareLock' % i] for i in range(1, 601)]


@pytest.fixture
def directory():
    """One that the server can read."""
    with tempfile.TemporaryDirectory(prefix='rdsinit-files-') as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


def test_files_on_the_server(planned, directory):
    (directory / 'b.sql').write_text('ALTER TABLE product ADD y int;')
    (directory / 'a.sql').write_text('ALTER TABLE product ADD x int;\n\\ir b.sql\n')
    for path in directory.iterdir():
        path.chmod(0o644)
    assert planned.rows('SELECT ordinal, script, line, altered || made FROM rdsinit.plan_file(%s)', (str(directory),)) == [
        (1, 'a.sql', 1, ['table column public.product.x']), (2, 'b.sql', 1, ['table column public.product.y'])]
    assert planned.value('SELECT rdsinit.plan_file_text(%s)', (str(directory),)).startswith('Plan: 2 statements of 1 script, ')
    assert '<svg' in planned.value('SELECT rdsinit.plan_file_html(%s)', (str(directory),))


@pytest.mark.parametrize('setup, drop', [
    ('CREATE TABLE large (id int PRIMARY KEY, a text, b text); CREATE INDEX ON large (a)', 'DROP TABLE large'),
    ('CREATE TABLE large (id int PRIMARY KEY, a text, b text)', 'DO $$ BEGIN DROP TABLE large; END $$'),
    ('CREATE MATERIALIZED VIEW large AS SELECT 1 AS id, a::text, a::text AS b FROM generate_series(1, 9) AS a', 'DROP MATERIALIZED VIEW large')],
    ids=['table', 'in a block', 'materialized view'])
def test_what_is_dropped_is_as_large_as_it_was(planned, setup, drop):
    """With its TOAST table, which goes before it does."""
    planned.rows(setup)
    if 'VIEW' not in setup:
        planned.rows("INSERT INTO large SELECT n, n, (SELECT string_agg(md5((n * m)::text), '') FROM generate_series(1, 200) AS m)"
                     " FROM generate_series(1, 100) AS n; ANALYZE large")
    expected = planned.value("SELECT pg_total_relation_size('large')")
    assert planned.rows("SELECT l ->> 'mode', (l ->> 'bytes')::bigint FROM rdsinit.plan('drop.sql', %s, '{\"allow_data_loss\": true}'),"
                        " jsonb_array_elements(locks) AS l", (drop,)) == [('AccessExclusiveLock', expected)]


def test_what_goes_with_something_else_is_planned(planned):
    planned.rows('CREATE SCHEMA all_of_it; CREATE TABLE all_of_it.t (id int PRIMARY KEY, a text); CREATE VIEW all_of_it.v AS TABLE all_of_it.t')
    assert planned.rows("SELECT tag, dropped FROM rdsinit.plan('drop.sql', 'DROP SCHEMA all_of_it CASCADE')") == [
        ('DROP SCHEMA', ['view all_of_it.v', 'table all_of_it.t', 'schema all_of_it'])]

"""The scripts that are applied, and how many rows or relations each must leave."""

import dataclasses
import pathlib

# A group of fifty statements, as schemas have them.  It has but one table, and no more objects that stay
# locked than it must: at its end each statement looks through all locks of the transaction (PortalDrop),
# so that with many of them the server's own time, (a) and (b), is not linear.
TABLE = """\
CREATE TABLE app.item_%(n)d (id bigint PRIMARY KEY, name varchar(80) NOT NULL, price numeric(10,2), made date);
CREATE INDEX item_%(n)d_name ON app.item_%(n)d (lower(name)) WHERE price IS NOT NULL;
CREATE VIEW app.cheap_%(n)d AS SELECT id, name FROM app.item_%(n)d WHERE price < 10;
ALTER TABLE app.item_%(n)d ADD COLUMN note text;
ALTER TABLE app.item_%(n)d ADD CONSTRAINT price_%(n)d CHECK (price >= 0);
ALTER TABLE app.item_%(n)d ALTER COLUMN name SET DEFAULT 'none';
COMMENT ON TABLE app.item_%(n)d IS 'What can be ordered; group %(n)d';
GRANT SELECT ON app.item_%(n)d TO PUBLIC;
"""
MORE = """\
COMMENT ON COLUMN app.item_%(n)d.price IS 'Without tax; the %(m)dth text';
CREATE FUNCTION app.total_%(n)d_%(m)d(rate numeric) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT sum(price) * rate FROM app.item_%(n)d);
END;
$$;
ALTER FUNCTION app.total_%(n)d_%(m)d(numeric) STABLE;
REVOKE ALL ON FUNCTION app.total_%(n)d_%(m)d(numeric) FROM PUBLIC;
ALTER TABLE app.item_%(n)d ALTER COLUMN made SET DEFAULT '2026-01-%(m)02d';
GRANT UPDATE (price) ON app.item_%(n)d TO PUBLIC;
"""

COPY_HEAD = """\
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
CREATE SCHEMA app;
"""


@dataclasses.dataclass(frozen=True)
class Script:
    title: str
    path: pathlib.Path
    rounds: int
    check: str                          # a query
    expected: bytes                     # what it must return
    has_copy: bool = False
    statements: int = 0

    @property
    def size(self):
        return self.path.stat().st_size


def ddl(directory, count, rounds):
    path = directory / ('ddl_%d.sql' % count)
    groups = count // 50
    with open(path, 'w', encoding='utf-8') as file:
        file.write('CREATE SCHEMA app;\n')
        for n in range(groups):
            file.write(TABLE % {'n': n})
            for m in range(1, 8):
                file.write(MORE % {'n': n, 'm': m})
    return Script('%s DDL statements' % format(count, ','), path, rounds,
                  "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace) + "
                  "(SELECT count(*) FROM pg_proc WHERE pronamespace = 'app'::regnamespace)", b'%d' % ((4 + 7) * groups),
                  statements=count)


def inserts(directory, count, rounds):
    path = directory / ('inserts_%d.sql' % count)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('CREATE SCHEMA app;\nCREATE TABLE app.t (id int, name text, price numeric(10,2));\n')
        for n in range(count):
            file.write("INSERT INTO app.t (id, name, price) VALUES (%d, 'the name of number %d', %d.50);\n" % (n, n, n % 100))
    return Script('%s INSERTs' % format(count, ','), path, rounds, 'SELECT count(*) FROM app.t', b'%d' % count,
                  statements=count)


def copy(directory, size, rounds):
    """A dump with `size` bytes of COPY data, in four tables."""
    path = directory / ('copy_%d.sql' % size)
    block = ''.join('%d\tthe name of number %d\t%d.50\t2026-01-%02d 12:00:00+00\t%s\n' % (
        n, n, n % 100, n % 28 + 1, r'\N' if n % 7 == 0 else 'some more text, %d' % (n * n)) for n in range(10_000))
    blocks = max(size // len(block) // 4, 1)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(COPY_HEAD)
        for table in range(4):
            file.write('CREATE TABLE app.t_%d (id int, name text, price numeric(10,2), made timestamptz, note text);\n' % table)
        for table in range(4):
            file.write('COPY app.t_%d (id, name, price, made, note) FROM stdin;\n' % table)
            for _ in range(blocks):
                file.write(block)
            file.write('\\.\n\n')
    return Script('a dump with %s of COPY data' % _readable(size), path, rounds,
                  'SELECT sum(c) FROM (' + ' UNION ALL '.join(
                      'SELECT count(*) c FROM app.t_%d' % table for table in range(4)) + ') AS t',
                  b'%d' % (blocks * 4 * 10_000), has_copy=True)


def _readable(size):
    return '%g GB' % (size / 1e9) if size >= 1e9 else '%g MB' % (size / 1e6)

"""The scripts that are applied, and how many rows or relations each must leave."""

import dataclasses
import pathlib

# A group of ten statements, as schemas have them.
DDL = """\
CREATE TABLE app.item_%(n)d (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, price numeric(10,2));
COMMENT ON TABLE app.item_%(n)d IS 'What can be ordered; group %(n)d';
ALTER TABLE app.item_%(n)d ADD COLUMN made timestamptz DEFAULT '2026-01-01 00:00:00+00';
ALTER TABLE app.item_%(n)d ADD CONSTRAINT price_%(n)d CHECK (price >= 0);
CREATE INDEX item_%(n)d_name ON app.item_%(n)d (lower(name)) WHERE price IS NOT NULL;
CREATE VIEW app.cheap_%(n)d AS SELECT id, name FROM app.item_%(n)d WHERE price < 10;
CREATE FUNCTION app.total_%(n)d(rate numeric) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT sum(price) * rate FROM app.item_%(n)d);
END;
$$;
GRANT SELECT ON app.item_%(n)d TO PUBLIC;
ALTER TABLE app.item_%(n)d ALTER COLUMN name SET DEFAULT 'none';
COMMENT ON COLUMN app.item_%(n)d.price IS 'Without tax';
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
    groups = count // 10
    with open(path, 'w', encoding='utf-8') as file:
        file.write('CREATE SCHEMA app;\n')
        for n in range(groups):
            file.write(DDL % {'n': n})
    return Script('%s DDL statements' % format(count, ','), path, rounds,
                  "SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace", b'%d' % (5 * groups),
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

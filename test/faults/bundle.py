"""The scripts that are deployed, and by which facts one knows that each of their statements was done.

A fact is a tuple that state.facts() reads from the catalogs and tables; a script that was not
applied has left none of its facts, one that was has left all.
"""

import dataclasses

MARK = '-- rdsinit: no-transaction\n'

# In the database beforehand: who runs writes his name there, so that twice is seen.
RAN = 'CREATE TABLE ran (what text NOT NULL)'

# Long enough to be stored outside of its row wherever it is kept.
COMMENT = ''.join('\n    -- %08x %08x' % (n * 2654435761 % 2 ** 32, n * 40503 * 65537 % 2 ** 32) for n in range(300))


def ran(what):
    return "INSERT INTO ran VALUES ('%s')" % what


@dataclasses.dataclass(frozen=True)
class Step:
    """A whole script (statement is None), or a statement of one that is run without a transaction."""
    script: str
    statement: int
    facts: frozenset
    at_top: bool = False        # no transaction allows it: it may be half done, and then the history says so
    gone: frozenset = frozenset()   # facts that it takes away


WITHIN = {
    'V1__product.sql': """
CREATE TABLE product (id int PRIMARY KEY, name text NOT NULL, price numeric);
COPY product (id, name, price) FROM stdin WITH (FORMAT csv);
%s\\.
%s;
""" % (''.join('%d,product %d,%d.50\n' % (n, n, n % 90) for n in range(500)), ran('V1')),
    'V2__sale.sql': """
CREATE TABLE sale (id int PRIMARY KEY, product int REFERENCES product, note text);
CREATE INDEX sale_old ON sale (note);
%s
CREATE FUNCTION total(product int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN%s
    RETURN (SELECT count(*) FROM sale s WHERE s.product = total.product);
END $$;
%s;
""" % ('\n'.join("INSERT INTO sale VALUES (%d, %d, 'note %d');" % (n, n % 500, n) for n in range(300)), COMMENT, ran('V2')),
    'V4__rebate.sql': """
ALTER TABLE product ADD COLUMN rebate int NOT NULL DEFAULT 0;
UPDATE product SET rebate = id %% 10;
CREATE VIEW cheap AS SELECT id, name FROM product WHERE price - rebate < 10;
ALTER TABLE sale ADD CONSTRAINT sale_positive CHECK (id >= 0);
%s;
""" % ran('V4'),
    'R__report.sql': """
CREATE OR REPLACE VIEW report AS SELECT p.id, p.name, count(s.id) AS sales
  FROM product p LEFT JOIN sale s ON s.product = p.id GROUP BY p.id, p.name;
%s;
""" % ran('R'),
}

OUTSIDE = {
    'V3__indexes.sql': [
        'CREATE INDEX CONCURRENTLY product_name ON product (name)',
        ran('V3.2'),
        'CREATE UNIQUE INDEX CONCURRENTLY ON sale (lower(note), id)',
        'VACUUM (ANALYZE) sale',
        'REINDEX INDEX CONCURRENTLY product_name',
        'CREATE TABLE extra AS SELECT n, n::text AS word FROM generate_series(1, 50) n',
        'DROP INDEX CONCURRENTLY sale_old',
        ran('V3.8')],
    'V5__more.sql': [
        'CREATE INDEX CONCURRENTLY IF NOT EXISTS extra_n ON extra (n)',
        ran('V5.2')],
}

ORDER = ['V1__product.sql', 'V2__sale.sql', 'V3__indexes.sql', 'V4__rebate.sql', 'V5__more.sql', 'R__report.sql']

TEXTS = {**WITHIN, **{name: MARK + ';\n'.join(statements) + ';\n' for name, statements in OUTSIDE.items()}}

# For rdsinit.deploy, and for rdsinit.apply_bundle, which knows but one transaction.
DEPLOYED = {name: TEXTS[name] for name in ORDER}
APPLIED = {name: WITHIN[name] for name in ORDER if name in WITHIN}


def _step(script, statement, *facts, **how):
    return Step(script, statement, frozenset(facts), **how)


STEPS = [
    _step('V1__product.sql', None, ('relation', 'product'), ('rows', 'product', 500), ('ran', 'V1')),
    _step('V2__sale.sql', None, ('relation', 'sale'), ('rows', 'sale', 300), ('function', 'total'), ('ran', 'V2')),
    _step('V3__indexes.sql', 1, ('index', 'product_name'), at_top=True),
    _step('V3__indexes.sql', 2, ('ran', 'V3.2')),
    _step('V3__indexes.sql', 3, ('index', 'sale_lower_id_idx'), at_top=True),
    _step('V3__indexes.sql', 4, at_top=True),
    _step('V3__indexes.sql', 5, at_top=True),
    _step('V3__indexes.sql', 6, ('relation', 'extra'), ('rows', 'extra', 50)),
    _step('V3__indexes.sql', 7, at_top=True, gone=frozenset([('index', 'sale_old')])),
    _step('V3__indexes.sql', 8, ('ran', 'V3.8')),
    _step('V4__rebate.sql', None, ('column', 'product', 'rebate'), ('relation', 'cheap'),
          ('constraint', 'sale_positive'), ('ran', 'V4')),
    _step('V5__more.sql', 1, ('index', 'extra_n'), at_top=True),
    _step('V5__more.sql', 2, ('ran', 'V5.2')),
    _step('R__report.sql', None, ('relation', 'report'), ('ran', 'R')),
]

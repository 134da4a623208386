-- rdsinit.apply: a script, applied once.
SELECT $script$
CREATE SCHEMA shop;
CREATE TABLE shop.product (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO shop.product VALUES (1, 'a;b'), (2, $$c;d$$), (3, E'e\';f');
UPDATE shop.product SET name = upper(name) WHERE id > 1;
SELECT count(*) FROM shop.product;
$script$ AS script \gset

SELECT name, outcome, statements, rows, duration > '0' AS took_time, checksum
  FROM rdsinit.apply('schema.sql', :'script');
TABLE shop.product;

-- The same again: nothing is run.
SELECT name, outcome, statements, rows, duration, checksum
  FROM rdsinit.apply('schema.sql', :'script');

-- A byte-order mark and the line endings of another system change nothing.
SELECT outcome FROM rdsinit.apply('schema.sql', U&'\FEFF' || replace(:'script', E'\n', E'\r\n'));

-- Another body under the same name is run; and so is the first one, after that.
SELECT outcome FROM rdsinit.apply('schema.sql', 'DROP SCHEMA shop CASCADE', '{"allow_data_loss": true}');
SELECT outcome FROM rdsinit.apply('schema.sql', :'script');

-- The same body under another name is another script.
SELECT outcome FROM rdsinit.apply('other.sql', 'SELECT 1');
SELECT outcome FROM rdsinit.apply('another.sql', 'SELECT 1');

-- force runs it, changed or not.
SELECT outcome, statements FROM rdsinit.apply('other.sql', 'SELECT 1', '{"force": true}');
SELECT outcome, statements FROM rdsinit.apply('other.sql', 'SELECT 1', '{"force": false}');

-- Nothing to do is done as well.
SELECT name, outcome, statements, rows FROM rdsinit.apply('empty.sql', '');
SELECT name, outcome, statements, rows FROM rdsinit.apply('empty.sql', E'-- only\n;;\n/* a comment */ ;');

-- Rows are those that a statement changed, whatever its kind.
SELECT statements, rows FROM rdsinit.apply('rows.sql', $$
CREATE TABLE a (n int);
INSERT INTO a SELECT generate_series(1, 10);      -- 10
UPDATE a SET n = n + 1 WHERE n > 5;               --  5
DELETE FROM a WHERE n > 10 RETURNING n;           --  1
CREATE TABLE b AS SELECT * FROM a;                --  9
SELECT * INTO c FROM a WHERE n < 3;               --  2
MERGE INTO a USING b ON a.n = b.n WHEN MATCHED THEN DELETE;  -- 9
SELECT * FROM b;
EXPLAIN SELECT * FROM b;
SHOW search_path;
WITH gone AS (DELETE FROM b RETURNING n) SELECT * FROM gone;
VALUES (1), (2);
DROP TABLE a, b, c;
$$);

-- What a rule takes away, and what it adds, are no obstacle.
SELECT statements, rows FROM rdsinit.apply('rules.sql', $$
CREATE TABLE a (n int);
CREATE TABLE b (n int);
CREATE RULE nothing AS ON INSERT TO a DO INSTEAD NOTHING;
INSERT INTO a VALUES (1);
CREATE RULE also AS ON INSERT TO b DO ALSO (INSERT INTO a VALUES (2); NOTIFY b; UPDATE b SET n = 3);
INSERT INTO b VALUES (1), (2);
DROP TABLE a, b;
$$);

-- current_query() is the statement, as an audit trigger expects it to be.
SELECT outcome FROM rdsinit.apply('audit.sql', $$
CREATE TABLE audit (query text);
INSERT INTO audit VALUES (current_query());
$$);
TABLE audit;
DROP TABLE audit;
SELECT current_query();

-- Somebody who watches sees where the call is.
SELECT outcome FROM rdsinit.apply('watch.sql', $$
CREATE TABLE seen AS SELECT 0 AS n, ''::text AS query;

INSERT INTO seen SELECT 1, query FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT pg_stat_clear_snapshot();
INSERT INTO seen
    SELECT 2, query FROM pg_stat_activity WHERE pid = pg_backend_pid();
$$);
SELECT query FROM seen WHERE n > 0 ORDER BY n;
DROP TABLE seen;
SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid();

-- A name that is too long for an identifier is remarked upon once.
SELECT outcome FROM rdsinit.apply('long.sql',
    'CREATE TEMP TABLE a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g23456789 ()');

-- From PL/pgSQL, and several times in one query.
DO $$ BEGIN PERFORM rdsinit.apply('do.sql', 'SELECT 1'); END $$;
SELECT (rdsinit.apply('twice.sql', 'SELECT ' || n)).outcome FROM generate_series(1, 2) n;
SELECT (rdsinit.apply('twice.sql', 'SELECT 2')).outcome FROM generate_series(1, 2) n;

DROP SCHEMA shop CASCADE;

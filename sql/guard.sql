-- What holds rows is not dropped by mistake.
CREATE TABLE customer (id int, name text, note text);
INSERT INTO customer VALUES (1, 'Ada', NULL);

SELECT outcome FROM rdsinit.apply('drop.sql', E'SELECT 1;\n  DROP TABLE customer;');
SELECT outcome FROM rdsinit.apply('column.sql', 'ALTER TABLE customer DROP COLUMN name');
SELECT outcome FROM rdsinit.apply('truncate.sql', 'TRUNCATE customer');
TABLE customer;

-- A column without any value may go, and so may an empty table.
SELECT outcome FROM rdsinit.apply('column.sql', 'ALTER TABLE customer DROP COLUMN note; CREATE TABLE empty (); DROP TABLE empty;');

-- What the caller says may be lost is lost, and the history says what it was.
SELECT outcome FROM rdsinit.apply('column.sql', 'ALTER TABLE customer DROP COLUMN name', '{"allow_data_loss": true}');
SELECT outcome FROM rdsinit.apply('drop.sql', 'DROP TABLE customer', '{"allow_data_loss": true}');
SELECT name, lost FROM rdsinit.history WHERE lost IS NOT NULL ORDER BY id;

-- Outside of a call nobody is guarded.
CREATE TABLE free AS SELECT 1 AS n;
DROP TABLE free;

-- Every way to lose a table's rows by DDL.
CREATE FUNCTION pg_temp.try(setup text, script text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE setup;
    PERFORM rdsinit.apply('way.sql', script);
    RAISE EXCEPTION 'it went';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;
CREATE ROLE regress_rdsinit_lost;
CREATE TEMPORARY TABLE way (number int GENERATED ALWAYS AS IDENTITY, setup text, script text);
INSERT INTO way (setup, script) VALUES
    ('CREATE TABLE t AS SELECT 1 AS a', 'DROP TABLE t'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS TABLE t', 'DROP TABLE IF EXISTS t CASCADE'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE e ()', 'DROP TABLE e, t'),
    ('CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a', 'DROP SCHEMA s CASCADE'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s; DROP SCHEMA s CASCADE'),
    ('CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO regress_rdsinit_lost', 'DROP OWNED BY regress_rdsinit_lost'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'ALTER TABLE t RENAME TO old; DROP TABLE old'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE TABLE new (a int); ALTER TABLE t RENAME TO old; ALTER TABLE new RENAME TO t; DROP TABLE old'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'ALTER TABLE t ALTER a TYPE bigint; DROP TABLE t'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE TABLE copy AS TABLE t; DROP TABLE t'),
    ('CREATE UNLOGGED TABLE t AS SELECT 1 AS a', 'DROP TABLE t'),
    ('CREATE TEMPORARY TABLE t AS SELECT 1 AS a', 'DROP TABLE t'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'TRUNCATE t'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE e ()', 'TRUNCATE e, ONLY t RESTART IDENTITY'),
    ('CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, id int REFERENCES p); INSERT INTO t VALUES (1)', 'TRUNCATE p CASCADE'),
    ('CREATE TABLE p (a int); CREATE TABLE t () INHERITS (p); INSERT INTO t VALUES (1)', 'TRUNCATE p'),
    ('CREATE TABLE p (a int); CREATE TABLE t () INHERITS (p); INSERT INTO t VALUES (1)', 'DROP TABLE p CASCADE'),
    ('CREATE TABLE p (a int); CREATE TABLE t () INHERITS (p); INSERT INTO t VALUES (1)', 'ALTER TABLE p DROP COLUMN a'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE TABLE p (a int); ALTER TABLE t INHERIT p; DROP TABLE p CASCADE'),
    ('CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)', 'DROP TABLE p'),
    ('CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)', 'DROP TABLE t'),
    ('CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)', 'TRUNCATE p'),
    ('CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)', 'ALTER TABLE p DETACH PARTITION t; DROP TABLE t'),
    ('CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p DEFAULT; INSERT INTO p VALUES (1, 2)', 'ALTER TABLE p DROP COLUMN b'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE TABLE p (a int) PARTITION BY LIST (a); ALTER TABLE p ATTACH PARTITION t DEFAULT; DROP TABLE p'),
    ('CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p DEFAULT PARTITION BY LIST (a); CREATE TABLE t PARTITION OF q DEFAULT; INSERT INTO p VALUES (1)', 'DROP TABLE p'),
    ('CREATE TABLE t AS SELECT 1 AS a, 2 AS b', 'ALTER TABLE t ADD c int, DROP COLUMN a'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'ALTER TABLE t RENAME a TO b; ALTER TABLE t DROP COLUMN b'),
    ('CREATE TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ADD b int DEFAULT 2', 'ALTER TABLE t DROP COLUMN b'),
    ('CREATE TYPE e AS ENUM (''x''); CREATE TABLE t (a e); INSERT INTO t VALUES (''x'')', 'DROP TYPE e CASCADE'),
    ('CREATE DOMAIN d AS int; CREATE TABLE t (a d); INSERT INTO t VALUES (1)', 'DROP DOMAIN d CASCADE'),
    ('CREATE TYPE c AS (n int); CREATE TABLE t (a c); INSERT INTO t VALUES (ROW(1))', 'DROP TYPE c CASCADE'),
    ('CREATE TYPE c AS (n int, m int); CREATE TABLE t OF c; INSERT INTO t VALUES (1, 2)', 'ALTER TYPE c DROP ATTRIBUTE m CASCADE'),
    ('CREATE TYPE c AS (n int); CREATE TABLE t OF c; INSERT INTO t VALUES (1)', 'DROP TYPE c CASCADE'),
    ('CREATE COLLATION c (LOCALE = ''C''); CREATE TABLE t (a text COLLATE c); INSERT INTO t VALUES (1)', 'DROP COLLATION c CASCADE'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'DO $x$ BEGIN EXECUTE ''DROP TABLE t''; END $x$'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS ''DROP TABLE t''; SELECT f()'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE FUNCTION f() RETURNS void LANGUAGE sql SECURITY DEFINER AS ''TRUNCATE t''; SELECT f()'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE PROCEDURE p() LANGUAGE plpgsql AS ''BEGIN DROP TABLE t; END''; CALL p()'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE TABLE e (); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN DROP TABLE t; RETURN NULL; END''; CREATE TRIGGER x BEFORE INSERT ON e EXECUTE FUNCTION f(); INSERT INTO e DEFAULT VALUES'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS ''BEGIN DROP TABLE IF EXISTS t; END''; CREATE EVENT TRIGGER x ON ddl_command_end WHEN TAG IN (''CREATE VIEW'') EXECUTE FUNCTION f()', 'CREATE VIEW v AS SELECT 1'),
    ('CREATE TABLE t AS SELECT 1 AS a', E'SELECT ''DROP TABLE t'' \\gexec'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'CREATE TABLE made (); DROP TABLE made; DROP TABLE t'),
    ('CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t SELECT generate_series(1, 9)', 'DELETE FROM t WHERE a < 9; DROP TABLE t');
SELECT number, script, regexp_replace(pg_temp.try(setup, script), 'pg_temp_\d+', 'pg_temp') AS message FROM way ORDER BY number;

-- What may go: nothing is lost, or nothing that was there before.
TRUNCATE way RESTART IDENTITY;
INSERT INTO way (setup, script) VALUES
    ('CREATE TABLE t (a int)', 'DROP TABLE t'),
    ('CREATE TABLE t (a int); INSERT INTO t VALUES (1); DELETE FROM t', 'TRUNCATE t; DROP TABLE t'),
    ('CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1)', 'ALTER TABLE t DROP COLUMN b'),
    ('CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED); INSERT INTO t VALUES (1)', 'ALTER TABLE t DROP COLUMN b'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'ALTER TABLE t ADD b int DEFAULT 2; ALTER TABLE t DROP COLUMN b'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX i ON t (a)', 'ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ALTER a TYPE text; CLUSTER t USING i'),
    ('CREATE TABLE t AS SELECT 1 AS a', 'ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t SET UNLOGGED'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX i ON t (a); CREATE VIEW v AS TABLE t', 'DROP INDEX i; DROP VIEW v; CREATE INDEX i ON t (a); REINDEX TABLE t'),
    ('CREATE TABLE t AS SELECT 1 AS a; CREATE MATERIALIZED VIEW v AS TABLE t', 'REFRESH MATERIALIZED VIEW v; DROP MATERIALIZED VIEW v'),
    ('SELECT 1', 'CREATE TABLE t AS SELECT 1 AS a; TRUNCATE t; INSERT INTO t VALUES (2); DROP TABLE t'),
    ('SELECT 1', 'CREATE TEMPORARY TABLE t ON COMMIT DROP AS SELECT 1 AS a'),
    ('SELECT 1', 'CREATE SCHEMA s CREATE TABLE t (a int); INSERT INTO s.t VALUES (1); DROP SCHEMA s CASCADE');
SELECT number, script, regexp_replace(pg_temp.try(setup, script), 'pg_temp_\d+', 'pg_temp') AS message FROM way ORDER BY number;

-- A table that is too large to be looked at whole counts as full, unless a row is found.
CREATE TABLE large WITH (autovacuum_enabled = false) AS SELECT repeat('x', 2000) AS filler, NULL::int AS n FROM generate_series(1, 5000);
DELETE FROM large;
SELECT outcome FROM rdsinit.apply('large.sql', 'DROP TABLE large');
SELECT outcome FROM rdsinit.apply('large.sql', 'DROP TABLE large', '{"allow_data_loss": true}');

-- What an exception block takes back was not lost.
CREATE TABLE kept AS SELECT 1 AS n;
SELECT outcome FROM rdsinit.apply('caught.sql', 'DO $$ BEGIN DROP TABLE kept; EXCEPTION WHEN OTHERS THEN RAISE NOTICE ''%'', SQLERRM; END $$');
TABLE kept;
SELECT outcome FROM rdsinit.apply('taken_back.sql', 'DO $$ BEGIN DROP TABLE kept; RAISE division_by_zero; EXCEPTION WHEN OTHERS THEN NULL; END $$',
                                  '{"allow_data_loss": true}');
SELECT lost FROM rdsinit.history WHERE name = 'taken_back.sql';

-- Who may not truncate a table does not learn whether it has rows.
CREATE ROLE regress_rdsinit_curious;
GRANT EXECUTE ON FUNCTION rdsinit.apply TO regress_rdsinit_curious;
SET ROLE regress_rdsinit_curious;
SELECT outcome FROM rdsinit.apply('curious.sql', 'TRUNCATE kept');
SELECT outcome FROM rdsinit.apply('curious.sql', 'DROP TABLE kept');
RESET ROLE;

DROP TABLE kept;
DROP OWNED BY regress_rdsinit_curious;
DROP ROLE regress_rdsinit_curious, regress_rdsinit_lost;

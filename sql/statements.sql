-- rdsinit.statements: where a script's statements begin and end.

SELECT ordinal, line, col, tag, transactional, text FROM rdsinit.statements($script$
CREATE TABLE a (n int);	CREATE TABLE b (t text DEFAULT 'x;y');;
-- a comment; with a semicolon
/* and /* a nested; */ one; */
INSERT INTO b VALUES ($$a;b$$), ($tag$c;$$;d$tag$), (E'\';'), (U&'\003b');
SELECT "a;b" FROM "c;d"
$script$);

-- Columns count characters, lines end at a line feed.
SELECT ordinal, line, col, tag FROM rdsinit.statements(
    E'SELECT ''äöü'';SELECT 2;\r\n\tSELECT 3;\n\n  SELECT 4');

-- Semicolons within parentheses divide nothing.
SELECT line, tag FROM rdsinit.statements($script$
CREATE RULE r AS ON DELETE TO a DO INSTEAD (SELECT 1; SELECT (2); SELECT 3);
SELECT 4;
$script$);

-- Nor do those of a BEGIN ATOMIC body, wherever else END and BEGIN may stand.
SELECT line, tag, right(text, 12) AS text FROM rdsinit.statements($script$
CREATE FUNCTION a() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
CREATE OR REPLACE FUNCTION a() RETURNS int BEGIN ATOMIC SELECT t.end FROM t; SELECT 1 AS end; END;
CREATE PROCEDURE a() BEGIN ATOMIC END;
CREATE PROCEDURE a() BEGIN ATOMIC SELECT 1;; ;END;
CREATE OR REPLACE PROCEDURE a() begin /* not yet */ atomic ;; INSERT INTO begin SELECT (CASE 1 WHEN 1 THEN 1 END); END;
CREATE FUNCTION a() RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION begin() RETURNS begin LANGUAGE sql AS 'SELECT 1; SELECT 2';
CREATE VIEW function AS SELECT begin atomic;
SELECT begin atomic;
BEGIN;
END;
$script$);

-- Which could run in a transaction?
SELECT ordinal, tag, transactional, text FROM rdsinit.statements($script$
ANALYZE;
VACUUM;
VACUUM ANALYZE t;
CREATE DATABASE d;
ALTER DATABASE d SET TABLESPACE t;
ALTER DATABASE d CONNECTION LIMIT 3;
DROP DATABASE d;
CREATE TABLESPACE t LOCATION '/t';
DROP TABLESPACE t;
ALTER SYSTEM SET work_mem = 1;
CREATE INDEX CONCURRENTLY i ON t (c);
CREATE INDEX i ON t (c);
DROP INDEX CONCURRENTLY i;
DROP INDEX i;
REINDEX TABLE CONCURRENTLY t;
REINDEX (CONCURRENTLY off) TABLE t;
REINDEX (CONCURRENTLY) INDEX i;
REINDEX TABLE t;
REINDEX SCHEMA s;
REINDEX DATABASE d;
REINDEX SYSTEM d;
ALTER TABLE t DETACH PARTITION p CONCURRENTLY;
ALTER TABLE t DETACH PARTITION p;
REFRESH MATERIALIZED VIEW CONCURRENTLY v;
CLUSTER;
CLUSTER t;
CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;
CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (create_slot = false);
CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = off);
$script$);

-- A script that cannot be read is an error, with its place.
SELECT * FROM rdsinit.statements(E'SELECT 1;\nSELECT ''unterminated;');
SELECT * FROM rdsinit.statements(E'SELECT 1;\n  SELEC 2;');
SELECT * FROM rdsinit.statements(NULL);
SELECT * FROM rdsinit.statements('');

-- One call is one transaction, whatever the script says about it.

-- BEGIN and COMMIT are taken out: a call gives what they ask for.
SELECT outcome, statements FROM rdsinit.apply('begin.sql', $$
BEGIN;
CREATE TABLE one (n int);
COMMIT;
$$);
SELECT outcome, statements FROM rdsinit.apply('blocks.sql', $$
START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE;
CREATE TABLE two (n int);
END;
BEGIN WORK;
CREATE TABLE three (n int);
COMMIT AND NO CHAIN;
$$);

-- And so a COMMIT before an error saves nothing.
SELECT outcome FROM rdsinit.apply('commit.sql', $$
BEGIN;
CREATE TABLE four (n int);
COMMIT;
SELECT 1 / 0;
$$);
SELECT to_regclass('one'), to_regclass('two'), to_regclass('three'), to_regclass('four');
DROP TABLE one, two, three;

-- What would end or divide the transaction is refused, before anything runs.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text; context text;
BEGIN
	PERFORM rdsinit.apply('try.sql', E'CREATE TABLE ran ();\n\n' || statement || ';');
	RETURN 'applied';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN format(E'%s: %s\n    %s\n    %s', SQLSTATE, message, hint, split_part(context, E'\n', 1));
END $$;

\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try(statement) FROM unnest(ARRAY[
	'ROLLBACK', 'ABORT', 'SAVEPOINT s', 'RELEASE s', 'ROLLBACK TO s',
	'COMMIT AND CHAIN', 'ROLLBACK AND CHAIN', 'PREPARE TRANSACTION ''t''',
	'COMMIT PREPARED ''t''', 'ROLLBACK PREPARED ''t''',
	'SET TRANSACTION READ ONLY', 'SET TRANSACTION SNAPSHOT ''x''',
	'BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN READ ONLY', 'BEGIN DEFERRABLE'
]) statement;

-- So is what the server runs in no transaction block.
SELECT pg_temp.try(statement) FROM unnest(ARRAY[
	'CREATE DATABASE d', 'DROP DATABASE d', 'ALTER DATABASE d SET TABLESPACE t',
	'CREATE TABLESPACE t LOCATION ''/t''', 'DROP TABLESPACE t',
	'ALTER SYSTEM SET work_mem = 1', 'VACUUM',
	'CREATE INDEX CONCURRENTLY i ON t (c)', 'DROP INDEX CONCURRENTLY i',
	'REINDEX TABLE CONCURRENTLY t', 'REINDEX SCHEMA s', 'REINDEX DATABASE d', 'REINDEX SYSTEM d',
	'ALTER TABLE t DETACH PARTITION p CONCURRENTLY', 'CLUSTER',
	'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p'
]) statement;

-- And what would reach out of the script: to the caller's session, to rdsinit.
SELECT pg_temp.try(statement) FROM unnest(ARRAY[
	'DISCARD ALL', 'DISCARD TEMP', 'DEALLOCATE ALL',
	'DROP EXTENSION rdsinit', 'DROP EXTENSION IF EXISTS plpgsql, rdsinit CASCADE',
	'ALTER EXTENSION rdsinit UPDATE', 'ALTER EXTENSION rdsinit DROP VIEW rdsinit.status'
]) statement;

-- What only the catalog can tell is refused by the server, when it is reached.
SELECT pg_temp.try(statement) FROM unnest(ARRAY[
	'CREATE TABLE p (n int) PARTITION BY LIST (n); REINDEX TABLE p',
	'DO $d$ BEGIN COMMIT; END $d$',
	'DO $d$ BEGIN EXECUTE ''DROP EXTENSION rdsinit''; END $d$',
	'SELECT rdsinit.apply(''inner.sql'', ''SELECT 1'')',
	'DO $d$ BEGIN PERFORM rdsinit.apply_bundle(''{a}'', ''{SELECT 1}''); END $d$'
]) statement;
\pset format aligned
\pset tuples_only off

SELECT to_regclass('ran') AS ran, count(*) FROM rdsinit.history WHERE name = 'try.sql';

-- After all these errors, a call is a call again.
SELECT pg_temp.try('SELECT 1');
DROP TABLE ran;

-- The caller's own transaction decides, where there is one.
BEGIN;
SELECT outcome FROM rdsinit.apply('rolled_back.sql', 'CREATE TABLE t ()');
SELECT outcome FROM rdsinit.apply('rolled_back.sql', 'CREATE TABLE t ()');
SAVEPOINT s;
SELECT outcome FROM rdsinit.apply('broken.sql', 'CREATE TABLE u (); SELECT 1 / 0');
ROLLBACK TO s;
SELECT to_regclass('t'), to_regclass('u');
ROLLBACK;
SELECT to_regclass('t'), count(*) FROM rdsinit.history WHERE name IN ('rolled_back.sql', 'broken.sql');

-- A deferred constraint fails in the call, not at the caller's COMMIT.
SELECT outcome FROM rdsinit.apply('deferred.sql', $$
CREATE TABLE a (n int PRIMARY KEY);
CREATE TABLE b (n int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
INSERT INTO b VALUES (1);
$$);
SELECT outcome FROM rdsinit.apply('deferred.sql', $$
CREATE TABLE a (n int PRIMARY KEY);
CREATE TABLE b (n int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
INSERT INTO b VALUES (1);
INSERT INTO a VALUES (1);
$$);
-- And stays deferred for what the caller does in the same transaction.
BEGIN;
SELECT outcome FROM rdsinit.apply('select.sql', 'SELECT 1');
INSERT INTO b VALUES (2);
INSERT INTO a VALUES (2);
COMMIT;
DROP TABLE a, b;

-- Nothing is applied where nothing may be written.
BEGIN READ ONLY;
SELECT outcome FROM rdsinit.apply('read_only.sql', 'SELECT 1');
ROLLBACK;

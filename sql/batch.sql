-- Statements that are parsed many at once are run as if each had been parsed by itself.
CREATE SCHEMA regress_batch;
SET search_path = regress_batch;
\pset format unaligned
\pset tuples_only on

-- long enough to be parsed at once, behind two lines of its own
CREATE FUNCTION padded(script text) RETURNS text LANGUAGE sql
	RETURN '-- ' || repeat('x', 1200) || E'\n\n' || script || E'\n';

CREATE FUNCTION try(script text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; context text;
BEGIN
	PERFORM rdsinit.apply('batch.sql', padded(script));
	RETURN 'applied';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n', message, regexp_replace(context, E'\n?PL/pgSQL function try[^\n]*', '', 'g'));
END $$;

-- Each statement's own text is what current_query() says.
CREATE TABLE seen (number serial, query text);
CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO regress_batch.seen (query) VALUES (current_query());
END $$;
CREATE EVENT TRIGGER regress_batch ON ddl_command_end EXECUTE FUNCTION see();
SELECT try(E'CREATE TABLE one (\n  n int);\nCOMMENT ON TABLE one IS ''ü'';\nCREATE FUNCTION two() RETURNS int LANGUAGE sql AS ''SELECT 2'';\n');
DROP EVENT TRIGGER regress_batch;
SELECT query FROM seen ORDER BY number;

-- A prepared statement keeps its text, a cursor too.
SELECT try(E'CREATE TABLE three ();\nPREPARE regress_batch AS SELECT 1;\nDECLARE regress_batch CURSOR WITH HOLD FOR SELECT 2;\nCREATE TABLE four ();');
SELECT statement FROM pg_prepared_statements WHERE name = 'regress_batch';
SELECT statement FROM pg_cursors WHERE name = 'regress_batch';
DEALLOCATE regress_batch;
CLOSE regress_batch;

-- Errors are where they are, behind characters of several bytes, too.
SELECT try(E'CREATE TABLE ü (n int);\nCREATE TABLE wrong (n int,\n   ü missing);');
SELECT try(E'CREATE TABLE ü (n int); CREATE VIEW v AS SELECT n,\n missing FROM ü;');
SELECT try(E'CREATE TABLE ü (n int);\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''\nSELECT missing'';');

-- A function that another statement compiles is not looked for in the one that has made it.
SELECT try(E'SELECT set_config(''check_function_bodies'', ''off'', true);\n'
	'CREATE FUNCTION later(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS ''BEGIN\n  END LOOP;\nEND'';\n'
	'CREATE TABLE five (n int);\nINSERT INTO five VALUES (1);\nCREATE INDEX ON five (later(n));\n');

-- What was parsed while a script was checked is run once: a file that is included twice, and one that
-- a setting has read otherwise by then.
SELECT string_agg(name || ' ' || statements, ', ') FROM rdsinit.apply_bundle('{twice.sql,part.sql}', ARRAY[
	E'\\i part.sql\nALTER TABLE regress_batch.six RENAME TO seven;\n\\i part.sql\n',
	padded(E'CREATE TABLE regress_batch.six (n int DEFAULT 6);\nCOMMENT ON TABLE regress_batch.six IS ''6'';\n')]);
SELECT relname, obj_description(oid) FROM pg_class WHERE relname IN ('six', 'seven') ORDER BY 1;
SELECT outcome FROM rdsinit.apply('set.sql', E'SELECT '':2'' AS n \\gset\n' ||
	padded(E'CREATE TABLE eight AS SELECT (ARRAY[7, 8, 9])[1:n] AS a FROM (SELECT 1 AS n) AS one;\n'));
SELECT a FROM eight;

\pset tuples_only off
SET client_min_messages = warning;
DROP SCHEMA regress_batch CASCADE;

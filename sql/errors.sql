-- An error says where it is, and is the server's own.

CREATE FUNCTION pg_temp.try(script text, name text DEFAULT 'schema.sql') RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text; context text; own text;
BEGIN
	PERFORM rdsinit.apply(name, script);
	RETURN 'applied';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	-- the last line is this function's own
	own := regexp_replace(context, E'\n?PL/pgSQL function pg_temp[^\n]*', '', 'g');
	RETURN concat_ws(E'\n', SQLSTATE || ': ' || message, 'DETAIL: ' || nullif(detail, ''),
					 'HINT: ' || nullif(hint, ''), 'CONTEXT: ' || nullif(own, ''));
END $$;
\pset format unaligned
\pset tuples_only on

-- A statement of its own accord.
SELECT pg_temp.try(E'CREATE TABLE a (n int PRIMARY KEY);\n\nINSERT INTO a VALUES (1);\n  INSERT INTO a VALUES (1);');
SELECT pg_temp.try(E'SELECT 1;\nCREATE TABLE t (a int,\n  b nosuchtype);');
SELECT pg_temp.try(E'-- ä\n/* ö */ SELECT ''ü'', nosuchcolumn;');
SELECT pg_temp.try(E'SELECT 1;\r\n\r\n\tSELECT nosuchcolumn;\r\n');
SELECT pg_temp.try(U&'\FEFFSELECT nosuchcolumn');

-- A syntax error anywhere is found before anything has run.
CREATE SEQUENCE ran;
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nSELECT 1;\nCREATE TABEL t ();');
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nCREATE TABLE t (a int;\nSELECT 2;');
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nSELECT 1 +');
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2;');
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nSELEC $$ and no end');
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nSELECT 1,\n ;SELECT 2');
SELECT pg_temp.try(E'SELECT nextval(''ran'');\nALTER TABLE ');
SELECT is_called FROM ran;
DROP SEQUENCE ran;

-- What has no end is reported where it begins, without the script's text.
SELECT pg_temp.try(E'SELECT 1;\nSELECT ''begins here;\nSELECT 3;\n');
SELECT pg_temp.try(E'SELECT 1;\nSELECT "begins here;\nSELECT 3;\nand goes on for quite a while, well past what a message repeats');
SELECT pg_temp.try(E'SELECT 1;\nSELECT $x$ begins here;\nSELECT 3;\n');
SELECT pg_temp.try(E'SELECT 1;\n  /* begins here;\nSELECT 3;\n');
SELECT pg_temp.try(E'SELECT 1;\nSELECT E''begins here;\nSELECT 3;\n');
SELECT pg_temp.try(E'SELECT 1;\nSELECT X''begins here;\nSELECT 3;\n');

-- A constant is not repeated: it could be a password.
SELECT pg_temp.try(E'CREATE ROLE regress_rdsinit LOGIN ''secret'';');
SELECT pg_temp.try(E'CREATE ROLE regress_rdsinit LOGIN $$secret$$;');
SELECT pg_temp.try(E'SELECT 1;\nDO $$ BEGIN\n  EXECUTE ''ALTER ROLE regress_rdsinit PASSWORD ''''secret'''''';\nEND $$;');
SELECT pg_temp.try(E'CREATE TABLE t AS SELECT 1 AS ''secret''');
SELECT pg_temp.try(E'CREATE ROLE regress_rdsinit PASSWORD "secret"');

-- Errors from within functions: where in them, and where in the script.
SELECT pg_temp.try(E'SELECT 1;\n\nDO $$\nBEGIN\n  PERFORM 1 / 0;\nEND $$;');
SELECT pg_temp.try(E'SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETRUN 1;\nEND $$;');
SELECT pg_temp.try(E'SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT nosuchcolumn\n$$;');
SELECT pg_temp.try(E'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS \'SELECT 1/0\';\nSELECT f();');

-- The server's hints, details and SQLSTATEs are kept.
SELECT pg_temp.try(E'CREATE TABLE a (n int CHECK (n > 0));\nINSERT INTO a VALUES (0);');
SELECT pg_temp.try(E'SELECT nam FROM (VALUES (1)) AS product (name);');
SELECT pg_temp.try(E'DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = ''AB123'', MESSAGE = ''m'', DETAIL = ''d'', HINT = ''h''; END $$');
SELECT pg_temp.try(E'CREATE TABLE parent (n int); CREATE TABLE a.b.c.d ();');

-- The fields that name the object are kept, too.
DO $$
DECLARE t text; c text;
BEGIN
	PERFORM rdsinit.apply('a', 'CREATE TABLE a (n int CONSTRAINT positive CHECK (n > 0)); INSERT INTO a VALUES (0)');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS t = TABLE_NAME, c = CONSTRAINT_NAME;
	RAISE NOTICE 'table %, constraint %', t, c;
END $$;

-- A name is a name.
SELECT pg_temp.try('SELECT 1', '');
SELECT pg_temp.try('SELECT 1', E'schema.sql:1:1: statement 1\nforged');
SELECT pg_temp.try('SELECT 1', repeat('x', 1025));
SELECT pg_temp.try('SELECT 1', NULL);
SELECT pg_temp.try(NULL);
SELECT pg_temp.try('SELECT nosuchcolumn', 'Schéma 100%s.sql');

-- And an option is an option.
\pset format aligned
\pset tuples_only off
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"forced": true}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"force": "yes"}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"force": {"force": true}}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"retry_for": "1 parsec"}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"retry_for": -1}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"retry_for": true}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '[]');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', 'true');
SELECT name, outcome FROM rdsinit.apply('options.sql', 'SELECT 1', '{"retry_for": 100, "force": true}');
SELECT name, outcome FROM rdsinit.apply('options.sql', 'SELECT 1', '{"retry_for": "1.5min"}');
SELECT name, outcome FROM rdsinit.apply('options.sql', 'SELECT 1', NULL);

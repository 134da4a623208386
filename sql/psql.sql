-- psql's meta-commands and variables.
CREATE TABLE seen (n serial, s text);
CREATE FUNCTION pg_temp.seen() RETURNS SETOF text LANGUAGE sql AS $$
	WITH gone AS (DELETE FROM seen RETURNING n, s) SELECT s FROM gone ORDER BY n
$$;

-- Variables: as SQL, as a literal, as an identifier, and whether they are set.
SELECT statements FROM rdsinit.apply('variables.sql', $$
\set table seen
\set word 'it''s a\tword'
\set number 42
\set column s
INSERT INTO :table (s) VALUES (:'word');
INSERT INTO seen (:"column") VALUES (:number);
INSERT INTO seen (s) VALUES (:{?number} || ' ' || :{?nosuch});
\unset number
INSERT INTO seen (s) VALUES (:{?number}), (':word'), ($q$:word$q$), (/* :word */ E'\':word');
INSERT INTO seen (s) SELECT (ARRAY['a', 'b', 'c'])[2:3]::text; -- :word
\set statement 'INSERT INTO seen (s) VALUES (1); INSERT INTO'
:statement seen (s) VALUES (2);
\set half 'VAL'
INSERT INTO seen (s) :half/**/UES (3);
$$);
SELECT statements FROM rdsinit.apply('variables.sql', $$
\set table seen
\set word 'it''s a\tword'
\set number 42
\set column s
INSERT INTO :table (s) VALUES (:'word');
INSERT INTO seen (:"column") VALUES (:number);
INSERT INTO seen (s) VALUES (:{?number} || ' ' || :{?nosuch});
\unset number
INSERT INTO seen (s) VALUES (:{?number}), (':word'), ($q$:word$q$), (/* :word */ E'\':word');
INSERT INTO seen (s) SELECT (ARRAY['a', 'b', 'c'])[2:3]::text; -- :word
\set statement 'INSERT INTO seen (s) VALUES (1); INSERT INTO'
:statement seen (s) VALUES (2);
$$);
SELECT * FROM pg_temp.seen();
SELECT statements FROM rdsinit.apply('recursion.sql', $$
\set a seen
\set b ':a (s)'
\set c 'VALUES (:''a'')'
INSERT INTO :b :c;
\set loop ':loop'
INSERT INTO seen (s) VALUES (':loop');
INSERT INTO seen (s) VALUES (:'DBNAME' = current_database());
$$);
SELECT * FROM pg_temp.seen();

-- Those that the caller gives.
SELECT statements FROM rdsinit.apply('options.sql', 'INSERT INTO seen (s) VALUES (:''word'' || :number || :yes)',
	'{"variables": {"word": "it''s", "number": 1.50, "yes": true}}');
SELECT * FROM pg_temp.seen();

-- Conditions.
SELECT statements FROM rdsinit.apply('if.sql', $$
\if true
	INSERT INTO seen (s) VALUES ('if');
	\if off
		THIS IS NO SQL; 'nor' "this";
	\else
		INSERT INTO seen (s) VALUES ('else');
	\endif
\elif true
	INSERT INTO seen (s) VALUES ('never');
\else
	INSERT INTO seen (s) VALUES ('never');
\endif
INSERT INTO seen (s) VALUES (
\if 0
	'no; this ends nothing'
\elif 1
	'elif'
\else
	'no'
\endif
|| '!');
\set there 1
\if :{?there} \echo it is there \endif
\if :{?not_there} \set x `rm -rf /` \endif
\if neither
	INSERT INTO seen (s) VALUES ('never');
\endif
$$);
SELECT * FROM pg_temp.seen();

-- Queries that make variables, conditions and statements.
SELECT statements, rows FROM rdsinit.apply('gset.sql', $$
SELECT 'a value' AS one, 2 AS two, NULL AS none \gset my_
INSERT INTO seen (s) VALUES (:'my_one' || :my_two || :{?my_none});
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'nosuchtable') AS there \gset
\if :there
	DROP TABLE nosuchtable;
\else
	INSERT INTO seen (s) VALUES ('not there');
\endif
SELECT format('INSERT INTO seen (s) VALUES (%L)', n), NULL, 'INSERT INTO seen (s) VALUES (''x''); SELECT 1'
  FROM generate_series(1, 2) n \gexec
SELECT 'sent' \g
SELECT 'sent' \gx
INSERT INTO seen (s) VALUES ('one') \; INSERT INTO seen (s) VALUES ('two');
$$);
SELECT * FROM pg_temp.seen();

-- What is printed is a notice; what only shapes output is passed over.
SELECT statements FROM rdsinit.apply('print.sql', $$
\set who world
\echo hello :who ':who' :'who'
\qecho -n hello
\warn careful
\pset format unaligned \a \t on \x \timing on \\ SELECT 1;
\C title
\d seen
\dt+ *.*
\l \conninfo
\encoding UTF8
\? commands
\h SELECT
\o
$$);

-- pg_dump's own.
SELECT statements FROM rdsinit.apply('restrict.sql', E'\\restrict key\nSELECT 1;\n\\unrestrict key\n');

-- To the database that we are in: a new session, which has its own settings.
SELECT statements FROM rdsinit.apply('connect.sql', $$
SET search_path = '';
\connect -
INSERT INTO seen (s) VALUES ('found again');
\c :DBNAME
$$);
SELECT * FROM pg_temp.seen();

-- The rest is not for a script that has ended.
SELECT statements FROM rdsinit.apply('quit.sql', E'SELECT 1;\n\\q\nTHIS IS NO SQL;');
SELECT statements FROM rdsinit.apply('quit.sql', E'SELECT 1; SELECT 2 \\q\nTHIS IS NO SQL;');

-- A script that includes others, which are a part of it.
SELECT name, outcome, statements FROM rdsinit.apply_bundle(
	ARRAY['main.sql', 'parts/a.sql', 'parts/b.sql', 'alone.sql'],
	ARRAY[E'\\ir parts/a.sql\nINSERT INTO seen (s) VALUES (\'main\');\n\\i ./parts/../parts/b.sql',
		  E'\\set from_a 1\nINSERT INTO seen (s) VALUES (\'a\')\n\\include_relative b.sql',
		  'INSERT INTO seen (s) VALUES (''b'' || :{?from_a})', 'SELECT 1']);
SELECT * FROM pg_temp.seen();
SELECT name, outcome, statements FROM rdsinit.apply_bundle(
	ARRAY['main.sql', 'parts/a.sql', 'parts/b.sql', 'alone.sql'],
	ARRAY[E'\\ir parts/a.sql\nINSERT INTO seen (s) VALUES (\'main\');\n\\i ./parts/../parts/b.sql',
		  E'\\set from_a 1\nINSERT INTO seen (s) VALUES (\'a\')\n\\include_relative b.sql',
		  'INSERT INTO seen (s) VALUES (''B'' || :{?from_a})', 'SELECT 1']);
SELECT * FROM pg_temp.seen();

-- What must not be is refused with its place, before anything runs.
CREATE FUNCTION pg_temp.try(script text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text; context text;
BEGIN
	PERFORM rdsinit.apply('try.sql', E'SELECT nextval(''ran'');\n' || script, options);
	RETURN 'applied';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || message, nullif(hint, ''),
		regexp_replace(context, E'\n?PL/pgSQL function pg_temp[^\n]*', '', 'g'));
END $$;
CREATE SEQUENCE ran;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try(script) FROM unnest(ARRAY[
	'\! ls', '\!ls', '\set x `ls`', '\copy seen FROM seen.txt', '\COPY seen TO x', '\cd /tmp', '\connect other', '\c - somebody',
	'\prompt x', '\password', '\getenv x HOME', '\setenv x y', '\lo_import f', '\o file', '\o |cat',
	'SELECT 1 \g file', 'SELECT 1 \g |cat', '\w file', '\e', '\ef f', '\watch', '\nosuch', '\',
	'\if true', E'\\if true\n\\else\n\\elif true\n\\endif', E'\\if true\n\\else\n\\else\n\\endif', '\endif', '\else', '\elif true',
	'\gset', '\gexec', '\g', '\set 1a!b x', '\set x ''unterminated', '\set x "unterminated', '\unset', '\i', '\set x ''\xff''',
	E'\\restrict key\n\\echo no', E'\\restrict key\n\\unrestrict other', '\unrestrict key',
	'\i nosuch.sql', '\ir ../outside.sql', '\i /etc/passwd'
]) script;
SELECT is_called FROM ran;

-- What a query has made is looked at when it is reached.
SELECT pg_temp.try(E'SELECT ''no sql'' AS bad \\gset\nSELECT 1;\n:bad;');
SELECT pg_temp.try(E'SELECT 1 AS n WHERE false \\gset');
SELECT pg_temp.try(E'SELECT generate_series(1, 2) AS n \\gset');
SELECT pg_temp.try(E'SELECT 1;\n  SELECT ''SELECT 1/0'' \\gexec');
SELECT pg_temp.try(E'SELECT ''COPY seen FROM stdin'' \\gexec');
SELECT pg_temp.try(E'SELECT ''ROLLBACK'' \\gexec');

-- An error is where the script has it, and no value of a variable is shown.
SELECT pg_temp.try(E'\\set x secret\nSELECT\n  :x');
SELECT pg_temp.try(E'\\set x \'secret secret\'\nSELECT\n  :x');
SELECT pg_temp.try(E'\\set x \'SELECT 1;SELECT secret;\'\nSELECT 2;\n  :x SELECT 3;');
SELECT pg_temp.try(E'\\set x secret\nSELECT :x || nosuchcolumn, 1;');
SELECT pg_temp.try(E'\\set x 1\nSELECT :x, :x, :x, nosuchcolumn;');
SELECT pg_temp.try(E'SELECT 1 /* \n */ , :\'word\' + 1', '{"variables": {"word": "secret"}}');
SELECT pg_temp.try(E'ALTER DATABASE:word ', '{"variables": {"word": "s3cret"}}');
SELECT pg_temp.try(E'SELECT 1', '{"variables": {"a-b": "c"}}');
SELECT pg_temp.try(E'SELECT 1', '{"variables": {"a": {"b": "c"}}}');
SELECT pg_temp.try(E'SELECT 1', '{"variables": "a=b"}');
\pset format aligned
\pset tuples_only off
SELECT * FROM rdsinit.apply_bundle('{a.sql,dir/b.sql}', ARRAY[E'SELECT 1;\n \\ir dir/b.sql', E'SELECT 1;\nSELECT 2; \\i a.sql']);
SELECT * FROM rdsinit.apply_bundle('{a.sql,dir/b.sql}', ARRAY[E'SELECT 1;\n \\ir dir/b.sql', E'SELECT 1;\n\\ir nosuch.sql']);
SELECT * FROM rdsinit.apply_bundle('{a.sql,dir/b.sql}', ARRAY[E'SELECT 1;\n \\ir dir/b.sql', E'SELECT 1;\nSELEC 2;']);
SELECT * FROM rdsinit.apply_bundle('{a.sql,dir/b.sql}', ARRAY[E'SELECT 1;\n \\ir dir/b.sql', E'SELECT 1;\n\\if true']);

SELECT line, col, tag, text FROM rdsinit.statements(E'\\set x 1\nSELECT :x \\gset\n\\if true\nSELECT 2;\n\\endif\nSELECT 3 \\; SELECT :{?y}');

DROP TABLE seen;
DROP SEQUENCE ran;

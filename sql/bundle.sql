-- rdsinit.apply_bundle: several scripts, all of them or none.

-- Scripts without a version are run in order of name, however they are given.
SELECT name, outcome, statements, rows FROM rdsinit.apply_bundle(
	ARRAY['b_data.sql', 'c_dir/views.sql', 'a_tables.sql'],
	ARRAY['INSERT INTO t VALUES (1), (2)', 'CREATE VIEW v AS TABLE t', 'CREATE TABLE t (n int)']);
TABLE v;

-- Again, with one of them changed: that one is run.
SELECT name, outcome, statements, rows FROM rdsinit.apply_bundle(
	ARRAY['a_tables.sql', 'b_data.sql', 'c_dir/views.sql'],
	ARRAY['CREATE TABLE t (n int)', 'INSERT INTO t VALUES (3)', 'CREATE VIEW v AS TABLE t']);
TABLE v;

-- With others or one by one, they are the same scripts.
SELECT name, outcome FROM rdsinit.apply_bundle(
	ARRAY['c_dir/views.sql', 'a_tables.sql'],
	ARRAY['CREATE VIEW v AS TABLE t', 'CREATE TABLE t (n int)']);
SELECT name, outcome FROM rdsinit.apply('b_data.sql', 'INSERT INTO t VALUES (3)');

-- An error in one undoes them all, and leaves no row of any.
SELECT * FROM rdsinit.apply_bundle(
	ARRAY['1st.sql', '2nd.sql', '3rd.sql'],
	ARRAY['INSERT INTO t VALUES (4)', E'INSERT INTO t VALUES (5);\nINSERT INTO t VALUES (''six'')', 'SELECT 1']);
TABLE v;
SELECT name FROM rdsinit.history WHERE name IN ('1st.sql', '2nd.sql', '3rd.sql');

-- A syntax error in the last is found before the first has run.
CREATE SEQUENCE ran;
SELECT * FROM rdsinit.apply_bundle(
	ARRAY['1st.sql', '2nd.sql'], ARRAY['SELECT nextval(''ran'')', 'SELEC 1']);
SELECT is_called FROM ran;
DROP SEQUENCE ran;

-- A deferred constraint may be met by a later script of the bundle.
SELECT name, outcome FROM rdsinit.apply_bundle(ARRAY['child', 'parent'], ARRAY[
	'CREATE TABLE a (n int PRIMARY KEY); CREATE TABLE b (n int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (1)',
	'INSERT INTO a VALUES (1)']);
SELECT name, outcome FROM rdsinit.apply_bundle(ARRAY['child', 'parent'], ARRAY[
	'INSERT INTO b VALUES (2)', 'INSERT INTO a VALUES (3)']);
DROP TABLE a, b;

-- A bundle that is none.
SELECT * FROM rdsinit.apply_bundle('{}', '{}');
SELECT * FROM rdsinit.apply_bundle('{a,b}', '{SELECT 1}');
SELECT * FROM rdsinit.apply_bundle('{a,b,a}', '{SELECT 1,SELECT 2,SELECT 3}');
SELECT * FROM rdsinit.apply_bundle('{a,NULL}', '{SELECT 1,SELECT 2}');
SELECT * FROM rdsinit.apply_bundle('{a,b}', '{SELECT 1,NULL}');
SELECT * FROM rdsinit.apply_bundle('{{a},{b}}', '{{SELECT 1},{SELECT 2}}');
SELECT * FROM rdsinit.apply_bundle(NULL, '{SELECT 1}');
SELECT * FROM rdsinit.apply_bundle('{a}', NULL);
SELECT * FROM rdsinit.apply_bundle('{a}', '{SELECT 1}', '{"x": 1}');

DROP VIEW v;
DROP TABLE t;

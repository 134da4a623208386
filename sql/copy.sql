-- COPY with the data in the script.
CREATE TABLE t (n int, s text DEFAULT 'none');

SELECT outcome, statements, rows FROM rdsinit.apply('copy.sql', $script$
COPY t FROM stdin;
1	one
2	t\two; "quoted" :not_a_variable $$ -- /*
3	\N
\.
COPY t (s, n) FROM stdin WITH (FORMAT csv, HEADER, DELIMITER ';', NULL 'NULL') WHERE n > 3;
s;n
not this one;3
"four; and
a ""second"" line";4
NULL;5
\.
INSERT INTO t VALUES (6, 'six');
COPY t (n) FROM stdin; INSERT INTO t VALUES (8, 'behind the data');
7
\.
COPY t (n) FROM stdin; INSERT INTO t VALUES (11, 'between'); COPY t (n) FROM stdin; INSERT
9
10
\.
12
\.
INTO t VALUES (13, 'behind both');
SELECT count(*) FROM t$script$);
SELECT * FROM t ORDER BY n;
TRUNCATE t;

-- The data may end with the script, and a line with a carriage return.
SELECT outcome, rows FROM rdsinit.apply('end.sql', E'COPY t FROM stdin;\n1\tone\n2\ttwo');
SELECT outcome, rows FROM rdsinit.apply('crlf.sql', E'COPY t FROM stdin;\r\n3\tthree\r\n\\.\r\nINSERT INTO t VALUES (4, ''four'');\r\n');
SELECT outcome, rows FROM rdsinit.apply('none.sql', E'COPY t FROM stdin;\n\\.\n');
SELECT outcome, rows FROM rdsinit.apply('nothing.sql', 'COPY t FROM stdin');
SELECT outcome, rows FROM rdsinit.apply('twice.sql', E'COPY t (n) FROM stdin;\n5\n\\.\nCOPY t (n) FROM stdin;\n6\n\\.\n');
SELECT * FROM t ORDER BY n;

-- Triggers, defaults, partitions and FREEZE are COPY's own.
SELECT outcome, rows FROM rdsinit.apply('parts.sql', $$
CREATE TABLE parts (n int, made text DEFAULT 'by default') PARTITION BY LIST (n);
CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF parts DEFAULT;
COPY parts (n) FROM stdin;
1
2
\.
CREATE TABLE frozen (n int);
COPY frozen FROM stdin WITH (FREEZE);
1
\.
$$);
SELECT tableoid::regclass, * FROM parts ORDER BY n;

-- The script's encoding is its own affair; what is here is the database's.
SELECT outcome, rows FROM rdsinit.apply('encoding.sql', E'SET client_encoding = ''LATIN1'';\nCOPY t FROM stdin WITH (ENCODING ''LATIN1'');\n9\tä€\n\\.\n');
SELECT * FROM t WHERE n = 9;

-- COPY TO stdout is run; what it prints goes nowhere.
SELECT outcome, statements, rows FROM rdsinit.apply('to.sql', $$
COPY t TO stdout;
COPY t (n) TO stdout WITH (FORMAT csv, HEADER);
COPY (SELECT count(*) FROM t) TO stdout;
COPY (DELETE FROM t WHERE n = 9 RETURNING n) TO stdout;
$$);
SELECT count(*) FROM t WHERE n = 9;

-- An error in the data is in the script's line.
CREATE FUNCTION pg_temp.try(script text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text; context text;
BEGIN
	PERFORM rdsinit.apply('try.sql', script);
	RETURN 'applied';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || message, nullif(hint, ''),
		regexp_replace(context, E'\n?PL/pgSQL function pg_temp[^\n]*', '', 'g'));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try(E'SELECT 1;\n\nCOPY t FROM stdin;\n1\tone\nsecret\ttwo\n\\.\n');
SELECT pg_temp.try(E'COPY t FROM stdin;\n1\tone\n2\ttwo\tsecret\n\\.\n');
SELECT pg_temp.try(E'COPY t FROM stdin;\n1\n\\.\n');
SELECT pg_temp.try(E'COPY t FROM stdin (FORMAT csv);\n1,"never\nclosed\n\\.\n');
SELECT pg_temp.try(E'COPY t FROM stdin;\n1\tone\nSELECT ''the mark is missing'';\n');
SELECT pg_temp.try(E'COPY t (nosuch) FROM stdin;\n1\n\\.\n');
SELECT pg_temp.try(E'COPY nosuch FROM stdin;\n1\n\\.\n');
SELECT pg_temp.try(E'COPY t FROM stdin (FORMAT nosuch);\n1\n\\.\n');
SELECT pg_temp.try(E'COPY t FROM stdin WHERE n;\n1\n\\.\n');
SELECT pg_temp.try(E'COPY t TO stdout (FORMAT nosuch)');
SELECT pg_temp.try(E'CREATE VIEW v AS SELECT 1 AS n;\nCOPY v TO stdout');
SELECT pg_temp.try(E'COPY (DELETE FROM t) TO stdout');
-- A syntax error behind the data is found before any of it is copied.
SELECT pg_temp.try(E'COPY t FROM stdin;\n1\tone\n\\.\nSELEC 1;');
-- A generated column is not there yet when WHERE looks.
SELECT pg_temp.try(E'CREATE TABLE g (n int, twice int GENERATED ALWAYS AS (n * 2) STORED);\nCOPY g (n) FROM stdin WHERE twice > 2;\n1\n\\.\n');
\pset format aligned
\pset tuples_only off

-- The rights are those that COPY itself asks for.
CREATE ROLE regress_rdsinit_copy;
GRANT EXECUTE ON FUNCTION rdsinit.apply TO regress_rdsinit_copy;
GRANT INSERT (n) ON t TO regress_rdsinit_copy;
SET SESSION AUTHORIZATION regress_rdsinit_copy;
SELECT rows FROM rdsinit.apply('column.sql', E'COPY t (n) FROM stdin;\n10\n\\.\n');
SELECT rows FROM rdsinit.apply('table.sql', E'COPY t FROM stdin;\n11\tx\n\\.\n');
SELECT rows FROM rdsinit.apply('to.sql', E'COPY t TO stdout');
RESET SESSION AUTHORIZATION;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION regress_rdsinit_copy;
SELECT rows FROM rdsinit.apply('rls.sql', E'COPY t (n) FROM stdin;\n12\n\\.\n');
RESET SESSION AUTHORIZATION;
SELECT rows FROM rdsinit.apply('read_only.sql', E'SET transaction_read_only = on;\nCOPY t FROM stdin;\n13\tx\n\\.\n');

-- Where a script's statements are, data is passed over.
SELECT ordinal, line, col, tag FROM rdsinit.statements(E'COPY t FROM stdin; SELECT 1;\n1;2\nBEGIN;\n\\.\n\nSELECT 2');

DROP TABLE t, parts, frozen;
REVOKE EXECUTE ON FUNCTION rdsinit.apply FROM regress_rdsinit_copy;
DROP ROLE regress_rdsinit_copy;

\pset pager off
\timing on
\x \t \a
\echo hello :one
\qecho hello
\warn hello
\encoding UTF8
CREATE TABLE a (n int)\;CREATE TABLE b (n int)\; INSERT INTO b VALUES (1)\g
SELECT 1 \g
SELECT format('CREATE TABLE %I (n int)', 'made_' || i), format('INSERT INTO %I VALUES (%s)', 'made_' || i, i)
  FROM generate_series(1, 3) i \gexec
INSERT INTO a VALUES (1) \g

-- corpus: psql -v production=on
\if :production
CREATE TABLE production (n int);
  \if false
  CREATE TABLE never (n int);
  \elif yes
CREATE TABLE nested (n int); \else
  CREATE TABLE nor_this (n int);
  \endif
\else
this is not SQL at all;
\echo not printed
\i not/there.sql
\endif
\if :{?missing}
COPY nowhere FROM stdin;
\elif 0
SELECT nonsense;
\else
CREATE TABLE fallback (n int);
\endif
SELECT count(*) > 0 AS found FROM pg_class WHERE relname = 'nested' \gset
\if :found
INSERT INTO nested VALUES (1);
\endif

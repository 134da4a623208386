CREATE TABLE t (n int);
\ir include/bad.sql

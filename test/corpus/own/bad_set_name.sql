CREATE TABLE t (v int);
\set a-b 1

CREATE TABLE t (n int);
\ir not/there.sql

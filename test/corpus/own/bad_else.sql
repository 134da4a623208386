CREATE TABLE t (v int);
\else

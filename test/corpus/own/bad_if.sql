CREATE TABLE t (n int);
\if true
CREATE TABLE u (n int);

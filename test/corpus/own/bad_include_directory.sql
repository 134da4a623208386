CREATE TABLE t (v int);
\ir include
CREATE TABLE u (v int);

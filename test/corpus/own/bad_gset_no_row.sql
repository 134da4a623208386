CREATE TABLE t (v int);
SELECT v FROM t \gset

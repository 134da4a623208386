CREATE TABLE t (v int);
\set n 1
SELECT 1/(:n - 1);

CREATE TABLE t (n int);
CREATE TABEL u (n int);

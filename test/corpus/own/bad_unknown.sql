CREATE TABLE t (n int);
\nosuchcommand

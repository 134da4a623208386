CREATE TABLE t (n int);
\if false
COPY t FROM stdin;
1
2
\.
CREATE TABLE never (n int);
\endif
INSERT INTO t VALUES (1);

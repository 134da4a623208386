CREATE TABLE t (v int);
COPY nosuch FROM stdin;
1
2
\.
CREATE TABLE u (n int);

CREATE TABLE t (v int);
COPY t FROM stdin;
1
2
CREATE TABLE u (n int);

CREATE TABLE t (n int, m int);
COPY t
  FROM stdin;
1	2
3
5	6
\.
CREATE TABLE u (n int);

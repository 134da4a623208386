CREATE TABLE t (n int);
COPY t FROM stdin;
1
2
three
\.

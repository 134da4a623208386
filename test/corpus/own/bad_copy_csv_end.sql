CREATE TABLE t (v text);
COPY t FROM stdin (FORMAT csv);
"one
\.
two"
\.

CREATE TABLE t (v int);
COPY t FROM stdin;
1
\. 
SELECT 1;

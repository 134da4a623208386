CREATE TABLE t (n int);
CREATE TABLE u (n int);
COPY t FROM stdin; INSERT INTO t VALUES (3); COPY u FROM stdin; INSERT INTO u SELECT n FROM t;
1
2
\.
7
\.
INSERT INTO u VALUES (8);
COPY t /* FROM here */ FROM -- a comment
  stdin -- ; not yet
; -- now
9
\.

-- CRLF, and a byte-order mark
CREATE TABLE crlf (n int, v text);
COPY crlf FROM stdin;
1	one
2	two
\.

INSERT INTO crlf VALUES (3,
  'three');
\set x 4
INSERT INTO crlf VALUES (:x, $$four$$);

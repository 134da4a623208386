-- What COPY … TO stdout prints is nobody's; the script goes on.
CREATE TABLE t (n int);
INSERT INTO t SELECT generate_series(1, 3);
COPY t TO stdout;
COPY (SELECT n * 2 FROM t) TO stdout WITH (FORMAT csv, HEADER);
INSERT INTO t VALUES (4);

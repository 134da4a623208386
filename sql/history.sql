-- The history: one row for each script that was applied.
\d rdsinit.history
\d rdsinit.status

SELECT FROM rdsinit.apply('history.sql', 'CREATE TABLE h (n int); INSERT INTO h VALUES (1), (2)');
SELECT FROM rdsinit.apply('history.sql', 'CREATE TABLE h (n int); INSERT INTO h VALUES (1), (2)');
SELECT FROM rdsinit.apply('history.sql', 'DROP TABLE h', '{"allow_data_loss": true}');
SELECT FROM rdsinit.apply('history.sql', 'DROP TABLE h; -- twice');

-- 'unchanged' and a failure leave no row.
SELECT name, outcome, checksum, statements, rows, applied_by = current_user AS by_me,
	   applied_at <= clock_timestamp() AS at, duration > '0' AS took_time,
	   rdsinit_version = (SELECT extversion FROM pg_extension WHERE extname = 'rdsinit') AS version
  FROM rdsinit.history WHERE name = 'history.sql' ORDER BY id;
SELECT name, outcome, checksum, statements, rows FROM rdsinit.status WHERE name = 'history.sql';

-- The checksum is what sha256sum prints of the file.
SELECT checksum = encode(sha256(convert_to('DROP TABLE h', 'UTF8')), 'hex') FROM rdsinit.status WHERE name = 'history.sql';

-- A dump brings the history along.
SELECT extconfig::regclass[] FROM pg_extension WHERE extname = 'rdsinit';

-- It grows at its end, whatever index is put on it.
CREATE INDEX regress_rdsinit_idx ON rdsinit.history (lower(name)) WHERE statements > 0;
SET enable_seqscan = off;
SELECT FROM rdsinit.apply('INDEXED.sql', 'SELECT 1');
SELECT count(*) FROM rdsinit.history WHERE lower(name) = 'indexed.sql' AND statements > 0;
RESET enable_seqscan;
DROP INDEX rdsinit.regress_rdsinit_idx;

-- A second ledger would apply everything twice: the fallback's is respected.
CREATE SCHEMA rdsinit_plain;
CREATE TABLE rdsinit_plain.history ();
SELECT * FROM rdsinit.apply('plain.sql', 'SELECT 1');
-- But not one that anybody could have made.
CREATE ROLE regress_rdsinit_anybody;
ALTER TABLE rdsinit_plain.history OWNER TO regress_rdsinit_anybody;
SELECT outcome FROM rdsinit.apply('plain.sql', 'SELECT 1');
DROP SCHEMA rdsinit_plain CASCADE;
DROP ROLE regress_rdsinit_anybody;

-- A script that would not see what another call has made must not be run: the
-- transaction has to begin again.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT outcome FROM rdsinit.apply('repeatable_read.sql', 'SELECT 1');
SELECT outcome FROM rdsinit.apply('repeatable_read.sql', 'SELECT 1');
SELECT outcome FROM rdsinit.apply('repeatable_read.sql', 'SELECT 2');
SELECT (rdsinit.apply('repeatable_read.sql', 'SELECT ' || n)).outcome FROM generate_series(3, 5) n;
COMMIT;

-- Strings with backslashes, as PostgreSQL before 19 could still read them.
-- What a backslash means is for standard_conforming_strings to say …
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT line, col, text FROM rdsinit.statements(E'SELECT ''\\'';''; SELECT 2');
RESET standard_conforming_strings;
RESET escape_string_warning;
SELECT line, col, text FROM rdsinit.statements(E'SELECT ''\\'';''; SELECT 2');
SELECT line, col, text FROM rdsinit.statements(E'SELECT ''\\''; SELECT 2');

-- … and holds from where a script sets it.
SELECT outcome, statements FROM rdsinit.apply('strings.sql', $$
CREATE TEMP TABLE strings (s text);
INSERT INTO strings VALUES ('back\slash');
SET escape_string_warning = off;
SET standard_conforming_strings = off;
INSERT INTO strings VALUES ('tab\tstop');
INSERT INTO strings VALUES ('\';'), ('it\'s; old');
$$);
SELECT replace(s, E'\t', '<tab>') FROM strings;

-- What the parser remarks in a script without a transaction, it remarks once.
SET client_min_messages = warning;
CALL rdsinit.deploy('{remark.sql}', ARRAY[E'-- rdsinit: no-transaction\nSET standard_conforming_strings = off;\nDO ''BEGIN PERFORM \\\'\\\'; END'';']) \gset

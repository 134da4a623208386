-- rdsinit.deploy: a bundle as rdsinit.apply_bundle takes it, and scripts of what
-- no transaction allows.

-- A history of its own.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;

-- What became of the statements of scripts, and of the scripts as wholes.
CREATE VIEW steps AS
	SELECT name, statement, outcome, statements, rows FROM rdsinit.history ORDER BY id;
-- An INVALID index is what a failed CREATE INDEX CONCURRENTLY leaves behind.
CREATE VIEW indexes AS
	SELECT relname AS index, indisvalid AS valid, pg_get_indexdef(indexrelid) AS definition
	  FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid::regclass::text ~ '^(regress_\w+\.)?t\d?$' ORDER BY relname COLLATE "C";
-- What a deployment of one script says.
CREATE PROCEDURE deploy(name text, script text, options jsonb DEFAULT '{}') LANGUAGE plpgsql AS $$
DECLARE report jsonb; row jsonb;
BEGIN
	CALL rdsinit.deploy(ARRAY[name], ARRAY[script], options || '{"allow_missing": true}', report);
	FOR row IN SELECT * FROM jsonb_array_elements(report) LOOP
		RAISE INFO '% %: % statements, % rows', row->>'name', row->>'outcome', row->>'statements', row->>'rows';
	END LOOP;
END $$;

-- The report is a row for each script.
CALL rdsinit.deploy('{V1__t.sql,schema.sql}', ARRAY['CREATE TABLE t (n int)', 'INSERT INTO t VALUES (1), (2)']) \gset
\a \t
SELECT jsonb_pretty(jsonb_agg(row - 'microseconds' - 'checksum' || jsonb_build_object(
	'in time', (row->>'microseconds')::bigint > 0, 'SHA-256', length(row->>'checksum') = 64)))
  FROM jsonb_array_elements(:'report') row;
\a \t
-- So it is when there is nothing to do.
CALL rdsinit.deploy('{V1__t.sql,schema.sql}', ARRAY['CREATE TABLE t (n int)', 'INSERT INTO t VALUES (1), (2)']) \gset
SELECT row->'name' AS name, row->'version' AS version, row->'outcome' AS outcome, row->'statements' AS statements FROM jsonb_array_elements(:'report') row;

-- A script that begins with a comment which asks for it is run without a
-- transaction, statement by statement.  What comes before is committed; what
-- comes behind is a transaction again.
\set names '''{V1__t.sql,V2__more.sql,V3__index.sql,V4__a.sql,V5__b.sql,V6__dbmate.sql,V7__goose.sql,R__v.sql}'''
\set scripts 'ARRAY[''CREATE TABLE t (n int)'', ''INSERT INTO t VALUES (3)'', E''-- The index.\\n-- rdsinit: no-transaction\\n\\nCREATE INDEX CONCURRENTLY t_n ON t (n);\\nVACUUM t;\\nINSERT INTO t SELECT 4 FROM generate_series(1, 3);\\nANALYZE t;'', ''INSERT INTO t VALUES (5)'', ''INSERT INTO t VALUES (6)'', E''-- migrate:up transaction:false\\nREINDEX INDEX CONCURRENTLY t_n;\\n-- migrate:down\\nVACUUM;'', E''-- +goose NO TRANSACTION\\n-- +goose Up\\nDROP INDEX CONCURRENTLY t_n;\\n'', ''CREATE VIEW v AS TABLE t'']'
CALL rdsinit.deploy(:names, :scripts) \gset
SELECT row->>'name' AS name, row->>'version' AS version, row->>'outcome' AS outcome, row->>'statements' AS statements, row->>'rows' AS rows FROM jsonb_array_elements(:'report') row;
TABLE steps;
CALL rdsinit.deploy(:names, :scripts) \gset
SELECT DISTINCT row->>'outcome' AS outcome FROM jsonb_array_elements(:'report') row;
DROP VIEW v;

-- Any script can be told to be run so by the call, and a repeatable one too.
CALL deploy('vacuum.sql', 'VACUUM t', '{"no_transaction": ["vacuum.sql"]}');
CALL deploy('vacuum.sql', 'VACUUM t', '{"no_transaction": ["vacuum.sql"]}');
CALL deploy('vacuum.sql', E'-- rdsinit: no-transaction\nVACUUM t; VACUUM t');
SELECT statement, outcome FROM steps WHERE name = 'vacuum.sql';
-- The comment counts in front of the first statement alone.
CALL deploy('late.sql', E'SELECT 1;\n-- rdsinit: no-transaction\nVACUUM t;');

-- Only CALL can do that, with no transaction around it: nothing has been done.
SELECT * FROM rdsinit.apply('no.sql', E'-- rdsinit: no-transaction\nVACUUM t');
SELECT * FROM rdsinit.apply_bundle('{a.sql,no.sql}', ARRAY['CREATE TABLE never_made ()', E'-- rdsinit: no-transaction\nVACUUM t']);
BEGIN;
CALL rdsinit.deploy('{a.sql,no.sql}', ARRAY['CREATE TABLE never_made ()', E'-- rdsinit: no-transaction\nVACUUM t']);
ROLLBACK;
SELECT 1 AS one \; CALL rdsinit.deploy('{a.sql,no.sql}', ARRAY['CREATE TABLE never_made ()', E'-- rdsinit: no-transaction\nVACUUM t']);
CREATE PROCEDURE with_settings() LANGUAGE plpgsql SET search_path = public AS $$ BEGIN CALL deploy('no.sql', E'-- rdsinit: no-transaction\nVACUUM t'); END $$;
CALL with_settings();
DO $$
BEGIN
	CALL deploy('no.sql', E'-- rdsinit: no-transaction\nVACUUM t');
EXCEPTION WHEN active_sql_transaction THEN
	RAISE NOTICE '%: %', SQLSTATE, SQLERRM;
END $$;
CREATE FUNCTION deploys() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL deploy('no.sql', E'-- rdsinit: no-transaction\nVACUUM t'); END $$;
SELECT deploys();
SELECT to_regclass('never_made');
-- Where no script needs that, it may be called anywhere.
BEGIN;
CALL deploy('a.sql', 'CREATE TABLE in_transaction ()');
ROLLBACK;
SELECT to_regclass('in_transaction');
SELECT name FROM rdsinit.history WHERE name = 'a.sql';
-- A DO block or a procedure that could commit itself is no transaction.
DO $$ BEGIN CALL deploy('do.sql', E'-- rdsinit: no-transaction\nVACUUM t'); END $$;

-- Errors say where, as ever.
CALL deploy('error.sql', E'-- rdsinit: no-transaction\nVACUUM t;\n\n  SELECT 1,\n    nosuchcolumn;\nVACUUM t;');
CALL deploy('error.sql', E'-- rdsinit: no-transaction\nVACUUM t;\n\n  SELECT 1;\nDO $$\nBEGIN\n  PERFORM 1 / 0;\nEND $$;');
SELECT statement, outcome, statements FROM steps WHERE name = 'error.sql';
-- What was done is done: it must stay as it was.
CALL deploy('error.sql', E'-- rdsinit: no-transaction\nVACUUM (ANALYZE) t;\n\n  SELECT 1;');
CALL deploy('error.sql', E'-- rdsinit: no-transaction\nVACUUM (ANALYZE) t;\n\n  SELECT 1;', '{"allow_changed": true}');
SELECT statement, outcome, statements FROM steps WHERE name = 'error.sql';
-- Before it, what has been committed is there; behind it, nothing has been begun.
CALL rdsinit.deploy('{V8__before.sql,V9__fails.sql,V10__behind.sql}',
	ARRAY['CREATE TABLE t8 ()', E'-- rdsinit: no-transaction\nINSERT INTO t VALUES (7);\nINSERT INTO t VALUES (''x'');', 'CREATE TABLE t10 ()'], '{"allow_missing": true}');
SELECT to_regclass('t8'), to_regclass('t10'), count(*) FROM t WHERE n = 7;
CALL rdsinit.deploy('{V8__before.sql,V9__fails.sql,V10__behind.sql}',
	ARRAY['CREATE TABLE t8 ()', E'-- rdsinit: no-transaction\nINSERT INTO t VALUES (7);\nINSERT INTO t VALUES (8);', 'CREATE TABLE t10 ()'], '{"allow_missing": true}') \gset
SELECT row->>'name' AS name, row->>'outcome' AS outcome, row->>'statements' AS statements, row->>'rows' AS rows FROM jsonb_array_elements(:'report') row;
SELECT count(*) FROM t WHERE n = 7;
-- What cannot be parsed, or does not belong there, is found before anything has run.
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nVACCUM t;');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nBEGIN;\nCOMMIT;');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nCOPY t FROM stdin;\n1\n\\.\n');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nSELECT 1 AS x \\gset\n');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nSELECT $$VACUUM$$ \\gexec\n');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nDISCARD ALL;');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nDEALLOCATE ALL;');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nDROP EXTENSION rdsinit;');
CALL deploy('refused.sql', E'-- rdsinit: no-transaction\nCREATE TABLE never_made ();\nALTER EXTENSION rdsinit UPDATE;');
SELECT to_regclass('never_made'), count(*) FROM rdsinit.history WHERE name = 'refused.sql';
CALL deploy('nested.sql', E'-- rdsinit: no-transaction\nDO $$ DECLARE r jsonb; BEGIN CALL rdsinit.deploy(''{x}'', ''{SELECT 1}'', ''{}'', r); END $$;');
-- psql's variables are known beforehand, and their values are in no error.
CALL deploy('variables.sql', E'-- rdsinit: no-transaction\n\\set two 2\nINSERT INTO t SELECT 9 FROM generate_series(1, :two);\nSELECT :''word''::int;', '{"variables": {"word": "secret"}}');
-- … no more than one that the variable has no longer; and columns are counted as the script has them.
CALL deploy('variables2.sql', E'-- rdsinit: no-transaction\n\\set word former\nSELECT :''word'', :''word''::int;\n\\unset word');
CALL deploy('variables3.sql', E'-- rdsinit: no-transaction\n\\set word ''some words''\nSELECT :''word'' AS "ä",\n  :''word'' || nosuch;');
CALL deploy('variables4.sql', E'-- rdsinit: no-transaction\n\\set name nosuch\nSELECT 1, :name;');
-- Messages come as they do otherwise; what returns rows returns them to nobody.
CALL deploy('notice.sql', E'-- rdsinit: no-transaction\nDROP TABLE IF EXISTS nosuchtable;\nSELECT n FROM t;\nCOPY t TO stdout;\nDO $$ BEGIN RAISE NOTICE ''noted''; RAISE WARNING ''warned'' USING HINT = ''of nothing''; COMMIT; END $$;');

--
-- Going on where a deployment was cut off: the history says what is known.
--
CREATE PROCEDURE was(script text, at int, what text) LANGUAGE sql AS $$
	INSERT INTO rdsinit.history (name, statement, outcome, statements, rows, duration, applied_by, applied_at, rdsinit_version)
	VALUES (script, at, what, 0, 0, '0', current_user, now(), '')
$$;
-- What was done is not done again; what runs in a transaction was done or was not.
CALL was('cut.sql', 1, 'done');
CALL was('cut.sql', 2, 'failed');
CALL deploy('cut.sql', E'-- rdsinit: no-transaction\nSELECT 1/0;\nINSERT INTO t VALUES (10);');
-- VACUUM, REINDEX and CLUSTER are done again.
CALL was('again.sql', 1, 'started');
CALL was('again.sql', 2, 'started');
CALL was('again.sql', 3, 'started');
CALL deploy('again.sql', E'-- rdsinit: no-transaction\nVACUUM t;\nREINDEX TABLE t;\nCLUSTER;');
-- Of anything else the caller has to say whether it was done.
CALL was('unknown.sql', 1, 'started');
CALL deploy('unknown.sql', E'-- rdsinit: no-transaction\nDO $$ BEGIN INSERT INTO t VALUES (11); COMMIT; END $$;');
CALL deploy('unknown.sql', E'-- rdsinit: no-transaction\nDO $$ BEGIN INSERT INTO t VALUES (11); COMMIT; END $$;');
CALL deploy('unknown.sql', E'-- rdsinit: no-transaction\nDO $$ BEGIN INSERT INTO t VALUES (11); COMMIT; END $$;', '{"resume": "skip"}');
SELECT statement, outcome FROM steps WHERE name = 'unknown.sql';
CALL was('unknown again.sql', 1, 'started');
CALL deploy('unknown again.sql', E'-- rdsinit: no-transaction\nDO $$ BEGIN INSERT INTO t VALUES (12); COMMIT; END $$;', '{"resume": "again"}');
SELECT n, count(*) FROM t WHERE n IN (11, 12) GROUP BY n;
-- One that has failed is no such case.
CALL was('known.sql', 1, 'failed');
CALL deploy('known.sql', E'-- rdsinit: no-transaction\nDO $$ BEGIN COMMIT; END $$;');
-- Rows that make no sense are passed over.
CALL was('odd.sql', -1, 'done');
CALL was('odd.sql', 0, 'done');
CALL was('odd.sql', 1000000, 'done');
CALL deploy('odd.sql', E'-- rdsinit: no-transaction\nVACUUM t;');

--
-- CREATE INDEX CONCURRENTLY that fails leaves an INVALID index behind.
--
CREATE TABLE t1 (n int, word text, n2 int);
INSERT INTO t1 VALUES (1, 'a', 1), (1, 'b', 2);
CALL deploy('unique.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t1_n ON t1 (n);');
TABLE indexes;
-- Once the data is mended, that is dropped and the index built.
UPDATE t1 SET n = n2;
CALL deploy('unique.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t1_n ON t1 (n);');
TABLE indexes;
SELECT statement, outcome, statements FROM steps WHERE name = 'unique.sql';
-- The same of one that the server has named, and of one with IF NOT EXISTS.
UPDATE t1 SET n2 = 7, word = 'a';
CALL deploy('unnamed.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY ON t1 (n2, lower(word) DESC) WHERE n2 > 0;');
CALL deploy('exists.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "t1 Word" ON t1 (word);');
TABLE indexes;
UPDATE t1 SET n2 = n, word = n;
CALL deploy('unnamed.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY ON t1 (n2, lower(word) DESC) WHERE n2 > 0;');
CALL deploy('exists.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "t1 Word" ON t1 (word);');
TABLE indexes;
-- A valid one like the one asked for counts as done, be it unnamed, partial, of expressions.
CALL was('done.sql', 1, 'started');
CALL was('done.sql', 2, 'started');
CALL was('done.sql', 3, 'failed');
CALL deploy('done.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t1_n ON public.t1 USING btree (n ASC);\nCREATE UNIQUE INDEX CONCURRENTLY ON t1 (n2, lower(word) DESC) WHERE n2 > 0;\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "t1 Word" ON t1 (word);');
SELECT statement, outcome, statements FROM steps WHERE name = 'done.sql';
SELECT count(*) FROM indexes;
-- Another one of its name does not.
CALL was('other.sql', 1, 'started');
CALL deploy('other.sql', E'-- rdsinit: no-transaction\nCREATE INDEX CONCURRENTLY t1_n ON t1 (n);');
CALL deploy('other.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t1_n ON t1 (n DESC);');
SELECT statement, outcome FROM steps WHERE name = 'other.sql';
-- IF NOT EXISTS does not take an INVALID one of somebody else's for the finished one.
DROP INDEX t1_n, t1_n2_lower_idx;
UPDATE t1 SET n = 1;
CREATE UNIQUE INDEX CONCURRENTLY t1_n ON t1 (n);
CALL deploy('their.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t1_n ON t1 (n);');
SELECT statement, outcome FROM steps WHERE name = 'their.sql';
UPDATE t1 SET n = n2;
DROP INDEX t1_n;
CALL deploy('their.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t1_n ON t1 (n);');
-- An INVALID one beside a valid one of the same definition is the one that was left behind.
UPDATE t1 SET n2 = 1;
CREATE INDEX CONCURRENTLY t1_first ON t1 (n2, n);
CALL deploy('two.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY ON t1 (n2);');
DROP INDEX "t1 Word", t1_first;
UPDATE t1 SET n2 = n;
CREATE UNIQUE INDEX t1_valid ON t1 (n2);
CALL deploy('two.sql', E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY ON t1 (n2);');
TABLE indexes;
-- Whoever may make no temporary table is asked, since nothing can be compared.
SELECT current_database() AS database \gset
REVOKE TEMPORARY ON DATABASE :"database" FROM PUBLIC;
CREATE ROLE regress_rdsinit_deployer LOGIN;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA rdsinit TO regress_rdsinit_deployer;
GRANT ALL ON SCHEMA public TO regress_rdsinit_deployer;
ALTER TABLE t1 OWNER TO regress_rdsinit_deployer;
CALL was('asked.sql', 1, 'started');
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
CALL rdsinit.deploy('{asked.sql}', ARRAY[E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t1_valid ON t1 (n2);']);
CALL rdsinit.deploy('{asked.sql}', ARRAY[E'-- rdsinit: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t1_valid ON t1 (n2);'], '{"resume": "skip"}') \gset
RESET SESSION AUTHORIZATION;
GRANT TEMPORARY ON DATABASE :"database" TO PUBLIC;
-- DROP INDEX CONCURRENTLY that was begun, and of which the index is gone, was done …
CALL was('drop.sql', 1, 'started');
CALL was('drop.sql', 2, 'started');
CALL deploy('drop.sql', E'-- rdsinit: no-transaction\nDROP INDEX CONCURRENTLY t1_gone;\nDROP INDEX CONCURRENTLY t1_valid;');
SELECT index FROM indexes WHERE index ~ 'valid|gone';
-- … but not one that has failed.
CALL deploy('typo.sql', E'-- rdsinit: no-transaction\nDROP INDEX CONCURRENTLY t1_typo;');
CALL deploy('typo.sql', E'-- rdsinit: no-transaction\nDROP INDEX CONCURRENTLY t1_typo;');

--
-- Settings, roles and rights
--
-- What the session has set holds in the script; what the script sets holds in
-- all of it, and not longer.
CREATE SCHEMA regress_app;
CREATE TABLE settings (ordinal serial, search_path text, work_mem text, lock_timeout text, "user" text);
GRANT ALL ON settings, settings_ordinal_seq TO PUBLIC;
\set note 'INSERT INTO public.settings (search_path, work_mem, lock_timeout, "user") VALUES (current_setting($$search_path$$), current_setting($$work_mem$$), current_setting($$lock_timeout$$), current_user);\n'
SET work_mem = '5MB';
SET regress.custom = 'kept';
SELECT E'-- rdsinit: no-transaction\n' || :'note' || 'SET search_path = regress_app; SET work_mem = 6144; SET lock_timeout = 7000;' || :'note'
	|| 'VACUUM public.t; CREATE TABLE t2 AS SELECT current_setting($$regress.custom$$) AS custom; CREATE INDEX CONCURRENTLY ON t2 (custom);' || :'note' AS script \gset
CALL rdsinit.deploy('{settings.sql,settings2.sql}', ARRAY[:'script', E'-- rdsinit: no-transaction\n' || :'note']) \gset
SELECT search_path, work_mem, lock_timeout FROM settings ORDER BY ordinal;
SELECT * FROM regress_app.t2;
SHOW search_path;
SHOW work_mem;
RESET work_mem;
-- Where it goes on, the settings are made again, a dump's among them; names are
-- looked up as they are there.
CALL was('path.sql', 2, 'started');
CALL was('path.sql', 4, 'started');
CALL deploy('path.sql', E'-- rdsinit: no-transaction\nSET search_path = regress_app;\nCREATE INDEX CONCURRENTLY ON t2 (custom);\nSELECT pg_catalog.set_config(''search_path'', ''public'', false);\nCREATE UNIQUE INDEX CONCURRENTLY t1_n ON t1 (n);');
SELECT statement, outcome, statements FROM steps WHERE name = 'path.sql';

-- The role that SET ROLE has set is the script's, and whose name the history has.
CREATE ROLE regress_rdsinit_member;
GRANT regress_rdsinit_member TO regress_rdsinit_deployer;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA rdsinit TO regress_rdsinit_member;
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
SELECT E'-- rdsinit: no-transaction\n' || :'note' || 'SET ROLE regress_rdsinit_member;' || :'note' || 'RESET ROLE;' AS script \gset
TRUNCATE settings;
CALL rdsinit.deploy('{role.sql}', ARRAY[:'script']) \gset
SET ROLE regress_rdsinit_member;
CALL rdsinit.deploy('{member.sql}', ARRAY[E'-- rdsinit: no-transaction\nSELECT 1;' || :'note']) \gset
-- It has the caller's rights and no others.
CALL rdsinit.deploy('{rights.sql}', ARRAY[E'-- rdsinit: no-transaction\nSELECT 1;\nSELECT * FROM pg_authid;']);
CALL rdsinit.deploy('{rights.sql}', ARRAY[E'-- rdsinit: no-transaction\nSELECT 1;\nALTER SYSTEM SET work_mem = 1;']);
CALL rdsinit.deploy('{rights.sql}', ARRAY[E'-- rdsinit: no-transaction\nSELECT 1;\nSET SESSION AUTHORIZATION regress_rdsinit_deployer;\nSET SESSION AUTHORIZATION regress_rdsinit_member;']);
CALL rdsinit.deploy('{rights.sql}', ARRAY[E'-- rdsinit: no-transaction\nSELECT 1;\nUPDATE rdsinit.history SET name = name;']);
RESET SESSION AUTHORIZATION;
SELECT "user" FROM settings ORDER BY ordinal;
SELECT name, statement, outcome, applied_by FROM rdsinit.history WHERE name IN ('role.sql', 'member.sql') ORDER BY id;
-- A function with its owner's rights has them from nobody but its owner.
CREATE PROCEDURE as_owner() LANGUAGE plpgsql SECURITY DEFINER AS $$ DECLARE r jsonb; BEGIN CALL rdsinit.deploy('{o.sql}', ARRAY[E'-- rdsinit: no-transaction\nVACUUM;'], '{}', r); END $$;
CALL as_owner();
CREATE FUNCTION makes_database() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$ SELECT rdsinit.ensure_database('regress_rdsinit_never') $$;
SELECT makes_database();

--
-- In time
--
CALL deploy('slow.sql', E'-- rdsinit: no-transaction\nSELECT pg_sleep(60);', '{"timeout": "500ms"}');
SET statement_timeout = '500ms';
CALL deploy('slow.sql', E'-- rdsinit: no-transaction\nSELECT pg_sleep(60);');
RESET statement_timeout;
CALL deploy('slow2.sql', E'SELECT pg_sleep(60);', '{"timeout": "500ms"}');
SELECT statement, outcome FROM steps WHERE name ~ 'slow';
-- No worker is left, and the next deployment goes on.
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rdsinit';
CALL deploy('slow.sql', E'-- rdsinit: no-transaction\nSELECT 1;', '{"timeout": "1min"}');

--
-- Partitions, which the catalog alone knows of
--
CREATE TABLE part (n int) PARTITION BY RANGE (n);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20);
CREATE INDEX part_n ON part (n);
CALL deploy('part.sql', E'-- rdsinit: no-transaction\nREINDEX TABLE part;\nREINDEX TABLE CONCURRENTLY part;\nALTER TABLE part DETACH PARTITION part2 CONCURRENTLY;');
SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'part'::regclass ORDER BY 1;

-- In the end no lock is left.
SELECT count(*) AS at_work FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_extension'::regclass;
SET client_min_messages = warning;
DROP VIEW steps, indexes;
DROP ROUTINE deploy, was, with_settings, deploys, as_owner, makes_database;
DROP SCHEMA regress_app CASCADE;
DROP TABLE t, t1, t8, t10, settings, part, part2;
REVOKE ALL ON SCHEMA public FROM regress_rdsinit_deployer;
DROP OWNED BY regress_rdsinit_deployer, regress_rdsinit_member;
DROP ROLE regress_rdsinit_deployer, regress_rdsinit_member;

-- rdsinit.adopt: the history of another tool is taken over, so that what that
-- has applied is not applied again.

-- A history of its own.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;

--
-- Flyway
--
CREATE TABLE flyway_schema_history (
	installed_rank int NOT NULL PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
	type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
	installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
INSERT INTO flyway_schema_history VALUES
	(0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '"app"', NULL, 'me', now(), 0, true),
	(1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'me', now(), 0, true),
	(2, '1.1', 'tables', 'SQL', 'V1.1__tables.sql', 123, 'me', now(), 12, true),
	(3, '2.0', 'more', 'SQL', 'V2.0__more.sql', 124, 'me', now(), 12, true),
	(4, '3', 'undone', 'SQL', 'V3__undone.sql', 125, 'me', now(), 12, true),
	(5, NULL, 'views', 'SQL', 'R__views.sql', 126, 'me', now(), 12, true),
	(6, '3', 'undone', 'UNDO_SQL', 'U3__undone.sql', 127, 'me', now(), 12, true),
	(7, '4', 'code', 'JDBC', 'V4__code', 128, 'me', now(), 12, true);
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('flyway_schema_history');
SELECT name, version, outcome, checksum IS NULL AS "any body" FROM rdsinit.history ORDER BY id;
SELECT name, state FROM rdsinit.pending('{V1__all.sql,V1.1__tables.sql,V2.0__more.sql,V3__undone.sql,V4__code.sql,V5__new.sql,R__views.sql}', '{1,2,3,4,5,6,7}');
-- What has been taken over is not run, whatever its body is.
SELECT name, outcome FROM rdsinit.apply_bundle('{V1.1__tables.sql,V2.0__more.sql,V4__code.sql,V5__new.sql}', '{not looked at,not looked at,not looked at,SELECT 1}');
-- Once is enough.
SELECT name, outcome FROM rdsinit.adopt('flyway_schema_history');
ROLLBACK;
-- One that has been undone and applied again was applied.
INSERT INTO flyway_schema_history VALUES (8, '3', 'undone', 'SQL', 'V3__undone.sql', 125, 'me', now(), 12, true);
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('flyway_schema_history') WHERE name ~ '^V3';
ROLLBACK;
-- One that has failed has to be repaired first.
UPDATE flyway_schema_history SET success = false WHERE installed_rank = 7;
SELECT name, outcome FROM rdsinit.adopt('flyway_schema_history');
DROP TABLE flyway_schema_history;

--
-- golang-migrate: it knows of one version only, all below that was applied.
--
CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
INSERT INTO schema_migrations VALUES (12, false);
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('schema_migrations');
SELECT name, state FROM rdsinit.pending('{0001_a.up.sql,0012_l.up.sql,0013_m.up.sql}', '{1,2,3}');
ROLLBACK;
UPDATE schema_migrations SET dirty = true;
SELECT name, outcome FROM rdsinit.adopt('schema_migrations');
DROP TABLE schema_migrations;

--
-- dbmate
--
CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20260102000000'), ('20260101000000');
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('schema_migrations');
SELECT name, state FROM rdsinit.pending('{20260101000000_a.sql,20260102000000_b.sql,20260103000000_c.sql}', '{1,2,3}');
ROLLBACK;
INSERT INTO schema_migrations VALUES ('latest');
SELECT name, outcome FROM rdsinit.adopt('schema_migrations');
TRUNCATE schema_migrations;
SELECT name, outcome FROM rdsinit.adopt('schema_migrations');
DROP TABLE schema_migrations;

--
-- goose: the last row of a version counts.
--
CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp DEFAULT now());
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (3, true), (3, false), (2, false), (2, true);
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('goose_db_version');
SELECT name, state FROM rdsinit.pending('{00001_a.sql,00002_b.sql,00003_c.sql}', '{1,2,3}');
ROLLBACK;
DROP TABLE goose_db_version;

--
-- diesel
--
CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now());
INSERT INTO __diesel_schema_migrations VALUES ('00000000000000'), ('20260101120000'), ('202601011200000000'), ('202601011200000002');
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('__diesel_schema_migrations');
SELECT name, version FROM rdsinit.history ORDER BY id;
SELECT name, state FROM rdsinit.pending('{00000000000000_setup/up.sql,2026-01-01-120000_a/up.sql,2026-01-01-120000-0000_a2/up.sql,2026-01-01-120000-0002_b/up.sql,2026-01-02-120000_c/up.sql}', '{1,2,3,4,5}');
ROLLBACK;
DROP TABLE __diesel_schema_migrations;

--
-- prisma
--
CREATE TABLE _prisma_migrations (
	id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text,
	rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT clock_timestamp(), applied_steps_count int NOT NULL DEFAULT 0);
INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, rolled_back_at) VALUES
	('a', '1', now(), '20260101120000_a', NULL), ('b', '2', NULL, '20260102120000_b', now()), ('c', '2', now(), '20260102120000_b', NULL);
BEGIN;
SELECT name, outcome FROM rdsinit.adopt('_prisma_migrations');
SELECT name, state FROM rdsinit.pending('{20260101120000_a/migration.sql,20260102120000_b/migration.sql,20260103120000_c/migration.sql}', '{1,2,3}');
ROLLBACK;
INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('d', '2', NULL, '20260103120000_c');
SELECT name, outcome FROM rdsinit.adopt('_prisma_migrations');
DROP TABLE _prisma_migrations;

--
-- The fallback's, which the trigger keeps where the extension cannot be had: it
-- is copied as it is, and put aside.
--
CREATE SCHEMA rdsinit_plain;
CREATE TABLE rdsinit_plain.history (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL, version text, statement int, outcome text NOT NULL,
	checksum text, statements bigint NOT NULL, rows bigint NOT NULL, duration interval NOT NULL, applied_by text NOT NULL,
	applied_at timestamptz NOT NULL, rdsinit_version text NOT NULL, undo_name text, undo text);
INSERT INTO rdsinit_plain.history (name, version, statement, outcome, checksum, statements, rows, duration, applied_by, applied_at, rdsinit_version, undo_name, undo) VALUES
	('(baseline)', '1', NULL, 'baseline', NULL, 0, 0, '0', 'me', '2026-01-01', '0.1.0', NULL, NULL),
	('V2__a.sql', '2', NULL, 'applied', encode(sha256('SELECT 2'), 'hex'), 1, 5, '1.5 s', 'me', '2026-01-01', '0.1.0', 'U2__a.sql', 'SELECT 22'),
	('V3__b.sql', '3', 1, 'started', encode(sha256('VACUUM'), 'hex'), 0, 0, '0', 'me', '2026-01-01', '0.1.0', NULL, NULL),
	('V3__b.sql', '3', 1, 'done', encode(sha256('VACUUM'), 'hex'), 1, 0, '1 s', 'me', '2026-01-01', '0.1.0', NULL, NULL),
	('V3__b.sql', '3', 2, 'started', encode(sha256('VACUUM'), 'hex'), 0, 0, '0', 'me', '2026-01-01', '0.1.0', NULL, NULL),
	('schema.sql', NULL, NULL, 'applied', encode(sha256('SELECT 1'), 'hex'), 1, 0, '0', 'me', '2026-01-01', '0.1.0', NULL, NULL);
-- Nothing is applied as long as it is there.
SELECT * FROM rdsinit.apply('schema.sql', 'SELECT 1');
SELECT * FROM rdsinit.pending('{schema.sql}', '{SELECT 1}');
SELECT * FROM rdsinit.baseline('1');
SELECT * FROM rdsinit.undo('0');
CALL rdsinit.deploy('{schema.sql}', '{SELECT 1}');
SELECT name, outcome, statements, rows, duration FROM rdsinit.adopt('rdsinit_plain.history');
SELECT name, version, statement, outcome, statements, rows, duration, undo_name, undo FROM rdsinit.history ORDER BY id;
SELECT to_regclass('rdsinit_plain.history') AS before, to_regclass('rdsinit_plain.history_adopted') AS adopted;
SELECT name, state FROM rdsinit.pending('{V1__z.sql,V2__a.sql,V3__b.sql,schema.sql}', '{0,SELECT 2,"VACUUM; VACUUM",SELECT 1}');
-- A deployment goes on where the fallback was cut off.
CALL rdsinit.deploy('{V1__z.sql,V2__a.sql,V3__b.sql,schema.sql}', ARRAY['0', 'SELECT 2', E'-- rdsinit: no-transaction\nVACUUM;VACUUM', 'SELECT 1']) \gset
SELECT name, statement, outcome FROM rdsinit.history WHERE name = 'V3__b.sql' ORDER BY id;
SELECT name, outcome FROM rdsinit.undo('2');
DROP TABLE rdsinit_plain.history_adopted;
DROP SCHEMA rdsinit_plain;

--
-- What is none
--
CREATE TABLE other (id int);
SELECT * FROM rdsinit.adopt('other');
DROP TABLE other;
SELECT * FROM rdsinit.adopt('rdsinit.history_pkey');
SELECT * FROM rdsinit.adopt('nosuchtable');
SELECT * FROM rdsinit.adopt(NULL);
SELECT * FROM rdsinit.adopt(0);
-- Ours knows of versions already.
CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
SELECT * FROM rdsinit.adopt('schema_migrations');
-- The caller has to have the right to read it.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;
CREATE ROLE regress_rdsinit_deployer;
GRANT EXECUTE ON FUNCTION rdsinit.adopt TO regress_rdsinit_deployer;
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
SELECT * FROM rdsinit.adopt('schema_migrations');
RESET SESSION AUTHORIZATION;
GRANT SELECT ON schema_migrations TO regress_rdsinit_deployer;
INSERT INTO schema_migrations VALUES ('1');
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
SELECT name, outcome FROM rdsinit.adopt('schema_migrations');
RESET SESSION AUTHORIZATION;
DROP TABLE schema_migrations;
-- What holds nothing where a name has to be, does no harm.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;
CREATE TABLE odd AS SELECT 1 AS id, NULL::text AS name, '1'::text AS version, NULL::text AS outcome, 1 AS statement, ''::text AS checksum, 1.5 AS statements, 'x'::text AS rows,
	interval '1 s' AS duration, 'me'::text AS applied_by, ''::text AS rdsinit_version, ''::text AS undo_name, ''::text AS undo;
SELECT * FROM rdsinit.adopt('odd');
DROP TABLE odd;
CREATE TABLE odd AS SELECT 1 AS id, NULL::text AS name, '1'::text AS version, NULL::text AS outcome, 1 AS statement, ''::text AS checksum, 1.5 AS statements, '1'::text AS rows,
	interval '1 s' AS duration, 'me'::text AS applied_by, ''::text AS rdsinit_version, ''::text AS undo_name, ''::text AS undo;
SELECT * FROM rdsinit.adopt('odd');
DROP TABLE odd;
-- What the owner of the table has written is not run: no view, no type of his own.
CREATE VIEW schema_migrations AS SELECT '1'::text AS version;
SELECT * FROM rdsinit.adopt('schema_migrations');
DROP VIEW schema_migrations;
CREATE TYPE own AS ENUM ('1');
CREATE TABLE schema_migrations (version own);
SELECT * FROM rdsinit.adopt('schema_migrations');
DROP TABLE schema_migrations;
DROP TYPE own;
DROP ROLE regress_rdsinit_deployer;

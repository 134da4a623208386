-- rdsinit.undo: back to an earlier version, by the scripts that came with the
-- versions above it.

-- A history of its own.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;

-- All of Flyway's and golang-migrate's undo scripts, and sections, are kept when
-- their version is applied; none of them is run.
SELECT name, outcome FROM rdsinit.apply_bundle(
	ARRAY['V1__a.sql', 'U1__a.sql', '2_b.up.sql', '2_b.down.sql', 'V3__c.sql', '4_d.sql', 'V10__e.sql', 'U10__e.sql'],
	ARRAY['CREATE TABLE a (n int)', 'DROP TABLE a',
		  'ALTER TABLE a ADD b int', E'-- back again\nALTER TABLE a DROP b;\nCREATE TABLE undone_in_order AS SELECT 2 AS step;',
		  'CREATE TABLE c ()',
		  E'-- migrate:up\nCREATE TABLE d ();\n-- migrate:down\nDROP TABLE d;\n',
		  'CREATE TABLE e ()', 'DROP TABLE e']);
SELECT version, name, undo_name FROM rdsinit.history WHERE outcome = 'applied' AND version IS NOT NULL ORDER BY id;

-- Back to version 3, the newest first.
SELECT name, outcome, statements FROM rdsinit.undo('3');
SELECT to_regclass('c'), to_regclass('d'), to_regclass('e');
SELECT name, version, outcome, undo_name FROM rdsinit.history WHERE outcome = 'undone' ORDER BY id;
-- Nothing is above it any more.
SELECT name, outcome FROM rdsinit.undo('3.0');
-- What was taken back is pending again.
SELECT name, state FROM rdsinit.pending(
	ARRAY['V1__a.sql', '2_b.up.sql', 'V3__c.sql', '4_d.sql', 'V10__e.sql'],
	ARRAY['CREATE TABLE a (n int)', 'ALTER TABLE a ADD b int', 'CREATE TABLE c ()', '', 'CREATE TABLE e ()']);
-- A script's status is what became of it last.
SELECT name, version, outcome FROM rdsinit.status WHERE version IS NOT NULL ORDER BY version COLLATE "C", name;

-- Version 3 has come without an undo script: nothing is taken back.
SELECT name, outcome FROM rdsinit.undo('1');
SELECT name, outcome FROM rdsinit.undo('0');
SELECT count(*) FROM rdsinit.history WHERE outcome = 'undone';

-- Applied again, changed or not: what was taken back counts no more.
SELECT name, outcome FROM rdsinit.apply('4_d.sql', E'-- migrate:up\nCREATE TABLE d (changed int);\n-- migrate:down\nDROP TABLE d;\n');
SELECT name, outcome FROM rdsinit.apply('V10__e.sql', 'CREATE TABLE e ()');
-- The undo script that counts is the one that came last: this time version 10 has none.
SELECT name, outcome FROM rdsinit.undo('4');

-- An error: in the line in which it is in the file, and all stays as it was.
SELECT name, outcome FROM rdsinit.apply_bundle('{V11__f.sql,U11__f.sql}', '{CREATE TABLE f (),DROP TABLE f; DROP TABLE e}', '{"allow_missing": true}');
SELECT name, outcome FROM rdsinit.undo('10');
SELECT to_regclass('e'), to_regclass('f');
SELECT name, outcome FROM rdsinit.apply('11_f.sql', 'CREATE TABLE e ()');
SELECT name, outcome FROM rdsinit.apply_bundle('{V12__g.sql}', ARRAY[E'-- +goose Up\nCREATE TABLE g ();\n\n-- +goose Down\nDROP TABLE g;\nSELECT 1,\n  nosuchcolumn;\n'], '{"allow_missing": true}');
SELECT name, outcome FROM rdsinit.undo('11');
SELECT to_regclass('g');
-- A syntax error is found before anything has run, be it in the oldest of them.
SELECT name, outcome FROM rdsinit.apply_bundle('{V13__h.sql,U13__h.sql,V14__i.sql,U14__i.sql}',
	ARRAY['CREATE TABLE h ()', E'DROP TABLE g;\nDORP TABLE h', 'CREATE TABLE i ()', 'DROP TABLE i; SELECT 1/0'], '{"allow_missing": true}');
SELECT name, outcome FROM rdsinit.undo('12');
-- What no transaction allows, undo does not do.
SELECT name, outcome FROM rdsinit.apply_bundle('{V15__j.sql,U15__j.sql}', '{SELECT 1,VACUUM}', '{"allow_missing": true}');
SELECT name, outcome FROM rdsinit.undo('14');

-- Which version?
SELECT name, outcome FROM rdsinit.undo('7');
SELECT name, outcome FROM rdsinit.undo('last');
SELECT name, outcome FROM rdsinit.undo(NULL);
SELECT name, outcome FROM rdsinit.undo('1', '{"force": 1}');

-- It is a part of the transaction that it is called in.
BEGIN;
SELECT name, outcome FROM rdsinit.apply_bundle('{V16__k.sql,U16__k.sql}', '{CREATE TABLE k (),DROP TABLE k}', '{"allow_missing": true}');
SELECT name, outcome FROM rdsinit.undo('15');
ROLLBACK;
BEGIN READ ONLY;
SELECT name, outcome FROM rdsinit.undo('15');
ROLLBACK;

-- A baseline is a version to go back to.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;
SELECT name, outcome FROM rdsinit.baseline('5');
SELECT name, outcome FROM rdsinit.apply_bundle('{V6__l.sql,U6__l.sql}', '{CREATE TABLE l (),DROP TABLE l}');
SELECT name, outcome FROM rdsinit.undo('5');
SELECT name, outcome FROM rdsinit.apply_bundle('{V6__l.sql,U6__l.sql}', '{CREATE TABLE l (),DROP TABLE l}');
-- '0' is all that was applied here; the baseline stays.
SELECT name, outcome FROM rdsinit.undo('0');
SELECT name, state FROM rdsinit.pending('{V5__z.sql,V6__l.sql}', '{SELECT 1,CREATE TABLE l ()}');
DROP TABLE a, c, d, e, g, h, i;

-- Versions: what a script's name means, in which order scripts are applied, and
-- what becomes of those that have changed, are missing or come late.

-- A history of its own.
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;

-- Most of what follows is about names: the bodies are all alike.
CREATE FUNCTION pg_temp.look(VARIADIC names text[]) RETURNS TABLE (ordinal int, name text, version text, state text)
LANGUAGE sql AS $$
	SELECT * FROM rdsinit.pending(names, array_fill('SELECT 1'::text, ARRAY[cardinality(names)]))
$$;
CREATE FUNCTION pg_temp.apply(names text[], options jsonb DEFAULT '{}') RETURNS TABLE (name text, outcome text)
LANGUAGE sql AS $$
	SELECT name, outcome FROM rdsinit.apply_bundle(names, array_fill('SELECT 1'::text, ARRAY[cardinality(names)]), options)
$$;

-- Flyway's names.  Versions compare as numbers, an underscore in them is a dot.
SELECT * FROM pg_temp.look('V10__ten.sql', 'V2__two.sql', 'V1.10__c.sql', 'V1.2__b.sql', 'V1__a.sql', 'V1_2_1__d.sql',
	'R__views.sql', 'U2__two.sql', 'R__grants.sql');
-- golang-migrate's, in pairs.
SELECT * FROM pg_temp.look('2_more.up.sql', '2_more.down.sql', '1_tables.up.sql', '1_tables.down.sql', '10_last.up.sql');
-- dbmate's and goose's.
SELECT * FROM pg_temp.look('20260102000000_more.sql', '20260101120000_tables.sql', '00001_first.sql');
-- diesel's and prisma's directories.
SELECT * FROM pg_temp.look('2026-01-02-000000_more/up.sql', '2026-01-02-000000_more/down.sql',
	'2026-01-01-120000_tables/up.sql', '2026-01-01-120000-0002_others/up.sql', '00000000000000_setup/up.sql');
SELECT * FROM pg_temp.look('20260102000000_more/migration.sql', '20260101120000_tables/migration.sql');
-- A folder in front of a name is not a part of it.
SELECT * FROM pg_temp.look('db/migrations/V2__b.sql', 'a/V3__c.sql', 'z/V1__a.sql');
-- Versions of any length.
SELECT * FROM pg_temp.look('123456789012345678901234567890_b.sql', '123456789012345678901234567889_a.sql', '99_x.sql',
	'1.2.3.4.5.6.7_y.sql', '01.02.03_04_z.sql');
-- Whatever has no version is repeatable, and comes last, in order of name.
SELECT * FROM pg_temp.look('schema.sql', 'R__b.sql', 'R__a.sql', 'Vision__x.sql', 'v1__lower.sql', '1-a.sql', '2nd.sql',
	'up.sql', 'x/migration.sql', 'views.up.sql', 'views.down.sql', 'V1__a.txt', 'V1__first.sql', '3');

-- Names that say too little or too much, and two scripts of one version.
SELECT * FROM pg_temp.look('V1.sql');
SELECT * FROM pg_temp.look('V1_.sql');
SELECT * FROM pg_temp.look('V1.2__.sql');
SELECT * FROM pg_temp.look('V1_text.sql');
SELECT * FROM pg_temp.look('U1.sql');
SELECT * FROM pg_temp.look('B1__all.sql');
SELECT * FROM pg_temp.look('0001.sql');
SELECT * FROM pg_temp.look('0001_.sql');
SELECT * FROM pg_temp.look('0001_.up.sql');
SELECT * FROM pg_temp.look('20260101120000/up.sql');
SELECT * FROM pg_temp.look('V1__a.sql', 'V01.0__b.sql');
SELECT * FROM pg_temp.look('a/V1__a.sql', 'b/V1__a.sql');
SELECT * FROM pg_temp.look('0001_a.sql', '1_b.up.sql');
SELECT * FROM pg_temp.look('20260101120000_a.sql', '2026-01-01-120000_b/up.sql');
SELECT * FROM pg_temp.look('U1__a.sql', '1_a.down.sql', 'V1__a.sql');
SELECT * FROM pg_temp.look(VARIADIC '{}');
-- apply says so as well, before anything has run.
SELECT * FROM rdsinit.apply_bundle('{V1__a.sql,V2.sql}', '{CREATE TABLE never_made (),SELECT 1}');
SELECT to_regclass('never_made');

-- A versioned script is applied once; the next one when it is there.
SELECT * FROM pg_temp.apply('{V1__a.sql,V2__b.sql}');
SELECT * FROM pg_temp.look('V1__a.sql', 'V2__b.sql', 'V3__c.sql');
SELECT * FROM pg_temp.apply('{V3__c.sql,V2__b.sql,V1__a.sql}');
SELECT * FROM pg_temp.apply('{V3__c.sql,V2__b.sql,V1__a.sql}');
-- It is known by its version: another name, or other zeroes, change nothing.
SELECT * FROM pg_temp.apply('{V01__renamed.sql,V2.0.0__b.sql,3_c.up.sql}');
SELECT name, version, outcome FROM rdsinit.history WHERE version IN ('1', '2', '3') ORDER BY id;
-- "force" is for repeatable scripts, and for none that has a version.
SELECT * FROM pg_temp.apply('{V1__a.sql,V2__b.sql,V3__c.sql,R__v.sql}', '{"force": true}');
SELECT * FROM pg_temp.apply('{V1__a.sql,V2__b.sql,V3__c.sql,R__v.sql}', '{"force": true}');

-- Changed: an error, since nobody would run it.
\set bundle '''{V1__a.sql,V2__b.sql,V3__c.sql}'', ''{SELECT 1,SELECT 2,SELECT 3}'''
SELECT * FROM rdsinit.pending(:bundle);
SELECT * FROM rdsinit.apply_bundle(:bundle);
SELECT name, outcome FROM rdsinit.apply('V2__b.sql', 'SELECT 2');
SELECT name, outcome, statements FROM rdsinit.apply_bundle(:bundle, '{"allow_changed": true}');
-- It has been taken for applied; nothing of it was run.
SELECT name, outcome, statements FROM rdsinit.apply_bundle(:bundle);
SELECT name, outcome, statements FROM rdsinit.history WHERE version IN ('2', '3') ORDER BY id;
-- Line endings and a byte-order mark are no change.
SELECT name, outcome FROM rdsinit.apply('V4__d.sql', E'SELECT 1;\nSELECT 2;\n');
SELECT name, outcome FROM rdsinit.apply('V4__d.sql', U&'\FEFFSELECT 1;\000D\000ASELECT 2;\000D\000A');

-- Missing: an error, of the whole bundle alone.
SELECT * FROM pg_temp.look('V4__d.sql', 'V5__e.sql');
SELECT * FROM rdsinit.apply_bundle('{V3__c.sql,V5__e.sql}', '{SELECT 3,SELECT 1}');
SELECT name, outcome FROM rdsinit.apply('V5__e.sql', 'SELECT 1');
SELECT name, outcome FROM rdsinit.apply_bundle('{V3__c.sql,V5__e.sql}', '{SELECT 3,SELECT 1}', '{"allow_missing": true}');
-- A bundle without any version has nothing to do with them.
SELECT * FROM pg_temp.apply('{views.sql}');

-- Out of order: below the newest that was applied.
SELECT * FROM rdsinit.pending('{V3.1__late.sql,V3.2__late.sql,V6__f.sql}', '{SELECT 1,SELECT 1,SELECT 1}') WHERE state <> 'missing';
SELECT * FROM rdsinit.apply('V3.1__late.sql', 'SELECT 1');
SELECT * FROM rdsinit.apply_bundle('{V3.1__late.sql,V3.2__late.sql,V6__f.sql}', '{SELECT 1,SELECT 1,SELECT 1}', '{"allow_missing": true}');
SELECT name, outcome FROM rdsinit.apply_bundle('{V3.1__late.sql,V3.2__late.sql,V6__f.sql}', '{SELECT 1,SELECT 1,SELECT 1}',
	'{"allow_missing": true, "out_of_order": true}');
SELECT name, outcome FROM rdsinit.apply('V3.1__late.sql', 'SELECT 1');

-- All that is pending is one transaction: an error leaves nothing of any.
SELECT * FROM rdsinit.apply_bundle('{V7__g.sql,V8__h.sql,R__r.sql}', '{CREATE TABLE never_made (),SELECT 1/0,SELECT 1}', '{"allow_missing": true}');
SELECT to_regclass('never_made');
SELECT name FROM rdsinit.history WHERE version IN ('7', '8');
-- Versions come first, whatever the names.
SELECT name, outcome, statements FROM rdsinit.apply_bundle('{R__r.sql,a.sql,V7__g.sql}',
	'{CREATE VIEW regress_v AS TABLE regress_t,COMMENT ON TABLE regress_t IS $$a$$,CREATE TABLE regress_t ()}', '{"allow_missing": true}');
DROP TABLE regress_t CASCADE;

-- Each option is true or false, and an option of another kind is refused.
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"out_of_order": 1}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"allow_changed": "yes"}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"allow_missing": null}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"resume": "perhaps"}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"resume": true}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"no_transaction": "a"}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"no_transaction": [1]}');
SELECT * FROM rdsinit.apply('a', 'SELECT 1', '{"timeout": "soon"}');
SELECT * FROM rdsinit.pending('{a}', '{SELECT 1}', '{"force": 1}');
SELECT * FROM rdsinit.pending(NULL, '{SELECT 1}');

--
-- Baseline: what a database had before rdsinit came.
--
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;
SELECT name, outcome FROM rdsinit.baseline('2.0');
SELECT name, outcome FROM rdsinit.baseline('2');
SELECT * FROM rdsinit.pending('{V1__a.sql,V2__b.sql,V3__c.sql,schema.sql}', '{SELECT 1,SELECT 1,SELECT 1,SELECT 1}');
-- It can be raised, not lowered.
SELECT name, outcome FROM rdsinit.baseline('2.5');
SELECT name, outcome FROM rdsinit.baseline('1.9');
SELECT name, outcome FROM rdsinit.apply_bundle('{V1__a.sql,V2__b.sql,V3__c.sql,schema.sql}', '{SELECT 1,SELECT 1,SELECT 1,SELECT 1}');
SELECT name, version, outcome, checksum IS NULL AS of_no_script FROM rdsinit.history ORDER BY id;
-- Nothing of it counts as missing, nor as changed.
SELECT name, outcome FROM rdsinit.apply_bundle('{V1__a.sql,V3__c.sql}', '{SELECT 2,SELECT 1}');
-- Where versions were applied there is nothing left to say.
SELECT name, outcome FROM rdsinit.baseline('4');
SELECT * FROM rdsinit.baseline('four');
SELECT * FROM rdsinit.baseline('');
SELECT * FROM rdsinit.baseline('1..2');
SELECT * FROM rdsinit.baseline('1.');
SELECT * FROM rdsinit.baseline(NULL);
SELECT * FROM rdsinit.baseline('4', '{"force": 1}');

--
-- Sections: dbmate and goose have both ways in one file.
--
SELECT name, outcome, statements FROM rdsinit.apply('20260101000000_dbmate.sql', $$-- migrate:up
CREATE TABLE made_by_dbmate (n int);

-- migrate:down
DROP TABLE made_by_dbmate;
$$);
SELECT name, outcome, statements FROM rdsinit.apply('20260102000000_goose.sql', $$-- a comment may stand in front
-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION made_by_goose() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
-- +goose StatementEnd
-- +goose down
DROP FUNCTION made_by_goose;
$$);
-- What goes down was not run, and is kept.
SELECT made_by_goose(), to_regclass('made_by_dbmate');
SELECT version, undo_name, ltrim(undo, E'\n') AS undo FROM rdsinit.history WHERE undo IS NOT NULL ORDER BY id;
-- A change of it is a change of the script.
SELECT name, outcome FROM rdsinit.apply('20260101000000_dbmate.sql', $$-- migrate:up
CREATE TABLE made_by_dbmate (n int);

-- migrate:down
DROP TABLE made_by_dbmate CASCADE;
$$);
-- An error is in the line in which it is in the file.
SELECT * FROM rdsinit.apply('20260103000000_error.sql', E'\n-- migrate:up\nSELECT 1;\nSELECT nosuchcolumn;\n-- migrate:down\nnot looked at');
-- Only a versioned script has sections.
SELECT name, outcome, statements FROM rdsinit.apply('text.sql', E'SELECT 1;\n-- migrate:down\nSELECT 2;\n');
-- What is wrong with them.
SELECT * FROM rdsinit.apply('9999_x.sql', E'SELECT 1;\n-- migrate:up\nSELECT 2;\n');
SELECT * FROM rdsinit.apply('9999_x.sql', E'-- migrate:down\nSELECT 1;\n-- migrate:up\nSELECT 2;\n');
SELECT * FROM rdsinit.apply('9999_x.sql', E'-- migrate:up\nSELECT 1;\n-- migrate:up\nSELECT 2;\n');
SELECT * FROM rdsinit.apply('9999_x.sql', E'-- migrate:up\nSELECT 1;\n-- migrate:down\n-- migrate:down\n');
SELECT * FROM rdsinit.apply('9999_x.sql', E'\n\n-- migrate:down\nSELECT 1;\n');
SELECT * FROM rdsinit.apply('9999_x.sql', E'-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1;\n');
SELECT * FROM rdsinit.apply_bundle('{9999_x.sql}', ARRAY[E'-- +goose Up\n-- +goose Up\nSELECT 1;\n']);
SELECT * FROM rdsinit.pending('{9999_x.sql}', ARRAY[E'-- +goose Up\n-- +goose Up\nSELECT 1;\n']);
DROP TABLE made_by_dbmate;
DROP FUNCTION made_by_goose;

-- Drift: what was changed outside of rdsinit; and the whole schema in one hash.
\set VERBOSITY terse
SET client_min_messages = warning;
DROP EXTENSION rdsinit;
CREATE SCHEMA regress_drift;
CREATE TABLE regress_drift.before (n int);
CREATE EXTENSION rdsinit;
RESET client_min_messages;

-- Nothing has been applied: nothing is known.
SELECT * FROM rdsinit.drift();

-- When a script is applied, all objects are kept as it has left them.  What was
-- there before is kept, too, as nobody's.
SELECT outcome FROM rdsinit.apply('schema.sql', $script$
SET search_path = regress_drift;
CREATE TABLE product (id int PRIMARY KEY, name text NOT NULL DEFAULT 'a chair');
CREATE INDEX by_name ON product (name);
CREATE VIEW cheap AS SELECT id FROM product;
COMMENT ON COLUMN product.name IS 'as on the label';
$script$);
SELECT kind, identity, script, hash
  FROM rdsinit.object WHERE identity ~ 'regress_drift' AND definition !~ '^NOT NULL' ORDER BY kind, identity;
SELECT * FROM rdsinit.drift();

-- What is done by hand is drift: what it should be, what it is, and whose it was.
ALTER TABLE regress_drift.product ADD COLUMN price numeric;
DROP VIEW regress_drift.cheap;
CREATE SEQUENCE regress_drift.by_hand;
ALTER TABLE regress_drift.before RENAME TO afterwards;
SELECT kind, identity, change, script FROM rdsinit.drift();
\x
SELECT replace(expected, current_user, 'me') AS expected, replace(found, current_user, 'me') AS found
  FROM rdsinit.drift() WHERE change = 'changed';
\x

-- It is none any more once it is undone …
ALTER TABLE regress_drift.product DROP COLUMN price;
SELECT kind, identity, change, script FROM rdsinit.drift();
-- … nor when a script has made it anew, or touched it …
SELECT outcome FROM rdsinit.apply('repair.sql', $script$
CREATE VIEW regress_drift.cheap AS SELECT id FROM regress_drift.product;
ALTER SEQUENCE regress_drift.by_hand INCREMENT 2;
$script$);
SELECT kind, identity, change, script FROM rdsinit.drift();
-- … nor when somebody says that it is to be so.
SELECT rdsinit.accept_drift();
SELECT * FROM rdsinit.drift();
SELECT rdsinit.accept_drift();

-- Each object has the script that was at it last.
SELECT kind, identity, script FROM rdsinit.object WHERE identity ~ 'regress_drift' AND definition !~ '^NOT NULL' ORDER BY kind, identity;

-- A script that renames is no cause of drift in what depends on it.
SELECT outcome FROM rdsinit.apply_bundle('{a_rename.sql,b_move.sql}', ARRAY[
'ALTER TABLE regress_drift.product RENAME COLUMN id TO number',
'CREATE SCHEMA regress_drift_2; ALTER TABLE regress_drift.product SET SCHEMA regress_drift_2']);
SELECT * FROM rdsinit.drift();
SELECT kind, identity, script FROM rdsinit.object WHERE identity ~ 'regress_drift' AND definition !~ '^NOT NULL' ORDER BY kind, identity;

-- What fails, or is rolled back, leaves no trace.
SELECT outcome FROM rdsinit.apply('fails.sql', 'DROP VIEW regress_drift.cheap; SELECT 1/0');
BEGIN;
SELECT outcome FROM rdsinit.apply('rolled back.sql', 'DROP VIEW regress_drift.cheap');
SELECT count(*) FROM rdsinit.object WHERE identity = 'regress_drift.cheap';
ROLLBACK;
SELECT count(*) FROM rdsinit.object WHERE identity = 'regress_drift.cheap';
SELECT * FROM rdsinit.drift();
-- Nor does anything collect what is done after an error.
CREATE TABLE regress_drift.later ();
SELECT outcome FROM rdsinit.apply('nothing.sql', 'SELECT 1');
SELECT kind, identity, change, script FROM rdsinit.drift();
DROP TABLE regress_drift.later;

-- A deployment keeps what it does outside of a transaction, statement by statement.
CALL rdsinit.deploy('{index.sql}', ARRAY['-- rdsinit: no-transaction
CREATE INDEX CONCURRENTLY quick ON regress_drift_2.product (name, number);
COMMENT ON TABLE regress_drift_2.product IS ''what is sold'';
DROP INDEX CONCURRENTLY regress_drift_2.by_name;
DO $$ BEGIN
	CREATE TABLE regress_drift.in_block (); COMMIT;
	GRANT SELECT ON regress_drift.in_block TO PUBLIC; COMMIT;
	ALTER TABLE regress_drift.afterwards RENAME TO finally; COMMIT;
END $$;']) \gset
SELECT * FROM rdsinit.drift();
SELECT kind, identity, script FROM rdsinit.object WHERE script = 'index.sql' ORDER BY kind, identity;

-- An index that a failed statement has left is drift.
INSERT INTO regress_drift_2.product VALUES (1, 'x'), (2, 'x');
CALL rdsinit.deploy('{unique.sql}', ARRAY['-- rdsinit: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY one ON regress_drift_2.product (name)']);
SELECT kind, identity, change, found FROM rdsinit.drift();
DROP INDEX regress_drift_2.one;

-- The fingerprint is one hash of all that: it changes with the schema and comes back with it.
SELECT rdsinit.fingerprint() AS before \gset
SELECT length(:'before');
ALTER TABLE regress_drift_2.product ALTER name DROP DEFAULT;
SELECT rdsinit.fingerprint() = :'before' AS same;
ALTER TABLE regress_drift_2.product ALTER name SET DEFAULT 'a chair';
SELECT rdsinit.fingerprint() = :'before' AS same;
-- Data is none of it, nor are the session's settings.
INSERT INTO regress_drift_2.product VALUES (3, 'a table');
SET search_path = regress_drift_2; SET quote_all_identifiers = on;
SELECT rdsinit.fingerprint() = :'before' AS same;
RESET search_path; RESET quote_all_identifiers;
-- What it is of can be looked at.
SELECT kind, identity, replace(definition, current_user, 'me') AS definition FROM rdsinit.objects()
 WHERE identity ~ 'regress_drift' AND definition !~ '^NOT NULL|PRIVILEGES' AND kind <> 'view' ORDER BY kind, identity;

-- baseline() takes what is there for what should be there.
SET client_min_messages = warning;
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;
RESET client_min_messages;
SELECT outcome FROM rdsinit.baseline('5');
SELECT * FROM rdsinit.drift();
DROP TABLE regress_drift.in_block;
SELECT kind, identity, change, script FROM rdsinit.drift();

-- Whoever may only call apply leaves what he has made there; he can neither
-- forge nor look, and no name of his is mistaken for the system's.
CREATE ROLE regress_drift_deployer;
GRANT EXECUTE ON FUNCTION rdsinit.apply TO regress_drift_deployer;
GRANT ALL ON SCHEMA regress_drift TO regress_drift_deployer;
SET SESSION AUTHORIZATION regress_drift_deployer;
CREATE FUNCTION regress_drift.same(oid, oid) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE OPERATOR regress_drift.= (FUNCTION = regress_drift.same, LEFTARG = oid, RIGHTARG = oid);
CREATE FUNCTION regress_drift.quote_ident(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE TEMPORARY TABLE pg_class (oid oid, relname name);
CREATE TEMPORARY TABLE object ();
SET search_path = regress_drift, pg_temp, pg_catalog;
SELECT outcome FROM rdsinit.apply('deployer.sql', 'CREATE TABLE regress_drift.mine (n int)');
SELECT outcome FROM rdsinit.apply('forge.sql', 'INSERT INTO rdsinit.object VALUES (1, ''b'', ''c'', ''d'', ''e'')');
SELECT outcome FROM rdsinit.apply('erase.sql', 'DELETE FROM rdsinit.object');
SELECT outcome FROM rdsinit.apply('accept.sql', 'SELECT rdsinit.accept_drift()');
SELECT * FROM rdsinit.object;
SELECT * FROM rdsinit.drift();
SELECT rdsinit.fingerprint();
SELECT rdsinit.accept_drift();
SELECT * FROM rdsinit.objects();
RESET search_path;
RESET SESSION AUTHORIZATION;
SELECT kind, identity, script FROM rdsinit.object WHERE script IS NOT NULL ORDER BY kind, identity;
-- Who may call drift() needs no right on the table.
GRANT EXECUTE ON FUNCTION rdsinit.drift TO regress_drift_deployer;
SET SESSION AUTHORIZATION regress_drift_deployer;
SELECT kind, identity, change, script FROM rdsinit.drift() WHERE kind = 'operator';
RESET SESSION AUTHORIZATION;
-- A script must not call it to have its own drift forgotten.
SELECT outcome FROM rdsinit.apply('accept.sql', 'SELECT rdsinit.accept_drift()');

SET client_min_messages = warning;
DROP SCHEMA regress_drift, regress_drift_2 CASCADE;
DISCARD TEMP;
DROP OWNED BY regress_drift_deployer;
DROP ROLE regress_drift_deployer;

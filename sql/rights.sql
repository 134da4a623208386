-- Who may call, and with whose rights a script runs.
CREATE ROLE regress_rdsinit_owner;
CREATE ROLE regress_rdsinit_deployer;
CREATE ROLE regress_rdsinit_nobody;
SELECT current_database() AS database, current_user AS me \gset
SELECT pg_get_userbyid(datdba) AS was_owner FROM pg_database WHERE datname = :'database' \gset
ALTER DATABASE :"database" OWNER TO regress_rdsinit_owner;

-- Anybody else may not call, nor look.
SET SESSION AUTHORIZATION regress_rdsinit_nobody;
SELECT * FROM rdsinit.apply('a', 'SELECT 1');
SELECT * FROM rdsinit.apply_bundle('{a}', '{SELECT 1}');
SELECT * FROM rdsinit.statements('SELECT 1');
SELECT * FROM rdsinit.history;
SELECT * FROM rdsinit.status;
CREATE TABLE rdsinit.mine ();
RESET SESSION AUTHORIZATION;

-- The database's owner may, and may let others.
SET SESSION AUTHORIZATION regress_rdsinit_owner;
SELECT outcome FROM rdsinit.apply('owner.sql', 'CREATE SCHEMA regress_rdsinit');
SELECT name, applied_by FROM rdsinit.status WHERE name = 'owner.sql';
GRANT EXECUTE ON FUNCTION rdsinit.apply TO regress_rdsinit_deployer;
GRANT ALL ON SCHEMA regress_rdsinit TO regress_rdsinit_deployer;
RESET SESSION AUTHORIZATION;

-- A script has its caller's rights and no others …
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
SELECT outcome FROM rdsinit.apply('deployer.sql', 'CREATE TABLE regress_rdsinit.t (n int)');
SELECT outcome FROM rdsinit.apply('superuser.sql', 'SELECT pg_read_file(''/etc/passwd'')');
SELECT outcome FROM rdsinit.apply('become.sql', 'SET ROLE regress_rdsinit_owner');
SELECT outcome FROM rdsinit.apply('read.sql', 'SELECT * FROM pg_authid');

-- … and can neither forge nor erase history, though it leaves its row there.
SELECT outcome FROM rdsinit.apply('forge.sql', 'INSERT INTO rdsinit.history (name) VALUES (''forged'')');
SELECT outcome FROM rdsinit.apply('erase.sql', 'DELETE FROM rdsinit.history');
SELECT outcome FROM rdsinit.apply('truncate.sql', 'TRUNCATE rdsinit.history');
SELECT outcome FROM rdsinit.apply('sequence.sql', 'SELECT setval(''rdsinit.history_id_seq'', 1)');
SELECT outcome FROM rdsinit.apply('trigger.sql', 'CREATE TRIGGER t BEFORE INSERT ON rdsinit.history EXECUTE FUNCTION f()');
SELECT outcome FROM rdsinit.apply('lock.sql', 'LOCK TABLE rdsinit.history IN ACCESS SHARE MODE');
SELECT name FROM rdsinit.history;
RESET SESSION AUTHORIZATION;
SELECT name, applied_by FROM rdsinit.status WHERE applied_by = 'regress_rdsinit_deployer';

-- The owner cannot change what was, either.
SET SESSION AUTHORIZATION regress_rdsinit_owner;
UPDATE rdsinit.history SET checksum = '';
DELETE FROM rdsinit.history;
TRUNCATE rdsinit.history;
DROP TABLE rdsinit.history;
DROP SCHEMA rdsinit CASCADE;
ALTER TABLE rdsinit.history DISABLE ROW LEVEL SECURITY;
RESET SESSION AUTHORIZATION;

-- Called by a function with its owner's rights, a script cannot take others.
CREATE FUNCTION regress_rdsinit.as_owner(script text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	RETURN (SELECT outcome FROM rdsinit.apply('definer.sql', script));
END $$;
ALTER FUNCTION regress_rdsinit.as_owner OWNER TO regress_rdsinit_owner;
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
SELECT regress_rdsinit.as_owner('SET ROLE regress_rdsinit_nobody');
SELECT regress_rdsinit.as_owner('SET SESSION AUTHORIZATION DEFAULT');
SELECT regress_rdsinit.as_owner('CREATE TABLE regress_rdsinit.owned ()');
RESET SESSION AUTHORIZATION;
SELECT tableowner FROM pg_tables WHERE schemaname = 'regress_rdsinit' AND tablename = 'owned';

-- The session's own search_path is what a script's names are looked up in, but
-- rdsinit's own words mean what they mean.
SET SESSION AUTHORIZATION regress_rdsinit_deployer;
CREATE FUNCTION regress_rdsinit.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
SET search_path = regress_rdsinit, pg_catalog;
SELECT outcome FROM rdsinit.apply('search_path.sql', 'SELECT 1');
RESET search_path;
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION regress_rdsinit_owner;
REVOKE EXECUTE ON FUNCTION rdsinit.apply FROM regress_rdsinit_deployer;
RESET SESSION AUTHORIZATION;
ALTER DATABASE :"database" OWNER TO :"was_owner";
SET client_min_messages = warning;
DROP SCHEMA regress_rdsinit CASCADE;
DROP ROLE regress_rdsinit_owner, regress_rdsinit_deployer, regress_rdsinit_nobody;

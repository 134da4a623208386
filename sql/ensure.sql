-- rdsinit.ensure_database: a database made from SQL, unless it is there.
SELECT rdsinit.ensure_database('regress_rdsinit_one');
SELECT rdsinit.ensure_database('regress_rdsinit_one');
-- It is there for everybody, whatever becomes of the transaction.
BEGIN;
SELECT rdsinit.ensure_database('Regress "rdsinit" two; DROP TABLE x');
ROLLBACK;
SELECT datname FROM pg_database WHERE datname ~* 'regress.*rdsinit' ORDER BY datname COLLATE "C";
-- An init script can make one, a script that rdsinit applies cannot.
SELECT * FROM rdsinit.apply('ensure.sql', 'SELECT rdsinit.ensure_database(''regress_rdsinit_never'')');
-- So can a function.
DO $$ BEGIN
	FOR n IN 1..3 LOOP
		RAISE NOTICE '%', rdsinit.ensure_database('regress_rdsinit_three');
	END LOOP;
END $$;

-- The options are those of CREATE DATABASE.
CREATE ROLE regress_rdsinit_owner;
SELECT rdsinit.ensure_database('regress_rdsinit_options', '{"owner": "regress_rdsinit_owner", "template": "template0", "encoding": "LATIN1",
	"locale": "C", "connection_limit": 7, "allow_connections": false, "is_template": true, "strategy": "file_copy", "tablespace": "pg_default"}');
SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate, datctype, datconnlimit, datallowconn, datistemplate
  FROM pg_database WHERE datname = 'regress_rdsinit_options';
SELECT rdsinit.ensure_database('regress_rdsinit_options2', '{"template": "template0", "lc_collate": "C", "lc_ctype": "C"}');
SELECT datcollate, datctype FROM pg_database WHERE datname = 'regress_rdsinit_options2';
-- Of one that is there, nothing is changed; but what is asked for is looked at.
SELECT rdsinit.ensure_database('regress_rdsinit_one', '{"owner": "regress_rdsinit_owner"}');
SELECT rdsinit.ensure_database('regress_rdsinit_one', '{"ownr": "regress_rdsinit_owner"}');
SELECT rdsinit.ensure_database('regress_rdsinit_one', '{"owner": 1}');
SELECT rdsinit.ensure_database('regress_rdsinit_one', '{"connection_limit": "7"}');
SELECT rdsinit.ensure_database('regress_rdsinit_one', '{"connection_limit": 99999999999}');
SELECT rdsinit.ensure_database('regress_rdsinit_one', '{"is_template": "yes"}');
SELECT rdsinit.ensure_database('regress_rdsinit_one', '[]');
SELECT rdsinit.ensure_database('');
SELECT rdsinit.ensure_database(repeat('x', 64));
SELECT rdsinit.ensure_database(NULL);
-- What the server has against it, it says.
SELECT rdsinit.ensure_database('regress_rdsinit_never', '{"owner": "regress_rdsinit_nobody"}');
SELECT rdsinit.ensure_database('regress_rdsinit_never', '{"template": "nosuchdatabase"}');
SELECT rdsinit.ensure_database('regress_rdsinit_never', '{"encoding": "nosuchencoding"}');

-- Rights are the caller's.
CREATE ROLE regress_rdsinit_maker LOGIN CREATEDB;
CREATE ROLE regress_rdsinit_nobody LOGIN;
GRANT EXECUTE ON FUNCTION rdsinit.ensure_database TO regress_rdsinit_maker, regress_rdsinit_nobody;
SET SESSION AUTHORIZATION regress_rdsinit_nobody;
SELECT rdsinit.ensure_database('regress_rdsinit_never');
SELECT rdsinit.ensure_database('regress_rdsinit_one');
SET SESSION AUTHORIZATION regress_rdsinit_maker;
SELECT rdsinit.ensure_database('regress_rdsinit_made');
SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'regress_rdsinit_made';
-- So are those of the role that SET ROLE has set.
RESET SESSION AUTHORIZATION;
GRANT regress_rdsinit_nobody TO regress_rdsinit_maker;
SET SESSION AUTHORIZATION regress_rdsinit_maker;
SET ROLE regress_rdsinit_nobody;
SELECT rdsinit.ensure_database('regress_rdsinit_never');
RESET SESSION AUTHORIZATION;
-- Nothing is made where nothing may be written.
BEGIN READ ONLY;
SELECT rdsinit.ensure_database('regress_rdsinit_never');
ROLLBACK;
SELECT datname FROM pg_database WHERE datname = 'regress_rdsinit_never';
-- No worker is left.
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rdsinit';

ALTER DATABASE regress_rdsinit_options IS_TEMPLATE false;
DROP DATABASE regress_rdsinit_one;
DROP DATABASE "Regress ""rdsinit"" two; DROP TABLE x";
DROP DATABASE regress_rdsinit_three;
DROP DATABASE regress_rdsinit_options;
DROP DATABASE regress_rdsinit_options2;
DROP DATABASE regress_rdsinit_made;
REVOKE ALL ON FUNCTION rdsinit.ensure_database FROM regress_rdsinit_maker, regress_rdsinit_nobody;
DROP ROLE regress_rdsinit_owner, regress_rdsinit_maker, regress_rdsinit_nobody;

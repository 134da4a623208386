-- How long a call takes is for its caller to say, whatever the script sets or catches.
SET client_min_messages = warning;
CREATE SCHEMA regress_timeouts;
SET search_path = regress_timeouts;

-- The option "timeout": the error says where the script was.
SELECT * FROM rdsinit.apply('slow.sql', E'SELECT 1;\nSELECT pg_sleep(60);', '{"timeout": "500ms"}');
-- A dump's header, set_config and SET clauses of functions do not lift it.
\set VERBOSITY terse
SELECT * FROM rdsinit.apply('slow.sql', E'SET statement_timeout = 0;\nSET lock_timeout = 0;\nSELECT pg_sleep(60);', '{"timeout": "50ms"}');
SELECT * FROM rdsinit.apply('slow.sql', 'SELECT set_config(''statement_timeout'', ''0'', false); SELECT pg_sleep(60);', '{"timeout": "50ms"}');
CREATE FUNCTION sleep() RETURNS void LANGUAGE plpgsql SET statement_timeout = 0 AS 'BEGIN PERFORM pg_sleep(60); END';
SELECT * FROM rdsinit.apply('slow.sql', 'SELECT sleep()', '{"timeout": "50ms"}');
-- What catches the cancelling does not go on.
SELECT * FROM rdsinit.apply('slow.sql', 'DO $$ BEGIN LOOP BEGIN PERFORM sleep(); EXCEPTION WHEN query_canceled OR OTHERS THEN NULL; END; END LOOP; END $$', '{"timeout": "50ms"}');
CALL rdsinit.deploy('{outside.sql}', ARRAY[E'-- rdsinit: no-transaction\nSET statement_timeout = 0;\nDO $$ BEGIN LOOP BEGIN PERFORM regress_timeouts.sleep(); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;'], '{"timeout": "300ms"}');
SELECT * FROM rdsinit.plan('slow.sql', 'SET statement_timeout = 0; SELECT pg_sleep(60)', '{"timeout": "50ms"}');
-- Constraints that are deferred are a part of the call.
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
SELECT * FROM rdsinit.apply('slow.sql', 'CREATE TABLE late (n int);
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
INSERT INTO late VALUES (1);', '{"timeout": "300ms"}');

-- The caller's own statement_timeout is not lifted either.
SET statement_timeout = '100ms';
SELECT * FROM rdsinit.apply('slow.sql', 'SET statement_timeout = 0; SELECT pg_sleep(60)', '{"timeout": "1h"}');
SELECT * FROM rdsinit.apply('slow.sql', 'DO $$ BEGIN PERFORM sleep(); EXCEPTION WHEN query_canceled THEN PERFORM sleep(); END $$');
SHOW statement_timeout;
RESET statement_timeout;

-- A script can lower it for its statements; and it ends with the script.
SELECT * FROM rdsinit.apply('slow.sql', 'SET statement_timeout = ''50ms''; SELECT pg_sleep(60)', '{"timeout": "1h"}');
CALL rdsinit.deploy('{outside2.sql}', ARRAY[E'-- rdsinit: no-transaction\nSET statement_timeout = ''50ms'';\nSELECT pg_sleep(60);']);
SELECT count(*) FROM rdsinit.apply('short.sql', 'SET statement_timeout = ''1h''; SELECT pg_sleep(0.1)');
SHOW statement_timeout;
\set VERBOSITY default

DROP SCHEMA regress_timeouts CASCADE;

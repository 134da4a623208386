-- The session is left as it was found.
CREATE ROLE regress_rdsinit_settings;
CREATE FUNCTION pg_temp.show() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
	SELECT name || ' = ' || current_setting(name, true) FROM unnest(ARRAY['search_path', 'role',
		'session_authorization', 'statement_timeout', 'lock_timeout', 'check_function_bodies',
		'client_min_messages', 'transaction_read_only', 'my.setting']) name
	UNION ALL SELECT 'current_user: ' || (current_user = session_user)
$$;

SET search_path = pg_temp, public;
SET statement_timeout = '1h';
SET my.setting = 'mine';
SELECT pg_temp.show();

-- When the script succeeds …
SELECT outcome FROM rdsinit.apply('settings.sql', $$
SET search_path = '';
SELECT pg_catalog.set_config('search_path', 'pg_catalog', false);
SET statement_timeout = 0;
SET lock_timeout = '5s';
SET LOCAL check_function_bodies = off;
SET client_min_messages = error;
SET my.setting = 'the script''s';
SET ROLE regress_rdsinit_settings;
SET SESSION AUTHORIZATION regress_rdsinit_settings;
RESET ALL;
SET transaction_read_only = on;
$$);
SELECT pg_temp.show();

-- … and when it fails.
SELECT outcome FROM rdsinit.apply('settings.sql', $$
SET search_path = '';
SET statement_timeout = 0;
SET my.setting = 'the script''s';
SET SESSION AUTHORIZATION regress_rdsinit_settings;
SELECT 1 / 0;
$$);
SELECT pg_temp.show();

-- A script that runs as another role does what that role may do, and its row
-- is the caller's all the same.
SELECT outcome FROM rdsinit.apply('role.sql', $$
SET ROLE regress_rdsinit_settings;
CREATE TEMP TABLE made_by AS SELECT current_user::text AS role;
$$);
SELECT role FROM made_by;
SELECT applied_by = current_user AS mine FROM rdsinit.status WHERE name = 'role.sql';

-- Each script of a bundle begins with the caller's settings.
SELECT name, outcome FROM rdsinit.apply_bundle(ARRAY['a.sql', 'b.sql'], ARRAY[
	'SET search_path = ''''; SET my.setting = ''a''',
	'CREATE TEMP TABLE seen AS SELECT current_setting(''search_path'') AS path, current_setting(''my.setting'') AS mine']);
TABLE seen;

RESET ALL;
DROP TABLE made_by;
DROP ROLE regress_rdsinit_settings;

-- Installing rdsinit: a schema of its own, and nothing else in the way.

-- A schema of that name that is there already could be hostile: refused.
CREATE SCHEMA rdsinit;
\set VERBOSITY terse
CREATE EXTENSION rdsinit;
\set VERBOSITY default
DROP SCHEMA rdsinit;

-- An empty search_path is no obstacle.
SET search_path = '';
CREATE EXTENSION rdsinit;
RESET search_path;
SELECT extversion, extnamespace::regnamespace, extrelocatable FROM pg_extension WHERE extname = 'rdsinit';
SELECT pg_describe_object(classid, objid, objsubid) AS object FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND classid <> 'pg_type'::regclass
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rdsinit') ORDER BY 1;

-- The extension is in no schema that a script would drop.
BEGIN;
SET client_min_messages = warning;
DROP SCHEMA public CASCADE;
SELECT name, outcome FROM rdsinit.apply('schema.sql', 'CREATE SCHEMA public');
ROLLBACK;

-- Nothing here is SECURITY DEFINER, and nothing may run in a parallel worker.
SELECT proname, prosecdef, proparallel
  FROM pg_proc WHERE pronamespace = 'rdsinit'::regnamespace ORDER BY proname;

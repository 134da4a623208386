-- Installing rdsinit: a schema of its own, and nothing else in the way.

-- A schema of that name that is there already could be hostile: refused.
CREATE SCHEMA rdsinit;
CREATE EXTENSION rdsinit;
DROP SCHEMA rdsinit;

-- An empty search_path is no obstacle.
SET search_path = '';
CREATE EXTENSION rdsinit;
RESET search_path;
\dx rdsinit
\dx+ rdsinit

-- The extension is in no schema that a script would drop.
BEGIN;
SET client_min_messages = warning;
DROP SCHEMA public CASCADE;
SELECT name, outcome FROM rdsinit.apply('schema.sql', 'CREATE SCHEMA public');
ROLLBACK;

-- Nothing here is SECURITY DEFINER, and nothing may run in a parallel worker.
SELECT proname, prosecdef, proparallel
  FROM pg_proc WHERE pronamespace = 'rdsinit'::regnamespace ORDER BY proname;

CREATE TABLE a (n int);
\set body 'BEGIN; COMMIT;'
BEGIN;
\ir include/deeper/block.sql
CREATE TABLE c (n int);
COMMIT;
DO $$BEGIN EXECUTE $q$CREATE TABLE d (n int)$q$; END$$;

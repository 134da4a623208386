-- rdsinit.plan: what a script would do.  Its statements are run, and rolled back.
SET client_min_messages = warning;
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;
CREATE SCHEMA regress_plan;
SET search_path = regress_plan;

CREATE TABLE customer (id int PRIMARY KEY, name varchar(10), age int, email text);
INSERT INTO customer SELECT g, 'n' || g, g, g FROM generate_series(1, 3) AS g;
CREATE TABLE orders (id int PRIMARY KEY, customer int, total int);
INSERT INTO orders SELECT g, g, g FROM generate_series(1, 3) AS g;
CREATE TABLE empty (id int PRIMARY KEY, customer int, name varchar(10));
CREATE TABLE part (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
INSERT INTO part VALUES (1, 1), (2, 2);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM customer;

-- What the catalog says, for what is to stay as it was.
CREATE VIEW catalog AS
	SELECT md5(string_agg(line, ',' ORDER BY line)) AS hash FROM (
		SELECT 'class' || c.oid || relname || relfilenode || relnatts AS line FROM pg_class AS c WHERE relnamespace <> 'pg_toast'::regnamespace
		UNION ALL SELECT 'attribute' || attrelid || attname || attnotnull || atttypid FROM pg_attribute WHERE attrelid >= 16384
		UNION ALL SELECT 'constraint' || oid || conname || convalidated FROM pg_constraint
		UNION ALL SELECT 'proc' || oid || proname FROM pg_proc
		UNION ALL SELECT 'type' || oid || typname FROM pg_type
		UNION ALL SELECT 'enum' || oid || enumlabel FROM pg_enum
		UNION ALL SELECT 'namespace' || oid || nspname FROM pg_namespace
		UNION ALL SELECT 'role' || oid || rolname FROM pg_roles) AS lines;

-- A row for each statement: where it is, what it made, altered and dropped, how many rows.
SELECT ordinal, script, line, col, tag, run, rows, made, altered, dropped FROM rdsinit.plan('schema.sql', $$
CREATE TABLE product (id serial PRIMARY KEY, name text UNIQUE, customer int REFERENCES customer);
INSERT INTO product (name) VALUES ('chair'), ('table');  CREATE INDEX ON product (name);
ALTER TABLE customer ADD COLUMN phone text;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
CREATE VIEW old AS SELECT * FROM customer WHERE twice(age) > 4;
UPDATE customer SET age = twice(age);
DROP TABLE empty;
DO $do$ BEGIN CREATE TABLE by_do (n int); DROP VIEW old; END $do$;
CREATE TYPE color AS ENUM ('red');
$$);

-- On each relation that was there before: the strongest lock, and what was done to it.
CREATE FUNCTION pg_temp.locks(script text) RETURNS TABLE (step int, relation text, kind text, mode text, since int, rewritten bool, scanned bool, rows int) LANGUAGE sql AS $$
	SELECT ordinal, l.relation, l.kind, l.mode, l.since, l.rewritten, l.scanned, l.rows
	  FROM rdsinit.plan('schema.sql', script), jsonb_to_recordset(locks) AS l(relation text, kind text, mode text, since int, rewritten bool, scanned bool, rows int)
	 ORDER BY ordinal, l.mode, l.relation COLLATE "C" $$;
SELECT * FROM pg_temp.locks($$
SELECT name FROM customer;
UPDATE customer SET age = 1 WHERE age = 2;
ALTER TABLE customer ALTER COLUMN age TYPE bigint;
ALTER TABLE customer ADD CONSTRAINT grown CHECK (age < 200);
CREATE INDEX ON part (v);
ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customer;
TRUNCATE empty;
LOCK TABLE empty IN SHARE MODE;
$$);
CREATE UNIQUE INDEX customer_pkey_copy ON customer (id);
SELECT * FROM pg_temp.locks($$
REINDEX INDEX customer_pkey_copy;
CREATE TABLE new (n int); ALTER TABLE new ADD m int; DROP TABLE new;
CREATE OR REPLACE VIEW catalog AS SELECT NULL::text COLLATE "C" AS hash;
DO 'BEGIN EXECUTE ''LOCK TABLE orders IN EXCLUSIVE MODE''; RAISE ''no''; EXCEPTION WHEN OTHERS THEN NULL; END';
DROP INDEX customer_pkey_copy;
$$);
-- The caller's own locks are not the script's.
BEGIN;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
SELECT * FROM pg_temp.locks('ALTER TABLE orders ADD x int; ALTER TABLE customer ADD x int');
-- And what the script has locked is given back, with our turn.
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object' AND classid = 'pg_extension'::regclass;
SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND locktype = 'relation';
COMMIT;

-- Warnings, each with a script that provokes it and one that nearly does.
CREATE FUNCTION pg_temp.warnings(script text, options jsonb DEFAULT '{}') RETURNS TABLE (line int, rule text, severity text, message text, advice text) LANGUAGE sql AS $$
	SELECT line, w.rule, w.severity, regexp_replace(w.message, 'for [0-9.]+ m?s', 'for ... ms'), w.advice
	  FROM rdsinit.plan('schema.sql', script, options), jsonb_to_recordset(warnings) AS w(rule text, severity text, message text, advice text)
	 ORDER BY ordinal $$;
\pset format unaligned
\pset fieldsep '  '
\t on
-- Data is lost: not refused by a plan, since there would be nothing more to say.
SELECT * FROM pg_temp.warnings('DROP TABLE orders; ALTER TABLE customer DROP name; TRUNCATE part');
SELECT * FROM pg_temp.warnings('DROP TABLE orders', '{"allow_data_loss": true}');
SELECT * FROM pg_temp.warnings('DROP TABLE empty; CREATE TABLE mine AS SELECT 1; DROP TABLE mine');
-- A type change that rewrites; more room does not.
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ALTER age TYPE bigint');
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ALTER name TYPE varchar(20); ALTER TABLE empty ALTER customer TYPE bigint');
-- A default that differs from row to row; one that does not.
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ADD seen timestamptz DEFAULT clock_timestamp()');
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ADD number bigserial');
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ADD seen timestamptz DEFAULT now(); ALTER TABLE empty ADD seen timestamptz DEFAULT clock_timestamp()');
-- Other rewrites.
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ADD twice int GENERATED ALWAYS AS (age * 2) STORED');
SELECT * FROM pg_temp.warnings('ALTER TABLE orders SET UNLOGGED; CLUSTER customer USING customer_pkey; REFRESH MATERIALIZED VIEW summary');
SELECT * FROM pg_temp.warnings('ALTER TABLE customer SET (fillfactor = 70); ALTER TABLE empty SET UNLOGGED');
-- An index that is built while nobody can write.
SELECT * FROM pg_temp.warnings('CREATE INDEX ON customer (name); ALTER TABLE orders ADD UNIQUE (total)');
SELECT * FROM pg_temp.warnings('CREATE INDEX ON part (v); REINDEX INDEX customer_pkey');
-- … a table's that is locked already as well.
SELECT * FROM pg_temp.warnings(E'LOCK TABLE customer, empty;\nREINDEX TABLE customer; REINDEX TABLE empty;\nREINDEX INDEX customer_pkey;\nREINDEX INDEX empty_pkey');
SELECT * FROM pg_temp.warnings('CREATE INDEX ON empty (name); CREATE TABLE mine AS SELECT 1 AS n; CREATE INDEX ON mine (n); CREATE INDEX IF NOT EXISTS customer_pkey ON customer (id)');
-- A constraint that is validated under a lock.
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ADD CONSTRAINT c CHECK (age > 0)');
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ADD CONSTRAINT c CHECK (age > 0) NOT VALID');
SELECT * FROM pg_temp.warnings(E'ALTER TABLE customer ADD CONSTRAINT c CHECK (age > 0) NOT VALID;\nALTER TABLE customer VALIDATE CONSTRAINT c');
ALTER TABLE customer ADD CONSTRAINT c CHECK (age > 0) NOT VALID;
SELECT * FROM pg_temp.warnings('ALTER TABLE customer VALIDATE CONSTRAINT c');
ALTER TABLE customer DROP CONSTRAINT c;
CREATE TABLE orders_part (k int, v int);
INSERT INTO orders_part VALUES (20, 1);
SELECT * FROM pg_temp.warnings('ALTER TABLE part ATTACH PARTITION orders_part FOR VALUES FROM (20) TO (30)');
ALTER TABLE orders_part ADD CHECK (k IS NOT NULL AND k >= 20 AND k < 30);
SELECT * FROM pg_temp.warnings('ALTER TABLE part ATTACH PARTITION orders_part FOR VALUES FROM (20) TO (30)');
DROP TABLE orders_part;
-- SET NOT NULL that looks through the table; with a constraint that says the same it does not.
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ALTER age SET NOT NULL');
ALTER TABLE customer ADD CONSTRAINT c CHECK (age IS NOT NULL);
SELECT * FROM pg_temp.warnings('ALTER TABLE customer ALTER age SET NOT NULL; ALTER TABLE empty ALTER name SET NOT NULL');
ALTER TABLE customer DROP CONSTRAINT c;
-- A domain's constraint, for which all tables are looked through that have a column of it; NOT VALID looks at none.
CREATE DOMAIN amount AS int;
CREATE TABLE bill (id int, total amount);
INSERT INTO bill VALUES (1, 10), (2, 20);
CREATE TABLE empty_bill (total amount);
SELECT * FROM pg_temp.warnings('ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0)');
SELECT * FROM pg_temp.warnings('ALTER DOMAIN amount SET NOT NULL');
SELECT * FROM pg_temp.warnings(E'ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;\nALTER DOMAIN amount SET DEFAULT 1');
ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;
SELECT rule, severity, regexp_replace(message, '\(SHARE.*\)', '(...)'), advice FROM pg_temp.warnings('ALTER DOMAIN amount VALIDATE CONSTRAINT positive');
DROP TABLE bill, empty_bill;
DROP DOMAIN amount;
-- A foreign key locks the other table, when it is made and when it goes.
SELECT * FROM pg_temp.warnings('CREATE TABLE mine (customer int REFERENCES customer)');
SELECT * FROM pg_temp.warnings('ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customer NOT VALID');
ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer) REFERENCES customer;
SELECT * FROM pg_temp.warnings('ALTER TABLE orders DROP CONSTRAINT f');
ALTER TABLE orders DROP CONSTRAINT f;
SELECT * FROM pg_temp.warnings('CREATE TABLE mine (customer int REFERENCES empty); CREATE TABLE another (n int PRIMARY KEY, m int REFERENCES another)');
-- ACCESS EXCLUSIVE that is held over what is slow.
SELECT * FROM pg_temp.warnings(E'ALTER TABLE customer ADD x int;\nSELECT pg_sleep(0.2)');
SELECT * FROM pg_temp.warnings(E'SELECT pg_sleep(0.2);\nALTER TABLE customer ADD x int;\nSELECT 1');
SELECT * FROM pg_temp.warnings(E'ALTER TABLE empty ADD x int;\nUPDATE customer SET age = 1;\nSELECT pg_sleep(0.2)');
-- What a DO block or a function does counts for the statement that runs it.
SELECT * FROM pg_temp.warnings('DO ''BEGIN EXECUTE ''''ALTER TABLE customer ALTER age SET NOT NULL''''; END''');
\t off
\pset format aligned

-- A new value of an enum that is used at once the server refuses; the hint says what to do.
SELECT * FROM rdsinit.plan('schema.sql', E'ALTER TYPE mood ADD VALUE ''ok'';\nSELECT ''ok''::mood;');
SELECT tag, altered FROM rdsinit.plan('schema.sql', E'ALTER TYPE mood ADD VALUE ''ok'';\nSELECT ''sad''::mood;');

-- Only what is pending is planned, in the order in which it would be applied.
SELECT outcome FROM rdsinit.apply('V1__one.sql', 'SELECT 1');
SELECT ordinal, script, line, tag FROM rdsinit.plan_bundle(ARRAY['R__last.sql', 'V2__two.sql', 'V1__one.sql'], ARRAY['SELECT 3', E'SELECT 2;\n\\ir part.sql', 'SELECT 1'], '{"allow_changed": true}');
SELECT ordinal, script, line, tag FROM rdsinit.plan_bundle(ARRAY['R__last.sql', 'V2__two.sql', 'V1__one.sql', 'part.sql'],
	ARRAY['SELECT 3', E'SELECT 2;\n\\ir part.sql', 'SELECT 1', E'\n  CREATE TABLE included (n int)']);
SELECT count(*) FROM rdsinit.plan('V1__one.sql', 'SELECT 1');
-- A script that asks for no transaction is listed, and not run.
SELECT ordinal, script, line, tag, run, duration IS NULL AS is_null, rows, locks FROM rdsinit.plan_bundle('{V1__one.sql,V2__two.sql,V3__three.sql}',
	ARRAY['SELECT 1', E'-- rdsinit: no-transaction\nCREATE INDEX CONCURRENTLY later ON customer (name);\nVACUUM customer;', 'SELECT 1 WHERE false'])
	\gx
SELECT ordinal, tag FROM rdsinit.plan_bundle('{V1__one.sql,V2__two.sql,V3__three.sql}',
	ARRAY['SELECT 1', E'-- rdsinit: no-transaction\nCREATE INDEX CONCURRENTLY later ON customer (name);', 'ALTER INDEX later RENAME TO now']);

-- An error is where apply would raise it.
SELECT * FROM rdsinit.plan('schema.sql', E'CREATE TABLE one (n int);\nSELECT nosuchcolumn;');
SELECT * FROM rdsinit.plan('schema.sql', E'CREATE TABLE one (n int);\nSELEKT 1;');
SELECT * FROM rdsinit.plan('schema.sql', 'VACUUM');
SELECT * FROM rdsinit.plan('schema.sql', 'SELECT rdsinit.plan_text(''a'', ''SELECT 1'')');
SELECT * FROM rdsinit.plan('schema.sql', E'CREATE TABLE one (n int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO one VALUES (1), (1);');
SELECT * FROM rdsinit.plan(NULL, '');
SELECT * FROM rdsinit.plan_bundle('{a}', NULL);
SELECT * FROM rdsinit.plan('schema.sql', '', '{"unknown": 1}');
BEGIN READ ONLY;
SELECT * FROM rdsinit.plan('schema.sql', 'SELECT 1');
ROLLBACK;

-- Nothing stays but the numbers of sequences.
CREATE SEQUENCE counter;
PREPARE kept AS SELECT 1;
SELECT hash AS before FROM catalog \gset
SELECT count(*) FROM rdsinit.plan('schema.sql', $$
SET search_path = pg_catalog; SET work_mem = '1234kB'; SET ROLE pg_monitor; RESET ROLE;
PREPARE gone AS SELECT 1;
SELECT pg_advisory_lock(42), set_config('rdsinit.test', 'set', false), nextval('regress_plan.counter');
CREATE TEMPORARY TABLE t (n int);
CREATE ROLE regress_rdsinit_planned;
LISTEN channel;
SET search_path = regress_plan;
ALTER TABLE customer ALTER age TYPE bigint; CREATE INDEX ON customer (name);
ALTER TYPE mood ADD VALUE 'new'; ALTER TABLE orders RENAME TO renamed; DROP MATERIALIZED VIEW summary;
TRUNCATE part; DROP SCHEMA regress_plan CASCADE; CREATE SCHEMA regress_plan;
$$);
SELECT current_setting('search_path'), current_setting('work_mem') = '1234kB' AS work_mem, nullif(current_setting('rdsinit.test', true), '') AS test;
SELECT name FROM pg_prepared_statements;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT pg_listening_channels();
SELECT nextval('counter');
SELECT name FROM rdsinit.history;
SELECT hash = :'before' AS is_as_it_was FROM catalog;
DROP SEQUENCE counter;
-- So a plan can be made as often as one likes, and the script still be applied.
SELECT count(*) FROM rdsinit.plan('again.sql', 'CREATE TABLE again (n int)');
SELECT count(*) FROM rdsinit.plan('again.sql', 'CREATE TABLE again (n int)');
SELECT outcome FROM rdsinit.apply('again.sql', 'CREATE TABLE again (n int)');
SELECT count(*) FROM rdsinit.plan('again.sql', 'CREATE TABLE again (n int)');

-- For people: no line is wider than the screen, whatever the names are.
SELECT regexp_replace(regexp_replace(line, ' +[0-9.]+ m?s\M', ' ... ms', 'g'), ' +[0-9.]+ (B|kB|MB)( of)? WAL', ' ... WAL') AS text
  FROM regexp_split_to_table(rdsinit.plan_text('schema.sql', 'ALTER TABLE customer ALTER age TYPE bigint;'), '\n') AS line;
SELECT rdsinit.plan_text('again.sql', 'CREATE TABLE again (n int)');
CREATE TABLE "表表表表, a very long name of a table, 表表表表表表" (n int);
SELECT max(length(line)) <= 100 AS fits, bool_or(line LIKE '%表%') AS is_there
  FROM regexp_split_to_table(rdsinit.plan_bundle_text(ARRAY[repeat('directory/', 20) || 'schema.sql'], ARRAY['LOCK TABLE "表表表表, a very long name of a table, 表表表表表表" IN SHARE MODE']), '\n') AS line;
-- … and a page, in which nothing is markup that is not the page's own.
CREATE TABLE "<script>alert('1')</script> & ""more""" (n int);
SELECT page LIKE '<!DOCTYPE html>%</html>_' AS is_page, page LIKE '%<script%' AS has_script, page LIKE '%&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;%' AS is_escaped,
       page ~ '[^\x01-\x7f]' AS has_more_than_ascii, page ~* '(src|href)="?(https?:|//)|url\(["'']?[^#"'')]|@import' AS asks_for_more
  FROM rdsinit.plan_html('<b>.sql', 'ALTER TABLE "<script>alert(''1'')</script> & ""more""" ADD "ä" int') AS page;
SELECT rdsinit.plan_bundle_html('{again.sql}', ARRAY['CREATE TABLE again (n int)']) LIKE '%Nothing is to be done.%' AS nothing;
-- A variable's value is never shown.
SELECT rdsinit.plan_html('schema.sql', 'SELECT :''password''', '{"variables": {"password": "geheim"}}') LIKE '%geheim%' AS is_shown;

-- Who may: whom the owner lets.  The script has the caller's rights and no others.
CREATE ROLE regress_rdsinit_planner;
SET ROLE regress_rdsinit_planner;
SELECT * FROM rdsinit.plan('schema.sql', 'SELECT 1');
SELECT rdsinit.plan_text('schema.sql', 'SELECT 1');
SELECT * FROM rdsinit.plan_file('/etc/passwd');
RESET ROLE;
GRANT EXECUTE ON FUNCTION rdsinit.plan, rdsinit.plan_file TO regress_rdsinit_planner;
SET ROLE regress_rdsinit_planner;
SELECT tag, made, locks, warnings FROM rdsinit.plan('schema.sql', 'CREATE TEMPORARY TABLE mine (n int)');
SELECT * FROM rdsinit.plan('schema.sql', 'DROP TABLE regress_plan.customer');
SELECT * FROM rdsinit.plan('schema.sql', 'SELECT * FROM regress_plan.customer');
SELECT * FROM rdsinit.plan_file('/etc/passwd');
SELECT count(*) FROM rdsinit.history;
RESET ROLE;

REVOKE ALL ON FUNCTION rdsinit.plan, rdsinit.plan_file FROM regress_rdsinit_planner;
DROP ROLE regress_rdsinit_planner;
DROP SCHEMA regress_plan CASCADE;
DROP EXTENSION rdsinit;
CREATE EXTENSION rdsinit;

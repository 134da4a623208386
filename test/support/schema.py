"""A schema with something of every kind, in blocks that do not need one another; and ways to change it.

{role} and {other} are two roles, {name} is a name that no other database has.
"""

BLOCKS = [
    """CREATE SCHEMA shop;
       CREATE TYPE shop.size AS ENUM ('s', 'm', 'l');
       CREATE DOMAIN shop.price AS numeric(10, 2) DEFAULT 0 CONSTRAINT positive CHECK (value >= 0);
       CREATE TYPE shop.address AS (street text, town text COLLATE "C");
       CREATE SEQUENCE shop.number START 10;
       CREATE TABLE shop.product (
           id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           name text NOT NULL DEFAULT 'a chair',
           price shop.price,
           size shop.size DEFAULT 'm',
           made timestamptz DEFAULT '2026-01-01 12:00+02',
           sent interval DEFAULT '1 day 02:00:00',
           worth money DEFAULT 12.5,
           picture bytea DEFAULT '\\xff00',
           twice numeric GENERATED ALWAYS AS (3.5 * 2) STORED,
           CONSTRAINT named CHECK (name <> ''));
       CREATE INDEX product_name ON shop.product (lower(name)) WHERE price > 1;
       CREATE STATISTICS shop.together ON name, price FROM shop.product;
       CREATE TABLE shop.sale (product int CONSTRAINT sale_product REFERENCES shop.product, at date NOT NULL) PARTITION BY RANGE (at);
       CREATE TABLE shop.sale_2026 PARTITION OF shop.sale FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
       CREATE TABLE shop.old_product (CONSTRAINT old CHECK (id < 100)) INHERITS (shop.product);
       CREATE VIEW shop.cheap AS SELECT id, name FROM shop.product WHERE price < 5;
       CREATE VIEW shop.cheaper AS SELECT name FROM shop.cheap;
       CREATE MATERIALIZED VIEW shop.count AS SELECT count(*) AS n FROM shop.sale;
       CREATE RULE quiet AS ON DELETE TO shop.product DO INSTEAD NOTHING;
       CREATE POLICY own ON shop.product FOR SELECT TO {role} USING (name = current_user);
       CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
       CREATE TRIGGER touch BEFORE UPDATE OF name ON shop.product FOR EACH ROW EXECUTE FUNCTION shop.touch();
       CREATE PUBLICATION {name} FOR TABLE shop.product (id, name);
       COMMENT ON TABLE shop.product IS 'what is sold';
       COMMENT ON COLUMN shop.product.name IS 'as on the label';
       GRANT SELECT ON shop.product TO {role};
       GRANT INSERT ON shop.product TO {other};
       GRANT UPDATE (name) ON shop.product TO {role};""",
    """CREATE FUNCTION public.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
       CREATE PROCEDURE public.nothing() LANGUAGE sql AS 'SELECT 1';
       CREATE AGGREGATE public.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
       CREATE OPERATOR public.@+ (FUNCTION = public.add, LEFTARG = int, RIGHTARG = int);""",
    """CREATE TYPE public.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
       CREATE TYPE public.pair AS (a int, b int);
       CREATE FUNCTION public.pair_text(public.pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.a::text';
       CREATE CAST (public.pair AS text) WITH FUNCTION public.pair_text(public.pair) AS ASSIGNMENT;""",
    """CREATE FUNCTION public.backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
       CREATE OPERATOR FAMILY public.backwards USING btree;
       CREATE OPERATOR CLASS public.backwards FOR TYPE int USING btree FAMILY public.backwards AS
           OPERATOR 1 > (int, int), OPERATOR 2 >= (int, int), OPERATOR 3 = (int, int), OPERATOR 4 <= (int, int), OPERATOR 5 < (int, int),
           FUNCTION 1 public.backwards(int, int);""",
    """CREATE COLLATION public.german (LOCALE = 'C');
       CREATE TEXT SEARCH DICTIONARY public.plain (TEMPLATE = simple);
       CREATE TEXT SEARCH CONFIGURATION public.plain (PARSER = "default");
       ALTER TEXT SEARCH CONFIGURATION public.plain ADD MAPPING FOR asciiword WITH public.plain;
       CREATE CONVERSION public.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;""",
    """CREATE FOREIGN DATA WRAPPER wrapper;
       CREATE SERVER away FOREIGN DATA WRAPPER wrapper OPTIONS (host 'there', password 'sesame');
       CREATE USER MAPPING FOR {role} SERVER away OPTIONS (password 'sesame');
       CREATE FOREIGN TABLE public.far (a int OPTIONS (name 'b')) SERVER away OPTIONS (file 'x');""",
    """CREATE FUNCTION public.seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
       CREATE EVENT TRIGGER {name} ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION public.seen();""",
    """CREATE SCHEMA empty;
       ALTER DEFAULT PRIVILEGES IN SCHEMA empty GRANT SELECT ON TABLES TO {role};
       CREATE FUNCTION public.other_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
       CREATE LANGUAGE other HANDLER public.other_handler;
       CREATE ACCESS METHOD heapish TYPE TABLE HANDLER heap_tableam_handler;""",
]

# Each is one change, which has to be seen.
CHANGES = [
    "CREATE TABLE shop.added (a int)",
    "DROP TABLE shop.old_product",
    "ALTER TABLE shop.product ADD COLUMN added int",
    "ALTER TABLE shop.product DROP COLUMN worth",
    "ALTER TABLE shop.sale RENAME COLUMN product TO of_product",
    "ALTER TABLE shop.product RENAME COLUMN name TO title",
    "ALTER TABLE shop.product RENAME TO item",
    "ALTER TABLE shop.product RENAME CONSTRAINT named TO has_name",
    "ALTER TABLE shop.product ALTER COLUMN picture TYPE text USING ''",
    "ALTER TABLE shop.product ALTER COLUMN made DROP DEFAULT",
    "ALTER TABLE shop.product ALTER COLUMN made SET DEFAULT NULL",
    "ALTER TABLE shop.product ALTER COLUMN made SET DEFAULT NULL::timestamptz, ALTER COLUMN sent SET DEFAULT '2 days'",
    "ALTER TABLE shop.product ALTER COLUMN made SET DEFAULT now()",
    "ALTER TABLE shop.product ALTER COLUMN made SET DEFAULT '2026-01-01'::date + 1",
    "CREATE TABLE public.heir () INHERITS (shop.product); ALTER TABLE shop.product ALTER COLUMN made SET DEFAULT NULL",
    "ALTER TABLE shop.product ALTER COLUMN made SET DEFAULT '2026-01-01 13:00+02'",
    "ALTER TABLE shop.product ALTER COLUMN sent SET NOT NULL",
    "ALTER TABLE shop.product ALTER COLUMN name DROP NOT NULL",
    "ALTER TABLE shop.product ALTER COLUMN name SET STORAGE external",
    "ALTER TABLE shop.product ALTER COLUMN name SET COMPRESSION pglz",
    "ALTER TABLE shop.product ALTER COLUMN name SET STATISTICS 7",
    "ALTER TABLE shop.product ALTER COLUMN name SET (n_distinct = 5)",
    "ALTER TABLE shop.product ALTER COLUMN id SET GENERATED BY DEFAULT",
    "ALTER TABLE shop.product ALTER COLUMN id SET INCREMENT 5",
    "ALTER TABLE shop.product ALTER COLUMN twice DROP EXPRESSION",
    "ALTER TABLE shop.product ADD CHECK (id > 0)",
    "ALTER TABLE shop.product DROP CONSTRAINT named",
    "ALTER TABLE shop.sale ALTER CONSTRAINT sale_product DEFERRABLE",
    "ALTER TABLE shop.sale DROP CONSTRAINT sale_product",
    "ALTER TABLE shop.product SET (fillfactor = 50)",
    "ALTER TABLE shop.product SET (toast.autovacuum_enabled = off)",
    "ALTER TABLE shop.sale_2026 SET UNLOGGED",
    "ALTER TABLE shop.product REPLICA IDENTITY FULL",
    "ALTER TABLE shop.product CLUSTER ON product_pkey",
    "ALTER TABLE shop.product ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE shop.product FORCE ROW LEVEL SECURITY",
    "ALTER TABLE shop.product OWNER TO {role}",
    "ALTER TABLE shop.product SET SCHEMA empty",
    "ALTER TABLE shop.product DISABLE TRIGGER touch",
    "ALTER TABLE shop.sale DISABLE TRIGGER ALL",
    "ALTER TABLE shop.product DISABLE RULE quiet",
    "ALTER TABLE shop.old_product NO INHERIT shop.product",
    "ALTER TABLE shop.sale DETACH PARTITION shop.sale_2026",
    "CREATE TABLE shop.sale_2027 PARTITION OF shop.sale FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    "CREATE INDEX added ON shop.product (price)",
    "DROP INDEX shop.product_name",
    "ALTER INDEX shop.product_name RENAME TO by_name",
    "ALTER INDEX shop.product_name SET (fillfactor = 50)",
    "ALTER INDEX shop.product_pkey SET (fillfactor = 50)",
    "ALTER INDEX shop.product_name ALTER COLUMN 1 SET STATISTICS 9",
    "COMMENT ON INDEX shop.product_pkey IS 'by number'",
    "COMMENT ON TABLE shop.product IS 'other'",
    "COMMENT ON TABLE shop.product IS NULL",
    "COMMENT ON COLUMN shop.product.price IS 'net'",
    "COMMENT ON CONSTRAINT named ON shop.product IS 'why'",
    "COMMENT ON CONSTRAINT positive ON DOMAIN shop.price IS 'why'",
    "COMMENT ON TRIGGER touch ON shop.product IS 'why'",
    "COMMENT ON SCHEMA shop IS 'all'",
    "GRANT DELETE ON shop.product TO {role}",
    "REVOKE SELECT ON shop.product FROM {role}",
    "GRANT UPDATE (price) ON shop.product TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {other}",
    "GRANT USAGE ON SCHEMA shop TO {role}",
    "GRANT USAGE ON SEQUENCE shop.number TO {role}",
    "GRANT SELECT ON shop.number, shop.cheap, shop.count TO {role}",
    "SET LOCAL search_path = shop; GRANT TRIGGER ON product TO {role}; SET LOCAL search_path = public",
    "DO $$ BEGIN GRANT TRIGGER ON shop.product TO {role}; EXECUTE 'DROP TABLE shop.sale CASCADE'; END $$",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "REVOKE EXECUTE ON FUNCTION public.add(int, int) FROM PUBLIC",
    "REVOKE USAGE ON TYPE shop.size FROM PUBLIC",
    "GRANT USAGE ON FOREIGN SERVER away TO {role}",
    "GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO {role}",
    "DROP OWNED BY {other}",
    "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA empty GRANT INSERT ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA empty REVOKE SELECT ON TABLES FROM {role}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {role} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "CREATE SCHEMA added",
    "DROP SCHEMA empty",
    "DROP SCHEMA shop CASCADE",
    "ALTER SCHEMA shop RENAME TO store",
    "ALTER SCHEMA shop OWNER TO {role}",
    "CREATE OR REPLACE VIEW shop.cheap AS SELECT id, name FROM shop.product WHERE price < 6",
    "CREATE OR REPLACE VIEW shop.cheap AS SELECT id, name, price FROM shop.product WHERE price < 5",
    "ALTER VIEW shop.cheap SET (security_barrier = true)",
    "ALTER VIEW shop.cheap ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER VIEW shop.cheap RENAME COLUMN name TO title",
    "DROP VIEW shop.cheaper",
    "DROP MATERIALIZED VIEW shop.count",
    "ALTER MATERIALIZED VIEW shop.count SET (fillfactor = 70)",
    "CREATE INDEX ON shop.count (n)",
    "ALTER SEQUENCE shop.number INCREMENT 3",
    "ALTER SEQUENCE shop.number OWNED BY shop.product.name",
    "ALTER SEQUENCE shop.number RENAME TO numbers",
    "DROP SEQUENCE shop.number",
    "CREATE OR REPLACE RULE quiet AS ON DELETE TO shop.product DO ALSO NOTHING",
    "DROP RULE quiet ON shop.product",
    "ALTER RULE quiet ON shop.product RENAME TO silent",
    "ALTER POLICY own ON shop.product USING (true)",
    "ALTER POLICY own ON shop.product TO {other}",
    "DROP POLICY own ON shop.product",
    "CREATE OR REPLACE TRIGGER touch AFTER UPDATE ON shop.product FOR EACH ROW EXECUTE FUNCTION shop.touch()",
    "DROP TRIGGER touch ON shop.product",
    "ALTER TRIGGER touch ON shop.product RENAME TO touched",
    "CREATE OR REPLACE FUNCTION public.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT b + a'",
    "CREATE OR REPLACE FUNCTION public.add(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b'",
    "CREATE OR REPLACE FUNCTION public.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'; DROP FUNCTION public.add(int, int) CASCADE",
    "ALTER FUNCTION public.add(int, int) STABLE",
    "ALTER FUNCTION public.add(int, int) SET work_mem = '1MB'",
    "ALTER FUNCTION shop.touch() RENAME TO poke",
    "ALTER FUNCTION public.add(int, int) SECURITY DEFINER",
    "DROP PROCEDURE public.nothing()",
    "DROP AGGREGATE public.total(int)",
    "ALTER AGGREGATE public.total(int) RENAME TO sums",
    "ALTER TYPE shop.size ADD VALUE 'xl'",
    "ALTER TYPE shop.size RENAME VALUE 'm' TO 'medium'",
    "ALTER TYPE shop.size RENAME TO sizes",
    "ALTER TYPE shop.address ADD ATTRIBUTE country text",
    "ALTER TYPE shop.address RENAME ATTRIBUTE town TO city",
    "ALTER TYPE shop.address DROP ATTRIBUTE town",
    "COMMENT ON COLUMN shop.address.town IS 'or village'",
    "DROP TYPE public.span",
    "ALTER DOMAIN shop.price SET DEFAULT 1",
    "ALTER DOMAIN shop.price SET NOT NULL",
    "ALTER DOMAIN shop.price DROP CONSTRAINT positive",
    "ALTER DOMAIN shop.price RENAME TO cost",
    "DROP CAST (public.pair AS text)",
    "DROP OPERATOR public.@+ (int, int)",
    "ALTER OPERATOR public.@+ (int, int) OWNER TO {role}",
    "DROP OPERATOR CLASS public.backwards USING btree",
    "ALTER OPERATOR FAMILY public.backwards USING btree ADD OPERATOR 1 > (int, bigint)",
    "ALTER OPERATOR FAMILY public.backwards USING btree RENAME TO downwards",
    "DROP COLLATION public.german",
    "ALTER TEXT SEARCH DICTIONARY public.plain (accept = false)",
    "ALTER TEXT SEARCH CONFIGURATION public.plain ADD MAPPING FOR word WITH simple",
    "ALTER TEXT SEARCH CONFIGURATION public.plain DROP MAPPING FOR asciiword",
    "ALTER TEXT SEARCH CONFIGURATION public.plain RENAME TO simple",
    "DROP CONVERSION public.latin",
    "ALTER SERVER away OPTIONS (SET host 'here')",
    "ALTER SERVER away VERSION '2'",
    "ALTER SERVER away RENAME TO abroad",
    "ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (ADD debug 'on')",
    "DROP USER MAPPING FOR {role} SERVER away",
    "CREATE USER MAPPING FOR PUBLIC SERVER away",
    "ALTER FOREIGN TABLE public.far OPTIONS (SET file 'y')",
    "ALTER FOREIGN TABLE public.far ALTER COLUMN a OPTIONS (SET name 'c')",
    "ALTER PUBLICATION {name} SET (publish = 'insert')",
    "ALTER PUBLICATION {name} SET TABLE shop.product (id)",
    "ALTER PUBLICATION {name} ADD TABLE shop.sale_2026",
    "ALTER PUBLICATION {name} DROP TABLE shop.product",
    "ALTER PUBLICATION {name} SET TABLES IN SCHEMA empty",
    "DROP PUBLICATION {name}",
    "ALTER EVENT TRIGGER {name} DISABLE",
    "DROP EVENT TRIGGER {name}",
    "ALTER STATISTICS shop.together SET STATISTICS 50",
    "ALTER STATISTICS shop.together RENAME TO both_of_them",
    "DROP STATISTICS shop.together",
    "ALTER LANGUAGE other RENAME TO another",
    "DROP LANGUAGE other",
    "DROP ACCESS METHOD heapish",
    "CREATE TRANSFORM FOR int LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
    "DROP EXTENSION plpgsql CASCADE",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE shop.made_by_a_block (a int)'; END $$",
    "SELECT 1 AS one INTO shop.selected",
    "CREATE TABLE shop.brief (a int); ALTER TABLE shop.brief RENAME TO brief_one; ALTER TABLE shop.brief_one SET SCHEMA empty",
    "ALTER SCHEMA shop RENAME TO store; ALTER SCHEMA empty RENAME TO shop; ALTER SCHEMA store RENAME TO empty",
]

# What is no change of the schema.
NO_CHANGES = [
    "INSERT INTO shop.product (name) VALUES ('a table')",
    "SELECT nextval('shop.number')",
    "REFRESH MATERIALIZED VIEW shop.count",
    "ANALYZE shop.product",
    "REINDEX TABLE shop.product",
    "ALTER TABLE shop.product ADD COLUMN gone int; ALTER TABLE shop.product DROP COLUMN gone",
    "CREATE TEMPORARY TABLE passing (a int); CREATE TEMPORARY VIEW passes AS SELECT * FROM passing",
    "CREATE TABLE shop.brief (); DROP TABLE shop.brief",
    "GRANT SELECT ON shop.sale TO {role}; REVOKE SELECT ON shop.sale FROM {role}",
    "SET search_path = shop; SET quote_all_identifiers = on; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo';"
    " SET IntervalStyle = 'sql_standard'; SET bytea_output = 'escape'; SET extra_float_digits = 3",
]

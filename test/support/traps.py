"""A schema in which an attacker has put something of his own under each of the server's names."""

import contextlib

from support.database import quoted

# What has been stepped on counts even when it is rolled back: a sequence does not go back.
TRAP = """
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE SEQUENCE evil.trapped;
GRANT ALL ON SEQUENCE evil.trapped TO PUBLIC;
CREATE FUNCTION evil.trap() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_catalog.nextval('evil.trapped'); RAISE EXCEPTION 'trapped'; END $$;
"""

FUNCTIONS = r"""
DO $do$
DECLARE f record; made int := 0;
BEGIN
    SET LOCAL check_function_bodies = off;
    FOR f IN
        SELECT DISTINCT p.proname, p.proretset, format_type(p.prorettype, NULL) AS result,
               (SELECT coalesce(string_agg(format_type(t, NULL), ', ' ORDER BY n), '') FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (t, n)) AS arguments
          FROM pg_proc AS p
         WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
           AND NOT EXISTS (SELECT FROM pg_type AS t WHERE t.typtype = 'p' AND t.oid = ANY (p.proargtypes::oid[] || p.prorettype))
    LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.trap(); END $$',
                       f.proname, f.arguments, CASE WHEN f.proretset THEN 'SETOF' ELSE '' END, f.result);
        made := made + 1;
    END LOOP;
    ASSERT made > 1000;
END $do$;
DO $do$
DECLARE o record; made int := 0;
BEGIN
    SET LOCAL check_function_bodies = off;
    FOR o IN
        SELECT oid, oprname, format_type(nullif(oprleft, 0), NULL) AS l, format_type(oprright, NULL) AS r, format_type(oprresult, NULL) AS result
          FROM pg_operator
         WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprresult <> 0 AND oprright <> 0
           AND NOT EXISTS (SELECT FROM pg_type AS t WHERE t.typtype = 'p' AND t.oid IN (oprleft, oprright, oprresult))
    LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.trap(); END $$',
                       'operator_' || o.oid, concat_ws(', ', o.l, o.r), o.result);
        EXECUTE format('CREATE OPERATOR evil.%s (%s RIGHTARG = %s, FUNCTION = evil.%I)',
                       o.oprname, 'LEFTARG = ' || o.l || ',', o.r, 'operator_' || o.oid);
        made := made + 1;
    END LOOP;
    ASSERT made > 500;
END $do$;
"""

RELATIONS_AND_TYPES = r"""
DO $do$
DECLARE name pg_catalog.text;
BEGIN
    FOR name IN SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND relkind IN ('r', 'v') LOOP
        EXECUTE format('CREATE %s VIEW %s%I AS SELECT evil.trap() AS oid', '{temporary}', '{schema}', name);
    END LOOP;
    FOR name IN SELECT typname FROM pg_catalog.pg_type WHERE typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND typtype = 'b' AND typname !~ '^_' LOOP
        EXECUTE format('CREATE DOMAIN {type_schema}.%I AS pg_catalog.int4 CHECK (evil.trap() > 0)', name);
    END LOOP;
END $do$;
"""


def lay(database, stranger):
    """As the stranger, who may create in the database and nothing else."""
    database.rows('GRANT CREATE ON DATABASE %s TO %s' % (quoted(database.name), quoted(stranger[0])))
    with contextlib.closing(database.connect(*stranger)) as connection:
        connection.cursor().execute(TRAP)
        connection.cursor().execute(FUNCTIONS)
        connection.cursor().execute(RELATIONS_AND_TYPES.format(temporary='', schema='evil.', type_schema='evil'))


def lay_temporary(cursor):
    """In the caller's own session, where the names of relations and types are looked up first."""
    cursor.execute(RELATIONS_AND_TYPES.format(temporary='TEMPORARY', schema='pg_temp.', type_schema='pg_temp'))


def stepped_on(database):
    return database.value('SELECT is_called FROM evil.trapped')

"""Security: who installs the extension need not be a superuser, and gains nothing by it but that it is there."""

import contextlib
import threading

import psycopg2
import pytest

from support import traps
from support.database import quoted

pytestmark = pytest.mark.extension

# All that an installer could set, and that could change what the script makes.
SETTINGS = """
SET search_path = evil, pg_temp, public;
SET quote_all_identifiers = on;
SET check_function_bodies = off;
SET transform_null_equals = on;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'iso_8601';
SET client_encoding = 'LATIN1';
SET plpgsql.variable_conflict = 'use_column';
SET plpgsql.extra_errors = 'all';
SET default_toast_compression = 'pglz';
SET row_security = off;
SET createrole_self_grant = 'set, inherit';
"""

MADE = """
SELECT 'relation', c.relname::text, concat_ws(' ', c.relkind, c.relowner::regrole, c.relacl, pg_get_viewdef(c.oid), c.relrowsecurity, c.relhastriggers, c.relhasrules)
  FROM pg_class AS c WHERE c.relnamespace = 'rdsinit'::regnamespace
UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, concat_ws(' ', atttypid::regtype, attnotnull, attcollation::regcollation, attacl, attidentity,
    (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum))
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid WHERE c.relnamespace = 'rdsinit'::regnamespace AND attnum > 0
UNION ALL SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class AS c ON c.oid = indrelid WHERE c.relnamespace = 'rdsinit'::regnamespace
UNION ALL SELECT 'constraint', conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'rdsinit'::regnamespace
UNION ALL SELECT 'routine', oid::regprocedure::text, concat_ws(' ', pg_get_functiondef(oid), proowner::regrole, proacl) FROM pg_proc WHERE pronamespace = 'rdsinit'::regnamespace
UNION ALL SELECT 'type', typname::text, concat_ws(' ', typowner::regrole, typacl, typtype) FROM pg_type WHERE typnamespace = 'rdsinit'::regnamespace
UNION ALL SELECT 'schema', nspname::text, concat_ws(' ', nspowner::regrole, nspacl) FROM pg_namespace WHERE nspname = 'rdsinit'
UNION ALL SELECT 'trigger', tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'rdsinit'::regnamespace)
UNION ALL SELECT 'member', pg_describe_object(classid, objid, objsubid), '' FROM pg_depend WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rdsinit')
ORDER BY 1, 2
"""


@pytest.fixture
def installer(database, role):
    """A role that may create in the database, and nothing else."""
    login = role()
    database.create()
    database.rows('GRANT CREATE ON DATABASE %s TO %s' % (quoted(database.name), quoted(login[0])))
    return login


@contextlib.contextmanager
def session(database, login=()):
    with contextlib.closing(database.connect(*login)) as connection:
        yield connection.cursor()


def install(database, login, before=''):
    with session(database, login) as cursor:
        cursor.execute(before + 'CREATE EXTENSION rdsinit')


def test_who_may_not_create_in_the_database_may_not_install(database, role):
    login = role()
    database.create()
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        install(database, login)


@pytest.mark.parametrize('given', ['SELECT', 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO %s WITH GRANT OPTION'],
                         ids=['nothing is given', 'what is given is taken back'])
def test_what_is_made_is_a_superusers_and_the_same_whoever_installs(database, installer, given):
    """Whatever the installer has set, and whatever he has made under each of the server's names."""
    database.rows('CREATE EXTENSION rdsinit')
    expected = database.rows(MADE)
    database.rows('DROP EXTENSION rdsinit')
    database.rows(given.replace('%s', quoted(installer[0])))

    traps.lay(database, installer)
    with session(database, installer) as cursor:
        traps.lay_temporary(cursor)
        for setting in SETTINGS.strip().split('\n'):
            with contextlib.suppress(psycopg2.errors.UndefinedObject, psycopg2.errors.SyntaxError, psycopg2.errors.InsufficientPrivilege,
                                     psycopg2.errors.InvalidParameterValue, psycopg2.errors.FeatureNotSupported):
                cursor.execute(setting)         # not every server knows each of them
        cursor.execute('CREATE EXTENSION rdsinit')
    assert database.rows(MADE) == expected
    assert not traps.stepped_on(database)
    assert database.value("SELECT bool_and(rolsuper) FROM pg_class JOIN pg_roles AS r ON r.oid = relowner"
                          " WHERE relnamespace = 'rdsinit'::regnamespace")


@pytest.mark.parametrize('strings', ['on', 'off'])
def test_it_can_be_installed_however_strings_are_read(database, installer, strings):
    try:
        install(database, installer, 'SET standard_conforming_strings = %s; ' % strings)
    except psycopg2.errors.FeatureNotSupported:
        pytest.skip('this server knows one kind of string')


def test_default_privileges_of_the_installer_give_him_no_part_in_it(database, installer):
    for kind in 'SCHEMAS', 'TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES':
        with session(database, installer) as cursor:
            cursor.execute('ALTER DEFAULT PRIVILEGES GRANT ALL ON %s TO %s' % (kind, quoted(installer[0])))
    install(database, installer)
    assert installer[0] not in str(database.rows(MADE))


@pytest.mark.parametrize('command', [
    "SELECT * FROM rdsinit.apply('a.sql', 'SELECT 1')", 'TABLE rdsinit.history', 'TABLE rdsinit.object',
    "SELECT setval('rdsinit.history_id_seq', 9)", 'CREATE FUNCTION rdsinit.apply(text, text) RETURNS int LANGUAGE sql AS \'SELECT 1\'',
    'CREATE OR REPLACE FUNCTION rdsinit.fingerprint() RETURNS text LANGUAGE sql AS \'SELECT $$$$\'',
    'ALTER FUNCTION rdsinit.fingerprint() SET search_path = evil', 'ALTER FUNCTION rdsinit.fingerprint() RENAME TO other',
    'ALTER TABLE rdsinit.history ADD CHECK (id > 0)', 'CREATE INDEX ON rdsinit.history (name)', 'ALTER SCHEMA rdsinit RENAME TO other',
    'CREATE TRIGGER t BEFORE INSERT ON rdsinit.history EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE RULE r AS ON INSERT TO rdsinit.history DO INSTEAD NOTHING', 'ALTER TABLE rdsinit.history SET SCHEMA public',
    'ALTER TABLE rdsinit.history ENABLE ROW LEVEL SECURITY', 'CREATE TABLE child () INHERITS (rdsinit.history)',
    'ALTER SCHEMA rdsinit OWNER TO CURRENT_USER', 'DROP TABLE rdsinit.history CASCADE', 'DROP SCHEMA rdsinit CASCADE',
    'GRANT CREATE ON SCHEMA rdsinit TO CURRENT_USER', 'ALTER EXTENSION rdsinit DROP TABLE rdsinit.history',
    'ALTER EXTENSION rdsinit DROP FUNCTION rdsinit.fingerprint()', 'ALTER EXTENSION rdsinit SET SCHEMA public',
    'COMMENT ON TABLE rdsinit.history IS NULL', 'REASSIGN OWNED BY postgres TO CURRENT_USER',
    'ALTER TYPE rdsinit.outcome ADD ATTRIBUTE a int', 'CREATE CAST (rdsinit.outcome AS text) WITH INOUT'])
def test_the_installer_has_no_part_in_what_he_installed(database, installer, command):
    """It is the database's owner who may use it."""
    install(database, installer)
    expected = database.rows(MADE)
    with session(database, installer) as cursor:
        try:
            cursor.execute(command)
            assert 'no privileges were granted' in cursor.connection.notices[-1]
        except psycopg2.Error as error:
            assert error.pgcode in ('42501', '0A000', '2BP01')
    assert database.rows(MADE) == expected


def test_he_may_drop_it_with_its_history_which_is_all(database, installer):
    install(database, installer)
    database.rows("SELECT rdsinit.apply('a.sql', 'CREATE TABLE public.a (n int)')")
    with session(database, installer) as cursor:
        cursor.execute('DROP EXTENSION rdsinit')
    assert database.relations() == ['public.a']
    assert database.value("SELECT to_regnamespace('rdsinit') IS NULL")


def test_but_not_one_that_a_superuser_installed(database, installer):
    database.rows('CREATE EXTENSION rdsinit')
    for command in 'DROP EXTENSION rdsinit', "ALTER EXTENSION rdsinit UPDATE TO '0.1.0'", 'COMMENT ON EXTENSION rdsinit IS NULL':
        with session(database, installer) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(command)


def test_a_superuser_calls_what_the_script_made_and_nothing_else(database, installer):
    """The installer has made what he can; no call of a superuser's steps on it."""
    traps.lay(database, installer)
    install(database, installer)
    with session(database, installer) as cursor:
        cursor.execute('CREATE FUNCTION evil.mine() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN evil.trap(); END $$;'
                       ' ALTER EXTENSION rdsinit ADD FUNCTION evil.mine()')
    for call in ("rdsinit.apply('a.sql', 'CREATE TABLE public.a (n int)')", "rdsinit.plan('b.sql', 'DROP TABLE public.a')",
                 'rdsinit.drift()', 'rdsinit.accept_drift()', 'rdsinit.objects()', 'rdsinit.status', "rdsinit.baseline('1')"):
        database.rows('SET search_path = evil, pg_catalog; SELECT * FROM ' + call)
    assert not traps.stepped_on(database)


def test_the_owner_of_a_database_installs_and_uses_all_of_it(database, role):
    owner = role()
    database.create(owner[0])
    install(database, owner)
    with session(database, owner) as cursor:
        cursor.execute("SELECT outcome FROM rdsinit.apply_bundle('{V1__a.sql,U1__a.sql}', '{CREATE SCHEMA s,DROP SCHEMA s}')")
        assert cursor.fetchall() == [('applied',)]
        cursor.execute("CALL rdsinit.deploy('{b.sql}', ARRAY[E'-- rdsinit: no-transaction\nCREATE TABLE s.t (n int);\nCREATE INDEX CONCURRENTLY i ON s.t (n);'])")
        cursor.execute("SELECT count(*) > 0 FROM rdsinit.plan('c.sql', 'CREATE TABLE s.u ()')")
        assert cursor.fetchone() == (True,)
        cursor.execute('SELECT count(*) FROM rdsinit.drift()')
        assert cursor.fetchone() == (0,)
        cursor.execute('DROP INDEX s.i; SELECT change FROM rdsinit.drift()')
        assert cursor.fetchall() == [('dropped',)]
        cursor.execute('SELECT rdsinit.accept_drift(), length(rdsinit.fingerprint())')
        assert cursor.fetchone() == (1, 64)
        cursor.execute("DROP TABLE s.t; SELECT outcome FROM rdsinit.undo('0')")
        assert cursor.fetchall() == [('undone',)]
        cursor.execute('SELECT name, outcome FROM rdsinit.status ORDER BY 1')
        assert cursor.fetchall() == [('V1__a.sql', 'undone'), ('b.sql', 'applied')]
        cursor.execute('GRANT EXECUTE ON FUNCTION rdsinit.apply TO PUBLIC')


def test_another_low_role_gains_nothing(database, installer, role):
    other = role()
    install(database, installer)
    with session(database, other) as cursor:
        for command in "SELECT * FROM rdsinit.apply('a', 'b')", 'TABLE rdsinit.history', 'DROP EXTENSION rdsinit', 'CREATE TABLE rdsinit.t ()':
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(command)


# --- what is put into its place -------------------------------------------------------------

LOOK_ALIKE = """
CREATE SCHEMA rdsinit;
CREATE FUNCTION rdsinit.trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$;
CREATE TABLE rdsinit.history (id bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT history_pkey PRIMARY KEY, name text COLLATE "C", version text COLLATE "C",
    statement int, outcome text, checksum text, statements bigint, rows bigint, duration interval, applied_by text, applied_at timestamptz,
    rdsinit_version text, undo_name text, undo text, lost jsonb, CHECK (rdsinit.trap()));
CREATE INDEX history_name_id_idx ON rdsinit.history (name, id);
CREATE INDEX history_version_id_idx ON rdsinit.history (version, id) WHERE version IS NOT NULL AND statement IS NULL;
CREATE TABLE rdsinit.object (hash bigint, kind text, identity text, definition text, script text, CHECK (rdsinit.trap()));
CREATE INDEX object_hash ON rdsinit.object (hash);
GRANT USAGE ON SCHEMA rdsinit TO PUBLIC;
"""


def test_a_deployment_does_not_go_on_in_tables_that_were_put_into_its_place(database, installer):
    """While a statement runs outside of any transaction the extension can be dropped."""
    install(database, installer)
    failed = []

    def deploy():
        try:
            cursor.execute("CALL rdsinit.deploy('{a.sql}', ARRAY[E'-- rdsinit: no-transaction\\nCALL public.wait();\\nVACUUM pg_class;'])")
        except psycopg2.Error as error:
            failed.append(error)

    database.rows('CREATE PROCEDURE public.wait() LANGUAGE plpgsql AS'
                  ' $$ BEGIN PERFORM pg_advisory_lock(7); PERFORM pg_advisory_unlock(7); END $$')
    with session(database) as blocker, session(database) as cursor:
        blocker.execute('SELECT pg_advisory_lock(7)')
        thread = threading.Thread(target=deploy)
        thread.start()
        database.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database())")
        with session(database, installer) as hostile:
            hostile.execute("SET lock_timeout = '5s'; DROP EXTENSION rdsinit")
            hostile.execute(LOOK_ALIKE)
        blocker.execute('SELECT pg_advisory_unlock(7)')
        thread.join(30)
    assert not thread.is_alive()
    assert failed[0].pgcode == '55000' and 'is not of the extension' in failed[0].diag.message_primary, failed
    assert database.value('SELECT count(*) FROM rdsinit.history') == 0


@pytest.mark.parametrize('options', ['LOGIN SUPERUSER', 'LOGIN CREATEROLE'])
def test_the_trigger_does_not_call_what_a_lesser_role_may_replace(trigger, database, role, options):
    owner, strong = role(), role(options)
    database.create(owner[0])
    install(database, owner)
    payload = trigger('SELECT 1;', DB_USER=strong[0], DB_PASSWORD=strong[1]).fail()
    assert payload['sqlstate'] == '42501' and owner[0] in payload['errorMessage']
    assert trigger('SELECT 1;', DB_USER=owner[0], DB_PASSWORD=owner[1]).succeed()['mode'] == 'extension'


def test_nor_does_it_take_a_schema_of_that_name_for_the_extension(trigger, database, installer):
    with session(database, installer) as cursor:
        cursor.execute(LOOK_ALIKE)
        cursor.execute('CREATE PROCEDURE rdsinit.deploy(text[], text[], jsonb, INOUT jsonb DEFAULT NULL) LANGUAGE plpgsql AS'
                       ' $$ BEGIN PERFORM rdsinit.trap(); END $$; GRANT EXECUTE ON PROCEDURE rdsinit.deploy TO PUBLIC')
    payload = trigger('SELECT 1;').fail()
    assert payload['sqlstate'] == '42P06' and 'trapped' not in str(payload)

"""Security: the history.  Who may say what was applied, and whose word is run."""

import contextlib

import psycopg2
import pytest

from support.database import quoted

pytestmark = pytest.mark.extension

BUNDLE = "SELECT outcome FROM rdsinit.apply_bundle('{V1__a.sql,U1__a.sql}', ARRAY['SELECT 1', %s])"
BECOME_SUPERUSER = 'ALTER ROLE %s SUPERUSER'
FORGED = ('INSERT INTO rdsinit.history (name, version, outcome, statements, rows, duration, applied_by, applied_at,'
          ' rdsinit_version, undo_name, undo) VALUES (%s, %s, %s, 1, 0, interval \'0\', %s, now(), \'0\', %s, %s)')


@pytest.fixture
def owner(role):
    return role()


@pytest.fixture
def owned(database, owner):
    """A database of an unprivileged role's, with the extension."""
    database.create(owner[0])
    database.rows('CREATE EXTENSION rdsinit')
    return database


@contextlib.contextmanager
def session(database, login=None):
    with contextlib.closing(database.connect(*(login or ()))) as connection:
        yield connection.cursor()


def is_superuser(database, name):
    return database.value('SELECT rolsuper FROM pg_roles WHERE rolname = %s', (name,))


# --- whose word is run ----------------------------------------------------------------------

def test_a_superuser_does_not_run_an_undo_script_of_a_lesser_role(owned, owner):
    with session(owned, owner) as cursor:
        cursor.execute(BUNDLE, (BECOME_SUPERUSER % quoted(owner[0]),))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege) as caught:
        owned.rows("SELECT * FROM rdsinit.undo('0')")
    assert owner[0] in caught.value.diag.message_primary and 'trust_history' in caught.value.diag.message_hint
    assert not is_superuser(owned, owner[0])
    # Its writer may, with the rights that he has; and who has looked at it may say so.
    with session(owned, owner) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege) as caught:
        cursor.execute("SELECT * FROM rdsinit.undo('0')")
    assert caught.value.diag.context == 'U1__a.sql:1:1: statement 1'
    assert owned.value("SELECT outcome FROM rdsinit.undo('0', '{\"trust_history\": true}')") == 'undone'


def test_nor_does_the_owner_run_one_of_who_may_only_call(owned, owner, role):
    deployer = role()
    owned.rows('GRANT EXECUTE ON FUNCTION rdsinit.apply_bundle TO %s' % quoted(deployer[0]))
    with session(owned, deployer) as cursor:
        cursor.execute(BUNDLE, ('SELECT 2',))
    with session(owned, owner) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege, match=deployer[0]):
        cursor.execute("SELECT * FROM rdsinit.undo('0')")
    # A member has the rights of the role that it is a member of.
    owned.rows('GRANT %s TO %s' % (quoted(owner[0]), quoted(deployer[0])))
    with session(owned, owner) as cursor:
        cursor.execute("SELECT outcome FROM rdsinit.undo('0')")
        assert cursor.fetchone() == ('undone',)


@pytest.mark.parametrize('grant', [None, 'INSERT', 'INSERT (name)', 'UPDATE (undo)'])
def test_a_row_in_a_superusers_name_does_not_help(owned, owner, server, role, grant):
    """Whoever may write into the table can write any name."""
    writer = owner
    if grant:
        writer = role()
        owned.rows('ALTER DATABASE %s OWNER TO %s' % (quoted(owned.name), quoted(server.user)))
        owned.rows('GRANT %s ON rdsinit.history TO %s' % (grant, quoted(writer[0])))
    owned.rows(FORGED, ('V9__x.sql', '9', 'applied', server.user, 'U9__x.sql', BECOME_SUPERUSER % quoted(writer[0])))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match=writer[0]):
        owned.rows("SELECT * FROM rdsinit.undo('0')")
    assert not is_superuser(owned, writer[0])


def test_a_superusers_own_is_run_where_nobody_else_may_write(database):
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    database.rows(BUNDLE, ('SELECT 2',))
    assert database.value("SELECT outcome FROM rdsinit.undo('0')") == 'undone'


@pytest.mark.parametrize('by', ['nosuchrole', ''])
def test_a_role_that_is_not_there_has_no_rights(database, by):
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    database.rows(FORGED, ('V9__x.sql', '9', 'applied', by, 'U9__x.sql', 'SELECT 1'))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        database.rows("SELECT * FROM rdsinit.undo('0')")


# --- what a row may hold --------------------------------------------------------------------

ODD = ['', 'x\ny', 'x' * 3000, '1..2', '-1', '1.', '9' * 2000, '%n%s', '\x1b[2J', '\\i /etc/passwd']


@pytest.mark.parametrize('odd', ODD, ids=range(len(ODD)))
def test_forged_rows_do_no_harm(owned, owner, odd):
    """Not even those that the extension would never have written: nothing ends the server."""
    with session(owned, owner) as cursor:
        cursor.execute('SELECT pg_postmaster_start_time(), pg_backend_pid()')
        before = cursor.fetchone()
        for undo_name, undo in (None, odd), (odd, odd), (odd, None):
            for outcome in 'applied', 'baseline', 'undone', 'adopted':
                for version in (odd, '5', None):
                    cursor.execute(FORGED, (odd, version, outcome, owner[0], undo_name, undo))
        cursor.execute('INSERT INTO rdsinit.object VALUES (hashtext(%s), %s, %s, %s, %s)', (odd, odd, odd, odd, odd))
        for call in ("rdsinit.pending('{V1__a.sql,V6__a.sql,b.sql}', '{a,a,b}')", "rdsinit.undo('0')", "rdsinit.undo('4')",
                     "rdsinit.baseline('4')", 'rdsinit.drift()', 'rdsinit.accept_drift()', 'rdsinit.fingerprint()',
                     "rdsinit.apply_bundle('{V6__a.sql,b.sql}', '{SELECT 1,SELECT 2}', '{\"allow_missing\": true, \"out_of_order\": true}')",
                     "rdsinit.plan('c.sql', 'CREATE TABLE c ()')"):
            with contextlib.suppress(psycopg2.errors.ObjectNotInPrerequisiteState, psycopg2.errors.SyntaxError,
                                     psycopg2.errors.InvalidParameterValue, psycopg2.errors.FeatureNotSupported,
                                     psycopg2.errors.UndefinedFile):
                cursor.execute('SELECT * FROM ' + call)
        cursor.execute('SELECT pg_postmaster_start_time(), pg_backend_pid()')
        assert cursor.fetchone() == before
        cursor.execute("SELECT outcome FROM rdsinit.apply('d.sql', 'SELECT 1')")
        assert cursor.fetchone() == ('applied',)


def test_an_undo_script_without_a_name_is_run_by_the_versions(owned, owner):
    with session(owned, owner) as cursor:
        cursor.execute(FORGED, ('V9__x.sql', '9', 'applied', owner[0], None, 'SELECT nosuchcolumn'))
        with pytest.raises(psycopg2.errors.UndefinedColumn) as caught:
            cursor.execute("SELECT * FROM rdsinit.undo('0')")
    assert caught.value.diag.context == 'V9__x.sql:1:8: statement 1'


# --- a table that is adopted ----------------------------------------------------------------

LEDGER = ('CREATE TABLE %s (id int, name text, version text, statement int, outcome text, checksum text, statements bigint,'
          ' rows bigint, duration interval, applied_by text, rdsinit_version text, undo_name text, undo text)')
LEDGER_ROW = "INSERT INTO %s VALUES (1, 'V1__a.sql', '1', NULL, 'applied', NULL, 1, 0, '0', 'x', '0', 'U1__a.sql', '%s')"


@pytest.fixture
def trap(owned, owner):
    """trap(SQL of its owner) makes a function trap() that would make him a superuser."""
    owned.rows('GRANT CREATE ON SCHEMA public TO %s' % quoted(owner[0]))

    def make(*commands):
        with session(owned, owner) as cursor:
            cursor.execute("CREATE FUNCTION trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE '%s'; RETURN '1'; END $$"
                           % (BECOME_SUPERUSER % quoted(owner[0])))
            for command in commands:
                cursor.execute(command)
    return make


@pytest.mark.parametrize('commands', [
    ["CREATE VIEW schema_migrations AS SELECT trap() AS version"],
    ["CREATE TYPE own AS ENUM ('1')",
     "CREATE FUNCTION to_text(own) RETURNS text LANGUAGE sql AS 'SELECT public.trap()'",
     'CREATE CAST (own AS text) WITH FUNCTION to_text(own) AS IMPLICIT',
     'CREATE TABLE schema_migrations (version own)', "INSERT INTO schema_migrations VALUES ('1')"],
    ["CREATE TYPE own AS (n int)", "CREATE FUNCTION to_text(own) RETURNS text LANGUAGE sql AS 'SELECT public.trap()'",
     'CREATE CAST (own AS text) WITH FUNCTION to_text(own)', 'CREATE TABLE schema_migrations (version own)',
     "INSERT INTO schema_migrations VALUES ('(1)')"],
], ids=['view', 'enum', 'row'])
def test_a_superuser_does_not_run_what_the_owner_of_a_table_wrote(owned, owner, trap, commands):
    trap(*commands)
    with pytest.raises(psycopg2.errors.WrongObjectType):
        owned.rows("SELECT * FROM rdsinit.adopt('public.schema_migrations')")
    assert not is_superuser(owned, owner[0]) and owned.history('rdsinit') == []


def test_nor_what_a_policy_calls(owned, owner, trap, role):
    caller = role()
    trap('CREATE TABLE schema_migrations (version text)', "INSERT INTO schema_migrations VALUES ('1')",
         'GRANT SELECT ON schema_migrations TO %s' % quoted(caller[0]), 'ALTER TABLE schema_migrations ENABLE ROW LEVEL SECURITY',
         'CREATE SEQUENCE trapped', 'GRANT ALL ON SEQUENCE trapped TO %s' % quoted(caller[0]),
         "CREATE POLICY p ON schema_migrations USING (nextval('trapped') > 0)")
    owned.rows('GRANT EXECUTE ON FUNCTION rdsinit.adopt TO %s' % quoted(caller[0]))
    with session(owned, caller) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege, match='row-level security'):
        cursor.execute("SELECT * FROM rdsinit.adopt('public.schema_migrations')")
    assert owned.value('SELECT is_called FROM trapped') is False


def test_a_fallbacks_history_that_just_anybody_has_made_does_not_count(owned, role):
    """Anybody who may create a schema could say in it what was applied, or stop all calls."""
    stranger = role()
    owned.rows('GRANT CREATE ON DATABASE %s TO %s' % (quoted(owned.name), quoted(stranger[0])))
    with session(owned, stranger) as cursor:
        cursor.execute('CREATE SCHEMA rdsinit_plain; ' + LEDGER % 'rdsinit_plain.history')
        cursor.execute(LEDGER_ROW % ('rdsinit_plain.history', 'SELECT 1'))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match=stranger[0]):
        owned.rows("SELECT * FROM rdsinit.adopt('rdsinit_plain.history')")
    assert owned.value("SELECT outcome FROM rdsinit.apply('V1__a.sql', 'CREATE TABLE t ()')") == 'applied'


def test_undo_scripts_are_taken_over_from_those_alone_who_have_the_callers_rights(owned, owner):
    with session(owned, owner) as cursor:
        cursor.execute('CREATE SCHEMA rdsinit_plain; ' + LEDGER % 'rdsinit_plain.history')
        cursor.execute(LEDGER_ROW % ('rdsinit_plain.history', BECOME_SUPERUSER % quoted(owner[0])))
    owned.rows("SELECT * FROM rdsinit.adopt('rdsinit_plain.history')")
    assert owned.rows('SELECT name, outcome, undo_name, undo FROM rdsinit.history') == [('V1__a.sql', 'applied', None, None)]


def test_the_owners_own_undo_scripts_are(owned, owner):
    with session(owned, owner) as cursor:
        cursor.execute('CREATE SCHEMA rdsinit_plain; ' + LEDGER % 'rdsinit_plain.history')
        cursor.execute(LEDGER_ROW % ('rdsinit_plain.history', 'SELECT 1'))
        cursor.execute("SELECT * FROM rdsinit.adopt('rdsinit_plain.history')")
    assert owned.rows('SELECT undo_name, undo FROM rdsinit.history') == [('U1__a.sql', 'SELECT 1')]


# --- what default privileges give -----------------------------------------------------------

def test_default_privileges_give_nobody_a_part_in_it(database, role):
    """A superuser may have set them long ago, for the tables of his application."""
    other = role()
    database.create()
    kinds = 'SCHEMAS', 'TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES'
    for kind in kinds:
        database.rows('ALTER DEFAULT PRIVILEGES GRANT ALL ON %s TO %s WITH GRANT OPTION' % (kind, quoted(other[0])))
        if kind != 'SCHEMAS':
            database.rows('ALTER DEFAULT PRIVILEGES GRANT ALL ON %s TO PUBLIC' % kind)
    database.rows('CREATE EXTENSION rdsinit')
    for kind in kinds:
        database.rows('ALTER DEFAULT PRIVILEGES REVOKE ALL ON %s FROM %s' % (kind, quoted(other[0])))
    with session(database, other) as cursor:
        for command in ('CREATE FUNCTION rdsinit.apply(text, text) RETURNS int LANGUAGE sql AS \'SELECT 1\'',
                        'CREATE TABLE rdsinit.t ()', 'TABLE rdsinit.history', 'TABLE rdsinit.status', 'TABLE rdsinit.object',
                        'DELETE FROM rdsinit.history', 'UPDATE rdsinit.object SET script = NULL', 'TRUNCATE rdsinit.history',
                        "SELECT setval('rdsinit.history_id_seq', 7)", "SELECT * FROM rdsinit.apply('a', 'b')",
                        'CREATE TRIGGER t BEFORE INSERT ON rdsinit.history EXECUTE FUNCTION suppress_redundant_updates_trigger()'):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(command)
    assert database.rows("SELECT grantee::regrole::text, privilege_type FROM pg_namespace, aclexplode(nspacl)"
                         " WHERE nspname = 'rdsinit' AND grantee <> nspowner") == [('-', 'USAGE')]


def test_nor_does_an_event_trigger(database, role):
    """One that shares each table that is made."""
    other = role()
    database.create()
    database.rows("""
        CREATE FUNCTION share() RETURNS event_trigger LANGUAGE plpgsql AS $$
            DECLARE made text;
            BEGIN
                FOR made IN SELECT object_identity FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
                    EXECUTE format('GRANT ALL ON TABLE %%s TO %s; GRANT USAGE ON SCHEMA rdsinit TO %s', made);
                END LOOP;
            END $$;
        CREATE EVENT TRIGGER share ON ddl_command_end WHEN tag IN ('CREATE TABLE') EXECUTE FUNCTION share()""" % (other[0], other[0]))
    try:
        database.rows('CREATE EXTENSION rdsinit')
        assert database.rows("SELECT relname FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'rdsinit'::regnamespace"
                             " AND grantee = %s::regrole", (other[0],)) == []
    finally:
        database.drop()


def test_nobody_but_an_owner_is_given_anything_else(database):
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    granted = database.rows(
        "SELECT DISTINCT grantee::regrole::text, privilege_type, is_grantable FROM (SELECT relacl, relowner FROM pg_class"
        " WHERE relnamespace = 'rdsinit'::regnamespace UNION ALL SELECT proacl, proowner FROM pg_proc"
        " WHERE pronamespace = 'rdsinit'::regnamespace) AS o (acl, owner), aclexplode(acl) WHERE grantee <> owner ORDER BY 2")
    assert granted == [('pg_database_owner', 'EXECUTE', True), ('pg_database_owner', 'INSERT', True),
                       ('pg_database_owner', 'SELECT', True), ('pg_database_owner', 'UPDATE', True)]
    # UPDATE is the sequence's: a restore has to set it.
    assert database.rows("SELECT relname FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'rdsinit'::regnamespace"
                         " AND privilege_type = 'UPDATE' AND grantee <> relowner") == [('history_id_seq',)]
    assert database.value("SELECT count(*) FROM pg_proc WHERE pronamespace = 'rdsinit'::regnamespace AND proacl IS NULL") == 0


# --- a schema that is there already ---------------------------------------------------------

@pytest.mark.parametrize('hostile', [
    'CREATE FUNCTION rdsinit.apply(text, text) RETURNS int LANGUAGE sql AS \'SELECT 1\'', 'CREATE TABLE rdsinit.history ()',
    'CREATE VIEW rdsinit.status AS SELECT 1', 'SELECT 1'])
def test_a_schema_of_somebody_elses_is_never_taken(database, role, hostile):
    stranger = role()
    database.create()
    database.rows('GRANT CREATE ON DATABASE %s TO %s' % (quoted(database.name), quoted(stranger[0])))
    with session(database, stranger) as cursor:
        cursor.execute('CREATE SCHEMA rdsinit; ' + hostile)
    with pytest.raises(psycopg2.errors.DuplicateSchema):
        database.rows('CREATE EXTENSION rdsinit')

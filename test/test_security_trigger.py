"""Security: the trigger.  A ledger, a bundle, a secret and an event that somebody hostile has made."""

import contextlib
import json
import os

import pytest

from standin import SecretsManager
from standin.http_server import Answer, LoopbackServer
from support.database import quoted

CANARY = 'canary-51d7'


# --- a ledger of the fallback's that is there already ---------------------------------------

TRAP = ("CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN EXECUTE 'ALTER ROLE %s SUPERUSER'; RETURN new; END $$;"
        ' CREATE TRIGGER trap BEFORE INSERT ON rdsinit_plain.history FOR EACH ROW EXECUTE FUNCTION public.trap()')


@pytest.fixture
def owned(database, role):
    """A database of an unprivileged role's, who may make functions in it."""
    owner = role()
    database.create(owner[0])
    database.rows('GRANT CREATE ON SCHEMA public TO %s' % quoted(owner[0]))
    return owner


def as_role(database, login, sql):
    with contextlib.closing(database.connect(*login)) as connection:
        connection.cursor().execute(sql)


def test_the_databases_owner_does_not_become_what_the_trigger_is(plain, database, owned):
    """He is no superuser: what he puts on the ledger does not run with a superuser's rights."""
    function = plain('SELECT 1;', DB_USER=owned[0], DB_PASSWORD=owned[1])
    function.succeed()
    as_role(database, owned, TRAP % quoted(owned[0]))
    payload = plain('SELECT 2;').fail()
    assert payload['sqlstate'] == '42501' and owned[0] in payload['errorMessage']
    assert database.value('SELECT rolsuper FROM pg_roles WHERE rolname = %s', (owned[0],)) is False


def test_nor_does_he_by_a_role_that_may_create_roles(plain, database, owned, role):
    """The master user of Amazon RDS is such a one."""
    master = role('LOGIN CREATEROLE CREATEDB')
    plain('SELECT 1;', DB_USER=owned[0], DB_PASSWORD=owned[1]).succeed()
    database.rows('GRANT ALL ON SCHEMA rdsinit_plain TO %s; GRANT ALL ON ALL TABLES IN SCHEMA rdsinit_plain TO %s'
                  % (quoted(master[0]), quoted(master[0])))
    payload = plain('SELECT 2;', DB_USER=master[0], DB_PASSWORD=master[1]).fail()
    assert payload['sqlstate'] == '42501' and owned[0] in payload['errorMessage']


def test_the_owners_ledger_is_good_enough_for_ordinary_roles(plain, database, owned, role):
    deployer = role()
    plain('SELECT 1;', DB_USER=owned[0], DB_PASSWORD=owned[1]).succeed()
    database.rows('GRANT ALL ON SCHEMA rdsinit_plain TO %s; GRANT ALL ON ALL TABLES IN SCHEMA rdsinit_plain TO %s'
                  % (quoted(deployer[0]), quoted(deployer[0])))
    assert plain('SELECT 1;', DB_USER=deployer[0], DB_PASSWORD=deployer[1]).succeed()['scripts'][0]['outcome'] == 'unchanged'


@pytest.mark.extension
def test_a_ledger_that_a_stranger_made_is_not_adopted(trigger, database, role):
    """What it says was applied would never be."""
    stranger = role()
    database.create()
    database.rows('GRANT CREATE ON DATABASE %s TO %s' % (quoted(database.name), quoted(stranger[0])))
    as_role(database, stranger, """CREATE SCHEMA rdsinit_plain; CREATE VIEW rdsinit_plain.turn AS SELECT 1;
        CREATE TABLE rdsinit_plain.history (id int, name text, version text, statement int, outcome text, checksum text,
            statements bigint, rows bigint, duration interval, applied_by text, applied_at timestamptz, rdsinit_version text,
            undo_name text, undo text, lost jsonb);
        INSERT INTO rdsinit_plain.history VALUES (1, '(baseline)', '99', NULL, 'baseline', NULL, 0, 0, '0', 'x', now(), '0')""")
    payload = trigger({'V1__a.sql': 'CREATE TABLE a ();'}).fail()
    assert payload['sqlstate'] == '42501' and stranger[0] in payload['errorMessage']
    assert database.history('rdsinit') == []


# --- a bundle -------------------------------------------------------------------------------

def bundle_of(tmp_path):
    bundle = tmp_path / 'bundle'
    bundle.mkdir()
    (bundle / 'a.sql').write_text('CREATE TABLE a ();')
    return bundle


@pytest.fixture
def refused(plain, database, tmp_path):
    """refused(make) gives the answer for a bundle that make(directory) has had its hands on."""
    def run(make):
        bundle = bundle_of(tmp_path)
        make(bundle)
        function = plain('', RDSINIT_BUNDLE=bundle)
        payload = function.fail()
        assert payload['errorType'] == 'Rdsinit.Bundle' and not database.exists()
        return payload
    return run


HOSTILE_BUNDLES = {
    'a link out of it': lambda at: (at / 'b.sql').symlink_to('/etc/hostname'),
    'a link to a directory': lambda at: (at / 'b').symlink_to('/etc'),
    'a link that leads nowhere': lambda at: (at / 'b.sql').symlink_to('nowhere'),
    'a link to itself': lambda at: (at / 'b.sql').symlink_to('b.sql'),
    'a link to memory': lambda at: (at / 'b.sql').symlink_to('/proc/self/environ'),
    'a pipe': lambda at: os.mkfifo(at / 'b.sql'),
    'a line feed in a name': lambda at: (at / 'b\nc.sql').write_text('SELECT 1'),
    'an escape in a name': lambda at: (at / 'b\x1b[2J.sql').write_text('SELECT 1'),
    'a name that is no text': lambda at: open(os.fsencode(at) + b'/\xff.sql', 'w').close(),
    'directories without an end': lambda at: os.makedirs(str(at) + '/d' * 40),
    'more than there is room for': lambda at: os.truncate(at / 'a.sql', 600 << 20),
    'no text': lambda at: (at / 'b.sql').write_bytes(b'SELECT \0 1'),
}


@pytest.mark.parametrize('make', HOSTILE_BUNDLES.values(), ids=HOSTILE_BUNDLES.keys())
def test_a_hostile_bundle_is_refused_before_anything_else_is_done(refused, make):
    refused(make)


@pytest.mark.parametrize('mode', ['extension', 'plain'])
@pytest.mark.parametrize('include', ['\\i /etc/hostname', '\\ir ../../../etc/hostname', '\\i ../a.sql', '\\ir ./x/../../a.sql',
                                     '\\i /proc/self/environ', "\\i 'a\nb'", '\\i https://example.com/a.sql'])
def test_nothing_outside_of_the_bundle_is_included(trigger, database, include, mode):
    payload = trigger({'d/a.sql': include + '\n'}, RDSINIT_MODE=mode).fail()
    assert payload['errorType'] == 'Rdsinit.Script' and payload['file'] == 'd/a.sql'
    assert database.relations() == []


@pytest.mark.parametrize('mode', ['extension', 'plain'])
@pytest.mark.parametrize('command', ['\\! touch /tmp/rdsinit-security', '\\echo `touch /tmp/rdsinit-security`',
                                     '\\o /tmp/rdsinit-security', '\\copy a to /tmp/rdsinit-security', 'SELECT 1 \\g /tmp/rdsinit-security',
                                     "\\set x `touch /tmp/rdsinit-security`", '\\w /tmp/rdsinit-security', '\\setenv PATH /tmp',
                                     '\\getenv x DB_PASSWORD', '\\connect other', '\\g |touch /tmp/rdsinit-security'])
def test_nothing_of_a_bundle_reaches_a_shell_a_file_or_the_environment(trigger, database, command, mode):
    trigger('CREATE TABLE a ();\n%s\n' % command, RDSINIT_MODE=mode).fail()
    assert database.relations() == [] and not os.path.exists('/tmp/rdsinit-security')


# --- what Secrets Manager answers -----------------------------------------------------------

@pytest.fixture
def login(server):
    return {'username': server.user, 'password': server.password}


def wrapped(text):
    return json.dumps({'SecretString': text}).encode()


HOSTILE_ANSWERS = {
    'nothing': b'',
    'a NUL': b'\0' * 100,
    'an escaped NUL': wrapped('{"username": "a\\u0000b", "password": "%s"}' % CANARY),
    'no UTF-8': b'{"SecretString": "{\\"username\\": \\"a\\", \\"password\\": \\"\xff\xfe' + CANARY.encode() + b'\\"}"}',
    'half a surrogate pair': wrapped('{"username": "\\ud800", "password": "%s"}' % CANARY),
    'nested without an end': b'[' * 60000,
    'nested within': wrapped('{"username": ' + '[' * 20000),
    'two of one key': wrapped('{"username": "a", "username": "b", "password": "%s"}' % CANARY),
    'too long': b'{"SecretString": "' + b'x' * (4 << 20) + b'"}',
    'a number too large': wrapped('{"username": "a", "password": "%s", "port": 99999999999999999999}' % CANARY),
    'a list': b'[]',
    'a word': b'true',
}


@pytest.mark.parametrize('body', HOSTILE_ANSWERS.values(), ids=HOSTILE_ANSWERS.keys())
def test_a_hostile_answer_is_an_error_and_is_not_repeated(function, secrets, login, body):
    secrets.put('prod/db', login)
    secrets.garbage(20, body)
    running = function()
    outcome = running.invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Secret')
    secrets.garbage(0)
    running.stop()
    assert CANARY not in outcome.raw + running.stderr


class Elsewhere(LoopbackServer):
    """Whoever is asked here has been sent astray."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def answer(self, request):
        self.asked.append(request)
        return Answer(200, b'{}')


@pytest.mark.parametrize('status', [301, 302, 307, 308])
def test_no_redirect_is_followed_with_the_functions_signature(trigger, database, status):
    with Elsewhere() as elsewhere:
        class Redirecting(SecretsManager):
            def answer(self, request):
                return Answer(status, b'', headers=(('Location', elsewhere.url),))
        with Redirecting() as secrets:
            payload = trigger('SELECT 1;', **{**secrets.environment(), 'DB_SECRET_NAME': 'prod/db', 'DB_USER': None,
                                              'DB_PASSWORD': None}).fail()
        assert payload['errorType'] == 'Rdsinit.Secret'
        assert elsewhere.asked == []


@pytest.mark.parametrize('key', ['host', 'dbname', 'username', 'password'])
def test_a_value_of_the_secret_is_no_more_than_a_value(function, secrets, login, server, database, key):
    """Nothing in it is taken for another parameter of the connection, or for SQL."""
    hostile = "x' sslmode=allow port=1 dbname=\"; DROP DATABASE d; --\r\nA: b"
    secrets.put('prod/db', {**login, 'host': server.host, 'dbname': database.name, key: hostile})
    missing = {'host': 'DB_HOST', 'dbname': 'DB_NAME'}.get(key)
    running = function(**{missing: None} if missing else {})
    if key == 'dbname':
        try:
            running.succeed()
            assert server.value('SELECT count(*) FROM pg_database WHERE datname = %s', (hostile,)) == 1
        finally:
            server.rows('DROP DATABASE IF EXISTS %s' % quoted(hostile))
    else:
        payload = running.fail(timeout_s=3)
        assert payload['errorType'] in ('Rdsinit.Connection', 'Rdsinit.Timeout') and not database.exists()


# --- events and their URLs ------------------------------------------------------------------

@pytest.mark.parametrize('target', ['/a\r\nX-Evil: 1', '/a\nX-Evil: 1', '/a HTTP/1.1\r\nX-Evil: 1\r\n\r\n', '/\u202e', '/a\tb', '\r\nHost: evil'])
def test_a_response_url_adds_no_header(cloudformation, function, target):
    with Elsewhere() as elsewhere:
        event = cloudformation.event('Create', cloudformation.resource(), {})
        event['ResponseURL'] = elsewhere.url + target
        function().invoke(event)
        for request in elsewhere.asked:
            assert 'X-Evil' not in request.headers and request.headers['Host'] in elsewhere.url
        assert elsewhere.crashes == []


@pytest.mark.parametrize('depth', [100, 3000, 500000])
def test_an_event_nested_without_an_end(function, depth):
    running = function()
    event = b'{"variables":' * 1 + b'[' * depth + b']' * depth + b'}'
    assert running.invoke(event).error_type == 'Rdsinit.Event'
    assert running.running

"""The main job: the trigger, started as Lambda starts it, applies a schema through the extension."""

import contextlib
import hashlib
import os
import subprocess

import pytest

from support import Database, Trigger
from support.scripts import BROKEN, SHOP, checksum
from support.trigger import ROOT

pytestmark = pytest.mark.extension


@pytest.fixture
def deploy(trigger, server, secrets):
    """deploy(bundle, VARIABLE=…): the trigger as a stack deploys it, with its credentials in a secret."""
    secrets.put('prod/db', {'username': server.user, 'password': server.password})

    def start(bundle=SHOP, **variables):
        return trigger(bundle, **{**secrets.environment(), 'DB_SECRET_NAME': 'prod/db',
                                  'DB_USER': None, 'DB_PASSWORD': None, **variables})
    return start


@pytest.fixture(scope='module', autouse=True)
def orphan():
    """A process whose Runtime API has gone.  It takes its time to give up, and the tests before its own that time."""
    function = Trigger(SHOP, {}).start()
    try:
        function.runtime.wait_for_poll()
        function.runtime.stop()
        yield function
    finally:
        function.stop()


def test_a_first_deployment_creates_the_database_and_applies_the_schema(deploy, database):
    assert not database.exists()
    function = deploy()
    payload = function.succeed()

    assert set(payload) == {'statusCode', 'body', 'mode', 'database', 'databaseCreated', 'scripts', 'durationMs'}
    assert payload['statusCode'] == 200
    assert payload['body'] == 'RDS schema initialization successful!'
    assert payload['mode'] == 'extension'
    assert payload['database'] == database.name
    assert payload['databaseCreated'] is True
    script, = payload['scripts']
    assert isinstance(script.pop('durationMs'), int)
    assert script == {'name': 'schema.sql', 'outcome': 'applied', 'statements': 3, 'rows': 2,
                      'checksum': checksum(SHOP)}

    assert database.rows('SELECT id, name FROM shop.product ORDER BY id') == [('a', 'Apple'), ('b', 'Bread')]
    assert database.rows('SELECT name, outcome, checksum, statements, rows, applied_by FROM rdsinit.history') == [
        ('schema.sql', 'applied', checksum(SHOP), 3, 2, database.server.user)]
    assert database.history('rdsinit_plain') is None


def test_the_log_says_which_way_was_taken_and_names_the_request(deploy):
    function = deploy()
    invocation = function.send()
    function.outcome(invocation)
    entry = function.wait_for_log(lambda entry: entry.get('mode'))
    assert (entry['level'], entry['mode'], entry['requestId']) == ('INFO', 'extension', invocation.request_id)


def test_a_second_invocation_changes_nothing(deploy, database):
    function = deploy()
    function.succeed()
    payload = function.succeed()
    assert payload['databaseCreated'] is False
    assert [(script['outcome'], script['statements'], script['rows'], script['checksum'])
            for script in payload['scripts']] == [('unchanged', 0, 0, checksum(SHOP))]
    assert database.history('rdsinit') == [('schema.sql', 'applied', 3, 2)]


def test_another_process_finds_it_unchanged_too(deploy):
    deploy().succeed()
    assert deploy().succeed()['scripts'][0]['outcome'] == 'unchanged'


def test_a_changed_script_is_applied_again(deploy, database):
    deploy('CREATE TABLE one ();').succeed()
    payload = deploy('CREATE TABLE two ();').succeed()
    assert payload['scripts'][0]['outcome'] == 'applied'
    assert database.relations() == ['public.one', 'public.two']
    assert database.value('SELECT count(*) FROM rdsinit.history') == 2


RERUNNABLE = 'CREATE TABLE IF NOT EXISTS counted (n int); INSERT INTO counted VALUES (1);'


def test_force_in_the_event_applies_an_unchanged_script(deploy, database):
    function = deploy(RERUNNABLE)
    outcomes = [function.succeed(event)['scripts'][0]['outcome']
                for event in ({}, {'force': True}, {'force': False})]
    assert outcomes == ['applied', 'applied', 'unchanged']
    assert database.value('SELECT count(*) FROM counted') == 2


@pytest.mark.parametrize('value', ['true', '1', 'on'])
def test_force_in_the_environment_does_too(deploy, database, value):
    function = deploy(RERUNNABLE, RDSINIT_FORCE=value)
    assert [function.succeed()['scripts'][0]['outcome'] for _ in range(2)] == ['applied', 'applied']
    assert database.value('SELECT count(*) FROM rdsinit.history') == 2


def test_an_events_force_wins_over_the_environments(deploy):
    function = deploy(RERUNNABLE, RDSINIT_FORCE='true')
    function.succeed()
    assert function.succeed({'force': False})['scripts'][0]['outcome'] == 'unchanged'


def test_a_broken_schema_is_an_error_that_says_where_and_leaves_nothing_behind(deploy, database):
    outcome = deploy(BROKEN).invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Script')
    assert outcome.payload == {
        'errorType': 'Rdsinit.Script',
        'errorMessage': 'schema.sql:3:13: relation "shop.produkt" does not exist',
        'statusCode': 500,
        'body': 'RDS schema initialization failed. Error: '
                'schema.sql:3:13: relation "shop.produkt" does not exist',
        'sqlstate': '42P01', 'file': 'schema.sql', 'line': 3, 'column': 13, 'statement': 3,
        'mode': 'extension', 'database': database.name,
    }
    assert database.relations() == []
    assert database.history('rdsinit') == []


def test_a_failure_is_in_the_log_once(deploy):
    function = deploy(BROKEN)
    invocation = function.send()
    function.outcome(invocation)
    entry = function.wait_for_log(lambda entry: entry['level'] == 'ERROR')
    function.stop()
    assert [each for each in function.log if each['level'] == 'ERROR'] == [entry]
    assert (entry['requestId'], entry['sqlstate'], entry['line']) == (invocation.request_id, '42P01', 3)


def test_a_syntax_error_at_the_end_is_found_before_anything_runs(deploy, database):
    payload = deploy("CREATE SEQUENCE ran;\nSELECT nextval('ran');\nCREATE TABEL wrong ();\n").fail()
    assert (payload['sqlstate'], payload['line'], payload['column'], payload['statement']) == ('42601', 3, 8, 3)
    assert database.relations() == []


def test_the_loop_lives_on_after_a_failure(deploy, database):
    function = deploy('INSERT INTO prepared VALUES (1);')
    assert function.fail()['sqlstate'] == '42P01'
    database.rows('CREATE TABLE prepared (n int)')
    assert function.succeed()['scripts'][0]['rows'] == 1
    assert function.running


def test_a_directory_is_one_bundle_in_order_all_or_nothing(deploy, database):
    files = {'a2.sql': 'INSERT INTO t VALUES (2);', 'a1.sql': 'CREATE TABLE t (n int PRIMARY KEY);',
             'sub/b3.sql': 'INSERT INTO t VALUES (3);'}
    broken = deploy({**files, 'sub/b4.sql': '\nINSERT INTO t VALUES (3);'}).fail()
    assert (broken['sqlstate'], broken['file'], broken['line'], broken['statement']) == ('23505', 'sub/b4.sql', 2, 1)
    assert broken['detail'] == 'Key (n)=(3) already exists.'
    assert database.relations() == []
    payload = deploy(files).succeed()
    assert [(script['name'], script['outcome']) for script in payload['scripts']] == [
        ('a1.sql', 'applied'), ('a2.sql', 'applied'), ('sub/b3.sql', 'applied')]
    assert database.rows('SELECT n FROM t ORDER BY n') == [(2,), (3,)]


def test_an_empty_script_is_applied_with_no_statements(deploy):
    script, = deploy('').succeed()['scripts']
    assert (script['outcome'], script['statements'], script['rows']) == ('applied', 0, 0)
    assert script['checksum'] == hashlib.sha256(b'').hexdigest()


def test_two_at_once_apply_once(deploy, database):
    database.create().rows('CREATE TABLE held (n int)')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        functions = [deploy('INSERT INTO held VALUES (1);') for _ in range(2)]
        invocations = [function.send() for function in functions]
        # One waits for the table, the other for its turn: the latter may sleep and try again.
        database.wait_until("SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() "
                            "AND application_name = 'rdsinit' AND state = 'active' AND query ~ 'rdsinit'")
        holder.cursor().execute('COMMIT')
    outcomes = [function.outcome(invocation) for function, invocation in zip(functions, invocations)]
    assert sorted(outcome.payload['scripts'][0]['outcome'] for outcome in outcomes) == ['applied', 'unchanged']
    assert database.rows('SELECT n FROM held') == [(1,)]


def test_a_scripts_notices_are_in_the_log(deploy):
    function = deploy("DO $$ BEGIN RAISE NOTICE 'stock is %', 42; END $$;")
    function.succeed()
    function.wait_for_log(lambda entry: 'stock is 42' in entry['message'])


def test_the_database_owner_needs_no_superuser_once_the_extension_is_there(trigger, database, role):
    owner, password = role()
    database.create(owner).rows('CREATE EXTENSION rdsinit')
    payload = trigger(SHOP, DB_USER=owner, DB_PASSWORD=password).succeed()
    assert (payload['mode'], payload['databaseCreated']) == ('extension', False)
    assert database.rows('SELECT applied_by FROM rdsinit.history') == [(owner,)]


def test_a_role_without_execute_is_told_to_ask_for_it(trigger, database, role):
    stranger, password = role()
    database.create().rows('CREATE EXTENSION rdsinit')
    payload = trigger(SHOP, DB_USER=stranger, DB_PASSWORD=password).fail()
    assert payload['sqlstate'] == '42501'
    assert 'GRANT' in payload['hint']


def test_so_is_one_that_creates_the_extension_itself_and_does_not_own_the_database(trigger, database, role):
    creator, password = role()
    database.create().rows('GRANT CREATE ON DATABASE %s TO %s' % (database.name, creator))
    function = trigger(SHOP, DB_USER=creator, DB_PASSWORD=password)
    for _ in range(2):
        payload = function.fail()
        assert payload['sqlstate'] == '42501'
        assert 'GRANT EXECUTE ON PROCEDURE rdsinit.deploy(text[],text[],jsonb,jsonb) TO "%s"' % creator in payload['hint']
        assert database.value("SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'rdsinit'") == creator


def test_extension_mode_does_not_fall_back(trigger, bare_database):
    payload = trigger(SHOP, at=bare_database, RDSINIT_MODE='extension').fail()
    assert payload['errorType'] == 'Rdsinit.Database'
    assert 'extension' in payload['errorMessage'] and 'rdsinit' in payload['errorMessage']
    assert bare_database.relations() == []


def test_a_warm_process_keeps_nothing_from_one_invocation_to_the_next(deploy, server):
    function = deploy()
    function.succeed()
    before = open_files(function.pid)
    for _ in range(20):
        function.succeed()
    function.runtime.wait_for_poll()
    assert open_files(function.pid) == before
    Database(server, 'postgres').wait_until(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'rdsinit'")


def open_files(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def test_an_answer_that_the_runtime_api_did_not_take_is_sent_again(deploy):
    function = deploy()
    function.runtime.fail_next_answers(1, status=500)
    function.runtime.fail_next_answers(1, status=0)
    function.succeed()
    assert function.succeed()['scripts'][0]['outcome'] == 'unchanged'


def test_without_a_runtime_api_the_process_ends(orphan):
    assert orphan.wait_exit(30) == 1
    orphan.stop()
    assert 'Runtime API' in orphan.log[-1]['message']
    assert orphan.runtime.violations == []


def test_variables_come_from_the_environment_and_from_the_event(deploy, database):
    function = deploy("CREATE TABLE said AS SELECT :'one' AS one, :two AS two, :'three' AS three;",
                      RDSINIT_VARIABLES='{"one": "from the environment", "two": 2, "three": "hidden"}')
    assert function.succeed({'variables': {'three': 'from the event'}})['mode'] == 'extension'
    assert database.rows('SELECT * FROM said') == [('from the environment', 2, 'from the event')]


def test_a_dump_is_applied_as_pg_dump_wrote_it(deploy, database):
    function = deploy('\\restrict key\nSET client_encoding = \'UTF8\';\nCREATE TABLE t (n int, s text);\n'
                      'COPY t (n, s) FROM stdin;\n1\tone\n2\t\\N\n\\.\n\n\\unrestrict key\n')
    script, = function.succeed()['scripts']
    assert (script['statements'], script['rows']) == (3, 2)
    assert database.rows('SELECT * FROM t ORDER BY n') == [(1, 'one'), (2, None)]


def test_where_nobody_could_be_answered_lambda_is_told_at_once(database, tmp_path):
    """libpq's variables cannot be removed: not for any event, so that there is no use in waiting for one."""
    source, library = tmp_path / 'unsetenv.c', tmp_path / 'unsetenv.so'
    source.write_text('int unsetenv(const char *name); int unsetenv(const char *name) { (void) name; return -1; }\n')
    subprocess.run(['cc', '-shared', '-fPIC', '-o', library, source], check=True)
    function = Trigger(SHOP, {**database.server.environment(), 'DB_NAME': database.name, 'PGHOST': 'x', 'LD_PRELOAD': library}).start()
    try:
        assert function.wait_exit() == 1
        error, = function.runtime.init_errors
        assert (error['errorType'], error['errorMessage']) == ('Rdsinit.Internal', 'out of memory')
        assert function.runtime.violations == [] and function.runtime.polls == 0
    finally:
        function.stop()


def test_where_the_c_library_refuses_its_name_services_lambda_is_told_at_once(database, monkeypatch):
    """Of a static program only: the package's, whose C library else would load the machine's libnss modules."""
    subprocess.run(['make', '-s', '-C', ROOT / 'trigger', 'refused'], check=True)
    monkeypatch.setenv('RDSINIT_BOOTSTRAP', str(ROOT / 'build' / 'refused' / 'bootstrap'))
    function = Trigger(SHOP, {**database.server.environment(), 'DB_NAME': database.name}).start()
    try:
        assert function.wait_exit() == 1
        error, = function.runtime.init_errors
        assert error['errorType'] == 'Rdsinit.Internal' and './dev package' in error['hint']
        assert error['errorMessage'] == 'the C library refuses "files dns" for hosts: Cannot allocate memory'
        assert function.runtime.violations == [] and function.runtime.polls == 0
        function.stop()
        entry, = function.log
        assert (entry['level'], entry['message']) == ('ERROR', error['errorMessage']) and function.stray == []
    finally:
        function.stop()

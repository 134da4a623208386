"""The fallback and locks that others hold: short waits, all given back, tried again, and an error that says who."""

import contextlib
import threading
import time

import pytest

OURS = "datname = current_database() AND application_name = 'rdsinit'"
DUMP = 'SET statement_timeout = 0;\nSET lock_timeout = 0;\n'
ALTER = 'CREATE TABLE made ();\nALTER TABLE held ADD COLUMN n int;\n'


@pytest.fixture
def held(database):
    """A table that another session keeps locked; held() lets go of it."""
    database.create().rows('CREATE TABLE held AS SELECT 1 AS a')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held IN ROW EXCLUSIVE MODE')
        yield lambda: holder.cursor().execute('COMMIT')


def retries(function):
    return [entry for entry in function.log if 'tried again' in entry['message']]


def test_when_it_gives_up_it_says_for_what_and_who(plain, database, held):
    function = plain(ALTER, RDSINIT_LOCK_TIMEOUT='200ms', RDSINIT_RETRY_FOR='2s')
    payload = function.fail()
    assert payload['errorMessage'] == 'schema.sql:2:1: could not get AccessExclusiveLock on relation public.held'
    assert (payload['sqlstate'], payload['errorType'], payload['statement']) == ('55P03', 'Rdsinit.Script', 2)
    assert 'of role postgres (application "rdsinit test") is idle in transaction' in payload['detail']
    assert 'attempts.' in payload['detail'] and 'retry_for' in payload['hint']
    assert database.relations() == ['public.held']
    assert not database.history('rdsinit_plain')
    assert len(retries(function)) >= 2
    assert retries(function)[0]['message'].startswith('could not get AccessExclusiveLock on relation public.held')
    assert retries(function)[0]['file'] == 'schema.sql'


def test_it_is_applied_when_the_lock_can_be_had(plain, database, held):
    function = plain(ALTER, RDSINIT_LOCK_TIMEOUT='100ms')
    invocation = function.send()
    function.wait_for_log(lambda entry: 'tried again' in entry['message'])
    held()
    outcome = function.outcome(invocation)
    assert [script['outcome'] for script in outcome.payload['scripts']] == ['applied']
    assert database.relations() == ['public.held', 'public.made']
    assert len(database.history('rdsinit_plain')) == 1


def longest_wait_of_others(database, seconds):
    """How long a reader waited at most, who comes again and again; in seconds."""
    waits = []
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = time.monotonic()
            cursor.execute('SELECT * FROM held')
            waits.append(time.monotonic() - before)
            time.sleep(0.005)
    return max(waits)


@pytest.mark.parametrize('before', ['', DUMP, "SELECT pg_catalog.set_config('lock_timeout', '0', false);\n",
                                    "DO $$ BEGIN PERFORM set_config('lock_timeout', '1h', false); END $$;\n",
                                    'RESET lock_timeout;\n'],
                         ids=['as it is', 'with a dump\'s settings', 'by set_config', 'in a DO block', 'RESET'])
def test_nobody_waits_behind_it_for_longer(plain, database, held, before):
    function = plain(before + ALTER, RDSINIT_LOCK_TIMEOUT='300ms', RDSINIT_RETRY_FOR='3s')
    invocation = function.send()
    database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND " + OURS)
    longest = longest_wait_of_others(database, 2)
    assert 0.1 < longest < 1.0
    assert function.outcome(invocation).payload['sqlstate'] == '55P03'


def test_a_script_may_lower_it(plain, database, held):
    function = plain("SET lock_timeout = '50ms';\nSELECT 1;\n" + ALTER, RDSINIT_LOCK_TIMEOUT='1min', RDSINIT_RETRY_FOR='0')
    outcome = function.invoke()
    assert outcome.payload['sqlstate'] == '55P03' and outcome.elapsed < 2


@pytest.mark.parametrize('setting, wanted', [
    ('SET lock_timeout = 0', '2s'), ("SET lock_timeout = '5min'", '2s'), ("SET lock_timeout = '700ms'", '700ms'),
    ("SET LOCAL lock_timeout = '1h'", '2s'), ('RESET ALL', '2s')])
def test_what_a_script_finds_set(plain, database, setting, wanted):
    plain("%s;\nCREATE TABLE t AS SELECT current_setting('lock_timeout') AS lock, "
          "current_setting('statement_timeout')::interval AS statement;" % setting).succeed(timeout_s=30)
    assert database.rows("SELECT lock, statement > '20 s' AND statement <= '30 s' FROM t") == [(wanted, True)]


@pytest.mark.parametrize('statement', ['INSERT INTO loud VALUES (1)', 'UPDATE loud SET a = 2', 'COPY loud FROM stdin;\n1\n\\.\n',
                                       'PREPARE p AS INSERT INTO loud VALUES (1);\nEXECUTE p',
                                       "SELECT 'INSERT INTO loud VALUES (1)' \\gexec\n"])
def test_a_function_does_not_raise_it_for_what_locks(plain, database, statement):
    """The limits are put right before the next statement that others could come to wait behind."""
    database.create().rows('''CREATE TABLE loud AS SELECT 1 AS a; CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM set_config(name, ''0'', false) FROM pg_settings WHERE name IN (''lock_timeout'', ''statement_timeout''); RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON loud FOR EACH ROW EXECUTE FUNCTION raises()''')
    plain("%s;\nCREATE TABLE t AS SELECT current_setting('lock_timeout') AS lock, "
          "current_setting('statement_timeout')::interval AS statement;" % statement).succeed(timeout_s=30)
    assert database.rows("SELECT lock, statement > '20 s' AND statement <= '30 s' FROM t") == [('2s', True)]


def test_a_function_that_raises_it_holds_nobody_up(plain, database, held):
    database.rows('''CREATE TABLE loud (a int); CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM set_config(''lock_timeout'', ''0'', false); RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON loud FOR EACH ROW EXECUTE FUNCTION raises()''')
    function = plain('INSERT INTO loud VALUES (1);\n' + ALTER, RDSINIT_LOCK_TIMEOUT='300ms', RDSINIT_RETRY_FOR='1s')
    outcome = function.invoke(timeout_s=20)
    assert outcome.payload['sqlstate'] == '55P03' and outcome.elapsed < 5


def test_a_roles_own_lower_setting_holds(plain, database, role):
    owner, password = role()
    database.create(owner)
    database.rows("ALTER ROLE %s SET lock_timeout = '40ms'" % owner)
    plain("CREATE TABLE t AS SELECT current_setting('lock_timeout') AS lock;", DB_USER=owner, DB_PASSWORD=password).succeed()
    assert database.value('SELECT lock FROM t') == '40ms'


def test_it_never_tries_beyond_the_deadline(plain, database, held):
    outcome = plain(ALTER, RDSINIT_RETRY_FOR='1h', RDSINIT_LOCK_TIMEOUT='300ms').invoke(timeout_s=3)
    assert outcome.kind == 'error' and outcome.elapsed < 3
    assert outcome.payload['sqlstate'] in ('55P03', '57014')
    assert 'public.held' in outcome.raw


def test_a_deadline_in_a_wait_says_what_it_waited_for(plain, database, held):
    function = plain(ALTER, RDSINIT_LOCK_TIMEOUT='0', RDSINIT_PROGRESS_INTERVAL='200ms')
    payload = function.fail(timeout_s=2)
    assert 'AccessExclusiveLock on relation public.held' in payload['errorMessage'] + payload['detail']


def test_a_row_that_somebody_has_changed(plain, database):
    database.create().rows('CREATE TABLE held AS SELECT 1 AS a')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; UPDATE held SET a = 2')
        payload = plain('UPDATE held SET a = 3;', RDSINIT_LOCK_TIMEOUT='200ms', RDSINIT_RETRY_FOR='1s').fail()
    assert 'could not get a row that another transaction has changed' in payload['errorMessage']


def test_a_deadlock_is_tried_again(plain, database):
    database.create().rows('CREATE TABLE a (); CREATE TABLE b ()')
    function = plain('LOCK TABLE a;\nSELECT pg_sleep(0.5);\nLOCK TABLE b;\nCREATE TABLE made ();', RDSINIT_LOCK_TIMEOUT='20s')

    def other():
        with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
            # Long: so that it is not this one that the server ends.
            cursor.execute("BEGIN; SET LOCAL deadlock_timeout = '30s'; LOCK TABLE b")
            database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND " + OURS)
            cursor.execute('LOCK TABLE a; COMMIT')
    thread = threading.Thread(target=other)
    thread.start()
    database.wait_until("SELECT count(*) = 1 FROM pg_locks WHERE relation = 'b'::regclass AND granted")
    function.succeed()
    thread.join()
    assert [entry['sqlstate'] for entry in retries(function)] == ['40P01']
    assert database.relations() == ['public.a', 'public.b', 'public.made']


def test_what_a_failed_attempt_left_in_the_session_is_gone(plain, database, held):
    """PREPARE and advisory locks outlive a rollback: the second attempt must not find them."""
    function = plain('PREPARE p AS SELECT 1;\nSELECT pg_advisory_lock(7);\n' + ALTER, RDSINIT_LOCK_TIMEOUT='100ms')
    invocation = function.send()
    function.wait_for_log(lambda entry: 'tried again' in entry['message'])
    held()
    assert function.outcome(invocation).kind == 'response'


def test_nowait_of_a_script_is_tried_again_too(plain, database, held):
    function = plain('LOCK TABLE held NOWAIT;\nCREATE TABLE made ();')
    invocation = function.send()
    function.wait_for_log(lambda entry: 'tried again' in entry['message'])
    held()
    assert function.outcome(invocation).kind == 'response'


MARK = '-- rdsinit: no-transaction\n'


@pytest.mark.parametrize('statement', ['ALTER TABLE held ADD COLUMN n int', 'VACUUM (FULL) held'])
def test_without_a_transaction(plain, database, held, statement):
    """What was committed before stays, and is told as applied once it is all done."""
    function = plain({'V1__a.sql': 'CREATE TABLE a ();', 'V2__b.sql': MARK + 'CREATE TABLE b ();\n%s;\nCREATE TABLE c ();\n' % statement},
                     RDSINIT_LOCK_TIMEOUT='100ms')
    invocation = function.send()
    function.wait_for_log(lambda entry: 'tried again' in entry['message'])
    held()
    payload = function.outcome(invocation).payload
    assert [script['outcome'] for script in payload['scripts']] == ['applied', 'applied']
    assert database.relations() == ['public.a', 'public.b', 'public.c', 'public.held']


def test_without_a_transaction_and_given_up(plain, database, held):
    payload = plain({'V1__a.sql': 'CREATE TABLE a ();', 'V2__b.sql': MARK + 'ALTER TABLE held ADD COLUMN n int;'},
                    RDSINIT_LOCK_TIMEOUT='100ms', RDSINIT_RETRY_FOR='1s').fail()
    assert payload['sqlstate'] == '55P03' and payload['file'] == 'V2__b.sql'
    assert [(script['name'], script['outcome']) for script in payload['scripts']] == [('V1__a.sql', 'applied')]
    assert 'committed' in payload['detail'] and 'application "rdsinit test"' in payload['detail']


@pytest.mark.parametrize('setting', ["'soon'", '-1', '2', "'2 weeks'", 'true', '1.5'])
def test_what_is_no_time(plain, setting):
    function = plain('SELECT 1;')
    event = b'{"lock_timeout": %s}' % setting.replace("'", '"').encode()
    if setting == '2':
        function.succeed(event)
    else:
        assert 'the event\'s "lock_timeout" is not a time' in function.fail(event)['errorMessage']


def test_the_environment_has_them_too(plain, database, held):
    assert 'RDSINIT_RETRY_FOR is not a time' in plain('', RDSINIT_RETRY_FOR='never').fail()['errorMessage']
    outcome = plain(ALTER, RDSINIT_LOCK_TIMEOUT='1h').invoke({'lock_timeout': '100ms', 'retry_for': 0})
    assert outcome.payload['sqlstate'] == '55P03' and outcome.elapsed < 2


def test_without_a_second_connection(plain, database, role):
    """Who is in the way is not known then, and the log says why; the rest is the same."""
    owner, password = role('LOGIN CONNECTION LIMIT 1')
    database.create(owner).rows('CREATE TABLE held (); ALTER TABLE held OWNER TO %s' % owner)
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held IN ROW EXCLUSIVE MODE')
        function = plain(ALTER, DB_USER=owner, DB_PASSWORD=password, RDSINIT_LOCK_TIMEOUT='300ms', RDSINIT_RETRY_FOR='3s')
        payload = function.fail()
    assert payload['sqlstate'] == '55P03' and 'attempts.' in payload['detail']
    assert len([entry for entry in function.log if 'no second connection' in entry['message']]) == 1

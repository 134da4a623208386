"""Connecting: what is retried until the deadline nears, and what is an error at once."""

import contextlib

import pytest

from support import Database

SCRIPT = 'CREATE TABLE made ();'


@pytest.fixture
def plain(trigger):
    def start(bundle=SCRIPT, **variables):
        return trigger(bundle, **{'RDSINIT_MODE': 'plain', **variables})
    return start


def retrying(entry):
    return entry['level'] == 'WARN'


# At once

def test_a_wrong_password_is_an_error_at_once(plain, server, proxy):
    counting = proxy()
    outcome = plain(DB_HOST='127.0.0.1', DB_PORT=counting.port, DB_PASSWORD='wrong-canary').invoke()
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection')
    assert outcome.payload['sqlstate'] == '28P01'
    assert 'password authentication failed for user "%s"' % server.user in outcome.payload['errorMessage']
    assert outcome.payload['hint']
    assert 'wrong-canary' not in outcome.raw
    assert 'auth.c' not in outcome.raw, "the server's source is not the user's business"
    assert counting.connections == 1


def test_a_role_that_is_not_there(plain):
    assert plain(DB_USER='nobody-here').fail()['sqlstate'] in ('28P01', '28000')


def test_a_database_that_may_not_be_created(plain, role, database):
    user, password = role()
    payload = plain(DB_USER=user, DB_PASSWORD=password).fail()
    assert (payload['errorType'], payload['sqlstate']) == ('Rdsinit.Database', '42501')
    assert database.name in payload['errorMessage']
    assert not database.exists()


# Retried

def test_a_server_that_is_starting_up_is_waited_for(plain, proxy):
    starting = proxy(refusals=3)
    function = plain(DB_HOST='127.0.0.1', DB_PORT=starting.port)
    assert function.succeed()['databaseCreated'] is True
    assert starting.connections > 3
    assert function.wait_for_log(retrying)['message']


def test_a_server_with_too_many_clients_is_waited_for(plain, proxy):
    full = proxy(refusals=2, sqlstate='53300', message='sorry, too many clients already')
    plain(DB_HOST='127.0.0.1', DB_PORT=full.port).succeed()
    assert full.connections > 2


def test_a_server_that_drops_connections_is_tried_again(plain, proxy):
    dropping = proxy(drops=2)
    plain(DB_HOST='127.0.0.1', DB_PORT=dropping.port).succeed()
    assert dropping.connections > 2


def test_a_localised_message_is_told_by_its_sqlstate(plain, proxy):
    starting = proxy(refusals=2, message='das Datenbanksystem startet')
    plain(DB_HOST='127.0.0.1', DB_PORT=starting.port).succeed()


def test_a_refused_connection_is_tried_until_the_server_is_there(plain, cluster):
    late = cluster()
    function = plain(**late.server.environment())
    invocation = function.send(timeout_s=60)
    function.wait_for_log(retrying)
    late.start()
    outcome = function.outcome(invocation)
    assert (outcome.kind, outcome.payload['databaseCreated']) == ('response', True)


def test_a_server_that_never_comes_is_a_clear_error_before_the_deadline(plain, cluster):
    never = cluster()
    outcome = plain(**never.server.environment()).invoke(timeout_s=2)
    assert outcome.kind == 'error' and outcome.elapsed < 2
    assert outcome.error_type == 'Rdsinit.Connection'
    assert 'Connection refused' in outcome.payload['errorMessage']
    assert 'attempts' in outcome.payload['errorMessage']


def test_a_server_that_stays_in_startup_is_said_so(plain, proxy):
    starting = proxy(refusals=10000)
    outcome = plain(DB_HOST='127.0.0.1', DB_PORT=starting.port).invoke(timeout_s=2)
    assert outcome.kind == 'error' and outcome.elapsed < 2
    assert (outcome.error_type, outcome.payload['sqlstate']) == ('Rdsinit.Connection', '57P03')
    assert 'the database system is starting up' in outcome.payload['errorMessage']
    assert starting.connections > 2


def test_a_host_that_has_no_address_is_a_clear_error_before_the_deadline(plain):
    outcome = plain(DB_HOST='no-such-host.invalid').invoke(timeout_s=2)
    assert outcome.kind == 'error' and outcome.elapsed < 2
    assert outcome.error_type == 'Rdsinit.Connection'
    assert 'no-such-host.invalid' in outcome.payload['errorMessage']


def test_a_server_that_says_nothing_does_not_hold_the_answer_up(plain, proxy):
    silent = proxy(silent=True)
    outcome = plain(DB_HOST='127.0.0.1', DB_PORT=silent.port).invoke(timeout_s=2)
    assert outcome.kind == 'error' and outcome.elapsed < 2
    assert outcome.error_type in ('Rdsinit.Connection', 'Rdsinit.Timeout')


def test_of_several_hosts_the_one_that_answers_is_taken(plain, server):
    plain(DB_HOST='no-such-host.invalid,%s' % server.host).succeed()


def test_of_several_hosts_the_writable_one_is_taken(plain, server, role, database, cluster):
    # DB_PORT is that of all hosts, so the read-only one has another address of loopback.
    reader = cluster(listen_addresses='127.0.0.2', port=server.port).start()
    user, password = role('LOGIN SUPERUSER')
    reader.server.rows('CREATE ROLE %s LOGIN PASSWORD %%s' % user, (password,))
    reader.server.rows('ALTER ROLE %s SET default_transaction_read_only = on' % user)
    for each in (reader.server, server):
        Database(each, database.name).create()
    plain(DB_HOST='127.0.0.2,127.0.0.1', DB_USER=user, DB_PASSWORD=password).succeed()
    assert database.relations() == ['public.made']


def test_a_reader_that_lags_behind_is_given_time_to_have_the_new_database(plain, server, role, database, cluster):
    reader = cluster(listen_addresses='127.0.0.2', port=server.port).start()
    user, password = role('LOGIN SUPERUSER')
    reader.server.rows('CREATE ROLE %s LOGIN PASSWORD %%s' % user, (password,))
    reader.server.rows('ALTER ROLE %s SET default_transaction_read_only = on' % user)
    function = plain(DB_HOST='127.0.0.2,127.0.0.1', DB_USER=user, DB_PASSWORD=password)
    invocation = function.send()
    function.wait_for_log(lambda entry: retrying(entry) and database.name in str(entry))
    Database(reader.server, database.name).create()
    outcome = function.outcome(invocation)
    assert (outcome.kind, outcome.payload.get('databaseCreated')) == ('response', True)


# The database

@pytest.mark.parametrize('suffix', ['Capitals', 'da-sh', 'quo"te', "apos'trophe", 'back\\slash', 'spa ce', 'Ümläut',
                                    'dbname=x', '%41'])
def test_a_database_name_is_taken_as_it_is(plain, database, suffix):
    database.name += suffix
    payload = plain().succeed()
    assert (payload['database'], payload['databaseCreated']) == (database.name, True)
    assert database.relations() == ['public.made']


def test_two_at_once_create_one_database(plain, server, database):
    with contextlib.closing(server.connect()) as holder:
        # Both get as far as the new row of pg_database, and no further.
        holder.cursor().execute('BEGIN; LOCK TABLE pg_database IN SHARE MODE')
        functions = [plain() for _ in range(2)]
        invocations = [function.send() for function in functions]
        database_of_postgres = Database(server, 'postgres')
        database_of_postgres.wait_until(
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE query ~ '^CREATE DATABASE' "
            "AND wait_event_type = 'Lock' AND query ~ %s", (database.name,))
        holder.cursor().execute('COMMIT')
    payloads = [function.outcome(invocation).payload for function, invocation in zip(functions, invocations)]
    assert sorted(payload['databaseCreated'] for payload in payloads) == [False, True]
    assert sorted(payload['scripts'][0]['outcome'] for payload in payloads) == ['applied', 'unchanged']


def test_the_admin_database_is_asked_only_for_a_missing_one(plain, database):
    database.create()
    plain(DB_ADMIN_NAME='no-such-database').succeed()


def test_a_missing_admin_database_is_named(plain):
    payload = plain(DB_ADMIN_NAME='no-such-database').fail()
    assert payload['sqlstate'] == '3D000'
    assert 'no-such-database' in payload['errorMessage']


# A connection that is lost in COMMIT

@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


@pytest.mark.parametrize('delivered, then', [(True, 'unchanged'), (False, 'applied')])
def test_a_commit_of_unknown_outcome_is_said_to_be_so(trigger, database, proxy, mode, delivered, then):
    database.create()
    word = 'COMMIT' if mode == 'plain' else 'rdsinit.deploy'
    cutting = proxy(cut_on=b'COMMIT\0' if mode == 'plain' else b'CALL rdsinit.deploy', cut_delivered=delivered)
    function = trigger(SCRIPT, RDSINIT_MODE=mode, DB_HOST='127.0.0.1', DB_PORT=cutting.port)
    if mode == 'extension':
        database.rows('CREATE EXTENSION rdsinit')
    payload = function.fail()
    assert cutting.cuts == 1
    assert payload['errorType'] == 'Rdsinit.Connection'
    assert word in payload['errorMessage'] and 'unknown' in payload['errorMessage']
    assert 'again' in payload['hint']
    cutting.cut_on = None
    assert function.succeed()['scripts'][0]['outcome'] == then


def test_a_backend_that_is_terminated_is_an_error_and_the_loop_goes_on(plain, database):
    database.create()
    function = plain('SELECT pg_sleep(60);')
    invocation = function.send()
    database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                        'AND datname = current_database()')
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                  'AND datname = current_database()')
    outcome = function.outcome(invocation)
    assert (outcome.kind, outcome.payload['sqlstate']) == ('error', '57P01')
    assert (outcome.payload['file'], outcome.payload['line']) == ('schema.sql', 1)
    assert function.fail(b'no JSON')['errorType'] == 'Rdsinit.Event'

"""The invocation's deadline: an answer before it, nothing left behind, nothing left running."""

import contextlib

import pytest

from support import Database

SLEEPS = 'CREATE TABLE made ();\nSELECT pg_sleep(60);\n'


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


def nothing_runs(database):
    Database(database.server, 'postgres').wait_until(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = %s AND application_name <> 'rdsinit test' "
        "AND backend_type = 'client backend'", (database.name,), timeout=3)
    return True


@pytest.mark.parametrize('script', [SLEEPS, 'SET statement_timeout = 0;\nSELECT 1;\n' + SLEEPS])
def test_where_no_request_to_cancel_gets_through_the_server_stops_by_itself(trigger, database, mode, proxy, script):
    """The second line: statement_timeout, which no script has raised."""
    before = proxy(deaf=True)
    outcome = trigger(script, RDSINIT_MODE=mode, DB_PORT=before.port).invoke(timeout_s=3)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Timeout') and outcome.elapsed < 3
    # A second one for what looks at the first connection meanwhile, where that is at work just then.
    assert before.cancels in (1, 2)
    assert outcome.payload['file'] == 'schema.sql'
    assert nothing_runs(database)


@pytest.mark.parametrize('script', [SLEEPS, 'SET statement_timeout = 0;\n' + SLEEPS],
                         ids=['as it is', 'with statement_timeout = 0'])
def test_a_script_that_takes_too_long_is_cancelled_in_time(trigger, database, mode, script):
    function = trigger(script, RDSINIT_MODE=mode)
    outcome = function.invoke(timeout_s=2)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Timeout')
    assert 1 < outcome.elapsed < 2
    assert outcome.payload['mode'] == mode
    assert nothing_runs(database)
    assert database.relations() == []
    assert not database.history('rdsinit_plain' if mode == 'plain' else 'rdsinit')


def test_the_statement_that_was_running_is_named(trigger, mode):
    payload = trigger(SLEEPS, RDSINIT_MODE=mode).fail(timeout_s=2)
    assert (payload['file'], payload['line'], payload['statement']) == ('schema.sql', 2, 2)


def test_a_lock_that_is_not_to_be_had_is_not_waited_for_beyond_it(trigger, database, mode):
    database.create().rows('CREATE TABLE held ()')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        function = trigger('ALTER TABLE held ADD COLUMN n int;', RDSINIT_MODE=mode)
        outcome = function.invoke(timeout_s=2)
        assert outcome.kind == 'error' and outcome.elapsed < 2
        assert outcome.error_type in ('Rdsinit.Timeout', 'Rdsinit.Script')
        assert nothing_runs(database)
        holder.cursor().execute('COMMIT')
    assert function.succeed()['scripts'][0]['outcome'] == 'applied'


def test_another_call_that_does_not_end_is_not_waited_for_beyond_it(trigger, database, mode):
    database.create().rows('CREATE TABLE held ()')
    with contextlib.closing(database.connect()) as holder:
        holder.cursor().execute('BEGIN; LOCK TABLE held')
        slow = trigger('ALTER TABLE held ADD COLUMN n int;', RDSINIT_MODE=mode)
        invocation = slow.send(timeout_s=60)
        database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() "
                            "AND application_name = 'rdsinit' AND wait_event_type = 'Lock'")
        outcome = trigger('SELECT 1;', RDSINIT_MODE=mode).invoke(timeout_s=2)
        assert outcome.kind == 'error' and outcome.elapsed < 2
        holder.cursor().execute('COMMIT')
    assert slow.outcome(invocation).kind == 'response'


def test_a_deadline_that_has_passed_is_answered_all_the_same(trigger):
    outcome = trigger('SELECT 1;', RDSINIT_MODE='plain').invoke(deadline_ms=1000)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Timeout')
    assert outcome.elapsed < 2


def test_the_loop_goes_on_after_a_timeout(trigger, mode):
    function = trigger(SLEEPS, RDSINIT_MODE=mode)
    function.fail(timeout_s=2)
    assert function.fail(b'no JSON')['errorType'] == 'Rdsinit.Event'
    assert function.running

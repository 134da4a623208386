"""The Runtime API when it is slow, fails, is cut off or answers what it should not: who waits is told, and the loop lives."""

import dataclasses
import time

import pytest

from support.scripts import SHOP

DEADLINE = 'Lambda-Runtime-Deadline-Ms'
REQUEST_ID = 'Lambda-Runtime-Aws-Request-Id'


@pytest.fixture
def function(plain):
    running = plain(SHOP)
    running.runtime.wait_for_poll()
    return running


def with_header(name, value):
    """The answer with another value of one header; None: without it."""
    def spoil(_, answer):
        headers = [(each, value if each == name else text) for each, text in answer.headers]
        return dataclasses.replace(answer, headers=tuple(each for each in headers if each[1] is not None))
    return spoil


def cut_after(part):
    """The connection is closed within what is sent."""
    def spoil(request, answer):
        head = 'HTTP/1.1 200 OK\r\n' + ''.join('%s: %s\r\n' % each for each in answer.headers)
        head = (head + 'Content-Length: %d\r\n\r\n' % (len(answer.body) + 100)).encode()
        request.connection.sendall({'status line': head[:12], 'headers': head[:-30], 'half the event': head + answer.body}[part])
    return spoil


def spoiled(function, spoil, event=b'{}'):
    """An invocation whose event arrives spoiled."""
    function.runtime.spoil_next_event(spoil)
    return function.invoke(event, timeout=10)


@pytest.mark.parametrize('value', [None, '', 'soon', '12x', '9' * 30, '-1', '0', '1e3'])
def test_a_deadline_that_is_missing_or_damaged_is_told_to_the_caller(function, database, value):
    outcome = spoiled(function, with_header(DEADLINE, value))
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Internal')
    assert DEADLINE in outcome.payload['errorMessage']
    assert not database.exists(), 'nothing is begun that has no end'
    assert function.succeed()['scripts'][0]['outcome'] == 'applied'


@pytest.mark.parametrize('part', ['headers', 'half the event'])
def test_an_event_that_is_cut_short_is_told_to_the_caller(function, database, part):
    outcome = spoiled(function, cut_after(part))
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Internal')
    assert not database.exists(), 'half an event is none'
    assert function.succeed()['scripts'][0]['outcome'] == 'applied'


def test_an_event_of_which_nothing_came_but_the_status_is_nobodys(function, database):
    function.runtime.spoil_next_event(cut_after('status line'))
    function.send()
    function.wait_for_log(lambda entry: entry['message'].startswith('no invocation: '))
    function.stop()
    assert not database.exists()
    assert all('is unanswered' in each for each in function.runtime.violations)
    function.runtime.violations.clear()


@pytest.mark.parametrize('value', [None, '', '../init/error', 'a b', 'x' * 129])
def test_without_a_valid_request_id_nothing_is_run_and_nobody_can_be_told(function, database, value):
    function.runtime.spoil_next_event(with_header(REQUEST_ID, value))
    function.send()
    function.wait_for_log(lambda entry: 'no valid ' + REQUEST_ID in entry['message'])
    assert function.runtime.init_errors == [] and not database.exists()
    function.stop()
    # Whatever is asked next, Lambda says that an invocation has no answer yet, and ends us by itself.
    assert all('is unanswered' in each for each in function.runtime.violations)
    function.runtime.violations.clear()


@pytest.mark.parametrize('status', [500, 410, 403, 0])
def test_a_next_that_fails_is_asked_again(plain, status):
    function = plain(SHOP)
    function.runtime.wait_for_poll()
    function.runtime.fail_next_polls(3, status)
    assert function.succeed()['scripts'][0]['outcome'] == 'applied'
    started = time.monotonic()
    assert function.succeed()['scripts'][0]['outcome'] == 'unchanged'
    assert time.monotonic() - started < 5
    failures = [entry for entry in function.log if entry['message'].startswith('no invocation: ')]
    # Where a connection that was kept is closed without a word, libcurl asks once more by itself.
    assert 1 <= len(failures) <= 3 and (status == 0 or len(failures) == 3) and {entry['level'] for entry in failures} == {'WARN'}
    assert status == 0 or all(str(status) in entry['message'] for entry in failures)


def test_a_next_that_keeps_failing_ends_the_process(function):
    """Lambda asks for that after a 500, and starts another one."""
    function.runtime.fail_next_polls(1000, 500)
    function.succeed()
    assert function.wait_exit(20) == 1
    function.stop()
    assert function.log[-1]['level'] == 'ERROR' and '500' in function.log[-1]['message']


def test_a_next_that_is_slow_is_waited_for(function):
    """Longer than an answer may take, and in pieces."""
    def slowly(_, answer):
        time.sleep(4)
        return answer
    assert spoiled(function, slowly).kind == 'response'
    assert [entry for entry in function.log if entry['level'] != 'INFO'] == []

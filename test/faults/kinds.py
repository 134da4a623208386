"""What breaks a call off: signals and requests to its processes."""

import os
import signal

from . import rounds
from .call import Call
from .server import Victim


def _broken(subject, act, victim='backend'):
    """A round's break_off: `act(PID, watcher, generator)` at the moment; the watcher is a session that is there already."""
    def break_off(stack, database, moment, generator, at_statement):
        watcher = stack.enter_context(_closing(database.connect()))
        broken = Call(database, subject.how)
        broken.start()
        pid = broken.pid
        if at_statement:
            rounds.wait_for_statement(broken, watcher, generator, victim == 'worker')
            pid = rounds.wait_for_worker(broken, watcher) if victim == 'worker' else pid
        elif victim == 'worker':
            pid = rounds.wait_in_worker(broken, watcher, moment)
        else:
            broken.wait_until(moment)
        if pid is not None:
            act(pid, watcher, generator)
        broken.end()
        subject.cluster.wait()
        return broken
    return break_off


class _closing:
    """As contextlib.closing, for a connection that the server may have closed."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *_):
        self.connection.close()


def _on(how, act_of, victim='backend', **settings):
    """A kind: a cluster of its own, and rounds in it."""
    def kind(name, count, seed):
        with Victim(**settings) as cluster:
            subject = rounds.Subject(cluster, how)
            return rounds.run(name, subject, count, seed, _broken(subject, act_of(cluster), victim))
    return kind


# Each COMMIT takes some milliseconds, so that many moments are within one.
SLOW_COMMIT = {'fsync': 'on', 'commit_delay': 3000, 'commit_siblings': 0}


def _kill(cluster):
    def act(pid, _watcher, _generator):
        crashes = cluster.crashes
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        cluster.wait_for_crash(crashes)
    return act


def _function(name):
    def act(pid, watcher, _generator):
        watcher.cursor().execute('SELECT %s(%%s)' % name, (pid,))
    return lambda _cluster: act


def _kill_postmaster(cluster):
    def act(_pid, _watcher, generator):
        cluster.kill(generator.random() < 0.5)
        cluster.start_again()
    return act


def _stop(cluster):
    def act(_pid, _watcher, _generator):
        cluster.stop()
        cluster.start_again()
    return act


def _timed(how):
    """By statement_timeout, which the server keeps itself."""
    def kind(name, count, seed):
        with Victim() as cluster:
            subject = rounds.Subject(cluster, how)

            def break_off(_stack, database, moment, _generator, _at_statement):
                prepare = 'SET statement_timeout = %d' % max(1, round(1000 * moment))
                return Call(database, how, prepare).start().end()
            return rounds.run(name, subject, count, seed, break_off)
    return kind


KINDS = {
    'apply: kill -9 of the backend': _on('apply', _kill, **SLOW_COMMIT),
    'deploy: kill -9 of the backend': _on('deploy', _kill, **SLOW_COMMIT),
    'deploy: kill -9 of the worker': _on('deploy', _kill, 'worker', **SLOW_COMMIT),
    'deploy: kill -9 of the postmaster': _on('deploy', _kill_postmaster, **SLOW_COMMIT),
    'deploy: pg_ctl stop -m immediate': _on('deploy', _stop, **SLOW_COMMIT),
    'apply: pg_cancel_backend': _on('apply', _function('pg_cancel_backend')),
    'deploy: pg_cancel_backend': _on('deploy', _function('pg_cancel_backend')),
    'deploy: pg_cancel_backend of the worker': _on('deploy', _function('pg_cancel_backend'), 'worker'),
    'apply: pg_terminate_backend': _on('apply', _function('pg_terminate_backend')),
    'deploy: pg_terminate_backend': _on('deploy', _function('pg_terminate_backend')),
    'deploy: pg_terminate_backend of the worker': _on('deploy', _function('pg_terminate_backend'), 'worker'),
    'apply: statement_timeout': _timed('apply'),
    'deploy: statement_timeout': _timed('deploy'),
}

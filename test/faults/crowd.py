"""Fifty triggers and fifty sessions at once, with the same scripts: each is applied once."""

import concurrent.futures
import functools
import pathlib
import tempfile

from support.trigger import pack, run_in

from . import rounds, state
from .bundle import DEPLOYED
from .call import call
from .server import Victim

EACH = 50


def _crowd(name, count, seed):
    """Each round is a hundred calls, and tried are calls; a database for them is made beforehand, or by the triggers."""
    tally = rounds.Tally(name)
    with Victim(max_connections=2 * EACH + 20, max_worker_processes=16) as cluster:
        subject = rounds.Subject(cluster, 'deploy')
        for number in range(max(1, count // EACH)):
            tally.tried += 2 * EACH
            _one(tally, subject, '%s, round %d' % (name, number))
    return tally


def _one(tally, subject, where):
    database = subject.cluster.database()
    # packed once, before there is anything else: a program that a child has inherited the writing of cannot be run
    with tempfile.TemporaryDirectory(prefix='rdsinit-task-') as name, concurrent.futures.ThreadPoolExecutor(2 * EACH) as pool:
        task = pathlib.Path(name)
        pack(DEPLOYED, task)
        calls = [pool.submit(how, database) for _ in range(EACH) for how in (_session, functools.partial(_trigger, task))]
        results = [_outcomes(each) for each in calls]
    failed = [str(result) for result in results if isinstance(result, Exception)]
    who_applied = sum('applied' in result for result in results if not isinstance(result, Exception))
    tally.lost += ['%s: %s' % (where, text) for text in failed]
    tally.came_to['all'] += 2 * EACH - len(failed)
    try:
        with state.session(database) as session:
            state.whole(session, subject.wanted)
        if who_applied != 1 and not failed:
            raise state.Violation('%d calls say that they have applied something' % who_applied)
    except Exception as error:  # whatever it is, it is said
        tally.lost.append('%s: %s: %s' % (where, type(error).__name__, error))
    for text in tally.lost:
        print('LOST ' + text, flush=True)
    database.drop()


def _outcomes(future):
    try:
        return future.result()
    except Exception as error:  # whatever it is, it is counted
        return error


def _session(database):
    return call(database, 'deploy')


def _trigger(task, database):
    ended = run_in(task, {**database.server.environment(), 'DB_NAME': database.name, 'RDSINIT_RETRY_FOR': '5min',
                          'RDSINIT_MODE': 'extension'}, '--once', timeout=300)
    if ended.code != 0:
        raise state.Violation('bootstrap --once: %s' % ended.stdout)
    return [script['outcome'] for script in ended.payload['scripts']]


KINDS = {'deploy: 50 triggers and 50 sessions at once': _crowd}

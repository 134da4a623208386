"""A round: a call, a moment at which it is broken off, and what must hold afterwards."""

import collections
import contextlib
import random

from . import state
from .bundle import STEPS
from .call import Call, call

# One round in so many is broken off where the activity shows a certain statement, not at a moment.
AT_STATEMENT = 3


class Tally:
    """Numbers of one kind of fault."""

    def __init__(self, kind):
        self.kind, self.tried, self.unhurt = kind, 0, 0
        self.came_to = collections.Counter()
        self.lost = []

    @property
    def survived(self):
        return self.tried - len(self.lost)


class Subject:
    """A cluster, what a call comes to there, and how long it takes, undisturbed."""

    def __init__(self, cluster, how):
        self.cluster, self.how = cluster, how
        took = []
        for _ in range(3):
            database = cluster.database()
            first = Call(database, how).start().end(300)
            if first.error is not None:
                raise first.error
            took.append(first.took)
            with state.session(database) as session:
                self.wanted = state.end_state(session)
            database.drop()
        self.duration = min(took)
        if self.wanted['drift'] or self.wanted['undone']:
            raise state.Violation('undisturbed, there is %s' % self.wanted)

    def learn(self, ended):
        """How long a call takes changes with what the machine does besides."""
        self.duration = (self.duration + ended.took) / 2 if ended.error is None else self.duration * 1.01


def moments(generator, count):
    """As many moments, spread over the whole run and a little beyond, in random order: its end is 1."""
    found = [1.05 * (n + generator.random()) / count for n in range(count)]
    generator.shuffle(found)
    return found


def run(kind, subject, count, seed, break_off):
    """`break_off(stack, database, moment, generator, at_statement)` does it, and waits until the server is there again."""
    tally = Tally(kind)
    generator = random.Random('%s %s' % (kind, seed))
    for number, moment in enumerate(moments(generator, count)):
        database = subject.cluster.database()
        moment *= subject.duration
        tally.tried += 1
        try:
            with contextlib.ExitStack() as stack:
                broken = break_off(stack, database, moment, generator, number % AT_STATEMENT == 0)
            subject.learn(broken)
            tally.unhurt += broken.error is None
            tally.came_to[look(subject, database, broken)] += 1
        except Exception as error:  # whatever it is, it is said, and the next round goes on
            tally.lost.append('%s, seed %s, round %d, at %.0f ms of %.0f: %s: %s' % (
                kind, seed, number, 1000 * moment, 1000 * subject.duration, type(error).__name__, error))
            print('LOST ' + tally.lost[-1], flush=True)
            subject.cluster.wait()
        database.drop()
    return tally


def look(subject, database, broken):
    """How far the call had come; then it is called again, and must end as if nothing had happened."""
    with state.session(database) as session:
        came_to = state.broken_off(session, subject.how == 'apply', broken.scripts)
    if broken.error is None and came_to != 'all':
        raise state.Violation('the call has succeeded, and not all was done: ' + came_to)
    call(database, subject.how)
    with state.session(database) as session:
        state.whole(session, subject.wanted)
    if set(call(database, subject.how)) != {'unchanged'}:
        raise state.Violation('called once more, it has done something')
    return came_to


def wait_for_statement(broken, watcher, generator, in_worker):
    """Until the activity shows a statement chosen at random, and perhaps a little longer."""
    step = generator.choice([step for step in STEPS if step.script in broken.scripts
                             and (step.statement is not None or not in_worker)])
    # Within a transaction they go by too fast to be seen one by one.
    shown = 'rdsinit: %s%%' % step.script + ('statement %d%%' % step.statement if step.statement else '')
    pause = generator.choice([0, generator.random() * (0.01 if step.statement else 0.03)])
    with watcher.cursor() as cursor:
        while broken.running:
            cursor.execute('SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s',
                           (shown,))
            if cursor.fetchone()[0]:
                break
    broken.wait_for(pause)


def wait_for_worker(broken, watcher):
    """The PID of the call's worker, once there is one; None when the call has ended before."""
    with watcher.cursor() as cursor:
        while broken.running:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'rdsinit'")
            row = cursor.fetchone()
            if row:
                return row[0]
    return None


def wait_in_worker(broken, watcher, moment):
    """The same, at a moment of the time that there are workers, which is about half of the call."""
    wait_for_worker(broken, watcher)
    broken.wait_for(moment / 2)
    return wait_for_worker(broken, watcher)

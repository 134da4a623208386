"""A standby that takes over in the middle of a deployment, which is then called again there."""

import random
import time

import psycopg2

from support import Database

from . import rounds
from .call import Call
from .server import Victim, free_port

# One for so many rounds of the others: each has a standby of its own.
EVERY = 10

WITH_STANDBYS = {'wal_level': 'replica', 'max_wal_senders': 5, 'hot_standby': 'on'}


def standby_of(primary):
    """A streaming standby, which has all that has been committed on the primary: what is not flushed, none gets for seconds."""
    standby = Victim(**WITH_STANDBYS, port=free_port()).copy_of(primary).start()
    position = primary.server.value('SELECT pg_current_wal_flush_lsn()')
    while not standby.server.value('SELECT pg_last_wal_replay_lsn() >= %s', (position,)):
        time.sleep(0.02)
    return standby


def _take_over(name, count, seed):
    """What has not reached the standby is not there: as if the call had been broken off at that moment."""
    tally, generator = rounds.Tally(name), random.Random('%s %s' % (name, seed))
    with Victim(**WITH_STANDBYS) as primary:
        subject = rounds.Subject(primary, 'deploy')
        for number, moment in enumerate(rounds.moments(generator, max(1, count // EVERY))):
            tally.tried += 1
            try:
                tally.came_to[_round(subject, moment * subject.duration)] += 1
            except Exception as error:  # whatever it is, it is said, and the next round goes on
                tally.lost.append('%s, seed %s, round %d: %s: %s' % (name, seed, number, type(error).__name__, error))
                print('LOST ' + tally.lost[-1], flush=True)
    return tally


def _round(subject, moment):
    database = subject.cluster.database()
    standby = standby_of(subject.cluster)
    try:
        broken = Call(database, 'deploy').start()
        broken.wait_until(moment)
        # The primary goes on, as one does that is only cut off; nothing of that counts.
        standby.run('pg_ctl', 'promote', '--wait', '--silent', '--pgdata=%s' % standby.data)
        broken.end()
        broken.error = broken.error or psycopg2.OperationalError('the primary is lost')
        return rounds.look(subject, Database(standby.server, database.name), broken)
    finally:
        standby.remove()
        database.drop()


KINDS = {'deploy: a standby is promoted meanwhile': _take_over}

"""A call of rdsinit in a session of its own, which goes on by itself while it is broken off."""

import json
import threading
import time

import psycopg2

from .bundle import APPLIED, DEPLOYED

OPTIONS = {'retry_for': '5min'}


class Call:
    """`how` is 'apply' or 'deploy'; prepare runs before it in the same session."""

    def __init__(self, database, how, prepare='SELECT', scripts=None, **options):
        self.how, self.options = how, {**OPTIONS, **options}
        self.scripts = scripts or (APPLIED if how == 'apply' else DEPLOYED)
        self.error = None
        self.outcomes = []
        self.began = self.ended = None
        self.connection = database.connect()
        self.connection.cursor().execute(prepare)
        self.pid = self.connection.info.backend_pid
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        self._begun.wait()
        return self

    def _run(self):
        arguments = list(self.scripts), list(self.scripts.values()), json.dumps(self.options)
        self.began = time.monotonic()
        self._begun.set()
        try:
            with self.connection.cursor() as cursor:
                if self.how == 'apply':
                    cursor.execute('SELECT outcome FROM rdsinit.apply_bundle(%s, %s, %s)', arguments)
                    self.outcomes = [row[0] for row in cursor.fetchall()]
                else:
                    cursor.execute('CALL rdsinit.deploy(%s, %s, %s)', arguments)
                    self.outcomes = [row['outcome'] for row in cursor.fetchone()[0]]
        except psycopg2.Error as error:
            self.error = error
        self.ended = time.monotonic()

    @property
    def running(self):
        return self._thread.is_alive()

    def wait_until(self, seconds):
        """Until so many seconds after its beginning, or its end."""
        self._thread.join(max(0, self.began + seconds - time.monotonic()))

    def wait_for(self, seconds):
        """So many seconds, or until its end."""
        self._thread.join(seconds)

    def end(self, timeout=60):
        self._thread.join(timeout)
        if self.running:
            raise TimeoutError('the call does not end')
        try:
            self.connection.close()
        except psycopg2.Error:
            pass
        return self

    @property
    def took(self):
        return self.ended - self.began


def call(database, how, prepare='SELECT', **options):
    """Its outcomes; raises its error."""
    ended = Call(database, how, prepare, **options).start().end(300)
    if ended.error is not None:
        raise ended.error
    return ended.outcomes

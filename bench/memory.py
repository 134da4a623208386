"""How much memory a backend needs for a call, beyond what it needs anyway."""

import contextlib
import threading
import time

from corpus.libpq import Connection, Error

from .ways import DEPLOY, NotThere, array

INTERVAL = 0.001


def peak(script, database, way):
    """Bytes of the backend's own memory at the call's peak, less those before it."""
    with Connection(dbname=database) as connection:
        connection.execute(b'SET client_min_messages = error')
        with contextlib.suppress(Error):
            connection.execute(b"SELECT * FROM rdsinit.apply('first.sql', 'SELECT 1')")
        body = script.path.read_bytes()
        before = _private(connection.pid)
        with _Watch(connection.pid) as watch:
            try:
                if way == 'message':
                    if script.has_copy:
                        raise NotThere('inline data are no SQL')
                    connection.execute(body)
                elif way == 'apply':
                    connection.execute_parameters(b'SELECT * FROM rdsinit.apply($1, $2)', b'schema.sql', body)
                elif way == 'deploy':
                    connection.execute_parameters(DEPLOY, array(b'schema.sql'), array(body), binary=True)
                else:
                    connection.execute_parameters(
                        b'SELECT * FROM rdsinit.apply_file($1)', str(script.path).encode())
            except Error as error:
                if error.sqlstate in ('0A000', '42883', '54000'):
                    raise NotThere(error.message) from error
                raise
        return watch.most - before


class _Watch:
    def __init__(self, pid):
        self.pid, self.most, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._ended.set()
        self._thread.join()

    def _look(self):
        while not self._ended.is_set():
            self.most = max(self.most, _private(self.pid))
            time.sleep(INTERVAL)


def _private(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as file:
        for line in file:
            if line.startswith('RssAnon:'):
                return 1024 * int(line.split()[1])
    raise RuntimeError('no RssAnon: memory is measured on Linux alone')

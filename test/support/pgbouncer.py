"""PgBouncer, Debian's, before a server: on loopback and a free port, in transaction mode unless told otherwise."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .ports import Port

PROGRAM = shutil.which('pgbouncer') or '/usr/sbin/pgbouncer'


class PgBouncer:
    """Every user that logs in must be in `users`; every database is passed on by its name."""

    def __init__(self, server, users, **settings):
        self.users = users
        self.databases = '* = host=%s port=%d' % (server.host, server.port)
        self._port = Port()
        self.port = self._port.number
        self.settings = {
            'listen_addr': '127.0.0.1', 'listen_port': self.port, 'unix_socket_dir': '', 'pool_mode': 'transaction',
            'auth_type': 'scram-sha-256', 'default_pool_size': 2,
            # how long PgBouncer remembers that a database was not there; 15 s unless told otherwise
            'server_login_retry': 1, 'admin_users': server.user, **settings}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-pgbouncer-'))
        self._process = None

    def start(self):
        (self.directory / 'users').write_text(''.join('"%s" "%s"\n' % user for user in self.users.items()))
        lines = ['[databases]', self.databases, '[pgbouncer]',
                 'auth_file = %s' % (self.directory / 'users'), 'logfile = %s' % (self.directory / 'log')]
        lines += ['%s = %s' % item for item in self.settings.items()]
        (self.directory / 'pgbouncer.ini').write_text('\n'.join(lines) + '\n')
        as_postgres = {}
        if os.getuid() == 0:            # which PgBouncer refuses to be
            as_postgres = dict(user='postgres', group='postgres', extra_groups=[])
            for path in (self.directory, *self.directory.iterdir()):
                shutil.chown(path, 'postgres', 'postgres')
        self._process = subprocess.Popen([PROGRAM, '--quiet', self.directory / 'pgbouncer.ini'], cwd=self.directory,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, **as_postgres)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return self
            except OSError:
                assert self._process.poll() is None and time.monotonic() < end, self.log
                time.sleep(0.02)

    @property
    def log(self):
        path = self.directory / 'log'
        return path.read_text() if path.exists() else ''

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        if self._process:
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        self._port.close()

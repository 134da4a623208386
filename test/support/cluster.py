"""PostgreSQL clusters of the tests' own, for what cannot be done to a shared server:
to start and stop it, to have it without the extension, to have it speak TLS.
"""

import atexit
import base64
import contextlib
import functools
import hashlib
import hmac
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from .database import Server
from .ports import Port


class Cluster:
    """A cluster in a directory of its own, on loopback and a free port.

    `initialize` and `start` are apart, so that a test can know the port of a server
    that is not there yet.  Until `remove`, nobody else gets that port.
    """

    def __init__(self, **settings):
        self.settings = {
            'port': None, 'listen_addresses': '127.0.0.1', 'unix_socket_directories': '', 'fsync': 'off',
            'shared_buffers': '16MB', 'max_connections': 20, 'max_wal_senders': 0, 'wal_level': 'minimal',
            **settings}
        self.directory = None
        self.programs = None    # where another copy of the server's programs is
        self._port = None

    @property
    def server(self):
        return Server(self.settings['listen_addresses'], self.settings['port'], 'postgres', 'postgres')

    @property
    def data(self):
        return self.directory / 'data'

    def initialize(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-cluster-', dir=_memory()))
        _own(self.directory)
        self.make_data()
        if not self.settings['port']:
            self._port = Port(self.settings['listen_addresses'])
            self.settings['port'] = self._port.number
        with open(self.data / 'postgresql.conf', 'a', encoding='utf-8') as file:
            file.writelines("%s = '%s'\n" % item for item in self.settings.items())
        return self

    def make_data(self):
        """A copy of what initdb has made once: that takes a tenth of the time."""
        subprocess.run(['cp', '-a', _data(self.programs), self.data], check=True)

    def initdb(self, *options):
        password = self.directory / 'password'
        password.write_text('postgres\n')
        _own(password)
        self.run('initdb', '--no-sync', '--username=postgres', '--pwfile=%s' % password, '--encoding=UTF8',
                 '--locale=C.UTF-8', '--auth=scram-sha-256', '--pgdata=%s' % self.data, *options)

    def log_in_quickly(self):
        """SCRAM with one iteration: tests connect so often that the usual 4096 take a good part of their time."""
        self.run('postgres', '--single', '-D', self.data, 'postgres', typed="ALTER ROLE postgres PASSWORD '%s'\n" % _verifier('postgres'))

    def copy_of(self, primary):
        """A streaming standby of a primary that runs and has wal_senders."""
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-cluster-', dir=_memory()))
        _own(self.directory)
        self.run('pg_basebackup', '--checkpoint=fast', '--no-sync', '--wal-method=stream', '--write-recovery-conf',
                 '--pgdata=%s' % self.data, '--dbname=host=%s port=%s user=postgres password=postgres' % (
                     primary.settings['listen_addresses'], primary.settings['port']))
        with open(self.data / 'postgresql.conf', 'a', encoding='utf-8') as file:
            file.writelines("%s = '%s'\n" % item for item in self.settings.items())
        return self

    def start(self):
        self.run('pg_ctl', 'start', '--wait', '--silent', '--timeout=30',
                 '--pgdata=%s' % self.data, '--log=%s' % (self.directory / 'log'))
        return self

    def stop(self, mode='immediate'):
        if (self.data / 'postmaster.pid').exists():
            self.run('pg_ctl', 'stop', '--mode=' + mode, '--wait', '--silent', '--pgdata=%s' % self.data)

    @property
    def postmaster(self):
        return int((self.data / 'postmaster.pid').read_text().split()[0])

    def kill(self, all_at_once):
        """The postmaster, and with it all that are its own, as when the machine fails; or these see it themselves."""
        postmaster = self.postmaster
        victims = [postmaster, *(children(postmaster) if all_at_once else [])]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def remove(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)
            if self._port:
                self._port.close()

    def install(self, name, text, mode=0o600):
        """A file in the data directory, the server's own."""
        path = self.data / name
        path.write_text(text)
        path.chmod(mode)
        _own(path)
        return path

    def run(self, program, *arguments, typed=''):
        """One of PostgreSQL's server programs, as user postgres when we are root."""
        as_postgres = dict(user='postgres', group='postgres', extra_groups=[]) if os.getuid() == 0 else {}
        # To a file: a server inherits pg_ctl's output, so that a pipe would not end with pg_ctl.
        with tempfile.TemporaryFile('w+') as output, tempfile.TemporaryFile('w+') as keys:
            keys.write(typed)
            keys.seek(0)
            finished = subprocess.run(
                [os.path.join(self.programs, program) if self.programs else server_program(program), *arguments], cwd=self.directory, stdin=keys,
                stdout=output, stderr=output, timeout=60,
                env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'}, **as_postgres)
            output.seek(0)
            if finished.returncode != 0:
                log = self.directory / 'log'
                raise RuntimeError('%s failed: %s%s' % (
                    program, output.read(), log.read_text() if log.exists() else ''))


# Where a server finds an extension that is not installed for all.
PLACES = ['extension_destdir', 'extension_control_path', 'dynamic_library_path']


def extension_places(server):
    """The settings by which a cluster of a test's own finds the extension, as that server has them."""
    return dict(server.rows('SELECT name, setting FROM pg_settings WHERE name = ANY (%s) AND setting <> boot_val', (PLACES,)))


def children(parent):
    found = []
    for status in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = status.read_text().rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return found


def server_program(name):
    directory = subprocess.run([os.environ.get('PG_CONFIG', 'pg_config'), '--bindir'],
                               check=True, capture_output=True, text=True).stdout.strip()
    return os.path.join(directory, name)


@functools.lru_cache
def _data(programs):
    """A data directory that initdb has made, for as long as this process."""
    made = Cluster()
    made.programs = programs
    made.directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-initdb-', dir=_memory()))
    atexit.register(shutil.rmtree, made.directory, ignore_errors=True)
    _own(made.directory)
    made.initdb()
    made.log_in_quickly()
    return made.data


def _verifier(password):
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac('sha256', password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b'Client Key', 'sha256')).digest()
    return 'SCRAM-SHA-256$1:%s$%s:%s' % tuple(
        base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b'Server Key', 'sha256')))


def _memory():
    """Where files are in memory, and there is room, so that no disk is waited for; None: nowhere."""
    place = '/dev/shm'
    if os.access(place, os.W_OK) and os.statvfs(place).f_bavail * os.statvfs(place).f_frsize > 3 * 2 ** 30:
        return place
    return None


def _own(*paths):
    if os.getuid() == 0:
        for path in paths:
            shutil.chown(path, 'postgres', 'postgres')

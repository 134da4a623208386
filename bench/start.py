"""A cold start: how long until the function asks for its first event, and until it has answered one."""

import collections
import io
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time
import uuid
import zipfile

import psycopg2.extensions

from standin import RuntimeApi, SecretsManager
from support import Database, Server
from support.package import ARCH, ROOT, unpack
from support.trigger import lambda_environment

PACKAGE = ROOT / 'build' / 'package' / ('rdsinit-trigger-%s.zip' % ARCH)
FUNCTION = ROOT / 'bench' / 'python_lambda.py'
SCHEMA = ROOT / 'examples' / 'schema.sql'
NEXT = b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n'
# Of the machine, and in Lambda's image of Python's runtime as well.
IN_THE_IMAGE = re.compile(r'^(ld-linux|libc|libm|libdl|libpthread|libresolv|libssl|libcrypto|libz)[-.]')

NAMES = ('package', 'package, extension', 'dynamic', 'python')
PYTHON = 'python'


class Start:
    """Each way in turn, round by round, each time as a new process."""

    def __init__(self, log):
        self.log = log
        self.server = Server(os.environ['PGHOST'], int(os.environ['PGPORT']), os.environ['PGUSER'], os.environ['PGPASSWORD'])
        self.next = collections.defaultdict(list)       # seconds, from exec to the first /next
        self.answer = collections.defaultdict(list)     # … to the response of a first invocation, which makes the database
        self.there = collections.defaultdict(list)      # … where the database is there, and empty
        self.idle = collections.defaultdict(list)       # bytes at the peak, when /next is asked
        self.peak = collections.defaultdict(list)       # … when the invocation is answered
        self.relations = None
        self.size = {}                                  # bytes of the zip

    def run(self, rounds):
        if not PACKAGE.exists():
            raise SystemExit('%s is missing: ./dev package makes it' % PACKAGE)
        with tempfile.TemporaryDirectory(prefix='rdsinit-start-') as name, SecretsManager() as secrets:
            task = unpack(PACKAGE, pathlib.Path(name))
            secrets.put('rds', {'username': self.server.user, 'password': self.server.password})
            for number in range(-1, rounds):
                # who is first in a round is another one each time; the round before the first one counts for nothing
                for way in NAMES[number % len(NAMES):] + NAMES[:number % len(NAMES)]:
                    self._measure(way, task, secrets, keep=number >= 0)
        self.size = {'package': PACKAGE.stat().st_size, PYTHON: python_size()}

    def _measure(self, way, task, secrets, keep):
        seconds, idle = self._to_next(way, task, secrets)
        answered, peak = self._to_answer(way, task, secrets, there=False)
        there, _ = self._to_answer(way, task, secrets, there=True)
        if keep:
            for column, value in ((self.next, seconds), (self.idle, idle), (self.answer, answered), (self.there, there),
                                  (self.peak, peak)):
                column[way].append(value)
        self.log('%-40s %-18s %8.3f s' % ('cold start, to the first answer', way, answered))

    def _command(self, way, task):
        if way == PYTHON:
            return ['/usr/bin/python3', str(FUNCTION)]
        return [str(ROOT / 'trigger' / 'bootstrap' if way == 'dynamic' else task / 'bootstrap')]

    def _environment(self, way, task, secrets, address, database):
        return {**lambda_environment(task, address), **secrets.environment(), 'DB_SECRET_NAME': 'rds',
                'DB_HOST': self.server.host, 'DB_PORT': str(self.server.port), 'DB_NAME': database, 'DB_SSLMODE': 'disable',
                **({'SCHEMA': str(SCHEMA)} if way == PYTHON else
                   {'RDSINIT_BUNDLE': str(SCHEMA), 'RDSINIT_MODE': 'extension' if 'extension' in way else 'plain'})}

    def _to_next(self, way, task, secrets):
        """With nothing between: the time is taken when the request is there."""
        with socket.create_server(('127.0.0.1', 0)) as listener:
            address = '127.0.0.1:%d' % listener.getsockname()[1]
            environment = self._environment(way, task, secrets, address, 'nothing')
            command = self._command(way, task)
            listener.settimeout(30)
            start = time.perf_counter()
            pid = os.posix_spawn(command[0], command, environment)
            try:
                connection, _ = listener.accept()
                with connection:
                    request = connection.recv(4096)
                    seconds = time.perf_counter() - start
                    if not request.startswith(NEXT):
                        raise RuntimeError('%s asked for %r' % (way, request))
                    return seconds, peak_memory(pid)
            finally:
                os.kill(pid, 9)
                os.waitpid(pid, 0)

    def _to_answer(self, way, task, secrets, there):
        """The database is made, unless it is there, and the example applied."""
        database = Database(self.server, 'bench_' + uuid.uuid4().hex[:12])
        if there:
            database.create()
        with RuntimeApi() as runtime:
            invocation = runtime.invoke()
            environment = self._environment(way, task, secrets, runtime.address, database.name)
            start = time.perf_counter()
            with subprocess.Popen(self._command(way, task), env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False) as process:
                try:
                    outcome = runtime.wait(invocation, 30)
                    seconds = time.perf_counter() - start
                    if outcome.kind != 'response' or runtime.violations:
                        raise RuntimeError('%s: %s %s' % (way, outcome.payload, runtime.violations))
                    self._check(way, database.relations())
                    return seconds, peak_memory(process.pid)
                finally:
                    process.kill()
                    database.drop()

    def _check(self, way, relations):
        """All ways make the same."""
        self.relations = self.relations or relations
        if not relations or relations != self.relations:
            raise RuntimeError('%s has made %s, where another has made %s' % (way, relations, self.relations))

    # --- results ---

    def median(self, column, way):
        return statistics.median(getattr(self, column)[way])

    def ratio(self, column, way):
        """The median of the rounds' ratios to Python's."""
        return statistics.median(a / b for a, b in zip(getattr(self, column)[way], getattr(self, column)[PYTHON]))


def peak_memory(pid):
    status = pathlib.Path('/proc/%d/status' % pid).read_text(encoding='ascii')
    return 1024 * int(re.search(r'VmHWM:\s*(\d+)', status)[1])


def python_size():
    """A zip of what such a function has to bring along: psycopg2, libpq and its libraries.  boto3 is in Lambda's image."""
    module = pathlib.Path(psycopg2.__file__).parent
    extension = next(module.glob('_psycopg*.so'))
    libraries = [pathlib.Path(path) for path in re.findall(r'=> (/\S+)', subprocess.run(
        ['ldd', extension], check=True, capture_output=True, text=True).stdout)]
    files = [FUNCTION, SCHEMA, *(path for path in module.rglob('*') if path.suffix in ('.py', '.so')),
             *(path for path in libraries if not IN_THE_IMAGE.match(path.name))]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            archive.write(path.resolve(), path.name)
    return len(packed.getvalue())

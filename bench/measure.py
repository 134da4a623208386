"""Each way in turn, round by round, each time to a fresh database."""

import collections
import contextlib
import statistics
import subprocess
import sys

from corpus.libpq import Connection, ConnectionLost, Error

from . import memory, ways

PROXY_DELAY = 0.001                     # seconds, each way
SLOW = 5_000                            # statements: so many are sent through the proxy but once


class Bench:
    def __init__(self, host, port, log):
        self.host, self.port, self.log = host, port, log
        self.seconds = collections.defaultdict(dict)    # [script title][way]: a list, one for each round
        self.reasons = {}                               # why a way is not there
        self.memory = collections.defaultdict(dict)     # [script title][way]: bytes for each byte of the script
        self.admin = Connection(dbname='postgres')
        self.admin.execute(b'CREATE DATABASE bench_bare')
        self.admin.execute(b'CREATE DATABASE bench_extended')
        with Connection(dbname='bench_extended') as connection:
            connection.execute(b'CREATE EXTENSION rdsinit')

    def run(self, script):
        for number in range(script.rounds):
            # who is first in a round is another one each time
            names = list(ways.WAYS)
            for name in names[number % len(names):] + names[:number % len(names)]:
                self._measure(script, name, name, self.port)

    def run_through_proxy(self, script):
        with self._proxy() as port:
            for _ in range(1 if script.statements > SLOW or script.has_copy else min(script.rounds, 3)):
                for name in ways.THROUGH_PROXY:
                    self._measure(script, name + ', proxy', name, port)

    def run_memory(self, script):
        for name in ('message', 'apply', 'apply_file', 'deploy'):
            try:
                with self.database(name) as database:
                    self.memory[script.title][name] = memory.peak(script, database, name)
            except ways.NotThere as error:
                self.reasons[script.title, name] = str(error)

    def _measure(self, script, column, name, port):
        if (script.title, column) in self.reasons:
            return
        try:
            with self.database(name) as database:
                seconds = ways.WAYS[name](script, database, port)
                self._check(script, database)
        except ways.NotThere as error:
            self.reasons[script.title, column] = str(error)
            return
        except (RuntimeError, Error, ConnectionLost) as error:
            self.reasons[script.title, column] = 'FAILED: %s' % error
            self.seconds[script.title].pop(column, None)
            return
        self.seconds[script.title].setdefault(column, []).append(seconds)
        self.log('%-40s %-18s %8.3f s' % (script.title, column, seconds))

    @contextlib.contextmanager
    def database(self, name):
        """A fresh one.  The fallback's has no extension, the others' has it."""
        template = b'bench_bare' if name == 'fallback' else b'bench_extended'
        self.admin.execute(b'CREATE DATABASE bench TEMPLATE ' + template)
        self.admin.execute(b'CHECKPOINT')
        try:
            yield 'bench'
        finally:
            self.admin.execute(b'DROP DATABASE bench WITH (FORCE)')

    def _check(self, script, database):
        with Connection(dbname=database) as connection:
            found = connection.execute(script.check.encode())[0][0]
        if found != script.expected:
            raise RuntimeError('%s: %r where %r was to be' % (script.title, found, script.expected))

    @contextlib.contextmanager
    def _proxy(self):
        command = [sys.executable, '-m', 'bench.proxy', self.host, str(self.port), str(PROXY_DELAY)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield int(process.stdout.readline())
            finally:
                process.stdin.close()

    # --- results ---

    def median(self, title, column):
        return statistics.median(self.seconds[title][column]) if column in self.seconds[title] else None

    def ratio(self, title, column, base):
        """The median of the rounds' ratios; None where one of the two is not there."""
        pair = self.seconds[title].get(column), self.seconds[title].get(base)
        return statistics.median(a / b for a, b in zip(*pair)) if all(pair) else None

    def quickest(self, title, column, base):
        """The ratio of the quickest rounds, which say more than the median where others use the machine."""
        pair = self.seconds[title].get(column), self.seconds[title].get(base)
        return min(pair[0]) / min(pair[1]) if all(pair) else None

"""A cluster whose server is watched: started by valgrind, or with the sanitizers' libraries."""

import os
import pathlib
import re
import shutil
import subprocess
import time

import psycopg2

from support import Cluster
from support.cluster import server_program


class Watched(Cluster):
    """Its reports are files in `reports`, one for each process that has something to say."""

    def __init__(self, how, place, source):
        self.how, self.source = how, source
        version = re.search(r'\d+', subprocess.run([os.environ['PG_CONFIG'], '--version'], check=True,
                                                   capture_output=True, text=True).stdout)
        super().__init__(max_connections=40, max_prepared_transactions=5, shared_buffers='64MB', logging_collector='off',
                         authentication_timeout='5min', **_places(int(version.group()), place / 'stage'))
        self.process = None

    @property
    def reports(self):
        return self.directory / 'reports'

    def start(self):
        self.reports.mkdir()
        as_postgres = {}
        if os.getuid() == 0:
            shutil.chown(self.reports, 'postgres', 'postgres')
            as_postgres = dict(user='postgres', group='postgres', extra_groups=[])
        command, environment = COMMANDS[self.how](self.reports, self.source)
        with open(self.directory / 'log', 'a', encoding='utf-8') as log:
            self.process = subprocess.Popen(
                [*command, server_program('postgres'), '-D', str(self.data)], cwd=self.directory, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', **environment}, **as_postgres)
        self._wait_until_it_answers()
        return self

    def _wait_until_it_answers(self):
        end = time.monotonic() + 120
        while self.process.poll() is None and time.monotonic() < end:
            try:
                self.server.rows('SELECT')
                return
            except psycopg2.OperationalError:
                time.sleep(0.1)
        raise RuntimeError('the server does not start: ' + self.log())

    def log(self):
        return (self.directory / 'log').read_text(errors='replace')

    def stop(self):
        """As an administrator would: what is found while a process ends counts, too."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _places(major, stage):
    """The settings by which the server finds the extension below a directory."""
    def below(what):
        directory = subprocess.run([os.environ['PG_CONFIG'], what], check=True, capture_output=True, text=True).stdout.strip()
        return '%s%s' % (stage, directory)
    if major < 18:
        return {'extension_destdir': str(stage)}
    return {'extension_control_path': below('--sharedir') + ':$system',
            'dynamic_library_path': below('--pkglibdir') + ':$libdir'}


def _valgrind(reports, source):
    """As PostgreSQL's developers start it.  What is lost when a process ends is no leak: contexts end with it."""
    return ['valgrind', '--quiet', '--leak-check=no', '--trace-children=yes', '--gen-suppressions=all', '--num-callers=40',
            '--error-markers=BEGIN,END', '--suppressions=%s' % (source / 'src/tools/valgrind.supp'),
            '--log-file=%s/%%p' % reports], {}


def _sanitizers(reports, _source):
    """They are loaded before the server, which was not built with them."""
    libraries = [subprocess.run(['gcc', '-print-file-name=%s' % name], check=True, capture_output=True, text=True).stdout.strip()
                 for name in ('libasan.so', 'libubsan.so')]
    return [], {
        'LD_PRELOAD': ':'.join(str(pathlib.Path(library).resolve()) for library in libraries),
        # Contexts are not freed when a process ends, and the stack's depth is what the server measures.
        'ASAN_OPTIONS': 'detect_leaks=0:detect_stack_use_after_return=0:log_path=%s/address' % reports,
        'UBSAN_OPTIONS': 'print_stacktrace=1:log_path=%s/undefined' % reports}


COMMANDS = {'valgrind': _valgrind, 'sanitizers': _sanitizers}

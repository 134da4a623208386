"""A cluster that is killed, starved and started again, and databases that are all alike at first."""

import os
import socket
import time

import psycopg2

from support import Cluster, Database, Server
from support.cluster import extension_places

from .bundle import RAN

TEMPLATE = 'faults_template'

def places():
    """Of the server that we are run with."""
    return extension_places(Server(os.environ['PGHOST'], int(os.environ['PGPORT']), os.environ['PGUSER'], os.environ['PGPASSWORD']))


class Victim(Cluster):
    """A cluster with a database that others are copied from."""

    def __init__(self, **settings):
        super().__init__(**{'max_connections': 40, 'max_prepared_transactions': 5, 'autovacuum': 'off',
                            'restart_after_crash': 'on', **places(), **settings})
        self._number = 0

    def __enter__(self):
        self.initialize()
        try:
            return self.start().prepare()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()

    def prepare(self):
        template = Database(self.server, TEMPLATE).create()
        template.rows('CREATE EXTENSION rdsinit')
        template.rows(RAN)
        return self

    def database(self):
        self._number += 1
        name = 'faults_%d' % self._number
        self.server.rows('CREATE DATABASE %s TEMPLATE %s' % (name, TEMPLATE))
        return Database(self.server, name)

    def start_again(self):
        """When there is no process left that has the shared memory of before."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.start()
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def wait(self, timeout=60):
        """Until the server answers (again)."""
        end = time.monotonic() + timeout
        while True:
            try:
                return self.server.rows('SELECT')
            except psycopg2.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    @property
    def crashes(self):
        """How many times the server began anew since one of its processes was killed."""
        return self.log().count('all server processes terminated; reinitializing')

    def wait_for_crash(self, crashes):
        """The postmaster needs a moment to see it, in which it still takes connections."""
        end = time.monotonic() + 10
        while self.crashes == crashes and time.monotonic() < end:
            time.sleep(0.005)

    def log(self):
        return (self.directory / 'log').read_text(errors='replace')


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]

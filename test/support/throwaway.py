"""The server that tests share: all defaults of PostgreSQL's, but for what `options` says.

    python3 -m support.throwaway [-o NAME=VALUE]… COMMAND…     # from test/

runs a command beside such a server: PGHOST, PGPORT, PGUSER and PGPASSWORD say which.
"""

import argparse
import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import sys

from .cluster import Cluster, server_program

# What CI has no patience for, and what a cluster of a test's own (which is small) is without.
DEFAULTS = {'fsync': 'off', 'max_prepared_transactions': 5, 'shared_buffers': '128MB', 'max_connections': 100,
            'max_wal_senders': 10, 'wal_level': 'replica', 'max_wal_size': '256MB'}


@contextlib.contextmanager
def throwaway(options=(), prepare=lambda cluster: None):
    """A Cluster that runs, with settings as NAME=VALUE."""
    cluster = Cluster(**{**DEFAULTS, **dict(option.split('=', 1) for option in options)})
    try:
        cluster.initialize()
        prepare(cluster)
        cluster.start()
        yield cluster
    finally:
        if cluster.directory:
            cluster.remove()


@contextlib.contextmanager
def quick_throwaway(options=()):
    """A Server to log in to which takes less still: by a socket, without a password, for whoever may read its directory."""
    with throwaway(options, _open_socket) as cluster:
        server = dataclasses.replace(cluster.server, socket=str(cluster.directory))
        os.environ.update(environment(cluster))
        yield server


def _open_socket(cluster):
    hba = cluster.data / 'pg_hba.conf'
    hba.write_text('local all postgres trust\n' + hba.read_text())
    with open(cluster.data / 'postgresql.conf', 'a', encoding='utf-8') as file:
        file.write("unix_socket_directories = '%s'\n" % cluster.directory)


def environment(cluster):
    """libpq's variables, by which programs find the server, and itself the first of its version on the path."""
    server = cluster.server
    return {'PGHOST': server.host, 'PGPORT': str(server.port), 'PGUSER': server.user, 'PGPASSWORD': server.password,
            'PGDATABASE': 'postgres',
            'PATH': os.path.dirname(server_program('psql')) + ':' + os.environ.get('PATH', '/usr/bin:/bin')}


def crashes(cluster):
    """What the log says of a server, or a process of it, that has crashed."""
    log = (cluster.directory / 'log').read_text(errors='replace')
    return [line for line in log.splitlines() if re.search(r'PANIC|TRAP|was terminated by signal', line)]


def main():
    parser = argparse.ArgumentParser(prog='throwaway')
    parser.add_argument('-o', action='append', default=[], metavar='NAME=VALUE', help='a setting of the server')
    parser.add_argument('command', nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    # Ctrl-C reaches the command itself; who ends us ends the command, and the server after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with throwaway(arguments.o) as cluster:
        command = subprocess.Popen(
            arguments.command, env={**os.environ, **environment(cluster)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        signal.signal(signal.SIGTERM, lambda *_: command.terminate())
        code = command.wait()
        if code != 0:
            print(*crashes(cluster), sep='\n', file=sys.stderr)
    return code if code >= 0 else 128 - code


if __name__ == '__main__':
    sys.exit(main())

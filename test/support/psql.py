"""psql and pg_dump: what a script comes to when psql runs it."""

import os
import pathlib
import subprocess
import tempfile

from .database import Database
from .trigger import write_bundle


def run(database, program, *arguments, **how):
    server = database.server
    environment = {**os.environ, 'PGHOST': server.host, 'PGPORT': str(server.port), 'PGUSER': server.user,
                   'PGPASSWORD': server.password, 'PGDATABASE': database.name, 'PGCLIENTENCODING': 'UTF8'}
    return subprocess.run([program, *arguments], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, **how)


def psql(database, files, name='schema.sql', single=True, **variables):
    """The files, of which `name` is run as one transaction; psql's CompletedProcess."""
    with tempfile.TemporaryDirectory(prefix='rdsinit-psql-') as directory:
        write_bundle({name: files} if isinstance(files, (str, bytes)) else files, pathlib.Path(directory))
        settings = [part for item in variables.items() for part in ('-v', '%s=%s' % item)]
        return run(database, 'psql', '-X', '-q', *(['-1'] if single else []), '-v', 'ON_ERROR_STOP=1', *settings, '-f', name, cwd=directory)


def dump(database, *options):
    """What pg_dump says of a database, ledgers left out."""
    finished = run(database, 'pg_dump', '--exclude-schema=rdsinit*', '--restrict-key=test', *options, check=True)
    return finished.stdout.decode()


def copy(database, target):
    """Takes a database over into another one as pg_dump and psql do it, ledgers and all."""
    text = run(database, 'pg_dump', check=True).stdout.decode()
    return psql(target, text).check_returncode()


def dump_of_psql(server, files, **how):
    """What psql makes of the files in a database of its own."""
    database = Database(server).create()
    try:
        finished = psql(database, files, **how)
        assert finished.returncode == 0, finished.stderr
        return dump(database)
    finally:
        database.drop()

"""The ways to apply a script; each returns the seconds that it took."""

import os
import pathlib
import struct
import subprocess
import sys
import time

from corpus.libpq import Connection, Error
from support.trigger import program

ROOT = pathlib.Path(__file__).resolve().parent.parent


class NotThere(Exception):
    """This version cannot do it."""


def message(script, database, port):
    """(a) One message with the whole script, which psycopg2 and any other client can send: the limit."""
    if script.has_copy:
        raise NotThere('inline data are no SQL')
    body = script.path.read_bytes()
    with Connection(dbname=database, port=port) as connection:
        return timed(connection.execute, body)


def psql(script, database, port):
    """(b)"""
    return _process(['psql', '-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-o', os.devnull, '-d', database,
                     '-f', str(script.path)], {**os.environ, 'PGPORT': str(port)})


def python(script, database, port):
    """(c) As a Lambda in Python does it."""
    if script.has_copy:
        raise NotThere('inline data are no SQL')
    return _process([sys.executable, str(ROOT / 'bench' / 'as_lambda.py'), str(script.path)],
                    {**os.environ, 'PGPORT': str(port), 'PGDATABASE': database})


def apply(script, database, port):
    """(d) The script as a parameter."""
    body = script.path.read_bytes()
    with Connection(dbname=database, port=port) as connection:
        return _call(connection, b'SELECT * FROM rdsinit.apply($1, $2)', b'schema.sql', body)


def apply_file(script, database, port):
    """(e)"""
    with Connection(dbname=database, port=port) as connection:
        return _call(connection, b'SELECT * FROM rdsinit.apply_file($1)', str(script.path).encode())


def fallback(script, database, port):
    """(f)"""
    return _process([str(program()), '--once'], {
        'PATH': '/usr/bin:/bin', 'DB_HOST': os.environ['PGHOST'], 'DB_PORT': str(port), 'DB_NAME': database,
        'DB_USER': os.environ['PGUSER'], 'DB_PASSWORD': os.environ['PGPASSWORD'], 'DB_SSLMODE': 'disable',
        'RDSINIT_MODE': 'plain', 'RDSINIT_BUNDLE': str(script.path)})


def deploy(script, database, port):
    """(g) The script as a parameter of a procedure, as the trigger sends it."""
    body = script.path.read_bytes()
    with Connection(dbname=database, port=port) as connection:
        return _call(connection, DEPLOY, array(b'schema.sql'), array(body), binary=True)


DEPLOY = b'CALL rdsinit.deploy($1, $2)'
TEXT = 25                               # the type's OID


def array(text):
    """An array of one text, in the type's binary format."""
    return struct.pack('>6i', 1, 0, TEXT, 1, 1, len(text)) + text


WAYS = {'message': message, 'psql': psql, 'psycopg2': python, 'apply': apply, 'apply_file': apply_file,
        'fallback': fallback, 'deploy': deploy}
THROUGH_PROXY = ('psql', 'psycopg2', 'apply')


def timed(function, *arguments, **how):
    start = time.perf_counter()
    function(*arguments, **how)
    return time.perf_counter() - start


def _call(connection, sql, *parameters, **how):
    try:
        return timed(connection.execute_parameters, sql, *parameters, **how)
    except Error as error:
        if error.sqlstate in ('0A000', '42883', '54000'):
            raise NotThere(error.message) from error
        raise


def _process(command, environment):
    start = time.perf_counter()
    finished = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    elapsed = time.perf_counter() - start
    if finished.returncode != 0:
        output = (finished.stdout + finished.stderr).decode('utf-8', 'replace')
        if '"sqlstate":"0A000"' in output.replace(' ', '') or 'Rdsinit.Bundle' in output:
            raise NotThere(output.split('"errorMessage":', 1)[-1][:80])
        raise RuntimeError('%s: %s' % (command[0], output[:1000]))
    return elapsed

"""The ways to apply a script: psql, rdsinit.apply, rdsinit.apply_file, the trigger's fallback."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import psycopg2

from support.trigger import program

from .cases import includes

TIMEOUT = 600


@dataclasses.dataclass
class Result:
    """How it ended; where it was refused, why and where.

    A statement that psql refuses stands in the lines from `first` to `last`; where the server
    said which line it is, both are that one.
    """
    ok: bool
    sqlstate: str = None
    file: str = None
    first: int = None
    last: int = None
    message: str = ''
    own_transaction: bool = False
    errors: tuple = ()          # of psql, when it went on after the first

    def __str__(self):
        if self.ok:
            return 'applied'
        line = self.first if self.first == self.last else '%s-%s' % (self.first, self.last)
        return '%s:%s: %s %s' % (self.file or '?', line or '?', self.sqlstate or '-', self.message)


# --- psql -----------------------------------------------------------------------------------

MESSAGE = re.compile(r'^psql:(?:(?P<file>.*?):(?P<line>\d+):)? '
                     r'(?P<level>ERROR|FATAL|WARNING|STATEMENT|error|NOTICE|INFO|LOG|DEBUG|\w+): +'
                     r'(?:(?P<sqlstate>[0-9A-Z]{5}): )?(?P<text>.*?)(?=^psql:|\Z)', re.MULTILINE | re.DOTALL)


def psql(path, database, variables=None, stop=True, single=True):
    """As `psql -X -1 -v ON_ERROR_STOP=1 -f` has it."""
    settings = [argument for item in (variables or {}).items() for argument in ('-v', '%s=%s' % item)]
    finished = subprocess.run(
        ['psql', '-X', '-q', '-b', *(['-1'] if single else []), '-v', 'ON_ERROR_STOP=%d' % stop, '-o', os.devnull,
         '-v', 'VERBOSITY=verbose', *settings, '-d', database.name, '-f', path.name],
        cwd=path.parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        timeout=TIMEOUT, check=False)
    # latin-1 keeps bytes apart, whatever they mean; newlines stay what they are
    stderr = finished.stderr.decode('latin-1')
    messages = [match.groupdict() for match in MESSAGE.finditer(stderr)]
    own = any(each['level'] == 'WARNING' and each['sqlstate'] in ('25001', '25P01') for each in messages)
    errors = [_refusal(path.parent, each, messages[i + 1] if i + 1 < len(messages) else None)
              for i, each in enumerate(messages) if each['level'] in ('ERROR', 'FATAL', 'error')]
    if finished.returncode == 0:
        return Result(True, own_transaction=own, errors=tuple(errors))
    first = errors[0] if errors else Result(False, message=stderr.strip()[:200])
    return dataclasses.replace(first, own_transaction=own, errors=tuple(errors))


def _refusal(directory, error, statement):
    """psql names the line that ends a statement; the statement's text and LINE lead to the one that is meant."""
    text = error['text'].encode('latin-1').decode('utf-8', 'replace')
    result = Result(False, error['sqlstate'], error['file'], message=text.split('\n', 1)[0])
    if error['line'] is None:
        return result
    result.last = result.first = int(error['line'])
    if 'reached EOF' in text:           # it does not say where the \if is
        result.first = 1
        return result
    path = directory / error['file']
    if statement is None or statement['level'] != 'STATEMENT' or not path.exists():
        return result

    query = statement['text'].removesuffix('\n').encode('latin-1')
    body = path.read_bytes()
    end = _offset_of_line(body, result.last + 1)
    start = body.rfind(query, 0, end)
    if start < 0:
        result.first = 1
        return result
    begins = body.count(b'\n', 0, start) + 1
    ends = begins + query.count(b'\n')
    # before QUERY it is a line of a query that a function has run
    within = None if re.search(r'^QUERY: ', text, re.MULTILINE) else re.search(r'^LINE (\d+): ', text, re.MULTILINE)
    data = re.search(r'^CONTEXT:.*\bCOPY \S+, line (\d+)', text, re.MULTILINE)
    if within:
        result.first = result.last = begins + int(within[1]) - 1
    elif data and re.search(rb'\bfrom\s+stdin\b', query, re.IGNORECASE):
        result.first = result.last = ends + int(data[1])
    else:
        result.first, result.last = begins, max(ends, result.last)
    return result


def _offset_of_line(body, line):
    offset = 0
    for _ in range(line - 1):
        offset = body.find(b'\n', offset) + 1
        if offset == 0:
            return len(body)
    return offset


# --- the extension --------------------------------------------------------------------------

def _decoded(body):
    """A file's text as a client sends it: in UTF-8, or else what the file itself says that it is."""
    try:
        return body.decode('utf-8')
    except UnicodeDecodeError:
        said = re.search(rb"client_encoding\s*(?:=|to)\s*'?(\w+)", body, re.IGNORECASE)
        return body.decode(said[1].decode() if said else 'latin-1')


PLACE = re.compile(r'^(?P<name>.+):(?P<line>\d+):(?P<column>\d+)(?:: .*)?$', re.MULTILINE)


def _call(database, sql, parameters, names):
    try:
        with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
        return Result(True)
    except ValueError as error:         # psycopg2, of a NUL
        return Result(False, '22021', message=str(error))
    except psycopg2.Error as error:
        result = Result(False, error.pgcode, message=error.diag.message_primary or 'CRASH: %s' % error)
        for match in PLACE.finditer(error.diag.context or ''):
            if not names or match['name'] in names or os.path.basename(match['name']) in names:
                result.file, result.first = match['name'], int(match['line'])
                result.last = result.first
                break
        return result


def _options(variables):
    # psql has no guard: what it drops, it drops
    return json.dumps({'allow_data_loss': True, **({'variables': variables} if variables else {})})


def apply(path, database, variables=None):
    """rdsinit.apply, or apply_bundle where the script includes others."""
    files = includes(path)
    bodies = [_decoded(each.read_bytes()) for each in files.values()]
    if len(files) == 1:
        return _call(database, 'SELECT * FROM rdsinit.apply(%s, %s, %s)',
                     (path.name, bodies[0], _options(variables)), [path.name])
    return _call(database, 'SELECT * FROM rdsinit.apply_bundle(%s, %s, %s)',
                 (list(files), bodies, _options(variables)), list(files))


def apply_file(path, database, variables=None):
    """From a copy that the server can read, wherever the checkout is."""
    files = includes(path)
    with tempfile.TemporaryDirectory(prefix='rdsinit-corpus-') as name:
        directory = _packaged(files, pathlib.Path(name))
        return _call(database, 'SELECT * FROM rdsinit.apply_file(%s, %s)',
                     (str(directory / next(iter(files))), _options(variables)), [])


def _packaged(files, directory):
    """A directory with a script and what it includes, but for what is out of the bundle."""
    directory.chmod(0o755)
    for each, source in files.items():
        if not os.path.isabs(each):
            target = directory / each
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o644)
    return directory


# --- the fallback ---------------------------------------------------------------------------

def plain(path, database, variables=None):
    """`bootstrap --once`, with nothing in its environment but what it needs."""
    files = includes(path)
    with tempfile.TemporaryDirectory(prefix='rdsinit-corpus-') as name:
        bundle = _packaged(files, pathlib.Path(name)) if len(files) > 1 else path
        environment = {'PATH': '/usr/bin:/bin', **database.server.environment(), 'DB_NAME': database.name,
                       'RDSINIT_MODE': 'plain', 'RDSINIT_ALLOW_DATA_LOSS': 'true', 'RDSINIT_BUNDLE': str(bundle)}
        if variables:
            environment['RDSINIT_VARIABLES'] = json.dumps(variables)
        finished = subprocess.run([program(), '--once'], env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=TIMEOUT, check=False)
    if finished.returncode == 0:
        return Result(True)
    try:
        answer = json.loads(finished.stdout)
    except ValueError:
        return Result(False, message='CRASH: exit %d, %r' % (finished.returncode, finished.stderr[-200:]))
    return Result(False, answer.get('sqlstate'), answer.get('file'), answer.get('line'), answer.get('line'),
                  answer.get('errorMessage', '').split('\n', 1)[0])


WAYS = {'apply': apply, 'apply_file': apply_file, 'plain': plain}

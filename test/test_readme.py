"""Every example of the documents is run as it stands, in order, and what they show is compared.

A block without a language behind one of sql or sh is what that prints; "…" in it stands for
anything on the line.  A block of sql that begins with a comment of a file's name is that file.
A block of json is an event, or, behind one, the answer to it.
"""

import ast
import csv
import io
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import test_stack_readme
from standin import SecretsManager
from support import Database, Trigger
from support.documents import ROOT, blocks, documents
from support.trigger import program

pytestmark = pytest.mark.extension

# Commands that are not run here, each with the reason; what they say is looked at all the same.
NOT_RUN = {
    './dev demo': 'CI runs it by itself',
    './dev test': 'it runs this test',
    './dev test-all': 'it runs this test, on each version',
    './dev': 'each command is run by CI, or by hand, and takes its time',
    'make': 'the build is what this test stands on; test_install.py and CI run it',
    'aws': "there is no account of AWS's here",
}

SHELL = ['bash', '-euo', 'pipefail']


class Reader:
    """One who follows a document from first to last, in a checkout of one's own, with a database of one's own."""

    def __init__(self, server, directory, database):
        self.server = server
        self.directory = directory
        self.database = database
        self.exports = ''
        self.answer = None          # the trigger's last, until it is shown
        self.printed = None         # the last command's, until it is shown

    def environment(self):
        return {'PATH': '/usr/local/bin:/usr/bin:/bin', 'HOME': str(self.directory), 'LC_ALL': 'C.UTF-8',
                'PGHOST': self.server.host, 'PGPORT': str(self.server.port), 'PGUSER': self.server.user,
                'PGPASSWORD': self.server.password, 'PGDATABASE': self.database.name, 'PGTZ': 'UTC'}

    def follow(self, block, shown):
        """A block, and the text of the one behind it that shows what it prints, or None."""
        kind = block.language.split()[0] if block.language else ''
        if kind not in KINDS:
            raise AssertionError('%s: nothing is known of blocks of "%s"; see test_readme.py' % (block, block.language))
        KINDS[kind](self, block, shown)

    def file_or_sql(self, block, shown):
        name = re.match(r'-- ([\w./-]+\.sql)\n', block.text)
        if name:
            path = self.directory / name.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding='utf-8')
            return
        arguments = ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-']
        finished = subprocess.run(arguments, input=block.text, env=self.environment(), cwd=self.directory, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        printed = re.sub(r'^psql:<stdin>:\d+: ', '', finished.stdout, flags=re.MULTILINE)
        wants_error = shown is not None and re.search(r'^ERROR:', shown, re.MULTILINE)
        assert (finished.returncode != 0) == bool(wants_error), '%s\n%s' % (block, printed)
        if shown is not None:
            compare(block, shown, results(printed))

    def shell(self, block, shown):
        check_syntax(self, block)
        commands = unrun(block)
        if commands:
            assert shown is None
            for command in commands:
                check_command(block, command)
            return
        self.exports += ''.join(re.findall(r'^export .*\n', block.text, re.MULTILINE))
        finished = subprocess.run(SHELL + ['-c', self.exports + block.text], env=self.environment(), cwd=self.directory,
                                  text=True, capture_output=True, timeout=120, check=False)
        assert finished.returncode == 0, '%s\n%s%s' % (block, finished.stdout, finished.stderr)
        if shown is not None:
            compare(block, shown, finished.stdout)

    def event_or_answer(self, block, shown):
        assert shown is None
        value = json.loads(block.text)
        if isinstance(value, dict) and 'statusCode' in value:
            assert self.answer is not None, '%s: an answer without an event before it' % block
            matches(value, self.answer, str(block))
            self.answer = None
        else:
            self.answer = self.invoke(value)
            assert self.answer.get('errorType') != 'Rdsinit.Event', '%s: %s' % (block, self.answer)

    def invoke(self, event):
        """With the migrations as they are, in the database shop; and with the secrets that the event names."""
        files = {str(path.relative_to(self.directory / 'migrations')): path.read_bytes()
                 for path in sorted((self.directory / 'migrations').rglob('*.sql'))}
        with SecretsManager() as secrets:
            variables = {**self.server.environment(), 'DB_NAME': 'shop', **secrets.environment()}
            for target in event if isinstance(event, list) else []:
                variables['RDSINIT_EVENT_TARGETS'] = 'allow'
                secrets.put(target['secret'], {'username': self.server.user, 'password': self.server.password,
                                               'host': self.server.host, 'port': self.server.port})
            trigger = Trigger(files, variables).start()
            try:
                return trigger.invoke(json.dumps(event).encode()).payload
            finally:
                trigger.stop()

    def list_of_targets(self, block, shown):
        """Each row is a target, as the state machine hands it on: empty columns are not said."""
        assert shown is None
        keys = {'host', 'port', 'database', 'secret', 'bundle', 'force', 'plan', 'allow_data_loss', 'allow_missing'}
        rows = list(csv.DictReader(io.StringIO(block.text)))
        assert rows and all(set(row) <= keys and None not in row.values() for row in rows), block

    def typescript(self, block, shown):
        assert shown is None
        assert any(having in block.text for having in test_stack_readme.TYPESCRIPT), \
            '%s: test_stack_readme.py does not know this one' % block

    def python(self, block, shown):
        assert shown is None
        ast.parse(block.text)
        assert any(having in block.text for having in test_stack_readme.PYTHON), \
            '%s: test_stack_readme.py does not know this one' % block

    def excerpt(self, block, shown):
        """C is shown from the sources: it is there, but for blanks."""
        assert shown is None
        sources = ''.join(squeezed(path.read_text(encoding='utf-8')) for path in sorted(ROOT.glob('src/*.[ch]')))
        for piece in block.text.split('…'):
            assert squeezed(piece) in sources, '%s: not in src/:\n%s' % (block, piece)

    def drawing(self, block, shown):
        """For people alone."""
        assert shown is None


KINDS = {'sql': Reader.file_or_sql, 'sh': Reader.shell, 'json': Reader.event_or_answer, 'csv': Reader.list_of_targets,
         'typescript': Reader.typescript, 'python': Reader.python, 'c': Reader.excerpt, 'text': Reader.drawing}


def squeezed(text):
    return re.sub(r'\s+', '', text)


def results(printed):
    """What psql prints, without the counts of rows."""
    return re.sub(r'^\(\d+ rows?\)$', '', printed, flags=re.MULTILINE)


def pattern(shown):
    return '.*'.join(re.escape(part) for part in shown.split('…'))


def compare(block, shown, printed):
    wanted = [line.rstrip() for line in shown.splitlines() if line.strip()]
    found = [line.rstrip() for line in printed.splitlines() if line.strip()]
    same = len(wanted) == len(found) and all(re.fullmatch(pattern(one), other) for one, other in zip(wanted, found))
    assert same, '%s prints\n%s\nand not\n%s' % (block, '\n'.join(found), '\n'.join(wanted))


def matches(wanted, found, at):
    """Durations differ, and a "…" stands for what is not shown."""
    assert type(wanted) is type(found), '%s: %r, not %r' % (at, found, wanted)
    if isinstance(wanted, dict):
        assert set(wanted) == set(found), '%s: %s' % (at, json.dumps(found, indent=1))
        for key in wanted:
            if key != 'durationMs':
                matches(wanted[key], found[key], '%s: %s' % (at, key))
    elif isinstance(wanted, list) and wanted != ['…']:
        assert len(wanted) == len(found), '%s: %s' % (at, json.dumps(found, indent=1))
        for index, (one, other) in enumerate(zip(wanted, found)):
            matches(one, other, '%s: %d' % (at, index))
    elif isinstance(wanted, str):
        assert re.fullmatch(pattern(wanted), found), '%s: %r, not %r' % (at, found, wanted)
    elif wanted != ['…']:
        assert wanted == found, '%s: %r, not %r' % (at, found, wanted)


def check_syntax(reader, block):
    finished = subprocess.run(['bash', '-n'], input=block.text, text=True, capture_output=True, cwd=reader.directory, check=False)
    assert finished.returncode == 0 and not finished.stderr, '%s: %s' % (block, finished.stderr)


def commands_of(block):
    text = re.sub(r'\\\n\s*', '', block.text)
    lines = [re.sub(r'(^|\s)#.*', '', line).strip() for line in text.splitlines()]
    return [part.strip() for line in lines if line for part in line.split('&&')]


def unrun(block):
    """The block's commands, where they are of those that are not run; all of them then are."""
    commands = commands_of(block)
    listed = [any(each == name or each.startswith(name + ' ') for name in NOT_RUN) for each in commands]
    assert all(listed) or not any(listed), '%s: some of its commands are run, and some are not' % block
    return commands if any(listed) else []


def check_command(block, command):
    words = command.split()
    if words[0] == './dev':
        described = subprocess.run([ROOT / 'dev', 'help'], capture_output=True, text=True, check=True).stdout
        assert re.search(r'^  %s\b' % re.escape(words[1]), described, re.MULTILINE), '%s: there is no ./dev %s' % (block, words[1])
        for option in [word for word in words[2:] if word.startswith('--')]:
            assert option in described, '%s: ./dev help does not know %s' % (block, option)
    elif words[0] == 'make':
        targets = [word for word in words[1:] if '=' not in word and not word.startswith('-')]
        finished = subprocess.run(['make', '-n', 'with_llvm=no', 'PG_CONFIG=' + os.environ.get('PG_CONFIG', 'pg_config'), *targets],
                                  cwd=ROOT, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, '%s: %s' % (block, finished.stderr)
    elif words[:2] == ['aws', 'cloudformation']:
        check_stack(block, words)
    else:
        assert words[:3] == ['aws', 's3', 'cp'], '%s: how is "%s" to be looked at?' % (block, command)


def check_stack(block, words):
    """The parameters are those of the template, and all are there that it must have."""
    options = [word for word in words if word.startswith('--')]
    known = {'--stack-name', '--template-file', '--capabilities', '--parameter-overrides'}
    assert set(options) <= known, '%s: %s' % (block, options)
    path = words[words.index('--template-file') + 1]
    parameters = parameters_of(ROOT / path)
    given = {word.split('=')[0] for word in words[words.index('--parameter-overrides') + 1:]}
    needed = {name for name, each in parameters.items() if '    Default:' not in each}
    assert needed <= given <= set(parameters), '%s: %s' % (block, sorted((needed - given) | (given - set(parameters))))


def parameters_of(path):
    """A template's parameters, as text; test_stack.py has them read by CDK."""
    (text,) = re.findall(r'^Parameters:\n((?:(?:  .*)?\n)*)', path.read_text(encoding='utf-8'), re.MULTILINE)
    parts = re.split(r'^  (\w+):\n', text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def checkout(directory):
    """What a reader has: the examples, the templates, the program."""
    shutil.copytree(ROOT / 'examples', directory / 'examples')
    (directory / 'trigger').mkdir()
    shutil.copy2(program(), directory / 'trigger' / 'bootstrap')
    return directory


@pytest.fixture
def reader(server, tmp_path):
    """Whatever databases, roles and files the examples make are gone afterwards."""
    before = made(server)
    database = Database(server).create()
    yield Reader(server, checkout(tmp_path), database)
    database.drop()
    for path in pathlib.Path('/tmp').glob('rdsinit-supplier.sql'):
        path.unlink()
    for kind, name in sorted(made(server) - before):
        server.rows('DROP %s %s%s' % (kind, '"%s"' % name, ' WITH (FORCE)' if kind == 'DATABASE' else ''))


def made(server):
    return set(server.rows("SELECT 'DATABASE', datname FROM pg_database UNION ALL SELECT 'ROLE', rolname FROM pg_roles"))


@pytest.mark.parametrize('path', [each for each in documents() if blocks(each)])
def test_every_example_is_run_as_it_stands(path, reader):
    found = blocks(path)
    index = 0
    while index < len(found):
        block, behind = found[index], found[index + 1] if index + 1 < len(found) else None
        shown = behind.text if behind and behind.language == '' else None
        reader.follow(block, shown)
        index += 2 if shown is not None else 1

"""Sets of migrations, as other projects have them, made bundles of: what the trigger is packaged with."""

import csv
import dataclasses
import itertools
import pathlib
import re

from .cases import rendered

MARK = b'-- rdsinit: no-transaction\n'
# A bundle's transaction is READ COMMITTED: what needs another one is refused.
SET_TRANSACTION = re.compile(rb'^[ \t]*SET TRANSACTION', re.MULTILINE | re.IGNORECASE)
EXTENSION = re.compile(rb'^\s*CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)', re.IGNORECASE | re.MULTILINE)
DOWN = re.compile(rb'^-- migrate:down', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Step:
    """A script that goes up: its name in the bundle, its body there, and what psql is to run."""
    name: str
    body: bytes
    psql: bytes
    single: bool = True         # psql runs it in one transaction


@dataclasses.dataclass(frozen=True)
class MigrationSet:
    name: str
    steps: tuple                # in order
    others: dict                # files that are no steps: those that go down, metadata
    sql_first: str = ''

    def as_far_as(self, has_extension):
        """The set up to the first step that needs an extension that the server does not have."""
        steps = itertools.takewhile(
            lambda step: all(has_extension(name.decode()) for name in EXTENSION.findall(step.body)), self.steps)
        return dataclasses.replace(self, steps=tuple(steps))

    def bundle(self, count=None):
        """The files of the first so many steps."""
        steps = self.steps[:count]
        return {**self.others, **{step.name: step.body for step in steps}}


def find_sets(directory):
    """The sets below a corpus's directory."""
    directory = pathlib.Path(directory) / 'migrations'
    if not directory.is_dir():
        return []
    return [_read(each) for each in sorted(directory.iterdir()) if each.is_dir()]


def _read(directory):
    files = {str(path.relative_to(directory)): path.read_bytes()
             for path in sorted(directory.rglob('*')) if path.suffix in ('.sql', '.toml')}
    if directory.name == 'supabase-auth':
        files = {name: rendered(body) for name, body in files.items()}
    steps = tuple(_steps(directory, files))
    named = [step for _, step in steps]
    if directory.name == 'temporal-main':
        named = list(_versioned([source for source, _ in steps], files))
    named = list(_distinct(named, files))
    others = {name: body for name, body in files.items()
              if name.endswith(('down.sql', 'metadata.toml')) and directory.name != 'temporal-main'
              and (_up_of(name) in {step.name for step in named} or name.endswith('.toml'))}
    return MigrationSet(directory.name, tuple(named), others,
                        'CREATE SCHEMA auth' if directory.name == 'supabase-auth' else '')


def _distinct(steps, files):
    """Two of one version are an error: the second gets one of its own, and so does what takes it back."""
    seen = set()
    for step in steps:
        version = re.match(r'[^_]*', step.name)[0]
        if version in seen:
            down = re.sub(r'(^|[./])up\.sql$', r'\1down.sql', step.name)
            for name in (down, step.name):
                if name in files:
                    files[name.replace(version, version + '.1', 1)] = files.pop(name)
            step = dataclasses.replace(step, name=step.name.replace(version, version + '.1', 1))
        seen.add(version)
        yield step


def _up_of(name):
    return re.sub(r'(^|[./])down\.sql$', r'\1up.sql', name)


def _steps(directory, files):
    """(file, Step) of each file that goes up, but for those that psql refuses, or rdsinit by rule."""
    for name, single in _results(directory, files):
        body = files[name]
        if SET_TRANSACTION.search(body):
            continue
        metadata = files.get(name.removesuffix('up.sql') + 'metadata.toml', b'') if name.endswith('/up.sql') else b''
        marked = b'run_in_transaction = false' in metadata
        if not single and not marked:
            body = MARK + body
        yield name, Step(name, body, DOWN.split(body)[0], single and not marked)


def _results(directory, files):
    """(file, whether psql -1 runs it); without results, all."""
    results = directory.parent / (directory.name + '.results.tsv')
    if not results.exists():
        yield from ((name, True) for name in files if name.endswith('.sql'))
        return
    with open(results, encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file, delimiter='\t'):
            if row['psql_single_txn'].startswith('ok') or row['psql_plain_if_failed'].startswith('ok'):
                yield row['file'], row['psql_single_txn'].startswith('ok')


def _versioned(names, files):
    """Files in directories of versions, in the order given: V1.10.2__text.sql."""
    for name in names:
        version, file = name.split('/')
        nth = [each for each in names if each.startswith(version + '/')].index(name)
        body = files[name]
        yield Step('V%s.%d__%s' % (version[1:], nth + 1, file), body, body)

"""What there is to apply: the scripts of a directory, by its INDEX.tsv where it has one."""

import csv
import dataclasses
import pathlib
import re

PREREQUISITE = re.compile(r'(?:^|;)\s*(SQL:|files first:|roles:|psql -v )')

# Go templates, as the migrations of supabase/auth have them: the schema's name.
TEMPLATE = re.compile(rb'\{\{\s*index \.Options "Namespace"\s*\}\}')
NAMESPACE = b'auth'


@dataclasses.dataclass(frozen=True)
class Case:
    """Scripts that are applied one after the other to one database; mostly it is one."""
    name: str
    scripts: tuple
    sql_first: str = ''
    files_first: tuple = ()
    roles: tuple = ()
    variables: dict = dataclasses.field(default_factory=dict)
    tier: str = ''


def find(directory, pattern=''):
    """The cases below a directory whose names contain the pattern."""
    directory = pathlib.Path(directory).resolve()
    if not directory.is_dir():
        raise NotADirectoryError(directory)
    index = directory / 'INDEX.tsv'
    cases = _indexed(directory, index) if index.exists() else _all(directory)
    return [case for case in cases if pattern in case.name]


def _all(directory):
    """Every *.sql, save those that another one includes: they are applied with it."""
    paths = sorted(directory.rglob('*.sql'))
    included = {each for path in paths for each in includes(path).values() if each != path}
    return [Case(str(path.relative_to(directory)), (path,), **_beside(path))
            for path in paths if path not in included]


def _beside(path):
    """Prerequisites in the script itself: a line of `-- corpus: …`, in INDEX.tsv's form."""
    lines = path.read_bytes().decode('utf-8', 'replace').splitlines()[:5]
    found = [line.split(':', 1)[1].strip() for line in lines if line.startswith('-- corpus:')]
    return _prerequisites(path.parent, found[0]) if found else {}


def _indexed(directory, index):
    with open(index, encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file, delimiter='\t'):
            name, text = row['path'], row['prerequisites'] or ''
            if row['tier'] == 'MIGR':
                scripts = tuple(_migrations(directory, name.rstrip('/')))
                if scripts:
                    yield Case(name, scripts, sql_first=text, tier='MIGR')
            else:
                yield Case(name, (directory / name,), tier=row['tier'], **_prerequisites(directory, text))


def _prerequisites(directory, text):
    parts = PREREQUISITE.split(text)
    found = {'sql_first': '', 'files_first': (), 'roles': (), 'variables': {}}
    for kind, value in zip(parts[1::2], parts[2::2]):
        value = value.strip()
        if kind == 'SQL:':
            found['sql_first'] = value
        elif kind == 'files first:':
            found['files_first'] = tuple(directory / each for each in value.split())
        elif kind == 'roles:':
            found['roles'] = tuple(each.strip() for each in value.strip('; ').split(','))
        else:
            found['variables'].update([value.strip('; ').split('=', 1)])
    return found


def _migrations(directory, name):
    """The files of a set, in the order of its results; none where it has not been run."""
    results = directory / (name + '.results.tsv')
    if not results.exists():
        return
    with open(results, encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file, delimiter='\t'):
            yield directory / name / row['file']


# --- bundles --------------------------------------------------------------------------------

INCLUDE = re.compile(rb'^[ \t]*\\(i|ir|include|include_relative)[ \t]+(\'[^\']+\'|\S+)', re.MULTILINE)


def includes(path):
    """A script and what it includes: {name: path}, itself first.

    A name is the way to the file from the script's directory, which is psql's working directory.
    A file that is not there is left to whoever includes it to complain about.
    """
    root, found, waiting = path.parent, {}, [path]
    while waiting:
        each = waiting.pop()
        name = str(_relative(each, root))
        if name in found or not each.is_file():
            continue
        found[name] = each
        for kind, target in INCLUDE.findall(each.read_bytes()):
            base = each.parent if kind in (b'ir', b'include_relative') else root
            waiting.append(base / target.strip(b"'").decode('utf-8', 'replace'))
    return found


def _relative(path, root):
    try:
        return path.resolve().relative_to(root.resolve())
    except ValueError:
        return path.resolve()


def rendered(body):
    """A script with its templates filled in."""
    return TEMPLATE.sub(NAMESPACE, body)


# The parts of a script that hold no statement's beginning, and its statements of BEGIN and COMMIT.
PARTS = re.compile(
    rb"""(?P<passed> \s+ | --[^\n]* | /\*.*?\*/ | ^[ \t]*\\\w[^\n]*\n)
       | (?P<data> copy\s[^;]*?\bfrom\s+stdin\b[^;]*;[^\n]*\n (?:.*?^)?\\\.\r?$)
       | (?P<quoted> \$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$ | "[^"]*" | '(?:[^']|'')*')
       | (?P<semicolon> ;)
       | (?P<transaction> (?:begin|commit|start[ \t]+transaction|end) (?:[ \t]+(?:work|transaction))? [ \t]*;)
       | (?P<other> [\w.]+ | .)""", re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE)
OWN_TRANSACTION = re.compile(
    rb'\b(?:commit|start[ \t]+transaction|end)(?:[ \t]+(?:work|transaction))?[ \t]*;', re.IGNORECASE)


def without_transactions(body):
    """A script without its statements of BEGIN and COMMIT; the other lines keep their numbers.

    END ends a body of BEGIN ATOMIC as well: where there is one, it is left alone.
    """
    has_body = re.search(rb'\batomic\b', body, re.IGNORECASE)
    if not any(not has_body or match[0][:3].lower() != b'end' for match in OWN_TRANSACTION.finditer(body)):
        return body
    parts, at_start = [], True
    for match in PARTS.finditer(body):
        kind, text = match.lastgroup, match[0]
        if kind == 'tag':
            kind = 'quoted'
        if kind == 'transaction':
            if at_start and not (has_body and text[:3].lower() == b'end'):
                continue
            kind = 'semicolon'
        parts.append(text)
        if kind != 'passed':
            at_start = kind in ('semicolon', 'data')
    return b''.join(parts)

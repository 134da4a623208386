"""What PGXN takes: META.json by its specification, and an archive that needs nothing but itself."""

import copy
import json
import re
import shlex
import shutil
import subprocess
import zipfile

import jsonschema
import pytest

from support.installation import ROOT, Installation, make
from support.pgxn import META

META_JSON = json.loads((ROOT / 'META.json').read_text())


def refusals(meta):
    return [error.message for error in jsonschema.Draft202012Validator(META).iter_errors(meta)]


def test_the_metadata_are_as_specified():
    assert refusals(META_JSON) == []


def test_the_metadata_name_what_is_there():
    (extension,) = META_JSON['provides'].values()
    for path in (extension['file'], extension['docfile']):
        assert (ROOT / path).is_file(), path
    assert META_JSON['license'] == 'postgresql' and (ROOT / 'LICENSE').read_text().startswith('PostgreSQL License')
    oldest = re.search(r'^(\d+)\+', (ROOT / 'debian' / 'pgversions').read_text())[1]
    assert META_JSON['prereqs']['runtime']['requires'] == {'PostgreSQL': oldest + '.0.0'}


# What PGXN's own schema refuses as well.
@pytest.mark.parametrize('path, value', [
    (['name'], None), (['version'], None), (['abstract'], None), (['maintainer'], None), (['license'], None), (['provides'], None),
    (['meta-spec'], None), (['name'], 'a b'), (['name'], 'a/b'), (['version'], '0.1'), (['version'], '01.0.0'), (['abstract'], ''),
    (['maintainer'], []), (['license'], 'postgres'), (['license'], ['mit', 'mit']), (['provides'], {}),
    (['provides', 'rdsinit', 'file'], None), (['provides', 'rdsinit', 'version'], '1'), (['provides', 'rdsinit', 'more'], 'x'),
    (['provides', 'rdsinit', 'docfile'], '/README.md'), (['prereqs', 'runtime'], {}), (['prereqs', 'run'], {'requires': {}}),
    (['prereqs', 'runtime', 'requires', 'PostgreSQL'], '15'), (['release_status'], 'released'), (['tags'], ['a']),
    (['tags'], ['rds', 'rds']), (['meta-spec', 'version'], '2.0.0'), (['meta_spec'], {}), (['resources'], {'homepage': 'here'})])
def test_what_the_specification_does_not_allow_is_found(path, value):
    meta = copy.deepcopy(META_JSON)
    at = meta
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    assert refusals(meta) != []


def archive(directory):
    """The archive, by the command that doc/install.md gives, unpacked; of what is in the checkout now, where git knows of it."""
    words = shlex.split(re.search(r'^git (archive .*) HEAD$', (ROOT / 'doc' / 'install.md').read_text(), re.M)[1])
    git = ['git', '-C', str(ROOT), '-c', 'user.name=test', '-c', 'user.email=test']
    if not shutil.which('git') or subprocess.run([*git, 'rev-parse', 'HEAD'], capture_output=True, check=False).returncode != 0:
        pytest.skip('git does not know this checkout')
    now = subprocess.run([*git, 'stash', 'create'], check=True, capture_output=True, text=True).stdout.strip()
    output = directory / words[words.index('-o') + 1]
    words[words.index('-o') + 1] = str(output)
    subprocess.run([*git, *words, now or 'HEAD'], check=True)
    with zipfile.ZipFile(output) as file:
        file.extractall(directory)
    assert output.name == '%(name)s-%(version)s.zip' % META_JSON
    return directory / output.stem


def test_the_archive_builds_and_passes_its_own_tests(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv('COPT', '-O0')  # a third of the time
    monkeypatch.setenv('MAKEFLAGS', '-j2')
    source = archive(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {source.name, source.name + '.zip'}
    assert {'META.json', 'README.md', 'LICENSE'} <= {path.name for path in source.iterdir()}
    assert not (source / 'rdsinit.so').exists()
    installation = Installation(source)
    try:
        assert len(installation.files()) == 2 + len(list((source / 'sql').glob('rdsinit--*.sql')))
        server = cluster(**installation.settings, max_prepared_transactions=5, max_connections=100, wal_level='replica').start().server
        for name, value in (('PGHOST', server.host), ('PGPORT', str(server.port)), ('PGUSER', server.user), ('PGPASSWORD', server.password)):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv('MAKEFLAGS', '')
        finished = make('installcheck', source=source)
        diffs = [path.read_text() for path in source.rglob('regression.diffs')]
        assert finished.returncode == 0, finished.stdout + finished.stderr + '\n'.join(diffs)
        assert len(re.findall(r'^(?:ok \d|test .*\.\.\. ok)', finished.stdout, re.M)) >= 25
    finally:
        installation.remove()

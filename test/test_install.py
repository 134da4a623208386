"""make install and uninstall; and that all that name a version name the same."""

import json
import os
import re
import stat

import pytest

from support.installation import ROOT, Installation, make, pg_config

VERSION = re.search(r"^default_version *= *'(.*)'", (ROOT / 'rdsinit.control').read_text(), re.M)[1]


def names():
    """What belongs to the extension, as paths below the server's own directories."""
    scripts = [path.name for path in (ROOT / 'sql').glob('rdsinit--*.sql')]
    return {pg_config('pkglibdir') + '/rdsinit.so',
            *(pg_config('sharedir') + '/extension/' + name for name in ['rdsinit.control', *scripts])}


def found(directory):
    return {str(path)[len(str(directory)):] for path in directory.rglob('*') if not path.is_dir()}


@pytest.fixture
def elsewhere(tmp_path):
    """A pg_config that tells of a PostgreSQL below a directory of the test's own."""
    program = tmp_path / 'pg_config'
    program.write_text(
        '#!/bin/sh\ncase "$1" in --sharedir | --pkglibdir | --docdir | --mandir | --localedir) printf %%s "%s" ;; esac\n'
        'exec "%s" "$@"\n' % (tmp_path / 'root', os.environ.get('PG_CONFIG', 'pg_config')))
    program.chmod(0o755)
    return program


def test_it_is_installed_where_pg_config_says(elsewhere, tmp_path):
    finished = make('install', PG_CONFIG=elsewhere)
    assert finished.returncode == 0, finished.stderr
    assert found(tmp_path / 'root') == names()
    finished = make('uninstall', PG_CONFIG=elsewhere)
    assert finished.returncode == 0, finished.stderr
    assert found(tmp_path / 'root') == set()


def test_destdir_stands_before_it(tmp_path):
    finished = make('install', DESTDIR=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert found(tmp_path) == names()
    for path in tmp_path.rglob('*'):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o755 if path.is_dir() or path.suffix == '.so' else 0o644), path
    assert make('uninstall', DESTDIR=tmp_path).returncode == 0
    assert found(tmp_path) == set()


def test_a_server_takes_it_from_there(cluster):
    installation = Installation()
    try:
        server = cluster(**installation.settings).start().server
        server.rows('CREATE EXTENSION rdsinit')
        assert server.value("SELECT extversion FROM pg_extension WHERE extname = 'rdsinit'") == VERSION
    finally:
        installation.remove()


def test_it_takes_no_clang():
    """PostgreSQL's own make files ask for bitcode where the server was built with LLVM."""
    commands = make('-n', '-B', 'all')
    assert commands.returncode == 0 and 'rdsinit.so' in commands.stdout
    assert 'clang' not in commands.stdout and '.bc' not in commands.stdout


def test_there_is_one_version():
    meta = json.loads((ROOT / 'META.json').read_text())
    assert (ROOT / 'sql' / ('rdsinit--%s.sql' % VERSION)).exists() or list((ROOT / 'sql').glob('rdsinit--*--%s.sql' % VERSION))
    assert (meta['version'], meta['provides']['rdsinit']['version']) == (VERSION, VERSION)
    assert re.match(r'rdsinit \((.*?)\)', (ROOT / 'debian' / 'changelog').read_text())[1] == VERSION
    assert re.search(r'^## \[?(\d[^\s\]]*)', (ROOT / 'CHANGELOG.md').read_text(), re.M)[1] == VERSION

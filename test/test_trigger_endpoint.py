"""Where Secrets Manager is: Regions, partitions, configured endpoints, proxies; and whose certificate it shows."""

import shutil

import pytest

from standin import HttpsProxy, SecretsManager
from support.certificates import Authority

pytestmark = pytest.mark.skipif(not shutil.which('openssl'), reason='no openssl program here')


@pytest.fixture(scope='module')
def authority():
    return Authority()


@pytest.fixture
def function(trigger):
    def start(secrets, ca=None, **variables):
        return trigger('SELECT 1;', ca=ca, **{**secrets.environment(), 'AWS_ENDPOINT_URL_SECRETS_MANAGER': None,
                                              'DB_SECRET_NAME': 'prod/db', 'RDSINIT_MODE': 'plain', 'DB_USER': None,
                                              'DB_PASSWORD': None, 'DB_SSLMODE': 'disable', **variables})
    return start


@pytest.fixture
def https(authority):
    """https(secrets, host): the proxy behind which Secrets Manager of that name is."""
    made = []

    def start(secrets, host):
        address, _, port = secrets.address.rpartition(':')
        made.append(HttpsProxy(authority.issue(host), (address, int(port))).__enter__())
        return made[-1]
    yield start
    for each in made:
        each.__exit__()


@pytest.fixture
def login(server):
    return {'username': server.user, 'password': server.password}


@pytest.mark.parametrize('region, host', [
    ('eu-central-1', 'secretsmanager.eu-central-1.amazonaws.com'),
    ('us-gov-west-1', 'secretsmanager.us-gov-west-1.amazonaws.com'),
    ('cn-north-1', 'secretsmanager.cn-north-1.amazonaws.com.cn'),
    ('us-iso-east-1', 'secretsmanager.us-iso-east-1.c2s.ic.gov'),
    ('us-isob-east-1', 'secretsmanager.us-isob-east-1.sc2s.sgov.gov'),
    ('eu-isoe-west-1', 'secretsmanager.eu-isoe-west-1.cloud.adc-e.uk'),
    ('us-isof-south-1', 'secretsmanager.us-isof-south-1.csp.hci.ic.gov'),
    ('eusc-de-east-1', 'secretsmanager.eusc-de-east-1.amazonaws.eu'),
])
@pytest.mark.parametrize('by_arn', [False, True], ids=['by name', 'by ARN'])
def test_the_regions_own_endpoint_is_asked(function, https, authority, login, region, host, by_arn):
    with SecretsManager(region=region) as secrets:
        arn = secrets.put('prod/db', login)
        proxy = https(secrets, host)
        variables = {'DB_SECRET_NAME': arn, 'AWS_REGION': 'us-east-1'} if by_arn else {}
        function(secrets, {'amazon-roots.pem': authority.pem}, https_proxy=proxy.url, **variables).succeed()
        assert proxy.asked_for == [host + ':443']
        assert [seen.status for seen in secrets.requests] == [200]
        assert secrets.crashes == []


@pytest.mark.parametrize('ca', [None, {'amazon-roots.pem': 'other'}, {'rds-roots.pem': 'right'}, {'ca.pem': 'right'}],
                         ids=['the system\'s', 'other', 'for databases', 'of one\'s own'])
def test_a_certificate_that_amazons_roots_have_not_signed(function, https, authority, secrets, login, ca):
    secrets.put('prod/db', login)
    proxy = https(secrets, 'secretsmanager.eu-central-1.amazonaws.com')
    pem = {'other': Authority('other').pem, 'right': authority.pem}
    files = {name: pem[which] for name, which in ca.items()} if ca else None
    payload = function(secrets, files, https_proxy=proxy.url).fail(timeout_s=10)
    assert payload['errorType'] == 'Rdsinit.Secret'
    assert 'certificate' in payload['errorMessage'] and 'secretsmanager.eu-central-1' in payload['errorMessage']
    assert 'AWS_CA_BUNDLE' in payload['hint']
    assert secrets.requests == []


def test_a_certificate_for_another_name(function, https, authority, secrets, login):
    secrets.put('prod/db', login)
    proxy = https(secrets, 'secretsmanager.us-east-1.amazonaws.com')
    payload = function(secrets, {'amazon-roots.pem': authority.pem}, https_proxy=proxy.url).fail()
    assert payload['errorType'] == 'Rdsinit.Secret' and secrets.requests == []


def test_aws_ca_bundle_goes_before_the_packaged_file(function, https, authority, secrets, login, tmp_path):
    secrets.put('prod/db', login)
    proxy = https(secrets, 'secretsmanager.eu-central-1.amazonaws.com')
    (tmp_path / 'roots.pem').write_text(authority.pem)
    function(secrets, {'amazon-roots.pem': Authority('other').pem}, https_proxy=proxy.url,
             AWS_CA_BUNDLE=tmp_path / 'roots.pem').succeed()


def test_an_aws_ca_bundle_that_is_not_there(function, secrets):
    payload = function(secrets, AWS_CA_BUNDLE='/nowhere.pem').fail()
    assert payload['errorType'] == 'Rdsinit.Configuration'
    assert '"/nowhere.pem" (AWS_CA_BUNDLE)' in payload['errorMessage']


def test_configured_endpoints_can_be_ignored(function, https, authority, secrets, login):
    secrets.put('prod/db', login)
    proxy = https(secrets, 'secretsmanager.eu-central-1.amazonaws.com')
    nowhere = 'http://127.0.0.1:1'
    function(secrets, {'amazon-roots.pem': authority.pem}, https_proxy=proxy.url, AWS_ENDPOINT_URL=nowhere,
             AWS_ENDPOINT_URL_SECRETS_MANAGER=nowhere, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS='true').succeed()
    assert len(proxy.asked_for) == 1


def test_they_count_where_that_is_false(function, secrets, login):
    secrets.put('prod/db', login)
    function(secrets, AWS_ENDPOINT_URL='http://127.0.0.1:1', AWS_ENDPOINT_URL_SECRETS_MANAGER=secrets.url,
             AWS_IGNORE_CONFIGURED_ENDPOINT_URLS='false').succeed()


def test_the_runtime_api_is_reached_without_a_proxy(function, secrets):
    nowhere = 'http://127.0.0.1:1'
    outcome = function(secrets, http_proxy=nowhere, https_proxy=nowhere, HTTPS_PROXY=nowhere, all_proxy=nowhere,
                       ALL_PROXY=nowhere).invoke(timeout_s=2)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Secret')

"""What template.yaml deploys, and the real program in it: its environment, its custom resource."""

import subprocess

import pytest

from support.trigger import program, write_bundle

pytestmark = pytest.mark.usefixtures('npm')

V1 = {'V1__product.sql': 'CREATE TABLE product (id int);'}
V2 = {**V1, 'V2__sale.sql': 'CREATE TABLE sale (id int);'}
BAD = {**V1, 'V2__sale.sql': 'CREATE TABLE sale (id nosuchtype);'}


@pytest.fixture
def deployed(deploy, server, database, secrets, trigger, tmp_path):
    """deployed(files, …) is the function of template.yaml with that bundle, and the properties of its custom resource."""
    arn = secrets.put('shop/db', {
        'username': server.user, 'password': server.password, 'engine': 'postgres', 'host': server.host,
        'port': server.port, 'dbname': database.name, 'dbInstanceIdentifier': 'shop'})

    def deployed(files, sslmode='disable', **parameters):
        write_bundle(files, tmp_path / str(len(files)))
        checksum = subprocess.run(
            [program(), '--bundle-checksum'], env={'RDSINIT_BUNDLE': str(tmp_path / str(len(files)))},
            check=True, capture_output=True, text=True).stdout.strip()
        deployment = deploy('template', **{
            'DatabaseHost': server.host, 'DatabasePort': server.port, 'DatabaseName': database.name, 'SecretArn': arn,
            'BundleChecksum': checksum, **parameters})
        variables = deployment.properties('Function')['Environment']['Variables']
        function = trigger(files, **{'DB_USER': None, 'DB_PASSWORD': None, 'DB_SSLMODE': sslmode, **variables,
                                      **secrets.environment()})
        # CloudFormation makes strings of all; its stand-in says which ServiceToken it is.
        properties = {key: str(value) for key, value in deployment.properties('Schema').items() if key != 'ServiceToken'}
        return function, properties
    return deployed


def test_a_stacks_life(deployed, cloudformation, database):
    function, properties = deployed(V1)
    resource = cloudformation.resource(**properties)
    assert resource.create(function).status == 'SUCCESS'
    assert database.relations() == ['public.product']
    function, properties = deployed(V2)
    assert resource.update(function, properties).status == 'SUCCESS'
    assert database.relations() == ['public.product', 'public.sale']
    assert resource.delete(function).status == 'SUCCESS'
    assert database.relations() == ['public.product', 'public.sale']


def test_a_schema_that_fails_fails_the_stack_once(deployed, cloudformation, database):
    function, properties = deployed(BAD)
    result = cloudformation.resource(**properties).create(function)
    assert result.status == 'FAILED' and 'V2__sale.sql:1:23' in result.reason
    assert len(result.outcomes) == 1
    assert database.relations() == []


def test_a_roll_back_after_success_needs_leave(deployed, cloudformation, database):
    """CloudFormation sends the former properties: leave is given beforehand, or not at all."""
    for allow in ('false', 'true'):
        first, former = deployed(V1, AllowMissing=allow)
        resource = cloudformation.resource(**former)
        resource.create(first)
        second, properties = deployed(V2, AllowMissing=allow)
        assert resource.update(second, properties).status == 'SUCCESS'
        assert resource.update(first, former).status == ('SUCCESS' if allow == 'true' else 'FAILED')
        assert database.relations() == ['public.product', 'public.sale']
        database.drop()


def test_a_package_that_is_not_the_templates_fails_it(deployed, cloudformation, database):
    function, properties = deployed(V1)
    result = cloudformation.resource(**{**properties, 'BundleChecksum': '0' * 64}).create(function)
    assert result.status == 'FAILED' and 'BundleChecksum' in result.reason
    assert not database.exists()


@pytest.mark.extension
def test_data_are_lost_only_where_the_template_says_so(deployed, cloudformation, database):
    function, properties = deployed({'V1__product.sql': 'CREATE TABLE product (id int); INSERT INTO product VALUES (1);'})
    resource = cloudformation.resource(**properties)
    assert resource.create(function).status == 'SUCCESS'
    dropping = {'V1__product.sql': 'CREATE TABLE product (id int); INSERT INTO product VALUES (1);',
                'V2__drop.sql': 'DROP TABLE product;'}
    function, properties = deployed(dropping)
    assert resource.update(function, properties).status == 'FAILED'
    assert database.relations() == ['public.product']
    function, properties = deployed(dropping, AllowDataLoss='true')
    assert resource.update(function, properties).status == 'SUCCESS'
    assert database.relations() == []


@pytest.mark.parametrize('sslmode, type_, said', [
    ('disable', 'Rdsinit.Configuration', 'DB_AUTH is iam, which needs TLS'),
    ('require', 'Rdsinit.Connection', 'SSL was required')])
def test_iam_authentication_is_what_the_program_takes_it_for(deployed, secrets, server, sslmode, type_, said):
    """It is asked for, with a user and without a secret.  Where this server has TLS, the token gets to it, and is no password of anybody's."""
    if sslmode == 'require' and server.value('SHOW ssl') == 'on':
        said = 'password authentication failed for user "deployer"'
    function, _ = deployed(V1, sslmode, SecretArn='', DatabaseResourceId='db-ABC', DatabaseUser='deployer')
    payload = function.fail()
    assert payload['errorType'] == type_ and said in payload['errorMessage']
    assert secrets.requests == []

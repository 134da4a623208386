"""The environment: what is missing or wrong is named in the answer to every invocation, and the loop lives."""

import pytest


def refused(function, event=b'{}'):
    """The message of a configuration error, which must come for the first invocation and the second."""
    payloads = [function.fail(event) for _ in range(2)]
    assert payloads[0] == payloads[1]
    assert payloads[0]['errorType'] == 'Rdsinit.Configuration'
    assert payloads[0]['statusCode'] == 500
    assert payloads[0]['body'] == 'RDS schema initialization failed. Error: ' + payloads[0]['errorMessage']
    assert function.running
    return payloads[0]['errorMessage']


@pytest.mark.parametrize('name', ['DB_HOST', 'DB_NAME', 'DB_USER', 'DB_PASSWORD'])
@pytest.mark.parametrize('value', [None, ''], ids=['unset', 'empty'])
def test_a_missing_variable_is_named(trigger, name, value):
    message = refused(trigger(**{name: value}))
    assert name in message
    others = {'DB_HOST', 'DB_NAME'} - {name}
    assert not [other for other in others if other in message]


def test_all_missing_variables_are_named_at_once(trigger):
    message = refused(trigger(DB_HOST=None, DB_NAME=None, DB_USER=None, DB_PASSWORD=None))
    for name in ('DB_HOST', 'DB_NAME', 'DB_SECRET_NAME', 'DB_USER', 'DB_PASSWORD'):
        assert name in message


@pytest.mark.parametrize('name', ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
def test_what_a_secret_needs_is_named(trigger, secrets, name):
    variables = {**secrets.environment(), 'DB_SECRET_NAME': 'prod/db', 'DB_USER': None, 'DB_PASSWORD': None,
                 'AWS_DEFAULT_REGION': None, name: None}
    assert name in refused(trigger(**variables))


@pytest.mark.parametrize('name, value', [
    ('DB_PORT', '0'), ('DB_PORT', '65536'), ('DB_PORT', 'x'), ('DB_PORT', '5432x'), ('DB_PORT', '-1'),
    ('DB_PORT', ' 5432'), ('DB_PORT', '99999999999999999999'), ('DB_PORT', '5e3'),
    ('RDSINIT_MODE', 'automatic'), ('RDSINIT_MODE', 'PLAIN '),
    ('RDSINIT_FORCE', 'maybe'), ('RDSINIT_FORCE', '2'),
    ('DB_SSLMODE', 'on'), ('DB_SSLMODE', 'verify'),
    ('DB_SSLROOTCERT', '/no/such/file.pem'),
    ('AWS_ENDPOINT_URL_SECRETS_MANAGER', 'ftp://127.0.0.1/'), ('AWS_ENDPOINT_URL', 'localhost'),
])
def test_a_wrong_value_is_named_with_its_variable(trigger, name, value):
    message = refused(trigger(**{name: value}))
    assert name in message and value in message


@pytest.mark.parametrize('name', ['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL'])
def test_a_password_in_an_endpoint_is_refused_and_not_shown(trigger, name):
    function = trigger(**{name: 'https://user:canary@127.0.0.1/'})
    message = refused(function)
    assert name + ' is not an http or https URL without a user in it' in message
    assert 'canary' not in message + function.stderr


@pytest.mark.parametrize('name', [
    'arn:aws:secretsmanager:evil.example/x:1:secret:foo-AAAAAA', 'arn:aws:secretsmanager:a@127.0.0.1/x:1:secret:foo-AAAAAA',
    'arn:aws:ssm:eu-central-1:1:parameter/foo', 'arn:aws:secretsmanager::1:secret:foo-AAAAAA', 'arn:aws:secretsmanager:eu-central-1'])
def test_an_arn_that_is_no_secrets_is_refused(trigger, secrets, name):
    variables = {**secrets.environment(), 'DB_SECRET_NAME': name, 'DB_USER': None, 'DB_PASSWORD': None}
    assert 'DB_SECRET_NAME is an ARN, but not one of Secrets Manager' in refused(trigger(**variables))
    assert secrets.requests == []


@pytest.mark.parametrize('name', ['RDSINIT_FORC', 'RDSINIT_', 'RDSINIT_ALLOW_DATALOSS', 'RDSINIT_mode'])
def test_an_unknown_variable_of_ours_is_named_and_its_value_is_not(trigger, name):
    message = refused(trigger(**{name: 'canary-value'}))
    assert name in message and 'canary-value' not in message


def test_a_secret_and_a_password_exclude_each_other(trigger, secrets):
    message = refused(trigger(**secrets.environment(), DB_SECRET_NAME='prod/db'))
    assert 'DB_SECRET_NAME' in message and 'DB_USER' in message


def test_several_mistakes_are_all_named(trigger):
    message = refused(trigger(DB_HOST=None, DB_PORT='x', RDSINIT_MODE='y', RDSINIT_Z='z'))
    for name in ('DB_HOST', 'DB_PORT', 'RDSINIT_MODE', 'RDSINIT_Z'):
        assert name in message


def test_verification_without_a_certificate_to_verify_by(trigger):
    message = refused(trigger(DB_SSLMODE='verify-full'))
    assert 'DB_SSLMODE' in message and 'DB_SSLROOTCERT' in message


def test_the_password_of_a_wrong_environment_is_not_said(trigger):
    function = trigger(DB_HOST=None, DB_PASSWORD='canary-password')
    assert 'canary-password' not in refused(function)
    function.stop()
    assert 'canary-password' not in function.stderr


def test_libpqs_own_variables_mean_nothing(trigger):
    trigger('SELECT 1;', RDSINIT_MODE='plain', PGHOST='no-such-host.invalid', PGPORT='1', PGOPTIONS='-c no.such=1 -x',
            PGSERVICE='none', PGDATABASE='none', PGSSLMODE='verify-full', PGTARGETSESSIONATTRS='standby').succeed()


@pytest.mark.parametrize('variables', [
    {'RDSINIT_BUNDLE': 'other.sql'},
    {'RDSINIT_BUNDLE': '/no/such/file.sql'},
])
def test_a_bundle_that_is_not_there_is_named(trigger, variables):
    payload = trigger(**variables).fail()
    assert payload['errorType'] == 'Rdsinit.Bundle'
    assert variables['RDSINIT_BUNDLE'] in payload['errorMessage']
    assert 'No such file' in payload['errorMessage']


def test_a_package_without_scripts(trigger):
    payload = trigger(None).fail()
    assert payload['errorType'] == 'Rdsinit.Bundle'
    assert 'schema.sql' in payload['errorMessage'] and 'RDSINIT_BUNDLE' in payload['hint']


def test_a_directory_without_scripts(trigger):
    payload = trigger({'README.md': 'nothing here'}).fail()
    assert payload['errorType'] == 'Rdsinit.Bundle'
    assert 'schema' in payload['errorMessage']


def test_a_bundle_of_another_name(trigger, tmp_path):
    (tmp_path / 'other.sql').write_text('CREATE TABLE other ();')
    payload = trigger(None, RDSINIT_MODE='plain', RDSINIT_BUNDLE=str(tmp_path / 'other.sql')).succeed()
    assert payload['scripts'][0]['name'] == 'other.sql'


def test_a_link_that_leads_out_of_the_bundle_is_refused(trigger, tmp_path):
    (tmp_path / 'bundle').mkdir()
    (tmp_path / 'outside.sql').write_text('SELECT 1;')
    (tmp_path / 'bundle' / 'link.sql').symlink_to('../outside.sql')
    payload = trigger(None, RDSINIT_BUNDLE=str(tmp_path / 'bundle')).fail()
    assert payload['errorType'] == 'Rdsinit.Bundle'
    assert 'link.sql' in payload['errorMessage']

"""Rotation: a secret that changes while a deployment is about to log in; and the cache that has an old one."""

import pytest

from standin import ParametersAndSecrets


@pytest.fixture
def account(role, database):
    """account.set(password) is what a rotation does to the server; account.secret(password) what it writes."""
    class Account:
        def __init__(self):
            self.user, self.password = role()
            database.create(self.user)

        def set(self, password):
            database.server.rows('ALTER ROLE %s PASSWORD %%s' % self.user, (password,))

        def secret(self, password=None):
            return {'username': self.user, 'password': password or self.password}
    return Account()


@pytest.fixture
def cache(secrets):
    with ParametersAndSecrets(secrets.credentials) as standin:
        yield standin
        assert standin.crashes == [] and standin.violations == []


def stages(secrets):
    return [seen.stage for seen in secrets.requests]


def test_between_set_and_finish_the_next_version_lets_us_in(function, secrets, account):
    secrets.put('prod/db', account.secret())
    secrets.rotate('prod/db', account.secret('next-canary'))
    account.set('next-canary')
    running = function()
    running.succeed()
    assert stages(secrets) == ['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING']
    assert 'AWSPENDING' in running.wait_for_log(lambda entry: entry['level'] == 'WARN')['message']
    assert 'next-canary' not in running.stderr


def test_before_set_the_current_version_is_enough(function, secrets, account):
    secrets.put('prod/db', account.secret())
    secrets.rotate('prod/db', account.secret('next'))
    function().succeed()
    assert stages(secrets) == ['AWSCURRENT']


def test_a_rotation_that_ends_between_fetch_and_login(function, secrets, account, proxy):
    secrets.put('prod/db', account.secret())
    secrets.rotate('prod/db', account.secret('next'))
    starting = proxy(refusals=10000)
    running = function(DB_HOST='127.0.0.1', DB_PORT=starting.port)
    invocation = running.send()
    running.wait_for_log(lambda entry: 'starting up' in entry['message'])
    account.set('next')
    secrets.finish('prod/db')
    starting.refusals = 0
    assert running.outcome(invocation).kind == 'response'
    assert stages(secrets) == ['AWSCURRENT', 'AWSCURRENT']


def test_alternating_users(function, secrets, account, role, database):
    """The next version is of another role, and the one before has been dropped meanwhile."""
    other, password = role()
    database.server.rows('ALTER DATABASE "%s" OWNER TO %s' % (database.name, other))
    secrets.put('prod/db', account.secret('of a role that is no more'))
    secrets.rotate('prod/db', {'username': other, 'password': password})
    function().succeed()


def test_a_wrong_password_without_rotation_stays_the_error(function, secrets, account):
    secrets.put('prod/db', account.secret('wrong-canary'))
    outcome = function().invoke()
    assert (outcome.kind, outcome.error_type, outcome.payload['sqlstate']) == ('error', 'Rdsinit.Connection', '28P01')
    assert stages(secrets) == ['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING']
    assert 'AWSPENDING' not in outcome.raw and 'wrong-canary' not in outcome.raw
    assert outcome.elapsed < 5


def test_a_wrong_next_version_is_tried_once(function, secrets, account):
    secrets.put('prod/db', account.secret('wrong'))
    secrets.rotate('prod/db', account.secret('wrong, too'))
    assert function().fail()['sqlstate'] == '28P01'
    assert stages(secrets) == ['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING']


def test_a_password_of_the_environment_is_not_looked_for(trigger, account, secrets):
    trigger('SELECT 1;', **secrets.environment(), RDSINIT_MODE='plain', DB_USER=account.user,
            DB_PASSWORD='wrong').fail()
    assert secrets.requests == []


@pytest.mark.parametrize('value', [
    {'engine': 'postgres', 'host': 'HOST', 'port': 0, 'dbname': 'DB', 'dbInstanceIdentifier': 'db-1'},
    {'engine': 'postgres', 'host': 'HOST', 'port': '0', 'dbname': 'DB', 'dbClusterIdentifier': 'cluster-1'},
    {'host': 'HOST', 'port': 0, 'database': 'DB', 'masterarn': 'arn:aws:secretsmanager:eu-central-1:1:secret:m'},
], ids=['instance', 'cluster', 'database'])
def test_the_keys_that_the_console_writes(function, secrets, account, server, database, value):
    value = {**value, **account.secret(), 'host': server.host, 'port': type(value['port'])(server.port)}
    value['database' if 'database' in value else 'dbname'] = database.name
    secrets.put('prod/db', value)
    assert function(DB_HOST=None, DB_PORT=None, DB_NAME=None).succeed()['database'] == database.name


def test_a_secret_that_rds_manages_has_user_and_password_only(function, secrets, account):
    name = 'rds!db-0123abcd-4567'
    secrets.put(name, account.secret())
    function(DB_SECRET_NAME=name).succeed()


# The cache of the Parameters and Secrets extension

def test_the_cache_is_asked_first(function, secrets, account, cache):
    cache.put('prod/db', account.secret())
    function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port).succeed()
    assert cache.requests == [('prod/db', 200)] and secrets.requests == []


def test_names_are_escaped_for_the_cache(function, account, cache):
    name = 'a/b c&d=e+f?g#%41é!'
    cache.put(name, account.secret())
    function(DB_SECRET_NAME=name, PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port).succeed()
    assert cache.requests == [(name, 200)]


def test_the_cache_is_not_asked_unless_it_is_said_to_be_there(function, secrets, account, cache):
    secrets.put('prod/db', account.secret())
    function().succeed()
    assert cache.requests == []


def test_only_an_invocation_asks_the_cache(function, cache, secrets):
    running = function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port)
    running.runtime.wait_for_poll()
    assert cache.requests == [] and secrets.requests == []


def test_a_password_that_the_cache_has_kept_too_long(function, secrets, account, cache):
    cache.put('prod/db', account.secret('before'))
    secrets.put('prod/db', account.secret())
    function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port).succeed()
    assert cache.requests == [('prod/db', 200)] and stages(secrets) == ['AWSCURRENT']


def test_a_cache_that_is_not_ready(function, secrets, account, cache):
    cache.ready = False
    cache.put('prod/db', account.secret())
    secrets.put('prod/db', account.secret())
    function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port).succeed()
    assert [status for _, status in cache.requests] == [400] and stages(secrets) == ['AWSCURRENT']


def test_a_cache_that_is_not_there(function, secrets, account):
    secrets.put('prod/db', account.secret())
    running = function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=1)
    running.succeed()
    assert 'Parameters and Secrets' in running.wait_for_log(lambda entry: entry['level'] == 'WARN')['message']


def test_a_cache_that_answers_nonsense(function, secrets, account, cache):
    cache.put('prod/db', 'canary-nonsense')
    secrets.put('prod/db', account.secret())
    running = function(PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port)
    running.succeed()
    assert 'canary-nonsense' not in running.stderr


def test_a_secret_of_another_region_is_not_the_caches(function, secrets, account, cache):
    arn = secrets.put('prod/db', account.secret())
    function(DB_SECRET_NAME=arn, AWS_REGION='us-east-1', PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=cache.port).succeed()
    assert cache.requests == [] and stages(secrets) == ['AWSCURRENT']

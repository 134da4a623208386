"""A run of fleet.yaml's state machine over a list, with the real function behind it."""

import json

import pytest

from standin.step_functions import Failed, run
from support import Database, node
from support.stack import FUNCTION

LAMBDA = 'Lambda.TooManyRequestsException'


@pytest.fixture
def machine(deploy):
    def machine(**parameters):
        return json.loads(deploy('fleet', **parameters).properties('StateMachine')['DefinitionString'])
    return machine


@pytest.fixture
def fleet(server):
    """Three databases; dropped afterwards."""
    databases = [Database(server) for _ in range(3)]
    yield databases
    for database in databases:
        database.drop()


@pytest.fixture
def function(trigger, secrets, server):
    """As a stack for a fleet has it: it has a database of its own, which no row names."""
    secrets.put('fleet/own', {'username': 'nobody', 'password': 'wrong'})
    secrets.put('fleet/a', {'username': server.user, 'password': server.password})
    return trigger('CREATE TABLE IF NOT EXISTS t ();', DB_HOST='nowhere.invalid', DB_USER=None, DB_PASSWORD=None,
                   DB_SECRET_NAME='fleet/own', RDSINIT_EVENT_TARGETS='allow', **secrets.environment())


def evaluate(expression, value, result):
    return node.node_json('payload.js', expression, json.dumps(value), json.dumps(result))


def invoking(function, throttled=0):
    """What Lambda's Invoke does with it: the first attempts are too many, what the function fails by has its error's name."""
    left = [throttled]

    def invoke(arn, payload):
        assert arn == FUNCTION
        if left[0]:
            left[0] -= 1
            raise Failed(LAMBDA)
        outcome = function.invoke(payload)
        if outcome.kind == 'error':
            raise Failed(outcome.payload['errorType'], outcome.payload)
        return outcome.payload
    return invoke


def rows(server, databases):
    return [{'host': server.host, 'port': str(server.port), 'database': each.name, 'secret': 'fleet/a'} for each in databases]


def written(list_type, items):
    if list_type == 'JSON':
        return json.dumps(items)
    if list_type == 'JSONL':
        return ''.join(json.dumps(each) + '\n' for each in items)
    return '\n'.join([','.join([*items[0], 'force']), *(','.join([*each.values(), '']) for each in items)]) + '\n'


@pytest.mark.parametrize('list_type', ['JSON', 'JSONL', 'CSV'])
def test_each_database_of_the_list_gets_its_schema(machine, function, server, fleet, list_type):
    definition = machine(ListType=list_type, ResultPrefix='runs')
    ran = run(definition, written(list_type, rows(server, fleet)), evaluate, invoking(function))
    assert (ran.status, ran.error) == ('SUCCEEDED', None)
    assert ran.written_to == {'Bucket': 'results', 'Prefix': 'runs'}
    assert [child.output['database'] for child in ran.children] == [each.name for each in fleet]
    assert {child.output['statusCode'] for child in ran.children} == {200}
    assert [each.relations() for each in fleet] == [['public.t']] * 3


@pytest.mark.parametrize('tolerated, status, last', [(0, 'FAILED', 'PENDING'), (34, 'SUCCEEDED', 'SUCCEEDED')])
def test_so_many_may_fail(machine, function, server, fleet, tolerated, status, last):
    items = rows(server, fleet)
    items[1]['secret'] = 'fleet/nosuch'
    ran = run(machine(ToleratedFailurePercentage=tolerated), json.dumps(items), evaluate, invoking(function))
    assert ran.status == status and [child.status for child in ran.children] == ['SUCCEEDED', 'FAILED', last]
    failed = ran.children[1]
    assert (failed.error, failed.attempts) == ('Rdsinit.Secret', 1), 'what the function says of a row is not asked twice'
    assert 'fleet/nosuch' in failed.output['errorMessage']


def test_lambdas_own_errors_are_tried_again_with_growing_pauses(machine, function, server, fleet):
    ran = run(machine(), json.dumps(rows(server, fleet[:1])), evaluate, invoking(function, throttled=6))
    child, = ran.children
    assert (ran.status, child.attempts, child.pauses) == ('SUCCEEDED', 7, [2, 4, 8, 16, 32, 60])


def test_they_are_not_endless(machine, function, server, fleet):
    ran = run(machine(), json.dumps(rows(server, fleet[:1])), evaluate, invoking(function, throttled=7))
    assert (ran.status, ran.children[0].error, fleet[0].exists()) == ('FAILED', LAMBDA, False)

"""The state machine of fleet.yaml: its definition, and what it makes of a list's rows."""

import json

import pytest

from support import node
from support.stack import FUNCTION


@pytest.fixture
def machine(deploy):
    """machine(…) is the state machine's definition with these parameters."""
    def machine(**parameters):
        return json.loads(deploy('fleet', **parameters).properties('StateMachine')['DefinitionString'])
    return machine


def states(definition):
    map_state = definition['States']['Databases']
    return map_state, map_state['ItemProcessor']['States']['Database']


def found(definition, path):
    """What a validator of the Amazon States Language finds."""
    path.write_text(json.dumps(definition))
    return node.node_json('machine.js', path)


@pytest.mark.parametrize('list_type', ['JSON', 'JSONL', 'CSV'])
def test_the_definition_is_valid(machine, tmp_path, list_type):
    assert found(machine(ListType=list_type), tmp_path / 'definition.json') == []


@pytest.mark.parametrize('right, wrong', [
    ('"Task"', '"Tusk"'), ('"ItemReader"', '"ItemRaeder"'), ('"StartAt": "Databases"', '"StartAt": "X"'),
    ('"{% $states.result.Payload %}"', '"{% $states.result. %}"')])
def test_a_mistake_in_it_is_found(machine, tmp_path, right, wrong):
    text = json.dumps(machine())
    assert right in text
    assert found(json.loads(text.replace(right, wrong)), tmp_path / 'definition.json')


def test_a_distributed_map_over_a_list_in_s3(machine):
    map_state, task = states(machine(MaxConcurrency=7, ToleratedFailurePercentage=20, ResultPrefix='runs'))
    assert map_state['ItemReader']['Arguments'] == {'Bucket': 'lists', 'Key': 'shops.json'}
    assert map_state['ItemProcessor']['ProcessorConfig']['Mode'] == 'DISTRIBUTED'
    assert (map_state['MaxConcurrency'], map_state['ToleratedFailurePercentage']) == (7, 20)
    assert map_state['ResultWriter']['Arguments'] == {'Bucket': 'results', 'Prefix': 'runs'}
    assert task['Arguments']['FunctionName'] == FUNCTION
    # A row is the task's input as it is: Payload makes the event of it.
    assert 'ItemSelector' not in map_state and 'ItemBatcher' not in map_state


def test_a_list_has_a_type(machine):
    def reader(type_):
        return states(machine(ListType=type_))[0]['ItemReader']['ReaderConfig']
    assert reader('JSON') == {'InputType': 'JSON'}
    assert reader('JSONL') == {'InputType': 'JSONL'}
    assert reader('CSV') == {'InputType': 'CSV', 'CSVHeaderLocation': 'FIRST_ROW'}


def test_only_lambdas_own_errors_are_tried_again(machine):
    """What the function says of a script would be the same the next time."""
    map_state, task = states(machine())
    (retry,) = task['Retry']
    assert set(retry['ErrorEquals']) == {'Lambda.TooManyRequestsException', 'Lambda.ServiceException',
                                         'Lambda.AWSLambdaException', 'Lambda.SdkClientException'}
    assert 'Catch' not in task and 'Retry' not in map_state and 'Catch' not in map_state


def test_all_parts_are_of_the_partition(deploy):
    china = {'AWS::Partition': 'aws-cn'}
    function = FUNCTION.replace('arn:aws:', 'arn:aws-cn:')
    definition = deploy('fleet', china, FunctionArn=function).properties('StateMachine')['DefinitionString']
    assert 'arn:aws-cn:' in definition and 'arn:aws:' not in definition


ROWS = {
    'all': ({'host': 'a', 'port': 5433, 'database': 'shop', 'secret': 'fleet/a', 'force': True, 'variables': {'x': ''}}, None),
    'of CSV': ({'host': 'a', 'port': '5433', 'database': 'shop', 'secret': 'fleet/a', 'force': 'true', 'plan': 'false'},
               {'host': 'a', 'port': 5433, 'database': 'shop', 'secret': 'fleet/a', 'force': True, 'plan': False}),
    'of CSV, with empty columns': ({'host': 'a', 'port': '', 'secret': 'fleet/a', 'allow_data_loss': ''},
                                   {'host': 'a', 'secret': 'fleet/a'}),
    'with a word that is none': ({'host': 'a', 'force': 'yes', 'port': 'x'}, None),
    'of one column': ({'host': 'a'}, None),
}


@pytest.mark.parametrize('row, event', ROWS.values(), ids=ROWS)
def test_a_row_becomes_an_event(machine, row, event):
    payload = states(machine())[1]['Arguments']['Payload']
    assert node.node_json('payload.js', payload, json.dumps(row)) == (event or row)


def test_the_event_of_a_row_is_understood_by_the_function(machine, trigger, secrets, server, database):
    """The function has a database of its own in its environment; the row names another, with its secret."""
    row = {'host': server.host, 'port': str(server.port), 'database': database.name, 'secret': 'fleet/a',
           'bundle': '', 'force': 'true'}
    event = node.node_json('payload.js', states(machine())[1]['Arguments']['Payload'], json.dumps(row))
    secrets.put('fleet/own', {'username': 'nobody', 'password': 'wrong'})
    secrets.put('fleet/a', {'username': server.user, 'password': server.password})
    function = trigger('CREATE TABLE IF NOT EXISTS t ();', DB_HOST='nowhere.invalid', DB_USER=None, DB_PASSWORD=None,
                       DB_SECRET_NAME='fleet/own', RDSINIT_EVENT_TARGETS='allow', **secrets.environment())
    assert function.succeed(event)['database'] == database.name
    assert database.relations() == ['public.t']
    # A word that is no boolean is refused, and not taken for one.
    event = node.node_json('payload.js', states(machine())[1]['Arguments']['Payload'], json.dumps({**row, 'force': 'yes'}))
    assert '"force" is not true or false' in function.fail(event)['errorMessage']

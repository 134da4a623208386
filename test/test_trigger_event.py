"""The event: what may stand in it, and that one which is refused does not end the loop."""

import pytest


@pytest.fixture
def function(trigger):
    return trigger('CREATE TABLE IF NOT EXISTS t ();', RDSINIT_MODE='plain')


@pytest.mark.parametrize('event', [b'', b'null', b'{}', b' {} \n', b'{"force":false}'])
def test_an_event_that_asks_for_nothing(function, event):
    assert function.succeed(event)['scripts'][0]['outcome'] == 'applied'


REFUSED = {
    'no JSON': (b'no JSON', 'JSON'),
    'cut off': (b'{"force":', 'JSON'),
    'two values': (b'{} {}', 'JSON'),
    'invalid UTF-8': (b'{"force\xff":true}', 'JSON'),
    'doubled key': (b'{"force":true,"force":false}', 'JSON'),
    'an empty list': (b'[]', 'empty'),
    'a list of what is no object': (b'[{}, 1]', 'target 2'),
    'a string': (b'"force"', 'object'),
    'a number': (b'1', 'object'),
    'an unknown key': (b'{"forced":true}', 'forced'),
    'an unknown key beside a known one': (b'{"force":true,"more":1}', 'more'),
    'a key in capitals': (b'{"Force":true}', 'Force'),
    'a wrong type': (b'{"force":"true"}', 'force'),
    'null for a boolean': (b'{"force":null}', 'force'),
    'a host of its own': (b'{"host":"elsewhere.invalid"}', 'host'),
}


@pytest.mark.parametrize('event, named', REFUSED.values(), ids=REFUSED.keys())
def test_an_event_that_is_refused_says_why(function, database, event, named):
    outcome = function.invoke(event)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Event')
    assert named in outcome.payload['errorMessage']
    assert not database.exists(), 'nothing is done for an event that was not understood'


def test_the_loop_goes_on_after_each_of_them(function):
    for event, _ in REFUSED.values():
        function.fail(event)
        assert function.succeed()['statusCode'] == 200


@pytest.mark.parametrize('event, named', [
    ({'Records': [{'EventSource': 'aws:sns', 'Sns': {'Message': '{}'}}]}, 'Records'),
    ({'version': '0', 'source': 'aws.rds', 'detail-type': 'RDS DB Instance Event', 'detail': {}}, 'EventBridge'),
    ({'Type': 'Notification', 'TopicArn': 'arn:aws:sns:x', 'Message': '{}'}, 'SNS'),
], ids=['SNS', 'EventBridge', 'SNS by way of SQS'])
def test_an_event_of_another_service_is_refused_with_a_hint(function, database, event, named):
    payload = function.fail(event)
    assert payload['errorType'] == 'Rdsinit.Event'
    assert named in payload['errorMessage'] and payload['hint']
    assert not database.exists()
    function.succeed()


def test_an_events_text_is_not_repeated(function):
    outcome = function.invoke(b'{"password": "canary-text"')
    assert outcome.error_type == 'Rdsinit.Event'
    assert 'canary-text' not in outcome.raw

"""CDK's own Trigger and Provider handlers, from its package, invoking the real program."""

import json

import pytest

from standin import Answer, LoopbackServer
from standin.lambda_api import LambdaApi
from standin.runtime_api import FUNCTION_ARN
from support import node

STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/11111111-2222-3333-4444-555555555555'
HANDLER = 'arn:aws:lambda:eu-central-1:123456789012:function:cdk-handler'
RESPONSE_HOST = 'cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com'
RESPONSE_PATH = '/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3Astack/shop?X-Amz-Signature=0123'
FAILED_CREATE = 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED'

GOOD = 'CREATE TABLE good ();'
BAD = 'CREATE TABLE good ();\nCREATE TABLE bad (a nosuchtype);\n'

pytestmark = pytest.mark.usefixtures('npm')


class ResponseBucket(LoopbackServer):
    """CloudFormation's bucket, where answers are put; the URL's signature covers an empty Content-Type."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def answer(self, request):
        if (request.method, request.path, request.headers['Host']) != ('PUT', RESPONSE_PATH, RESPONSE_HOST):
            return Answer(403)
        if request.headers.get('Content-Type') != '' or request.body_error or len(request.body) > 4096:
            return Answer(403)
        self.answers.append(json.loads(request.body))
        return Answer(200)


@pytest.fixture
def lambda_api():
    with LambdaApi() as api:
        yield api
        assert api.crashes == []
        assert api.refused == []


@pytest.fixture
def handle(lambda_api):
    """handle(which, function, RequestType, properties, …) is what one of CDK's handlers answers to CloudFormation."""
    def handle(which, function, request_type, properties, **more):
        lambda_api.function = function
        event = {
            'RequestType': request_type, 'RequestId': 'b3a1c7f0-0000-4000-8000-000000000001', 'StackId': STACK,
            'ResponseURL': 'https://' + RESPONSE_HOST + RESPONSE_PATH, 'LogicalResourceId': 'Schema',
            'ResourceType': 'Custom::RdsInit', 'ServiceToken': HANDLER,
            'ResourceProperties': {'ServiceToken': HANDLER, **properties}, **more}
        with ResponseBucket() as bucket:
            finished = node.node('handler.js', which, json.dumps(event), RESPONSE_ADDRESS=bucket.address,
                                 USER_ON_EVENT_FUNCTION_ARN=FUNCTION_ARN, **lambda_api.environment())
            assert finished.returncode == 0, finished.stdout + finished.stderr
            assert bucket.crashes == []
        assert len(bucket.answers) == 1, finished.stdout + finished.stderr
        return bucket.answers[0]
    return handle


# triggers.Trigger

TRIGGER = {'HandlerArn': FUNCTION_ARN, 'InvocationType': 'RequestResponse', 'Timeout': '120000',
           'ExecuteOnHandlerChange': 'true'}


@pytest.fixture
def trigger_handler(handle):
    def run(function, request_type='Create', **more):
        properties = {**TRIGGER, **more.pop('properties', {})}
        return handle('trigger', function, request_type, properties, **more)
    return run


def test_cdks_trigger_passes_when_the_invocation_does(trigger_handler, trigger, database, lambda_api):
    assert trigger_handler(trigger(GOOD))['Status'] == 'SUCCESS'
    assert database.relations() == ['public.good']
    assert [each.type for each in lambda_api.invoked] == ['RequestResponse']


def test_cdks_trigger_fails_when_the_invocation_does(trigger_handler, trigger, database, lambda_api):
    function = trigger(BAD)
    answer = trigger_handler(function)
    assert answer['Status'] == 'FAILED'
    assert 'schema.sql:2:21: type "nosuchtype" does not exist' in answer['Reason']
    assert database.relations() == []
    assert len(lambda_api.invoked) == 1
    # The roll-back does not invoke it at all.
    answer = trigger_handler(function, 'Delete', PhysicalResourceId=answer['PhysicalResourceId'])
    assert answer['Status'] == 'SUCCESS'
    assert len(lambda_api.invoked) == 1


def test_cdks_trigger_invokes_again_on_update(trigger_handler, trigger, database, lambda_api):
    created = trigger_handler(trigger(GOOD))
    updated = trigger_handler(trigger('CREATE TABLE more ();'), 'Update', PhysicalResourceId=created['PhysicalResourceId'])
    assert updated['Status'] == 'SUCCESS'
    assert updated['PhysicalResourceId'] == created['PhysicalResourceId']
    assert database.relations() == ['public.good', 'public.more']
    assert len(lambda_api.invoked) == 2


def test_cdks_trigger_that_does_not_wait(trigger_handler, trigger, database, lambda_api):
    function = trigger(GOOD)
    assert trigger_handler(function, properties={'InvocationType': 'Event'})['Status'] == 'SUCCESS'
    function.wait_for_log(lambda entry: entry['message'] == 'schema initialization successful')
    assert [each.type for each in lambda_api.invoked] == ['Event']


# custom_resources.Provider

@pytest.fixture
def provider_handler(handle):
    def run(function, request_type='Create', **more):
        return handle('provider', function, request_type, more.pop('properties', {}), **more)
    return run


def test_cdks_provider_hands_on_what_the_function_returns(provider_handler, trigger, database, lambda_api):
    """The framework hands on ResponseURL as well, and answers there itself: once, as `handle` has seen."""
    created = provider_handler(trigger(GOOD), properties={'allow_data_loss': 'false'})
    assert created['Status'] == 'SUCCESS' and created['Reason'] == 'SUCCESS'
    assert created['Data']['Database'] == database.name
    assert created['PhysicalResourceId']
    assert database.relations() == ['public.good']
    (invoked,) = lambda_api.invoked
    assert json.loads(invoked.payload)['ResponseURL'] == 'https://' + RESPONSE_HOST + RESPONSE_PATH


def test_cdks_provider_fails_when_the_function_does(provider_handler, trigger, database, lambda_api):
    function = trigger(BAD)
    answer = provider_handler(function)
    assert answer['Status'] == 'FAILED'
    assert 'schema.sql:2:21: type "nosuchtype" does not exist' in answer['Reason']
    assert database.relations() == []
    # The framework knows of its own mark that there is nothing to be deleted.
    assert answer['PhysicalResourceId'] == FAILED_CREATE
    assert provider_handler(function, 'Delete', PhysicalResourceId=FAILED_CREATE)['Status'] == 'SUCCESS'
    assert [json.loads(each.payload)['RequestType'] for each in lambda_api.invoked][-1] == 'Create'


def test_cdks_provider_through_a_resources_life(provider_handler, trigger, database):
    created = provider_handler(trigger(GOOD))
    known_by = {'PhysicalResourceId': created['PhysicalResourceId']}
    updated = provider_handler(trigger('CREATE TABLE more ();'), 'Update', OldResourceProperties={}, **known_by)
    deleted = provider_handler(trigger('CREATE TABLE more ();'), 'Delete', **known_by)
    for answer in (updated, deleted):
        assert answer['Status'] == 'SUCCESS'
        assert answer['PhysicalResourceId'] == created['PhysicalResourceId']
    assert database.relations() == ['public.good', 'public.more']


def test_cdks_provider_with_a_property_that_is_not_known(provider_handler, trigger, database):
    answer = provider_handler(trigger(GOOD), properties={'alow_data_loss': 'true'})
    assert answer['Status'] == 'FAILED' and '"alow_data_loss" is not known' in answer['Reason']
    assert not database.exists()


@pytest.mark.parametrize('token', [FUNCTION_ARN, FUNCTION_ARN + ':live'])
def test_what_cloudformation_sends_itself_is_answered_to_itself(trigger, token):
    """Where the function is the ServiceToken: here nobody listens to the answer, and that is an error."""
    function = trigger(GOOD)
    payload = function.fail({
        'RequestType': 'Delete', 'RequestId': 'r', 'StackId': STACK, 'LogicalResourceId': 'Schema', 'ServiceToken': token,
        'PhysicalResourceId': 'p', 'ResponseURL': 'https://127.0.0.1:1/x', 'ResourceProperties': {'ServiceToken': token}},
        timeout_s=4)
    assert payload['errorType'] == 'Rdsinit.Response' and 'CloudFormation could not be answered' in payload['errorMessage']


def test_a_url_without_tls_is_nobody_elses(trigger, cloudformation):
    """Only tests have such ones, whatever they say of the ServiceToken."""
    event = cloudformation.event('Create', cloudformation.resource(), {})
    event['ResourceProperties']['ServiceToken'] = HANDLER
    assert cloudformation.send(trigger(GOOD), event).status == 'SUCCESS'

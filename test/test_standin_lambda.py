"""That the stand-in for Lambda's Invoke refuses what AWS refuses."""

import json
import urllib.error
import urllib.request

import botocore.config
import botocore.exceptions
import botocore.session
import pytest

from standin.lambda_api import LambdaApi
from standin.runtime_api import FUNCTION_ARN


class Function:
    """What answers with its event."""

    kind = 'response'

    def send(self, payload):
        self.payload = json.loads(payload or b'{}')

    def outcome(self, _):
        return self


@pytest.fixture
def api():
    with LambdaApi() as api:
        api.function = Function()
        yield api
        assert api.crashes == []


def client(api, **other):
    credentials = api.credentials
    return botocore.session.Session().create_client('lambda', **{
        'region_name': api.region, 'endpoint_url': api.url, 'aws_access_key_id': credentials.access_key_id,
        'aws_secret_access_key': credentials.secret_access_key, 'aws_session_token': credentials.session_token,
        'config': botocore.config.Config(retries={'total_max_attempts': 1}), **other})


@pytest.mark.parametrize('name', [FUNCTION_ARN, 'rdsinit'])
def test_an_invocation(api, name):
    answer = client(api).invoke(FunctionName=name, Payload=b'{"a":1}')
    assert json.loads(answer['Payload'].read()) == {'a': 1}
    assert 'FunctionError' not in answer
    assert client(api).invoke(FunctionName=name, InvocationType='Event')['StatusCode'] == 202


def test_an_error_of_the_function(api):
    api.function.kind = 'error'
    assert client(api).invoke(FunctionName=FUNCTION_ARN)['FunctionError'] == 'Unhandled'


@pytest.mark.parametrize('request_, refused', [
    ({'FunctionName': 'another'}, 'ResourceNotFoundException'),
    ({'InvocationType': 'Sometimes'}, 'InvalidParameterValueException'),
    ({'Payload': b'{'}, 'InvalidRequestContentException'),
    ({'Payload': b'"%s"' % (b'x' * (1 << 20)), 'InvocationType': 'Event'}, 'RequestTooLargeException'),
])
def test_what_is_no_invocation(api, request_, refused):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        client(api).invoke(**{'FunctionName': FUNCTION_ARN, **request_})
    assert error.value.response['Error']['Code'] == refused
    assert api.invoked == [] and len(api.refused) == 1


@pytest.mark.parametrize('other, refused', [
    ({'aws_secret_access_key': 'x' * 40}, 'InvalidSignatureException'), ({'region_name': 'eu-west-1'}, 'InvalidSignatureException'),
    ({'aws_access_key_id': 'ASIAOTHER'}, 'UnrecognizedClientException')])
def test_who_may_not(api, other, refused):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        client(api, **other).invoke(FunctionName=FUNCTION_ARN)
    assert error.value.response['Error']['Code'] == refused


def test_who_does_not_sign(api):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(api.url + '/2015-03-31/functions/rdsinit/invocations', b'{}')
    assert error.value.code == 403

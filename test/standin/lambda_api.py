"""AWS Lambda's Invoke, for what invokes functions by AWS's SDK; every signature verified."""

import dataclasses
import json
import re
import urllib.parse

from . import sigv4
from .http_server import Answer, LoopbackServer
from .runtime_api import FUNCTION_ARN
from .secrets_manager import Credentials

INVOKE = re.compile(r'/2015-03-31/functions/([^/?]+)/invocations')
PAYLOAD_AT_MOST = {'RequestResponse': 6 * 1024 * 1024, 'Event': 1024 * 1024}


@dataclasses.dataclass(frozen=True)
class Invoked:
    """One invocation that was let in."""
    type: str
    payload: bytes


class LambdaApi(LoopbackServer):
    """The functions of one account: here, one, which is a Trigger."""

    body_at_most = PAYLOAD_AT_MOST['RequestResponse'] + 1

    def __init__(self, region='eu-central-1', credentials=None):
        super().__init__()
        self.region = region
        self.credentials = credentials or Credentials()
        self.function = None
        self.invoked = []
        self.refused = []

    def environment(self):
        """The variables with which another function's SDK comes here."""
        return dict(self.credentials.environment(), AWS_REGION=self.region, AWS_ENDPOINT_URL_LAMBDA=self.url)

    def answer(self, request):
        answer = self._answer(request)
        if answer.status >= 400:
            self.refused.append(answer.body.decode())
        return answer

    def _answer(self, request):
        try:
            sigv4.verify(request, self.credentials, self.region, 'lambda')
        except sigv4.Refused as refused:
            return _error(403, refused.type, str(refused))
        path, _, query = request.path.partition('?')
        match = INVOKE.fullmatch(path)
        if not match or request.method != 'POST' or query:
            return _error(404, 'ResourceNotFoundException', 'not an operation of this stand-in: %s' % request.path)
        name = urllib.parse.unquote(match[1])
        if self.function is None or name not in (FUNCTION_ARN, FUNCTION_ARN.rsplit(':', 1)[1]):
            return _error(404, 'ResourceNotFoundException', 'Function not found: %s' % name)
        type_ = request.headers.get('X-Amz-Invocation-Type', 'RequestResponse')
        if type_ not in PAYLOAD_AT_MOST:
            return _error(400, 'InvalidParameterValueException', 'InvocationType %s' % type_)
        if len(request.body) > PAYLOAD_AT_MOST[type_] or request.body_error == 'too large':
            return _error(413, 'RequestTooLargeException', 'Request must be smaller than the limit')
        if request.body_error:
            return _error(400, 'InvalidRequestContentException', request.body_error)
        try:
            json.loads(request.body or b'{}')
        except ValueError as error:
            return _error(400, 'InvalidRequestContentException', 'Could not parse request body into json: %s' % error)
        return self._invoke(type_, request.body)

    def _invoke(self, type_, payload):
        self.invoked.append(Invoked(type_, payload))
        invocation = self.function.send(payload)
        if type_ == 'Event':
            return Answer(202)
        outcome = self.function.outcome(invocation)
        headers = [('X-Amz-Executed-Version', '$LATEST')]
        if outcome.kind == 'error':
            headers.append(('X-Amz-Function-Error', 'Unhandled'))
        return Answer(200, json.dumps(outcome.payload).encode(), headers=tuple(headers))


def _error(status, type_, message):
    return Answer(status, json.dumps({'Type': 'User', 'Message': message}).encode(),
                  headers=(('x-amzn-ErrorType', type_),))

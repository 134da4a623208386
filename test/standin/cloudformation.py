"""CloudFormation and its custom resource: sends the requests, takes the PUTs, as strict as AWS is.

A request goes to the function asynchronously, as CloudFormation sends it: what ends in an error
is sent twice more.  The answer comes to a presigned URL of S3, which holds for this one request,
in every character.  What breaks a rule of either is kept in `violations`.
"""

import collections
import dataclasses
import json
import threading
import uuid

from .http_server import Answer, LoopbackServer

BODY_AT_MOST = 4096
PHYSICAL_ID_AT_MOST = 1024
ATTEMPTS = 3                    # Lambda's own: the first, and two more after an error
BUCKET = 'cloudformation-custom-resource-response-eucentral1'
KEYS = {'Status', 'Reason', 'PhysicalResourceId', 'StackId', 'RequestId', 'LogicalResourceId', 'NoEcho', 'Data'}
SERVICE_TOKEN = 'arn:aws:lambda:eu-central-1:123456789012:function:rdsinit'


@dataclasses.dataclass(frozen=True)
class Result:
    """What a request came to."""
    answer: dict            # the accepted PUT's JSON; None: there was none
    outcomes: list          # of the invocations, in their order

    @property
    def status(self):
        return self.answer and self.answer['Status']

    @property
    def reason(self):
        return self.answer and self.answer.get('Reason')

    @property
    def data(self):
        return self.answer and self.answer.get('Data')


class CloudFormation(LoopbackServer):
    """The service, and the bucket for its answers."""

    body_at_most = 1 << 20

    def __init__(self):
        super().__init__()
        self.violations = []
        self.puts = []                  # the status with which each was answered; 0: cut
        self._changed = threading.Condition()
        self._expected = {}             # path with query: the request's event
        self._answers = {}              # request id: the PUT's JSON
        self._faults = collections.deque()

    # What a test calls

    def resource(self, **properties):
        return Resource(self, properties)

    def refuse(self, times, status=403):
        """The next `times` PUTs are answered with an error of S3's."""
        self._faults.extend([status] * times)

    def close(self, times):
        """The next `times` PUTs are cut off without an answer."""
        self._faults.extend([0] * times)

    def slow(self, times, seconds):
        """The next `times` PUTs are answered late."""
        self._faults.extend([seconds + 0.0] * times)

    def event(self, request_type, resource, properties, old=None):
        """The event of a request, with a ResponseURL of its own."""
        request_id = str(uuid.uuid4())
        name = '%s|%s|%s' % (resource.stack_id, resource.logical_id, request_id)
        # As presigned URLs are: what is escaped stays so, and so do the cases of its digits; and more than they are,
        # since nothing of it is the client's to put in order.
        path = '/%s/./a/../%s?AWSAccessKeyId=AKIATEST&Expires=1577844000&Signature=a%%2Fb%%2bC~d.%%20e%%3D&x=(1)+2' % (
            BUCKET, name.replace(':', '%3A').replace('/', '%2F').replace('|', '%7C'))
        event = {
            'RequestType': request_type,
            'ServiceToken': SERVICE_TOKEN,
            'ResponseURL': self.url + path,
            'StackId': resource.stack_id,
            'RequestId': request_id,
            'LogicalResourceId': resource.logical_id,
            'ResourceType': 'Custom::Schema',
            'ResourceProperties': {'ServiceToken': SERVICE_TOKEN, **properties},
        }
        if request_type != 'Create':
            event['PhysicalResourceId'] = resource.physical_id
        if request_type == 'Update':
            event['OldResourceProperties'] = {'ServiceToken': SERVICE_TOKEN, **(old or {})}
        with self._changed:
            self._expected[path] = event
        return event

    def send(self, function, event, **how):
        """The event sent as Lambda sends what is asynchronous; gives the Result."""
        outcomes = []
        while len(outcomes) < ATTEMPTS:
            outcomes.append(function.invoke(event, **how))
            if outcomes[-1].kind == 'response':
                break
        with self._changed:
            return Result(self._answers.get(event['RequestId']), outcomes)

    # What the function calls

    def answer(self, request):
        with self._changed:
            fault = self._faults.popleft() if self._faults else None
            if isinstance(fault, float):
                self._changed.release()
                self.pause(fault)
                self._changed.acquire()
                fault = None
            answer = self._check(request)
            if answer.status == 200 and fault is not None:
                answer = _error(fault, 'AccessDenied' if fault == 403 else 'InternalError', 'scripted') if fault else None
            elif answer.status == 200:
                self._take(json.loads(request.body))
            self.puts.append(answer.status if answer else 0)
            return answer

    def _check(self, request):
        """As S3 does: what is not as it was signed is forbidden."""
        event = self._expected.get(request.path)
        types = request.headers.get_all('Content-Type')
        if request.method != 'PUT':
            return self._violation(405, 'MethodNotAllowed', request.method)
        if event is None or request.headers.get('Host') != self.address:
            return self._violation(403, 'SignatureDoesNotMatch', 'no such URL: %s' % request.path)
        if types != ['']:
            return self._violation(403, 'SignatureDoesNotMatch', 'Content-Type is %s, not there and empty' % types)
        if request.body_error:
            return self._violation(411, 'MissingContentLength', request.body_error)
        if request.headers.get('Expect') is not None:
            return self._violation(417, 'ExpectationFailed', 'Expect: %s' % request.headers['Expect'])
        wrong = _wrong_with_answer(request.body, event)
        if wrong:
            # S3 would take it; CloudFormation would not, and wait.
            return self._violation(400, 'InvalidRequest', wrong)
        return Answer(200, b'', 'application/xml')

    def _take(self, answer):
        """The first answer of a request counts; another must not say the opposite."""
        first = self._answers.setdefault(answer['RequestId'], answer)
        for key in ('Status', 'PhysicalResourceId'):
            if first[key] != answer[key]:
                self.violations.append('%s was %s and then %s' % (key, first[key], answer[key]))

    def _violation(self, status, code, message):
        self.violations.append(message)
        return _error(status, code, message)


class Resource:
    """One custom resource of a stack, from its creation to its deletion."""

    def __init__(self, service, properties, logical_id='Schema'):
        self.service = service
        self.stack_id = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/%s' % uuid.uuid4()
        self.logical_id = logical_id
        self.physical_id = None
        self.properties = properties

    def create(self, function, **how):
        result = self.service.send(function, self.service.event('Create', self, self.properties), **how)
        if result.answer:
            self.physical_id = result.answer['PhysicalResourceId']
        return result

    def update(self, function, properties=None, **how):
        """With other properties, or, where the function's code is another, with the same."""
        new = self.properties if properties is None else properties
        result = self.service.send(function, self.service.event('Update', self, new, self.properties), **how)
        if result.status == 'SUCCESS':
            self.properties = new
        if result.answer and result.answer['PhysicalResourceId'] != self.physical_id:
            self.service.violations.append('an update has replaced the resource, which deletes the old one')
        return result

    def delete(self, function, **how):
        return self.service.send(function, self.service.event('Delete', self, self.properties), **how)


def _wrong_with_answer(body, event):
    """What CloudFormation would not take of it; '' where it is right."""
    if len(body) > BODY_AT_MOST:
        return 'the body has %d bytes' % len(body)
    try:
        answer = json.loads(body.decode('utf-8'))
    except ValueError as error:
        return 'the body is no JSON: %s' % error
    if not isinstance(answer, dict) or set(answer) - KEYS:
        return 'the body is not an object of the keys that are known: %s' % body
    if answer.get('Status') not in ('SUCCESS', 'FAILED'):
        return 'Status is %r' % answer.get('Status')
    for key in ('StackId', 'RequestId', 'LogicalResourceId'):
        if answer.get(key) != event[key]:
            return '%s is %r' % (key, answer.get(key))
    physical_id = answer.get('PhysicalResourceId')
    if not isinstance(physical_id, str) or not 1 <= len(physical_id.encode()) <= PHYSICAL_ID_AT_MOST:
        return 'PhysicalResourceId is %r' % physical_id
    if answer['Status'] == 'FAILED' and not (isinstance(answer.get('Reason'), str) and answer['Reason']):
        return 'FAILED without a Reason'
    if not isinstance(answer.get('NoEcho', False), bool):
        return 'NoEcho is no boolean'
    data = answer.get('Data', {})
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        return 'Data is no object of strings: %r' % data
    return ''


def _error(status, code, message):
    return Answer(status, ('<?xml version="1.0"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>'
                           % (code, message.replace('&', '&amp;').replace('<', '&lt;'))).encode(), 'application/xml')

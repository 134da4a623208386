"""AWS Secrets Manager's GetSecretValue over HTTP, every signature verified.

Faults are scripted: each takes one request, in the order in which they were asked for.
"""

import collections
import dataclasses
import json
import threading
import time
import uuid

from . import sigv4
from .http_server import Answer, LoopbackServer

CONTENT_TYPE = 'application/x-amz-json-1.1'
TARGET = 'secretsmanager.GetSecretValue'


@dataclasses.dataclass
class Credentials:
    """What Lambda gives a function for its role."""
    access_key_id: str = 'ASIATESTTESTTESTTEST'
    secret_access_key: str = 'test/secret+key/of40charactersxxxxxxxxxxx'
    session_token: str = 'IQoJb3JpZ2luX2VjTESTtoken/with+signs=='
    expired: bool = False

    def environment(self):
        variables = {'AWS_ACCESS_KEY_ID': self.access_key_id,
                     'AWS_SECRET_ACCESS_KEY': self.secret_access_key}
        if self.session_token is not None:
            variables['AWS_SESSION_TOKEN'] = self.session_token
        return variables


@dataclasses.dataclass(frozen=True)
class Seen:
    """One request and what came of it."""
    secret_id: str
    status: int         # 0: the connection was cut
    error: str          # AWS's __type, or ''
    at: float
    stage: str = 'AWSCURRENT'
    trace: tuple = ()   # every X-Amzn-Trace-Id
    signed: str = ''    # the headers that the signature covers


class SecretsManager(LoopbackServer):
    """Secrets of one account in one region."""

    body_at_most = 1 << 16

    def __init__(self, region='eu-central-1', credentials=None):
        super().__init__()
        self.region = region
        self.credentials = credentials or Credentials()
        self.requests = []
        self._lock = threading.Lock()
        self._secrets = {}
        self._faults = collections.deque()

    # What a test calls

    def put(self, name, value=None, binary=None):
        """Store a secret (an object goes as JSON, None as no SecretString).  Returns its ARN."""
        arn = 'arn:aws:secretsmanager:%s:123456789012:secret:%s-%s' % (self.region, name, uuid.uuid4().hex[:6])
        secret = _version(arn, name, value)
        if binary is not None:
            secret['SecretBinary'] = binary
        self._secrets[name] = self._secrets[arn] = {'AWSCURRENT': secret}
        return arn

    def rotate(self, name, value):
        """createSecret of a rotation: a version that is not the current one yet."""
        versions = self._secrets[name]
        versions['AWSPENDING'] = _version(versions['AWSCURRENT']['ARN'], name, value, 'AWSPENDING')

    def finish(self, name):
        """finishSecret: it is the current one now."""
        versions = self._secrets[name]
        versions['AWSCURRENT'] = dict(versions.pop('AWSPENDING'), VersionStages=['AWSCURRENT'])

    def environment(self):
        """The variables with which a function reaches this stand-in."""
        return dict(self.credentials.environment(), AWS_REGION=self.region, AWS_DEFAULT_REGION=self.region,
                    AWS_ENDPOINT_URL_SECRETS_MANAGER=self.url)

    def throttle(self, times, type_='ThrottlingException'):
        self._script(times, lambda: _error(400, type_, 'Rate exceeded'))

    def fail(self, times, status=500):
        names = {500: 'InternalServiceError', 503: 'ServiceUnavailableException'}
        self._script(times, lambda: _error(status, names.get(status, 'InternalFailure'), 'scripted'))

    def close(self, times):
        """Cut the connection without an answer."""
        self._script(times, lambda: None)

    def garbage(self, times, body=b'<html>not an answer of AWS</html>', status=200):
        self._script(times, lambda: Answer(status, body, 'text/html'))

    def slow(self, times, seconds):
        """A right answer, late."""
        self._script(times, lambda: self.pause(seconds) or Ellipsis)

    def _script(self, times, fault):
        self._faults.extend([fault] * times)

    # What the function calls

    def answer(self, request):
        secret_id = _parameter(request, 'SecretId')
        answer = self._faulty_or_right(request)
        with self._lock:
            self.requests.append(Seen(secret_id, answer.status if answer else 0, _type(answer), time.monotonic(),
                                      _parameter(request, 'VersionStage') or 'AWSCURRENT',
                                      tuple(request.headers.get_all('X-Amzn-Trace-Id') or ()),
                                      _signed_headers(request)))
        return answer

    def _faulty_or_right(self, request):
        try:
            sigv4.verify(request, self.credentials, self.region, 'secretsmanager')
        except sigv4.Refused as refused:
            return _error(400, refused.type, str(refused), key='message')
        with self._lock:
            fault = self._faults.popleft() if self._faults else None
        if fault:
            answer = fault()
            if answer is not Ellipsis:
                return answer
        return self._get_secret_value(request)

    def _get_secret_value(self, request):
        if (request.method, request.path) != ('POST', '/') or request.body_error:
            return _error(404, 'UnknownOperationException', '%s %s' % (request.method, request.path))
        if request.headers.get('X-Amz-Target') != TARGET or request.headers.get('Content-Type') != CONTENT_TYPE:
            return _error(400, 'UnknownOperationException', 'not an operation of this stand-in')
        try:
            parameters = json.loads(request.body)
        except ValueError:
            return _error(400, 'SerializationException', 'the body is no JSON')
        if not isinstance(parameters, dict) or set(parameters) - {'SecretId', 'VersionId', 'VersionStage'}:
            return _error(400, 'SerializationException', 'not the parameters of GetSecretValue')
        secret_id = parameters.get('SecretId')
        if not isinstance(secret_id, str) or not 1 <= len(secret_id) <= 2048:
            return _error(400, 'ValidationException', 'SecretId must be a string of 1 to 2048 characters')
        if secret_id not in self._secrets:
            return _error(400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
        stage = parameters.get('VersionStage', 'AWSCURRENT')
        version = self._secrets[secret_id].get(stage)
        if version is None:
            return _error(400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret value "
                          'for staging label: %s' % stage)
        return Answer(200, json.dumps(version).encode(), CONTENT_TYPE,
                      (('x-amzn-RequestId', str(uuid.uuid4())),))


def _version(arn, name, value, stage='AWSCURRENT'):
    secret = {'ARN': arn, 'Name': name, 'VersionId': str(uuid.uuid4()), 'VersionStages': [stage],
              'CreatedDate': 1577836800.0}
    if value is not None:
        secret['SecretString'] = value if isinstance(value, str) else json.dumps(value)
    return secret


def _error(status, type_, message, key='Message'):
    """The service's own errors say "Message", those of AWS's front door "message"."""
    return Answer(status, json.dumps({'__type': type_, key: message}).encode(), CONTENT_TYPE,
                  (('x-amzn-RequestId', str(uuid.uuid4())),))


def _type(answer):
    if answer is None or answer.status == 200 or answer.content_type != CONTENT_TYPE:
        return ''
    return json.loads(answer.body)['__type']


def _signed_headers(request):
    return (request.headers['Authorization'] or '').partition('SignedHeaders=')[2].partition(',')[0]


def _parameter(request, name):
    try:
        return json.loads(request.body)[name]
    except (ValueError, TypeError, KeyError):
        return None

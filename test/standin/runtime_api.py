"""AWS Lambda's Runtime API, as strict as AWS is.

A test queues an event and waits for its outcome; the trigger polls and answers.
Whatever breaks the protocol is answered as AWS answers it and kept in `violations`,
which the fixture finds empty or fails.
"""

import collections
import dataclasses
import json
import re
import threading
import time
import uuid

from .http_server import Answer, LoopbackServer

PREFIX = '/2018-06-01/runtime/'
PAYLOAD_AT_MOST = 6 * 1024 * 1024 + 100     # AWS's own figure for a buffered response
ERROR_TYPE_HEADER = 'Lambda-Runtime-Function-Error-Type'
FUNCTION_ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:rdsinit'


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How an invocation ended."""
    kind: str           # 'response' or 'error'
    payload: object     # the parsed JSON
    headers: dict       # of the POST, names in lower case
    elapsed: float      # seconds, from delivery to answer

    @property
    def error_type(self):
        return self.headers.get(ERROR_TYPE_HEADER.lower())

    @property
    def raw(self):
        """The payload as text, to look for what must not be in it."""
        return json.dumps(self.payload, ensure_ascii=False)


@dataclasses.dataclass(eq=False)
class Invocation:
    """One event on its way."""
    request_id: str
    event: bytes
    timeout_s: float
    deadline_ms: int = None
    delivered_at: float = None
    outcome: Outcome = None


class RuntimeApi(LoopbackServer):
    """One execution environment: one invocation at a time, answered exactly once."""

    body_at_most = PAYLOAD_AT_MOST

    def __init__(self):
        super().__init__()
        self.violations = []
        self.init_errors = []
        self.traces = {}                    # of each request that was delivered
        self.next_trace = None              # instead of one that is made up
        self.polls = 0                      # how often /next was asked
        self._changed = threading.Condition()
        self._queue = collections.deque()
        self._current = None
        self._answered = set()
        self._faults = collections.deque()
        self._poll_faults = collections.deque()
        self._spoils = collections.deque()

    # What a test calls

    def invoke(self, event=b'{}', timeout_s=60, deadline_ms=None):
        """Queue an event: bytes as they are, anything else as JSON."""
        if not isinstance(event, bytes):
            event = json.dumps(event).encode()
        invocation = Invocation(str(uuid.uuid4()), event, timeout_s, deadline_ms)
        with self._changed:
            self._queue.append(invocation)
            self._changed.notify_all()
        return invocation

    def wait(self, invocation, timeout=60):
        """The invocation's Outcome; TimeoutError when there is none in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: invocation.outcome, timeout):
                state = 'delivered, not answered' if invocation.delivered_at else 'not fetched'
                raise TimeoutError('invocation %s was %s after %.1f s'
                                   % (invocation.request_id, state, timeout))
            return invocation.outcome

    def wait_for_poll(self, timeout=10):
        """Until the runtime waits for an event with nothing in hand."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.polls and not self._current, timeout):
                raise TimeoutError('nobody asked for an event within %.1f s' % timeout)

    def fail_next_answers(self, times, status=500):
        """The next `times` answers to /response and /error are refused with `status` (0: cut off)."""
        self._faults.extend([status] * times)

    def fail_next_polls(self, times, status=500):
        """The next `times` that /next is asked are refused with `status` (0: cut off); no event is lost."""
        self._poll_faults.extend([status] * times)

    def spoil_next_event(self, spoil):
        """The next event is delivered as spoil(request, answer) says: an Answer, or None, which closes the connection."""
        self._spoils.append(spoil)

    # What the runtime calls

    def answer(self, request):
        if request.path == PREFIX + 'invocation/next':
            return self._next(request)
        if request.path == PREFIX + 'init/error':
            return self._init_error(request)
        match = re.fullmatch(re.escape(PREFIX) + r'invocation/([^/]+)/(response|error)', request.path)
        if match:
            return self._finish(request, *match.groups())
        return self._violation(404, 'InvalidPath', 'no such path: %s %s' % (request.method, request.path))

    def _next(self, request):
        if request.method != 'GET':
            return self._violation(405, 'InvalidMethod', '%s of /next' % request.method)
        if request.body:
            return self._violation(400, 'InvalidRequest', '/next asked with a body')
        with self._changed:
            self.polls += 1
            if self._current:
                return self._violation(403, 'InvalidStateTransition',
                                       '/next asked while %s is unanswered' % self._current.request_id)
            self._changed.notify_all()
            if self._poll_faults:
                status = self._poll_faults.popleft()
                return _error(status, 'Container.Error', 'scripted') if status else None
            while True:
                if self.closing or not request.client_is_there():
                    return None
                if self._queue:
                    break
                self._changed.wait(0.05)
            self._current = invocation = self._queue.popleft()
            if invocation.deadline_ms is None:
                invocation.deadline_ms = int((time.time() + invocation.timeout_s) * 1000)
            invocation.delivered_at = time.monotonic()
            trace = self.next_trace if self.next_trace is not None else 'Root=1-%08x-%s;Sampled=0' % (int(time.time()), uuid.uuid4().hex[:24])
            self.traces[invocation.request_id] = trace
        answer = Answer(200, invocation.event, headers=(
            ('Lambda-Runtime-Aws-Request-Id', invocation.request_id),
            ('Lambda-Runtime-Deadline-Ms', str(invocation.deadline_ms)),
            ('Lambda-Runtime-Invoked-Function-Arn', FUNCTION_ARN),
            ('Lambda-Runtime-Trace-Id', trace),
        ))
        return self._spoils.popleft()(request, answer) if self._spoils else answer

    def _finish(self, request, request_id, verb):
        if request.method != 'POST':
            return self._violation(405, 'InvalidMethod', '%s of /%s' % (request.method, verb))
        with self._changed:
            if request_id in self._answered:
                return self._violation(403, 'InvalidStateTransition', '%s answered twice' % request_id)
            if not self._current or self._current.request_id != request_id:
                return self._violation(400, 'InvalidRequestID', '/%s for unknown id %s' % (verb, request_id))
            if self._faults:
                status = self._faults.popleft()
                return _error(status, 'Container.Error', 'scripted') if status else None
            if request.body_error == 'too large':
                return self._violation(413, 'RequestEntityTooLarge', 'a payload of more than 6 MB')
            payload, wrong = _parse(request)
            if not wrong and verb == 'error':
                wrong = _wrong_with_error(request, payload)
            if wrong:
                return self._violation(400, 'InvalidRequest', '/%s: %s' % (verb, wrong))
            self._current.outcome = Outcome(
                verb, payload, {name.lower(): value for name, value in request.headers.items()},
                time.monotonic() - self._current.delivered_at)
            self._answered.add(request_id)
            self._current = None
            self._changed.notify_all()
        return Answer(202, b'{"status":"OK"}\n')

    def _init_error(self, request):
        if request.method != 'POST':
            return self._violation(405, 'InvalidMethod', '%s of /init/error' % request.method)
        payload, wrong = _parse(request)
        wrong = wrong or _wrong_with_error(request, payload)
        if self.polls:
            wrong = wrong or 'asked after /next'
        if wrong:
            return self._violation(403, 'InvalidStateTransition', '/init/error: ' + wrong)
        self.init_errors.append(payload)
        return Answer(202, b'{"status":"OK"}\n')

    def _violation(self, status, error_type, message):
        self.violations.append(message)
        return _error(status, error_type, message)


def _error(status, error_type, message):
    return Answer(status, json.dumps({'errorMessage': message, 'errorType': error_type}).encode())


def _parse(request):
    """(payload, what is wrong with the body)"""
    if request.body_error:
        return None, request.body_error
    try:
        return json.loads(request.body.decode('utf-8'), object_pairs_hook=_unique,
                          parse_constant=_no_constant), ''
    except ValueError as error:
        return None, 'the body is no JSON: %s' % error


def _unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError('a key stands twice among %s' % keys)
    return dict(pairs)


def _no_constant(name):
    raise ValueError('%s is not JSON' % name)


def _wrong_with_error(request, payload):
    types = request.headers.get_all(ERROR_TYPE_HEADER) or []
    if len(types) != 1 or not types[0]:
        return 'the header %s does not stand there once' % ERROR_TYPE_HEADER
    if not isinstance(payload, dict):
        return 'the payload is no object'
    for key in ('errorType', 'errorMessage'):
        if not isinstance(payload.get(key), str):
            return 'the payload has no string %s' % key
    if payload['errorType'] != types[0]:
        return '%s says %s, errorType says %s' % (ERROR_TYPE_HEADER, types[0], payload['errorType'])
    return ''

"""The cache of AWS's Parameters and Secrets Lambda extension, which listens within the execution environment."""

import json
import threading
import urllib.parse

from .http_server import Answer, LoopbackServer


class ParametersAndSecrets(LoopbackServer):
    """Takes GetSecretValue as the extension does: a GET with the function's session token."""

    def __init__(self, credentials):
        super().__init__()
        self.credentials = credentials
        self.ready = True
        self.requests = []              # (secretId, HTTP status)
        self.violations = []
        self._lock = threading.Lock()
        self._secrets = {}

    @property
    def port(self):
        return self.address.rpartition(':')[2]

    def put(self, name, value):
        self._secrets[name] = value if isinstance(value, str) else json.dumps(value)

    def answer(self, request):
        secret_id, answer = self._answer(request)
        with self._lock:
            self.requests.append((secret_id, answer.status))
        return answer

    def _answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        parameters = urllib.parse.parse_qs(url.query, strict_parsing=True)
        secret_id = parameters.get('secretId', [''])[0]
        if (request.method, url.path) != ('GET', '/secretsmanager/get') or set(parameters) - {
                'secretId', 'versionId', 'versionStage'}:
            self.violations.append('%s %s' % (request.method, request.path))
            return secret_id, Answer(404, b'not found', 'text/plain')
        if request.headers['Host'] != 'localhost:' + self.port:
            self.violations.append('Host: %s' % request.headers['Host'])
        if not self.ready:
            return secret_id, Answer(400, b'not ready to serve traffic, please wait', 'text/plain')
        if request.headers.get_all('X-Aws-Parameters-Secrets-Token') != [self.credentials.session_token]:
            return secret_id, Answer(401, b'unauthorized', 'text/plain')
        if secret_id not in self._secrets:
            return secret_id, Answer(400, b'an unexpected error occurred while executing request', 'text/plain')
        return secret_id, Answer(200, json.dumps({
            'ARN': secret_id, 'Name': secret_id, 'SecretString': self._secrets[secret_id],
            'VersionStages': ['AWSCURRENT'], 'ResultMetadata': {}}).encode())

"""The stand-ins themselves: that they take what AWS takes, and that they can fail.

A stand-in that accepts everything would make every other test here worthless.
"""

import datetime
import http.client
import json
import shutil
import signal
import socket
import subprocess
import threading

import psycopg2
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from standin import Credentials, RuntimeApi, SecretsManager
from support import Database

NEXT = '/2018-06-01/runtime/invocation/next'
ANSWER = '/2018-06-01/runtime/invocation/%s/%s'
JSON = {'Content-Type': 'application/json'}


# Secrets Manager

@pytest.fixture
def secrets():
    with SecretsManager() as server:
        server.put('shop', {'username': 'app', 'password': 'pw'})
        yield server
        assert server.crashes == []


def signed(secrets, body=b'{"SecretId":"shop"}', region='eu-central-1', service='secretsmanager',
           credentials=None, when=None, headers=(), unsigned=()):
    """(headers, body) of a request that botocore has signed."""
    credentials = credentials or secrets.credentials
    request = AWSRequest('POST', secrets.url + '/', data=body, headers={
        'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'secretsmanager.GetSecretValue',
        **dict(headers)})
    signer = SigV4Auth(BotocoreCredentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token), service, region)
    if unsigned:
        every = signer.headers_to_sign
        signer.headers_to_sign = lambda request: _without(every(request), unsigned)
    if when:
        request.context['timestamp'] = when.strftime('%Y%m%dT%H%M%SZ')
        signer._modify_request_before_signing(request)
        request.headers.replace_header('X-Amz-Date', request.context['timestamp'])
        canonical = signer.canonical_request(request)
        signer._inject_signature_to_request(request, signer.signature(
            signer.string_to_sign(request, canonical), request))
    else:
        signer.add_auth(request)
    return dict(request.headers.items()), body


def _without(headers, names):
    for name in names:
        del headers[name]
    return headers


def post(address, path, headers, body):
    """(status, parsed JSON) of one POST."""
    return ask(address, 'POST', path, headers, body)


def ask(address, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b'null')
    finally:
        connection.close()


def test_a_good_signature_gets_the_secret(secrets):
    status, answer = post(secrets.address, '/', *signed(secrets))
    assert status == 200
    assert json.loads(answer['SecretString']) == {'username': 'app', 'password': 'pw'}
    assert answer['ARN'].startswith('arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-')
    assert [(seen.secret_id, seen.status, seen.error) for seen in secrets.requests] == [('shop', 200, '')]


def test_a_secret_is_found_by_its_arn(secrets):
    arn = secrets.put('other/name', 'text')
    status, answer = post(secrets.address, '/', *signed(secrets, json.dumps({'SecretId': arn}).encode()))
    assert (status, answer['SecretString']) == (200, 'text')


def test_a_good_signature_without_session_token():
    with SecretsManager(credentials=Credentials(session_token=None)) as secrets:
        secrets.put('shop', 'text')
        headers, body = signed(secrets)
        assert 'X-Amz-Security-Token' not in headers
        assert post(secrets.address, '/', headers, body)[0] == 200


@pytest.mark.skipif(not shutil.which('curl'), reason='no curl program here')
def test_curls_own_signature_is_taken_and_a_wrong_one_is_not(secrets):
    def curl(secret_key):
        command = ['curl', '-sS', '--noproxy', '*', '--aws-sigv4', 'aws:amz:eu-central-1:secretsmanager',
                   '-u', '%s:%s' % (secrets.credentials.access_key_id, secret_key),
                   '-H', 'X-Amz-Security-Token: ' + secrets.credentials.session_token,
                   '-H', 'X-Amz-Target: secretsmanager.GetSecretValue',
                   '-H', 'Content-Type: application/x-amz-json-1.1',
                   '-d', '{"SecretId":"shop"}', secrets.url + '/']
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert curl(secrets.credentials.secret_access_key)['Name'] == 'shop'
    assert curl('wrong')['__type'] == 'InvalidSignatureException'


def other(**changes):
    return Credentials(**changes)


REFUSED = {
    'wrong secret key': (dict(credentials=other(secret_access_key='wrong')), 'InvalidSignatureException'),
    'wrong access key': (dict(credentials=other(access_key_id='ASIAOTHER')), 'UnrecognizedClientException'),
    'wrong session token': (dict(credentials=other(session_token='wrong')), 'UnrecognizedClientException'),
    'no session token': (dict(credentials=other(session_token=None)), 'UnrecognizedClientException'),
    'wrong region': (dict(region='us-east-1'), 'InvalidSignatureException'),
    'wrong service': (dict(service='s3'), 'InvalidSignatureException'),
    'host not signed': (dict(unsigned=['host']), 'InvalidSignatureException'),
    'date not signed': (dict(unsigned=['x-amz-date']), 'InvalidSignatureException'),
    'target not signed': (dict(unsigned=['x-amz-target']), 'InvalidSignatureException'),
    'token not signed': (dict(unsigned=['x-amz-security-token']), 'InvalidSignatureException'),
    'content type not signed': (dict(unsigned=['content-type']), 'InvalidSignatureException'),
    'body hash of another body': (dict(headers={'X-Amz-Content-SHA256': '0' * 64}), 'InvalidSignatureException'),
    'unsigned payload': (dict(headers={'X-Amz-Content-SHA256': 'UNSIGNED-PAYLOAD'}), 'InvalidSignatureException'),
}


@pytest.mark.parametrize('changes, error', REFUSED.values(), ids=REFUSED.keys())
def test_a_request_signed_wrongly_is_refused(secrets, changes, error):
    status, answer = post(secrets.address, '/', *signed(secrets, **changes))
    assert (status, answer['__type']) == (400, error)
    assert 'SecretString' not in answer


@pytest.mark.parametrize('changes, said', [
    (dict(region='us-east-1'), "Credential should be scoped to a valid region, not 'us-east-1'."),
    (dict(service='s3'), "Credential should be scoped to correct service: 'secretsmanager'."),
], ids=['region', 'service'])
def test_a_wrong_scope_is_said_to_be_so(secrets, changes, said):
    assert post(secrets.address, '/', *signed(secrets, **changes))[1]['message'] == said


@pytest.mark.parametrize('minutes', [-6, 6])
def test_an_old_or_early_date_is_refused(secrets, minutes):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    status, answer = post(secrets.address, '/', *signed(secrets, when=when))
    assert (status, answer['__type']) == (400, 'InvalidSignatureException')
    assert answer['message'].startswith('Signature expired')


def test_a_date_of_four_minutes_ago_is_taken(secrets):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=4)
    assert post(secrets.address, '/', *signed(secrets, when=when))[0] == 200


def test_an_expired_session_is_refused(secrets):
    secrets.credentials.expired = True
    status, answer = post(secrets.address, '/', *signed(secrets))
    assert (status, answer['__type']) == (400, 'ExpiredTokenException')


TAMPERED = {
    'body': (lambda headers: None, b'{"SecretId":"shop2"}', 'InvalidSignatureException'),
    'target': (lambda headers: headers.update({'X-Amz-Target': 'secretsmanager.PutSecretValue'}), None,
               'InvalidSignatureException'),
    'content type': (lambda headers: headers.update({'Content-Type': 'application/json'}), None,
                     'InvalidSignatureException'),
    'date': (lambda headers: headers.update({'X-Amz-Date': _shift(headers['X-Amz-Date'])}), None,
             'InvalidSignatureException'),
    'scope date': (lambda headers: headers.update({'Authorization': headers['Authorization'].replace(
        headers['X-Amz-Date'][:8], '20200101')}), None, 'InvalidSignatureException'),
    'added header': (lambda headers: headers.update({'X-Amz-Meta': 'added'}), None, 'InvalidSignatureException'),
    'missing header': (lambda headers: headers.pop('X-Amz-Target'), None, 'InvalidSignatureException'),
    'missing date': (lambda headers: headers.pop('X-Amz-Date'), None, 'InvalidSignatureException'),
    'no authorization': (lambda headers: headers.pop('Authorization'), None, 'MissingAuthenticationTokenException'),
    'cut authorization': (lambda headers: headers.update({'Authorization': headers['Authorization'][:-1]}), None,
                          'IncompleteSignatureException'),
    'basic authorization': (lambda headers: headers.update({'Authorization': 'Basic QUJD'}), None,
                            'IncompleteSignatureException'),
    'last digit': (lambda headers: headers.update({'Authorization': _turn(headers['Authorization'])}), None,
                   'InvalidSignatureException'),
}


def _shift(date):
    moment = datetime.datetime.strptime(date, '%Y%m%dT%H%M%SZ')
    return (moment.replace(second=(moment.second + 1) % 60)).strftime('%Y%m%dT%H%M%SZ')


def _turn(text):
    return text[:-1] + ('0' if text[-1] != '0' else '1')


@pytest.mark.parametrize('tamper, new_body, error', TAMPERED.values(), ids=TAMPERED.keys())
def test_a_request_changed_after_signing_is_refused(secrets, tamper, new_body, error):
    headers, body = signed(secrets)
    tamper(headers)
    headers.pop('Content-Length', None)
    status, answer = post(secrets.address, '/', headers, new_body or body)
    assert (status, answer['__type']) == (400, error)


def test_another_path_or_query_than_the_signed_one_is_refused(secrets):
    for path in ('/other', '/?x=1'):
        status, answer = post(secrets.address, path, *signed(secrets))
        assert (status, answer['__type']) == (400, 'InvalidSignatureException')


def test_the_services_own_errors(secrets):
    def error(body):
        status, answer = post(secrets.address, '/', *signed(secrets, body))
        return status, answer['__type']
    assert error(b'{"SecretId":"none"}') == (400, 'ResourceNotFoundException')
    assert error(b'{"SecretId":7}') == (400, 'ValidationException')
    assert error(b'{}') == (400, 'ValidationException')
    assert error(b'{"Secret":"shop"}') == (400, 'SerializationException')
    assert error(b'no json') == (400, 'SerializationException')


def test_faults_come_in_their_order_and_then_the_secret(secrets):
    secrets.throttle(1)
    secrets.fail(1, 503)
    secrets.fail(1)
    secrets.close(1)
    assert post(secrets.address, '/', *signed(secrets)) == (
        400, {'__type': 'ThrottlingException', 'Message': 'Rate exceeded'})
    assert post(secrets.address, '/', *signed(secrets))[0] == 503
    assert post(secrets.address, '/', *signed(secrets))[0] == 500
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(secrets.address, '/', *signed(secrets))
    assert post(secrets.address, '/', *signed(secrets))[0] == 200
    assert [seen.status for seen in secrets.requests] == [400, 503, 500, 0, 200]


def test_a_wrong_signature_uses_up_no_fault(secrets):
    secrets.throttle(1)
    post(secrets.address, '/', *signed(secrets, region='us-east-1'))
    assert post(secrets.address, '/', *signed(secrets))[1]['__type'] == 'ThrottlingException'


# The Runtime API

@pytest.fixture
def runtime():
    with RuntimeApi() as server:
        yield server
        assert server.crashes == []


def test_an_event_goes_out_and_its_response_comes_back(runtime):
    invocation = runtime.invoke({'force': True}, timeout_s=30)
    connection = http.client.HTTPConnection(runtime.address, timeout=10)
    connection.request('GET', NEXT)
    answer = connection.getresponse()
    assert json.loads(answer.read()) == {'force': True}
    request_id = answer.headers['Lambda-Runtime-Aws-Request-Id']
    assert request_id == invocation.request_id
    assert int(answer.headers['Lambda-Runtime-Deadline-Ms']) == invocation.deadline_ms
    assert answer.headers['Lambda-Runtime-Invoked-Function-Arn'].startswith('arn:aws:lambda:')
    assert answer.headers['Lambda-Runtime-Trace-Id'].startswith('Root=1-')
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{"statusCode":200}')[0] == 202
    outcome = runtime.wait(invocation, 1)
    assert (outcome.kind, outcome.payload) == ('response', {'statusCode': 200})
    assert 0 <= outcome.elapsed < 10
    assert runtime.violations == []
    connection.close()


def test_next_waits_for_an_event(runtime):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(runtime.address, 'GET', NEXT)))
    thread.start()
    runtime.wait_for_poll()
    assert answers == []
    runtime.invoke({'late': 1})
    thread.join(10)
    assert answers == [(200, {'late': 1})]


def test_an_event_is_not_given_to_a_client_that_has_gone(runtime):
    gone = http.client.HTTPConnection(runtime.address, timeout=10)
    gone.request('GET', NEXT)
    runtime.wait_for_poll()
    gone.close()
    invocation = runtime.invoke({'for': 'the living'})
    assert ask(runtime.address, 'GET', NEXT) == (200, {'for': 'the living'})
    assert invocation.delivered_at


def test_an_invocation_without_an_answer_times_out(runtime):
    with pytest.raises(TimeoutError, match='not fetched'):
        runtime.wait(runtime.invoke(), 0.01)


def fetched(runtime):
    invocation = runtime.invoke()
    assert ask(runtime.address, 'GET', NEXT)[0] == 200
    return invocation.request_id


def test_breaches_of_the_protocol_are_refused_and_kept(runtime):
    request_id = fetched(runtime)
    assert ask(runtime.address, 'GET', NEXT)[0] == 403
    assert post(runtime.address, ANSWER % ('no-such-id', 'response'), JSON, b'{}')[0] == 400
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{no json')[0] == 400
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{"a":1,"a":2}')[0] == 400
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'"\xff"')[0] == 400
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'[NaN]')[0] == 400
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b' ' * (6 << 20) + b' ' * 101)[0] == 413
    assert ask(runtime.address, 'PUT', ANSWER % (request_id, 'response'), JSON, b'{}')[0] == 405
    assert post(runtime.address, '/2018-06-01/runtime/invocation/next', JSON, b'{}')[0] == 405
    assert ask(runtime.address, 'GET', '/2018-06-01/runtime/other')[0] == 404
    assert len(runtime.violations) == 10
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{}')[0] == 202
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{}')[0] == 403
    assert runtime.violations[-1] == '%s answered twice' % request_id


def test_a_chunked_body_is_refused(runtime):
    request_id = fetched(runtime)
    connection = http.client.HTTPConnection(runtime.address, timeout=10)
    connection.request('POST', ANSWER % (request_id, 'response'), iter([b'{}']), JSON, encode_chunked=True)
    assert connection.getresponse().status == 400
    assert runtime.violations == ['/response: Transfer-Encoding is not taken']
    connection.close()


GOOD_ERROR = {'errorType': 'Rdsinit.Script', 'errorMessage': 'x'}


@pytest.mark.parametrize('header, payload', [
    (None, GOOD_ERROR),
    ('', GOOD_ERROR),
    ('Rdsinit.Other', GOOD_ERROR),
    ('Rdsinit.Script', []),
    ('Rdsinit.Script', {'errorType': 'Rdsinit.Script'}),
    ('Rdsinit.Script', {'errorMessage': 'x'}),
])
def test_an_error_needs_its_type_in_header_and_payload(runtime, header, payload):
    path = ANSWER % (fetched(runtime), 'error')
    headers = dict(JSON) if header is None else {**JSON, 'Lambda-Runtime-Function-Error-Type': header}
    assert post(runtime.address, path, headers, json.dumps(payload).encode())[0] == 400
    assert len(runtime.violations) == 1
    good = {**JSON, 'Lambda-Runtime-Function-Error-Type': 'Rdsinit.Script'}
    assert post(runtime.address, path, good, json.dumps(GOOD_ERROR).encode())[0] == 202


def test_an_error_at_init_is_kept(runtime):
    headers = {**JSON, 'Lambda-Runtime-Function-Error-Type': 'Rdsinit.Script'}
    assert post(runtime.address, '/2018-06-01/runtime/init/error', headers, json.dumps(GOOD_ERROR).encode())[0] == 202
    assert (runtime.init_errors, runtime.violations) == ([GOOD_ERROR], [])
    fetched(runtime)
    assert post(runtime.address, '/2018-06-01/runtime/init/error', headers, json.dumps(GOOD_ERROR).encode())[0] == 403


def test_answers_can_be_refused_on_purpose(runtime):
    request_id = fetched(runtime)
    runtime.fail_next_answers(1)
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{}')[0] == 500
    assert post(runtime.address, ANSWER % (request_id, 'response'), JSON, b'{}')[0] == 202
    assert runtime.violations == []


# PostgreSQL's door

def connect(server, proxy):
    return psycopg2.connect(host='127.0.0.1', port=proxy.port, user=server.user, password=server.password,
                            dbname='postgres', connect_timeout=5)


def test_the_proxy_turns_clients_away_and_then_lets_them_in(server, proxy):
    starting = proxy(refusals=2)
    for _ in range(2):
        with pytest.raises(psycopg2.OperationalError, match='the database system is starting up'):
            connect(server, starting)
    connection = connect(server, starting)
    with connection.cursor() as cursor:
        cursor.execute('SELECT 1')
        assert cursor.fetchall() == [(1,)]
    connection.close()
    assert starting.connections == 3


def test_the_proxy_drops_connections(server, proxy):
    with pytest.raises(psycopg2.OperationalError, match='closed the connection unexpectedly'):
        connect(server, proxy(drops=1))


@pytest.mark.parametrize('delivered', [True, False])
def test_the_proxy_cuts_at_a_message(server, database, proxy, delivered):
    database.create()
    cutting = proxy(cut_on=b'COMMIT\0', cut_delivered=delivered)
    connection = psycopg2.connect(host='127.0.0.1', port=cutting.port, user=server.user,
                                  password=server.password, dbname=database.name)
    connection.cursor().execute('CREATE TABLE kept ()')
    with pytest.raises(psycopg2.OperationalError):
        connection.commit()
    database.wait_until('SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() '
                        'AND pid <> pg_backend_pid()')
    assert database.value("SELECT to_regclass('kept') IS NOT NULL") is delivered
    assert cutting.cuts == 1


def test_the_proxy_passes_a_cancel_request_on(server, proxy):
    passing = proxy()
    psql = subprocess.Popen(
        ['psql', '-X', '-h', '127.0.0.1', '-p', str(passing.port), '-U', server.user, '-d', 'postgres',
         '-c', "SELECT pg_sleep(20), 'cancel me'"],
        env={'PATH': '/usr/bin:/bin', 'PGPASSWORD': server.password}, stderr=subprocess.PIPE, text=True)
    Database(server, 'postgres').wait_until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ 'cancel m[e]' AND wait_event = 'PgSleep'")
    psql.send_signal(signal.SIGINT)
    assert 'canceling statement due to user request' in psql.communicate(timeout=10)[1]
    assert (passing.connections, passing.cancels) == (1, 1)


def test_a_silent_proxy_never_answers(proxy):
    with socket.create_connection(('127.0.0.1', proxy(silent=True).port), timeout=0.3) as connection:
        connection.sendall(b'\0\0\0\x08\x04\xd2\x16\x2f')      # an offer of encryption
        assert connection.recv(1) == b'N'
        connection.sendall(b'\0\0\0\x10\0\3\0\0user\0x\0\0')
        with pytest.raises(TimeoutError):
            connection.recv(1)

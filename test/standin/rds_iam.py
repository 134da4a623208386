"""What verifies a token of IAM database authentication: RDS asks it as a PostgreSQL server asks an LDAP server.

Only the simple bind is spoken: the user's name, and the token for a password.
"""

import datetime
import socket
import threading
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from .listener import Listener

LIFETIME = 900


class RdsIam(Listener):
    """Listens on loopback; `accepted` and `refused` hold (user, token), the latter with the reason."""

    def __init__(self, credentials, region, host, port):
        super().__init__()
        self.credentials, self.region, self.host, self.port_of_server = credentials, region, host, port
        self.accepted, self.refused = [], []

    def _serve(self, client):
        message_id, user, token = _bind_request(client)
        reason = self.judge(user, token)
        (self.refused.append((user, token, reason)) if reason else self.accepted.append((user, token)))
        code = 49 if reason else 0      # invalidCredentials
        client.sendall(bytes([0x30, 12, 2, 1, message_id, 0x61, 7, 10, 1, code, 4, 0, 4, 0]))
        client.recv(64)

    def judge(self, user, token):
        """Why the token does not let the user in; '' where it does."""
        parsed = urllib.parse.urlsplit('https://' + token)
        given = urllib.parse.parse_qs(parsed.query, strict_parsing=True)
        given = {name: values[0] for name, values in given.items() if len(values) == 1}
        host = parsed.netloc.rpartition(':')[0]
        if parsed.netloc.lower() != '%s:%d' % (self.host, self.port_of_server):
            return 'for %s' % parsed.netloc
        if (given['Action'], given['DBUser'], given['X-Amz-Expires']) != ('connect', user, str(LIFETIME)):
            return 'not for %s' % user
        when = datetime.datetime.strptime(given['X-Amz-Date'], '%Y%m%dT%H%M%SZ')
        age = (datetime.datetime.utcnow() - when).total_seconds()
        if not -5 <= age <= LIFETIME:
            return 'made %d s ago' % age
        if token != token_of_botocore(self.credentials, self.region, host, self.port_of_server, user, when):
            return 'signed otherwise'
        return ''


def token_of_botocore(credentials, region, host, port, user, when):
    """What botocore's own generate_db_auth_token gives at that time."""
    import botocore.session
    session = botocore.session.Session()
    session.set_credentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    client = session.create_client('rds', region_name=region)
    with _time_stands_still(when):
        return client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user, Region=region)


class _time_stands_still:
    _lock = threading.Lock()

    def __init__(self, when):
        class Then(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return when

            @classmethod
            def now(cls, tz=None):
                return when.replace(tzinfo=datetime.timezone.utc)
        self._then = type('datetime', (), {'datetime': Then})

    def __enter__(self):
        self._lock.acquire()
        self._real, botocore.auth.datetime = botocore.auth.datetime, self._then

    def __exit__(self, *_):
        botocore.auth.datetime = self._real
        self._lock.release()


def _bind_request(client):
    tag, message = _read(client)
    assert tag == 0x30
    _, message_id, rest = _element(message)
    tag, bind, _ = _element(rest)
    assert tag == 0x60, 'no BindRequest'
    _, version, rest = _element(bind)
    _, name, rest = _element(rest)
    tag, password, _ = _element(rest)
    assert (version, tag) == (b'\x03', 0x80), 'no simple bind'
    assert name.startswith(b'user=')
    return message_id[0], name[5:].decode(), password.decode()


def _read(client):
    head = client.recv(2, socket.MSG_WAITALL)
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(client.recv(length & 0x7f, socket.MSG_WAITALL), 'big')
    return head[0], client.recv(length, socket.MSG_WAITALL)


def _element(data):
    """(tag, content, what follows) of an element in BER."""
    length, at = data[1], 2
    if length & 0x80:
        at = 2 + (length & 0x7f)
        length = int.from_bytes(data[2:at], 'big')
    return data[0], data[at:at + length], data[at + length:]

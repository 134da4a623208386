"""What Secrets Manager and the cache before it answer; the first byte is for secret_reader.c."""

import json

from .damage import damaged

LOGIN = {'username': 'app', 'password': 'pass "word" \\ ä€', 'host': 'a,b', 'port': 5432, 'dbname': 'Größe', 'engine': 'postgres'}
VALUES = [None, True, 0, -1, 65535, 65536, 2 ** 63 - 1, 1e308, '', ' ', '5432', '0', '65536', ' 1', '+1', 'x' * 70000, '€' * 3000,
          [], {}, {'username': {}}]
KEYS = list(LOGIN) + ['database', 'SecretString', 'SecretBinary', '__type', 'message', 'Message', '', 'Password']
TYPES = ['ThrottlingException', 'com.amazonaws.secretsmanager#InternalServiceError', 'AccessDeniedException', '#', 'a\r\nb', '']


def _answer(value):
    return {'ARN': 'arn:aws:secretsmanager:eu-central-1:1:secret:prod/db-abcdef', 'Name': 'prod/db', 'VersionStages': ['AWSCURRENT'],
            'SecretString': value if isinstance(value, str) or value is None else json.dumps(value), 'CreatedDate': 1577836800.0}


SEEDS = [
    ('s', LOGIN), ('s', {'username': 'app', 'password': 'x', 'port': '5433', 'database': 'app'}), ('s', {'username': 'app'}),
    ('s', ['no object']), ('s', {**LOGIN, 'port': 65536}), ('a', _answer(LOGIN)), ('a', _answer(None)), ('a', {'SecretBinary': 'AAEC'}),
    ('a', []), ('r', {'__type': 'ResourceNotFoundException', 'Message': 'not there'}),
    ('r', {'__type': 'com.amazon#ThrottlingException', 'message': 'slow\ndown'}), ('r', {'message': 'no type'}), ('r', None),
]
WORDS = ['secret', 'secret', 'unfit', 'unfit', 'unfit', 'secret', 'unfit', 'unfit', 'unfit', 'refused', 'again', 'refused', 'refused']


def seeds():
    return [kind.encode() + json.dumps(value).encode() for kind, value in SEEDS]


def made(chance):
    kind, value = chance.choice(SEEDS)
    for _ in range(chance.randrange(3)):
        if isinstance(value, dict):
            value = {**value, chance.choice(KEYS): chance.choice(VALUES + TYPES)}
            if chance.random() < 0.3:
                del value[chance.choice(list(value))]
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode()
    return kind.encode() + (damaged(chance, text) if chance.random() < 0.6 else text)

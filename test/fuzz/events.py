"""Events of all forms."""

import json

from .damage import damaged

OPTIONS = {'force': True, 'allow_data_loss': False, 'out_of_order': True, 'allow_changed': False, 'allow_missing': True,
           'plan': True, 'resume': 'skip', 'baseline': '1.2', 'variables': {'a': 'ä', 'b': 1, 'c': 1.5, 'd': False}}
TARGET = {'host': 'a,b', 'port': 5432, 'database': 'Größe', 'secret': 'other', 'bundle': 'bin'}
RESOURCE = {
    'RequestType': 'Update', 'ServiceToken': 'arn:x', 'ResponseURL': 'https://bucket.s3.invalid/a%2Fb?X=1&Y=2',
    'StackId': 'arn:aws:cloudformation:eu-central-1:1:stack/s/1', 'RequestId': 'r', 'LogicalResourceId': 'Schema',
    'PhysicalResourceId': 'rdsinit-0', 'ResourceType': 'Custom::Schema',
    'ResourceProperties': {'ServiceToken': 'arn:x', 'ServiceTimeout': '300', 'BundleChecksum': '0a' * 32, 'force': 'true',
                           'variables': {'a': 'b'}, 'secret': 'arn:aws:secretsmanager:eu-central-1:1:secret:own-abcdef'},
    'OldResourceProperties': {}}
EVENTS = [
    {}, None, [], OPTIONS, TARGET, {**OPTIONS, **TARGET}, [TARGET, {**TARGET, 'port': '1'}], RESOURCE,
    {**RESOURCE, 'RequestType': 'Create', 'ResponseURL': '...'}, {**RESOURCE, 'RequestType': 'Delete'},
    {'Records': [{'EventSource': 'aws:sns', 'Sns': {'Message': '{}'}}]},
    {'source': 'aws.rds', 'detail-type': 'x', 'detail': {}}, {'Type': 'Notification', 'TopicArn': 'x', 'Message': ''},
]
VALUES = [None, True, False, 0, -1, 65536, 2 ** 63 - 1, 1e308, '', ' ', 'x', 'true', '\x01' * 3000, '€' * 3000, '"\\' * 2000,
          'a' * 5000, 'arn:', 'arn::', '../..', '/', ',', ', ,', 'https://', 'http://127.0.0.1', [], {}, [[]], {'': ''}, 'own-abcdef']
# Secrets in a "Region" that is another host, but for one.
SECRET = 'arn:aws:secretsmanager:eu-central-1:1:secret:foo-AAAAAA'
SECRETS = [SECRET.replace('eu-central-1', region) for region in (
    'evil.example/x', 'a@127.0.0.1/x', 'evil.example?', 'evil.example#', '', '-', 'eu-central-1', 'eu.central-1', '\\x-y-1', '%2f-x-1')]
VALUES += [*SECRETS, 'arn:aws:s3:eu-central-1:1:x', 'arn:aws:secretsmanager:eu-central-1', 'arn:a.b:secretsmanager:eu-central-1:1:secret:x']
WORDS = ['request', 'request', 'refused', 'request', 'request', 'request', 'targets', 'resource',
         'provider', 'resource', 'refused', 'refused', 'refused']


def seeds():
    return [json.dumps(event).encode() for event in EVENTS]


def made(chance):
    event = chance.choice(EVENTS)
    for _ in range(chance.randrange(4)):
        event = other_value(chance, event)
    text = json.dumps(event, ensure_ascii=chance.random() < 0.5).encode('utf-8', 'surrogatepass')
    return damaged(chance, text) if chance.random() < 0.5 else text


def other_value(chance, value):
    """The value with one of its parts changed, added, renamed or taken away."""
    if chance.random() < 0.15:
        return chance.choice(VALUES)
    if isinstance(value, dict) and value:
        changed = dict(value)
        key = chance.choice(list(changed))
        kind = chance.randrange(5)
        if kind == 0:
            del changed[key]
        elif kind == 1:
            changed[chance.choice(list(OPTIONS) + list(TARGET) + list(RESOURCE) + ['', '\x7f'])] = chance.choice(VALUES)
        else:
            changed[key] = other_value(chance, changed[key])
        return changed
    if isinstance(value, list) and value:
        changed = list(value)
        changed[chance.randrange(len(changed))] = other_value(chance, chance.choice(changed))
        return changed * chance.choice([1] * 18 + [40, 101])
    return chance.choice(VALUES)

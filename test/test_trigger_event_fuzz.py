"""Damaged events of all forms, read under the sanitizers."""

import json
import os
import random
import struct
import subprocess

import pytest

from support.trigger import ROOT

SEED = int(os.environ.get('RDSINIT_FUZZ_SEED', '1'))
COUNT = int(os.environ.get('RDSINIT_FUZZ_COUNT', '20000'))

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
# Secrets in a "Region" that is another host.
SECRETS = ['arn:aws:secretsmanager:%s:1:secret:foo-AAAAAA' % region for region in (
    'evil.example/x', 'a@127.0.0.1/x', 'evil.example?', 'evil.example#', '', '-', 'eu-central-1', 'eu.central-1', '\\x-y-1', '%2f-x-1')]
VALUES += [*SECRETS, 'arn:aws:s3:eu-central-1:1:x', 'arn:aws:secretsmanager:eu-central-1', 'arn:a.b:secretsmanager:eu-central-1:1:secret:x']
PIECES = [b'"', b'\\', b'\\u0000', b'\\ud800', b'{', b'}', b'[', b']', b',', b':', b'\x00', b'\xff', b'\xc3', b'1e999', b'null', b'//', b'\xef\xbb\xbf']


@pytest.fixture(scope='session')
def fuzzed():
    """The program that reads events, built with the sanitizers."""
    built = subprocess.run(['make', '-s', '-C', ROOT / 'trigger', 'fuzz-event', 'WERROR=1'],
                           capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return ROOT / 'trigger' / 'fuzz-event'


def read(program, events):
    """What came of each event, in a word."""
    finished = subprocess.run([program], input=b''.join(struct.pack('=I', len(event)) + event for event in events),
                              capture_output=True, env={'UBSAN_OPTIONS': 'print_stacktrace=1'}, timeout=600)
    words = finished.stdout.decode().split()
    assert finished.returncode == 0, 'at event %d, %r\n%s' % (
        len(words), events[min(len(words), len(events) - 1)][:2000], finished.stderr.decode('utf-8', 'replace')[-4000:])
    assert len(words) == len(events)
    return words


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


def damaged(chance, text):
    """Bytes changed, cut, doubled or thrown in."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.randrange(20))
        text = chance.choice([
            text[:at], text[:at] + text[to:], text[:to] + text[at:], text[:at] + chance.choice(PIECES) + text[at:],
            text[:at] + bytes([chance.randrange(256)]) + text[at + 1:]])
    return text


def test_the_undamaged_ones_are_understood(fuzzed):
    words = read(fuzzed, [json.dumps(event).encode() for event in EVENTS])
    assert words == ['request', 'request', 'refused', 'request', 'request', 'request', 'targets', 'resource',
                     'provider', 'resource', 'refused', 'refused', 'refused']


def test_an_arn_chooses_no_host(fuzzed):
    words = read(fuzzed, [json.dumps({**TARGET, 'secret': secret}).encode() for secret in SECRETS])
    assert [secret for secret, word in zip(SECRETS, words) if word != 'refused'] == [
        'arn:aws:secretsmanager:eu-central-1:1:secret:foo-AAAAAA']


def test_damaged_ones_do_no_harm(fuzzed):
    chance = random.Random(SEED)
    events = []
    for _ in range(COUNT):
        event = chance.choice(EVENTS)
        for _ in range(chance.randrange(4)):
            event = other_value(chance, event)
        text = json.dumps(event, ensure_ascii=chance.random() < 0.5).encode('utf-8', 'surrogatepass')
        events.append(damaged(chance, text) if chance.random() < 0.5 else text)
    words = read(fuzzed, events)
    assert {'request', 'targets', 'resource', 'provider', 'refused'} == set(words), 'a form has not been met'

"""Damaged events, secrets and bundles, read under the sanitizers; ./dev fuzz gives them more."""

import json
import os
import random
import struct
import subprocess

import pytest

from fuzz import INPUTS, events
from support.trigger import ROOT

SEED = int(os.environ.get('RDSINIT_FUZZ_SEED', '1'))
COUNT = {reader: int(os.environ.get('RDSINIT_FUZZ_COUNT', count)) for reader, count in (
    ('event', '20000'), ('secret', '20000'), ('bundle', '10000'))}

ENVIRONMENT = {'ASAN_OPTIONS': 'detect_leaks=1', 'UBSAN_OPTIONS': 'print_stacktrace=1'}


@pytest.fixture(scope='module')
def readers():
    """The programs that read, built with the sanitizers."""
    built = subprocess.run(['make', '-s', '-C', ROOT / 'trigger', 'sanitized', 'WERROR=1'], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return ROOT / 'build' / 'sanitized'


def read(program, texts):
    """What came of each text, in a word."""
    finished = subprocess.run([program], input=b''.join(struct.pack('=I', len(text)) + text for text in texts),
                              capture_output=True, env=ENVIRONMENT, timeout=120)
    words = finished.stdout.decode().split()
    assert finished.returncode == 0, 'at text %d, %r\n%s' % (
        len(words), texts[min(len(words), len(texts) - 1)][:2000], finished.stderr.decode('utf-8', 'replace')[-4000:])
    assert len(words) == len(texts)
    return words


@pytest.mark.parametrize('reader', INPUTS)
def test_the_undamaged_ones_are_understood(readers, reader):
    assert read(readers / ('read-' + reader), INPUTS[reader].seeds()) == INPUTS[reader].WORDS


@pytest.mark.parametrize('reader', INPUTS)
def test_damaged_ones_do_no_harm(readers, reader):
    chance = random.Random(SEED)
    words = read(readers / ('read-' + reader), [INPUTS[reader].made(chance) for _ in range(COUNT[reader])])
    assert set(words) >= set(INPUTS[reader].WORDS), 'a form has not been met'


def test_an_arn_chooses_no_host(readers):
    words = read(readers / 'read-event', [json.dumps({**events.TARGET, 'secret': secret}).encode() for secret in events.SECRETS])
    assert [secret for secret, word in zip(events.SECRETS, words) if word != 'refused'] == [events.SECRET]

"""The trigger's manual page: well formed, and complete."""

import re
import shutil
import subprocess

import pytest

from support import sources
from support.documents import ROOT

PAGE = ROOT / 'trigger' / 'rdsinit-trigger.1'
# Lambda's own, which no table of ours has.
LAMBDA = {'AWS_LAMBDA_RUNTIME_API', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME'}


@pytest.fixture(scope='module')
def text():
    return PAGE.read_text(encoding='ascii')


def checked(*command):
    """What a formatter has to remark."""
    if not shutil.which(command[0]):
        pytest.fail('%s is not installed: ./dev test does that' % command[0])
    finished = subprocess.run([*command, PAGE], capture_output=True, text=True, check=False)
    return finished.stderr + (finished.stdout if command[0] == 'mandoc' else '')


def test_mandoc_and_groff_find_nothing_wrong():
    remarks = checked('mandoc', '-T', 'lint', '-W', 'style')
    assert [line for line in remarks.splitlines() if 'mandoc.db' not in line and 'no such manual' not in line] == []
    assert checked('groff', '-ww', '-mdoc', '-T', 'utf8') == ''


def test_they_would_find_it(tmp_path):
    """As the other tests in this file would: a macro that there is none of."""
    broken = tmp_path / 'broken.1'
    broken.write_text(PAGE.read_text(encoding='ascii').replace('.Sh FILES', '.Sh FILES\n.Xx', 1), encoding='ascii')
    finished = subprocess.run(['mandoc', '-T', 'lint', '-W', 'style', broken], capture_output=True, text=True, check=False)
    assert 'Xx' in finished.stdout + finished.stderr


def test_the_options_are_those_of_the_program(text):
    listed = re.findall(r'^\.It Fl -([\w-]+)', text, re.MULTILINE)
    assert sorted(listed) == sorted(sources.command_line())
    synopsis = text.split('.Sh SYNOPSIS')[1].split('.Sh')[0]
    assert set(re.findall(r'-([a-z][\w-]*)', synopsis)) - {'trigger'} == set(sources.command_line())


def test_the_variables_are_those_that_it_reads(text):
    listed = [name for line in re.findall(r'^\.It (Ev .*)$', text, re.MULTILINE) for name in re.findall(r'Ev (\w+)', line)]
    assert len(listed) == len(set(listed))
    assert set(listed) - LAMBDA == set(sources.variables())
    got = set(re.findall(r'getenv\("(\w+)"\)', sources.sources('trigger/*.c')))
    assert got <= set(re.findall(r'\.Ev (\w+)', text))


def test_defaults_are_said(text):
    for name, default in sources.variables().items():
        if default not in (None, 'false'):
            described = re.search(r'^\.It [^\n]*Ev %s\b(.*?)(?=^\.It|^\.El)' % name, text, re.MULTILINE | re.DOTALL).group(1)
            assert re.search(r'\b%s\b' % default, described), '%s: %s' % (name, default)


def test_the_types_of_errors_are_those_of_the_program(text):
    assert re.findall(r'^\.It (Rdsinit\.\w+)', text, re.MULTILINE) == sources.error_types()

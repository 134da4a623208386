"""The documents name all that there is, and nothing that there is not; their links lead somewhere."""

import re
import shutil
import subprocess

import pytest

from support import sources
from support.documents import (ROOT, anchors, blocks, codes, documents, links, prose, section, table_rows, text_of)
from support.trigger import program

EXTENSION, TRIGGER, ERRORS = 'doc/rdsinit.md', 'doc/trigger.md', 'doc/errors.md'


def first_cells(text):
    """The codes of the first column of all tables in a piece of text."""
    return [code for row in table_rows(text) for code in codes(row[0])]


def without_duplicates(names):
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)
    return set(names)


# Form

def test_no_document_is_forgotten():
    tracked = shutil.which('git') and subprocess.run(['git', 'ls-files', '*.md'], cwd=ROOT, capture_output=True, text=True, check=False)
    if not tracked or tracked.returncode != 0:
        pytest.skip('this is no checkout of git')
    assert set(tracked.stdout.split()) <= set(documents())


@pytest.mark.parametrize('path', documents())
def test_links_lead_somewhere(path):
    for text, target in links(path):
        if re.match(r'https?://', target):
            continue
        name, _, anchor = target.partition('#')
        there = ((ROOT / path).parent / name).resolve() if name else ROOT / path
        assert there.exists(), '%s: [%s](%s): there is no such file' % (path, text, target)
        if anchor:
            assert anchor in anchors(str(there.relative_to(ROOT))), '%s: [%s](%s): no such heading' % (path, text, target)


@pytest.mark.parametrize('path', documents())
def test_tables_have_as_many_cells_in_each_row(path):
    width = None
    for line in prose(path).splitlines():
        if not line.startswith('|'):
            width = None
            continue
        cells = len(re.findall(r'(?<!\\)\|', line)) - 1
        assert width in (None, cells), '%s: %s' % (path, line)
        width = cells


def test_the_changelog_is_kept_in_a_known_form():
    """keepachangelog.com's: versions with dates, the newest first, and what was done to users, by kind."""
    text = text_of('CHANGELOG.md')
    heads = re.findall(r'^## (.*)$', text, re.MULTILINE)
    assert heads and all(re.fullmatch(r'\[(Unreleased|\d+\.\d+\.\d+)\]( - (Unreleased|\d{4}-\d\d-\d\d))?', head) for head in heads), heads
    kinds = re.findall(r'^### (.*)$', text, re.MULTILINE)
    assert kinds and set(kinds) <= {'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'}
    (version,) = re.findall(r"default_version = '(.*)'", sources.source('rdsinit.control'))
    assert '[%s]' % version in heads[0] or '[%s]' % version in heads[1], 'no word of version %s' % version


# The extension

def test_each_function_is_described_with_its_arguments():
    text = text_of(EXTENSION)
    for name, arguments in sources.signatures().items():
        assert re.search(r'`(?:CALL )?(?:rdsinit\.)?%s\b' % name, text), '%s is not in %s' % (name, EXTENSION)
    shown = re.findall(r'rdsinit\.(\w+)\(([a-z]\w* [a-z][^`\n]*)\)', text)
    for name, arguments in shown:
        assert sources.signatures().get(name) == arguments, 'rdsinit.%s(%s) is shown' % (name, arguments)
    longer = {name for name in sources.signatures() if not re.search(r'_(text|html)$', name) and sources.signatures()[name]}
    assert {name for name, _ in shown} >= longer


def test_no_function_is_made_up():
    there = set(sources.signatures()) | set(sources.relations())
    for path in documents():
        text = text_of(path)
        for name in re.findall(r'(?<![\w./-])rdsinit\.([a-z]\w*)', text):
            assert name in there | {'control', 'md', 'so', 'c', 'h', 'zip'}, '%s: rdsinit.%s' % (path, name)


@pytest.mark.parametrize('name', sorted(sources.results()))
def test_each_column_of_a_result_is_described(name):
    where = {'outcome': "rdsinit.apply(name text, script text, options jsonb DEFAULT '{}')", 'plan_step': 'The plan', 'history': 'The history',
             'pending': "rdsinit.pending(names text[], scripts text[], options jsonb DEFAULT '{}')",
             'statements': 'rdsinit.statements(script text)', 'drift': 'Drift', 'objects': 'Drift', 'object': 'Drift'}[name]
    assert set(sources.results()[name]) <= set(codes(section(EXTENSION, where)))


def test_the_options_are_those_that_the_extension_takes():
    assert without_duplicates(first_cells(section(EXTENSION, 'Options'))) == set(sources.options())


def test_the_options_of_a_database_are_too():
    types = {'IDENTIFIER': 'string', 'TEXT': 'string', 'NUMBER': 'number', 'BOOLEAN': 'boolean'}
    rows = table_rows(section(EXTENSION, "rdsinit.ensure_database(name text, options jsonb DEFAULT '{}')"))
    assert sorted((name, row[1]) for row in rows for name in codes(row[0])) == sorted(
        (name, types[type_]) for name, type_ in sources.database_options())


def test_the_plans_rules_are_those_that_warn():
    rules = [row for row in table_rows(section(EXTENSION, 'The plan')) if 'warning' in row[1] or '-' in row[0] or row[0] in ('`index`', '`validation`')]
    assert {code for row in rules for code in codes(row[0])} - {'warnings', 'wal_bytes'} == sources.plan_rules()


# Errors

def documented_errors():
    """(SQLSTATEs, message) of the page's first part; a row without SQLSTATEs has those of its heading."""
    found = []
    for part in re.split(r'^### ', section(ERRORS, 'The extension'), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition('\n')
        of_all = set(re.findall(r'\b[0-9A-Z]{5}\b', heading))
        for cell, _ in table_rows(text):
            states = set()
            for message, state in re.findall(r'`([^`]+)`|\b([0-9A-Z]{5})\b', cell):
                if state:
                    states.add(state)
                else:
                    found.append((states or of_all, sources.generic(message)))
            found += [(states, None)] if states else []
    return found


def test_each_error_that_the_extension_raises_is_described_under_its_sqlstate():
    described = documented_errors()
    for states, message in sources.raised():
        under = [each for each, text in described if text == message]
        assert under, '%s: "%s" is not in %s' % (sorted(states), message, ERRORS)
        assert states <= set.union(*under), '"%s" is %s' % (message, sorted(states))


def test_no_error_is_made_up():
    there = {message for _, message in sources.raised()}
    there.add('could not get …')       # rds_retry puts this together, from a lock of any kind
    assert 'psprintf("could not get %s"' in sources.source('src/retry.c')
    assert [message for _, message in documented_errors() if message is not None and message not in there] == []


def test_the_triggers_sqlstates_are_described_too():
    text = text_of(ERRORS)
    assert [state for state in sorted(sources.sqlstates_of_the_trigger()) if state not in text] == []


def test_each_type_of_error_of_the_trigger_is_described_with_what_to_do():
    rows = table_rows(section(ERRORS, 'The trigger'))
    assert [codes(row[0]) for row in rows] == [[name] for name in sources.error_types()]
    assert all(len(row) == 3 and len(row[1]) > 10 and len(row[2]) > 10 for row in rows)


@pytest.mark.parametrize('path', documents())
def test_no_type_of_error_is_made_up(path):
    assert set(re.findall(r'Rdsinit\.\w+', text_of(path))) <= set(sources.error_types())


# The trigger

def test_the_variables_are_those_that_the_trigger_reads():
    rows = table_rows(section(TRIGGER, 'Environment'))
    assert without_duplicates([name for row in rows for name in codes(row[0])]) == set(sources.variables())
    for row in rows:
        defaults = [sources.variables()[name] for name in codes(row[0])]
        if any(defaults):
            shown = codes(row[1])
            assert shown == defaults or shown == sorted(set(defaults)), row


def test_the_programs_own_help_knows_the_same_variables_and_options():
    told = subprocess.run([program(), '--help'], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r'\b[A-Z]+_[A-Z_]+\b', told)) - {'AWS_LAMBDA_RUNTIME_API'} == \
        set(sources.variables()) - {'AWS_DEFAULT_REGION'}
    assert set(re.findall(r'--([a-z][\w-]*)', told)) == set(sources.command_line())


def test_the_options_by_hand_are_those_of_the_command_line():
    shown = re.findall(r'--([a-z][\w-]*)', ' '.join(first_cells(section(TRIGGER, 'By hand'))))
    assert without_duplicates(shown) == set(sources.command_line())


def test_the_events_keys_are_those_that_are_known():
    keys = sources.event_keys()
    events = without_duplicates(first_cells(section(TRIGGER, 'Events').split('is refused by name')[1]))
    assert events == {name for name, use in keys.items() if use != 'RESOURCE'}
    resources = section(TRIGGER, 'Custom resources')
    assert {name for name, use in keys.items() if use == 'RESOURCE'} <= set(codes(resources))


@pytest.mark.parametrize('path', documents())
def test_no_variable_is_made_up(path):
    there = set(sources.variables()) | set(re.findall(r'\bRDSINIT_\w+', sources.source('dev') + sources.sources('test/**/*.py')))
    named = set(re.findall(r'\b(?:RDSINIT|DB)_[A-Z_]+[A-Z]\b', text_of(path)))
    assert named <= there, sorted(named - there)


# The language of all

@pytest.mark.parametrize('path', documents())
def test_blocks_say_what_they_are(path):
    """But for those that show what the block before them prints."""
    before = None
    for block in blocks(path):
        assert block.language or (before and before.language in ('sql', 'sh')), block
        before = block


# CONTRIBUTING.md

def test_the_files_and_functions_that_contributors_are_led_to_are_there():
    text = text_of('CONTRIBUTING.md')
    functions = sources.names_of_functions('src/**/*.c') | sources.names_of_functions('trigger/*.c') | {'f'}
    named = codes(prose('CONTRIBUTING.md')) + re.findall(r'[\w./]+\.[ch]\b', ''.join(
        block.text for block in blocks('CONTRIBUTING.md') if block.language == 'text'))
    for code in named:
        if re.fullmatch(r'[\w./-]+\.(c|h|sh|py|1|sql|md)', code):
            places = [ROOT / code, ROOT / 'src' / code, ROOT / 'trigger' / code, ROOT / 'trigger' / 'package' / code]
            assert any(place.exists() for place in places), 'there is no %s' % code
        elif re.fullmatch(r'[\w./-]+…\.c', code):
            assert list(ROOT.glob('*/' + code.replace('…', '*'))), 'there is no %s' % code
        elif re.fullmatch(r'[\w/]+/', code):
            assert (ROOT / code).is_dir() or (ROOT / 'src' / code).is_dir() or code == 'results/', 'there is no %s' % code
        elif re.fullmatch(r'[a-z]+(_[a-z]+)+', code):
            known = functions | set(re.findall(r'\w+', sources.sources('src/*.c') + sources.sources('test/**/*.py')))
            assert code in known, 'there is no %s' % code
        elif re.fullmatch(r'R[Dd][Ss]_?\w+', code):
            assert code in sources.sources('src/*.h'), 'there is no %s' % code
    walked = section('CONTRIBUTING.md', 'Adding a statement kind')
    assert len({code for code in codes(walked) if code in functions}) >= 10
    assert text.count('```c\n') >= 3


def test_its_commands_are_those_of_dev():
    told = subprocess.run([ROOT / 'dev', 'help'], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r'^  ([a-z][\w-]*)', told, re.MULTILINE)) | {'help'}
    shown = [code.split()[0] for code in first_cells(section('CONTRIBUTING.md', 'Begin'))]
    assert without_duplicates(shown) <= known, sorted(set(shown) - known)


# How fast it is

def numbers(cells):
    return [float(number) for cell in cells for number in re.findall(r'^\d+\.\d+', cell)]


def test_the_times_in_the_readme_are_those_that_were_measured():
    """Rounded, and each in a row of the same name in bench/README.md."""
    measured = table_rows(text_of('bench/README.md'))
    shown = [row for row in table_rows(section('README.md', 'How fast it is')) if row[0]]
    assert len(shown) >= 4
    for row in shown:
        name = row[0].split(', 1 ms away')[0]
        rows = [numbers(each[1:]) for each in measured if each[0] == name]
        found = any(all(min(abs(one - other) for other in each) <= 0.005001 for one in numbers(row[1:])) for each in rows if each)
        assert found, '%s: %s is not in %s' % (name, numbers(row[1:]), rows)

"""Security: each promise of SECURITY.md names tests that there are."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXT = (ROOT / 'SECURITY.md').read_text()


def named():
    """(file, test) of each; what begins with '::' is in the file that was named last."""
    file = None
    for found in re.finditer(r'`(test_\w+\.py)?(::(\w+))?`', TEXT):
        file = found[1] or file
        if found[3]:
            yield file, found[3]


def test_each_test_that_is_named_is_there():
    tests = list(named())
    assert len(tests) > 60
    missing = [(file, test) for file, test in tests
               if not re.search(r'^def %s\(' % test, (ROOT / 'test' / file).read_text(), re.MULTILINE)]
    assert missing == []


def test_each_promise_names_one():
    rows = [line for line in TEXT.split('\n') if line.startswith('| ') and TEXT.index(line) > TEXT.index('## What the extension promises')]
    promises = [row for row in rows if row != '| promise | test |']
    assert len(promises) > 40
    assert [row for row in promises if not re.search(r'\| .*(::test_|sql/)', row)] == []


def test_each_security_test_is_named():
    in_files = {(path.name, test) for path in (ROOT / 'test').glob('test_security_*.py')
                for test in re.findall(r'^def (test_\w+)\(', path.read_text(), re.MULTILINE)}
    assert len(in_files) > 60
    # What only shows that another test can fail, or that ordinary use goes on.
    others = {'test_the_traps_are_deadly', 'test_a_superusers_own_is_run_where_nobody_else_may_write', 'test_the_owners_own_undo_scripts_are',
              'test_a_role_that_is_not_there_has_no_rights', 'test_the_owners_ledger_is_good_enough_for_ordinary_roles',
              'test_it_can_be_installed_however_strings_are_read', 'test_each_test_that_is_named_is_there', 'test_each_promise_names_one',
              'test_each_security_test_is_named'}
    assert sorted(test for file, test in in_files - set(named()) if test not in others) == []

"""Applies a case in every way, each to a fresh database of the same name, and compares."""

import contextlib
import dataclasses
import functools
import pathlib
import re
import shutil
import tempfile
import uuid

from support import Database
from support.database import quoted

from . import state, ways
from .cases import includes, rendered, without_transactions

# Statements that psql has no objection to until it runs them, and rdsinit before it runs anything.
# The one statement that psql -1 takes, as a transaction's first, and a script must not hold: the call is
# in a transaction already.  See "What a script may hold" in doc/rdsinit.md.
REFUSED_BY_RULE = 'SET TRANSACTION is not allowed in a script'

CHECKED_BEFOREHAND = ('42601', '0A000', '25001')


@dataclasses.dataclass
class Verdict:
    """What became of one script in one way.  `reason` is None where it is as psql has it."""
    case: str
    script: str
    way: str
    wanted: ways.Result
    reason: str = None
    details: list = dataclasses.field(default_factory=list)


class CannotPrepare(Exception):
    """A case's prerequisites are not to be had on this server."""


class Runner:
    def __init__(self, server, chosen=None):
        self.server = server
        self.ways = chosen or self._available()
        self.name = 'rdsinit_corpus_' + uuid.uuid4().hex[:8]

    def _available(self):
        """apply_file as soon as the server has it."""
        chosen = ['apply', 'apply_file', 'plain']
        with self._scratch() as database:
            database.rows('CREATE EXTENSION rdsinit')
            if not database.value("SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'apply_file' "
                                  "AND pronamespace = 'rdsinit'::regnamespace)"):
                chosen.remove('apply_file')
        return chosen

    @contextlib.contextmanager
    def _scratch(self):
        database = Database(self.server, 'rdsinit_corpus_' + uuid.uuid4().hex[:8])
        database.create()
        try:
            yield database
        finally:
            database.drop()

    def run(self, case):
        """A verdict for each script and way; raises CannotPrepare."""
        roles_before = state.roles(self.server)
        with tempfile.TemporaryDirectory(prefix='rdsinit-corpus-') as directory:
            pathlib.Path(directory).chmod(0o755)
            template = Database(self.server, self.name + '_template')
            try:
                self._prepare(template, case)
                prepared = state.roles(self.server)
                scripts = _distinct([_readable(path, pathlib.Path(directory)) for path in case.scripts],
                                    pathlib.Path(directory))
                references, wanted = self._judge(template, case, scripts, pathlib.Path(directory), prepared)
                again = functools.cache(lambda: self._judge_again(template, case, references, prepared))
                for way in self.ways:
                    yield from self._compare(template, case, scripts, way, references, wanted, again, prepared)
            finally:
                template.drop()
                state.drop_roles(self.server, state.roles(self.server).keys() - roles_before.keys())

    def _prepare(self, template, case):
        template.drop()
        template.create()
        try:
            for role in case.roles:
                self.server.rows('CREATE ROLE %s' % quoted(role))
            if case.sql_first.strip():
                template.rows(case.sql_first)
        except Exception as error:
            raise CannotPrepare(str(error).split('\n', 1)[0]) from error
        for path in case.files_first:
            result = ways.psql(path, template, case.variables)
            if not result.ok:
                raise CannotPrepare('%s: %s' % (path.name, result))

    @contextlib.contextmanager
    def _fresh(self, template, roles_before, extension=False):
        """The template's copy, always of the same name, since a script may say it and a dump does."""
        database = Database(self.server, self.name)
        database.drop()
        self.server.rows('CREATE DATABASE %s TEMPLATE %s' % (quoted(database.name), quoted(template.name)))
        if extension:
            database.rows('CREATE EXTENSION rdsinit')
        try:
            yield database
        finally:
            database.drop()
            state.drop_roles(self.server, state.roles(self.server).keys() - roles_before.keys())

    # --- psql ---

    def _judge(self, template, case, scripts, directory, roles_before):
        """psql's results, and what the server holds afterwards."""
        with self._fresh(template, roles_before) as database:
            references = [self._judge_one(template, database, case, path, directory) for path in scripts]
            return references, self._outcome(database)

    def _judge_again(self, template, case, references, roles_before):
        """What psql leaves the second time: now() and random() are never the same."""
        with self._fresh(template, roles_before) as database:
            for wanted in references:
                ways.psql(wanted.judged, database, case.variables)
                if not wanted.ok:
                    _go_on(wanted.judged, database, case)
            return self._outcome(database)

    def _outcome(self, database):
        return state.dump(database), state.roles(self.server)

    def _judge_one(self, template, database, case, path, directory):
        """A script's own COMMIT ends psql's transaction: then what psql makes of it without those lines counts."""
        stripped = path
        if any(without_transactions(each.read_bytes()) != each.read_bytes() for each in includes(path).values()):
            target = directory / uuid.uuid4().hex
            stripped = _copied(path, target, without_transactions)
        result = ways.psql(stripped, database, case.variables)
        result.judged = stripped
        result.later = ()
        if not result.ok:
            with self._scratch_of(template) as other:       # goes on, and may commit
                result.later = ways.psql(stripped, other, case.variables, stop=False).errors
            _go_on(stripped, database, case)
        return result

    @contextlib.contextmanager
    def _scratch_of(self, template):
        database = Database(self.server, self.name + '_other')
        roles_before = state.roles(self.server)
        self.server.rows('CREATE DATABASE %s TEMPLATE %s' % (quoted(database.name), quoted(template.name)))
        try:
            yield database
        finally:
            database.drop()
            state.drop_roles(self.server, state.roles(self.server).keys() - roles_before.keys())

    # --- rdsinit ---

    def _compare(self, template, case, scripts, way, references, wanted_outcome, again, roles_before):
        with self._fresh(template, roles_before, extension=way != 'plain') as database:
            for path, original, wanted in zip(scripts, case.scripts, references):
                verdict = Verdict(case.name, original.name if len(scripts) == 1 else
                                  '%s/%s' % (original.parent.name, original.name), way, wanted)
                found = ways.WAYS[way](path, database, case.variables)
                verdict.reason = _judgement(path, wanted, found)
                if not wanted.ok:
                    _go_on(wanted.judged, database, case)
                elif not found.ok and len(scripts) > 1:
                    ways.psql(wanted.judged, database, case.variables)      # for the sake of those after it
                last = verdict
                if len(scripts) > 1:
                    yield verdict
            state.forget_rdsinit(database)
            found_outcome = self._outcome(database)
        reason, details = _difference(wanted_outcome, found_outcome, again)
        if len(scripts) > 1:
            last = Verdict(case.name, '(all)', way, ways.Result(True))
        if reason and (last.reason is None or not last.wanted.ok):
            last.reason = '; '.join(filter(None, [last.reason, reason]))
            last.details = details
        if len(scripts) == 1 or reason:
            yield last


def _go_on(path, database, case):
    """A migration that is refused in a transaction alone is run without one, so that the next can follow."""
    if len(case.scripts) > 1:
        ways.psql(path, database, case.variables, single=False)


def _judgement(path, wanted, found):
    """None, or how the result is not psql's."""
    if found.message.startswith('CRASH'):
        return str(found)
    if wanted.ok:
        return None if found.ok or REFUSED_BY_RULE in found.message else 'refused: %s' % found
    if found.ok:
        return 'applied, though psql says %s' % wanted
    if _same_place(wanted, found) and wanted.sqlstate in (None, found.sqlstate):
        return None
    if found.first is not None and found.sqlstate in CHECKED_BEFOREHAND and _refused_beforehand(path, wanted, found):
        return None
    return 'refused otherwise: %s; psql says %s' % (found, wanted)


def _same_place(wanted, found):
    if wanted.first is None:
        return True
    if found.first is None or pathlib.Path(found.file or '').name != pathlib.Path(wanted.file).name:
        return False
    return wanted.first <= found.first <= wanted.last


def _refused_beforehand(path, wanted, found):
    """Another error, further on, that the check of the whole found before anything ran.

    It has to be an error in psql's eyes as well, when psql goes on behind the first one; or a
    meta-command, which psql would have carried out.
    """
    source = includes(path).get(found.file, path)
    if any(_same_place(other, found) and other.sqlstate == found.sqlstate for other in wanted.later):
        return True
    lines = source.read_bytes().split(b'\n')
    return found.sqlstate == '0A000' and found.first <= len(lines) and \
        re.match(rb'\s*\\(connect|c|copy|!|prompt|password)\b', lines[found.first - 1]) is not None


def _difference(wanted, found, again):
    """(reason, details): how what is there is not what psql made; (None, []) where it is."""
    (lines, roles), (found_lines, found_roles) = wanted, found
    if found_lines != lines and again()[0] != lines:
        lines, found_lines = state.without_data(lines), state.without_data(found_lines)
        if state.without_data(again()[0]) != lines:
            return 'psql itself makes another schema each time', state.first_difference(
                lines, state.without_data(again()[0]))
    if found_lines != lines:
        return 'the dumps differ', state.first_difference(lines, found_lines)
    if found_roles != roles:
        return 'the roles differ', state.first_difference(list(roles.values()), list(found_roles.values()))
    return None, []


# --- files ----------------------------------------------------------------------------------

def _distinct(scripts, directory):
    """The second script of a version under a name that has none: it would be the same one, changed."""
    seen, distinct = set(), []
    for path in scripts:
        version = re.match(r'\d[\d.]*_', path.name)
        if version and version[0] in seen:
            path = pathlib.Path(shutil.copy(path, directory / ('also_' + path.name)))
        seen.add(version and version[0])
        distinct.append(path)
    return distinct


def _readable(path, directory):
    """The script itself, or a copy of it with its templates filled in."""
    if rendered(path.read_bytes()) == path.read_bytes():
        return path
    return _copied(path, directory / uuid.uuid4().hex, rendered)


def _copied(path, directory, change):
    """A copy of a script and of what it includes, each changed."""
    for name, source in includes(path).items():
        target = directory / name           # an absolute name is itself: out of reach, not copied
        if target != source:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(change(source.read_bytes()))
    return directory / path.name

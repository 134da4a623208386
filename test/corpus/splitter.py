"""Three that say where a script's statements begin and end, and whether they agree.

rdsinit.statements() is one.  The server's parser is another, given the whole script in one
message: it parses all of it before it looks at the first statement, and in a transaction that
has failed it then refuses that one, so that nothing is ever run.  psql's lexer is the third.
Where psql and the server differ, in bodies of BEGIN ATOMIC, the server is right.
"""

import dataclasses
import re
import subprocess

from .libpq import Connection, Error

GUARD = b'SELECT;'                      # never a COMMIT, which would end the failed transaction
SPACE = b' \t\n\r\f'                   # \v is one from PostgreSQL 16 on, and left out of the tests
LEXICAL = re.compile('unterminated|trailing junk|invalid Unicode|bit string|zero-length')
# What is written after a COPY is no SQL.
DATA = re.compile(rb'^(copy\s[^;]*?\bfrom\s+stdin\b[^;]*;[^\n]*\n)(.*?)(^\\\.\r?$|\Z)', re.IGNORECASE | re.DOTALL | re.MULTILINE)
FROM_STDIN = re.compile(rb'\bcopy\b[^;]*\bstdin\b', re.IGNORECASE)
VARIABLE = re.compile(rb':[\'"]?(DBNAME|USER|HOST|PORT|ENCODING|VERSION|SERVER_VERSION|AUTOCOMMIT|ON_ERROR_STOP)|:\{\?')
EXIT = re.compile(rb'(commit|end|rollback|abort|prepare)\b', re.IGNORECASE)


class PsqlLexer:
    """psqlscan.c, compiled and running."""

    def __init__(self, directory, pg_config):
        def ask(what):
            return subprocess.run([pg_config, '--' + what], check=True, capture_output=True, text=True).stdout.strip()
        source = __file__.replace('splitter.py', 'psqlscan.c')
        program = str(directory / 'psqlscan')
        subprocess.run(
            ['cc', '-o', program, source, '-I' + ask('includedir'), '-I' + ask('includedir') + '/internal',
             '-I' + ask('includedir-server'), '-L' + ask('pkglibdir'), '-L' + ask('libdir'),
             '-lpgfeutils', '-lpgcommon', '-lpgport', '-lpq'], check=True)
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def split(self, script):
        """(statements, how it ended): as psql sends them, with comments and semicolons."""
        self._process.stdin.write(b'%d\n%s' % (len(script), script))
        self._process.stdin.flush()
        found = []
        while True:
            line = self._process.stdout.readline()
            if not line[:1].isdigit():
                return found, line.strip().decode()
            found.append(self._process.stdout.read(int(line)))


def without_leading(text):
    """Without the space and the comments before a statement."""
    at = 0
    while True:
        if text[at:at + 1] and text[at:at + 1] in SPACE:
            at += 1
        elif text.startswith(b'--', at):
            end = text.find(b'\n', at), text.find(b'\r', at)
            at = min((each for each in end if each >= 0), default=len(text))
        elif text.startswith(b'/*', at):
            at = _comment_end(text, at)
        else:
            return text[at:]


def _bare(texts):
    """psql's statements without leading comments and semicolons; what is nothing else is none."""
    *ended, last = texts
    found = [without_leading(text)[:-1].rstrip(SPACE) for text in ended] + [without_leading(last).rstrip(SPACE)]
    return [text for text in found if text]


def _offset(lines, line, column):
    """Of a place, in bytes."""
    before = lines[line - 1].decode('utf-8')[:column - 1]
    return sum(len(each) + 1 for each in lines[:line - 1]) + len(before.encode('utf-8'))


def _semicolons(text):
    """How many there are; None where there is anything else but comments."""
    count = 0
    while True:
        text = without_leading(text)
        if not text.startswith(b';'):
            return None if text else count
        text, count = text[1:], count + 1


def _comment_end(text, at):
    depth = 0
    for match in re.finditer(rb'/\*|\*/', text[at:]):
        depth += 1 if match[0] == b'/*' else -1
        if depth == 0:
            return at + match.end()
    return len(text)


@dataclasses.dataclass(frozen=True)
class Refusal:
    sqlstate: str
    line: int = None
    column: int = None
    statement: int = None
    message: str = dataclasses.field(default='', compare=False)

    def __str__(self):
        return '%s at %s:%s (statement %s): %s' % (self.sqlstate, self.line, self.column, self.statement, self.message)


class Splitters:
    def __init__(self, lexer, strict=False, **parameters):
        self.lexer = lexer
        self.strict = strict
        self.elsewhere = 0              # refused at another place of the same statement
        self.parameters = {**parameters, 'options': '-c statement_timeout=20s -c client_min_messages=error'}
        self.connect()

    def connect(self):
        self._rdsinit = Connection(**self.parameters)
        self._failed = Connection(**self.parameters)
        for sql in (b'BEGIN', b'SELECT 1/0'):
            try:
                self._failed.execute(sql)
            except Error:
                pass

    def close(self):
        self._rdsinit.close()
        self._failed.close()

    def statements(self, script):
        """[(line, column, text)] of rdsinit, or a Refusal."""
        try:
            rows = self._rdsinit.execute_parameters(
                b'SELECT line, col, text FROM rdsinit.statements($1) ORDER BY ordinal', script)
            return [(int(line), int(column), text) for line, column, text in rows]
        except Error as error:
            place = re.search(r'^script:(\d+):(\d+)(?:: statement (\d+))?', error.context or '', re.MULTILINE)
            return Refusal(error.sqlstate, *(int(each) if each else None for each in place.groups() if place),
                           message=error.message) if place else Refusal(error.sqlstate, message=error.message)

    def whole(self, script):
        """None where the server parses it, or a Refusal."""
        try:
            self._failed.execute(GUARD + script)
        except Error as error:
            if error.sqlstate == '25P02':
                return None
            if error.position is None:
                return Refusal(error.sqlstate, message=error.message)
            before = script.decode('utf-8')[:error.position - 1 - len(GUARD)]
            return Refusal(error.sqlstate, before.count('\n') + 1, len(before) - before.rfind('\n'),
                           message=error.message)
        raise AssertionError('the guard was not refused')

    def is_one(self, text):
        """Whether the server sees exactly one statement in it."""
        try:
            self._failed.parse(text)
        except Error as error:
            return error.sqlstate == '25P02'
        return EXIT.match(text) is not None

    def disagreement(self, script):
        """None, or what they do not agree on."""
        found = self.statements(script)
        wanted = self.whole(script)
        texts, end = self.lexer.split(script)
        # Meta-commands and variables that psql has of itself are no SQL, and the server's parser no judge.
        # Nor of what is behind COPY … FROM stdin, which is data.
        if end == 'B' or b'\\;' in script or b'\\:' in script or VARIABLE.search(script) or FROM_STDIN.search(script):
            return None
        if wanted is not None:
            return self._refusals_differ(script, found, wanted)
        if isinstance(found, Refusal):
            return 'rdsinit refuses what the server parses: %s' % found
        return self._not_proven(script, found) or \
            self._not_psql(script, [text for _, _, text in found], _bare(texts))

    def _refusals_differ(self, script, found, wanted):
        """Another place in the same statement is let pass, unless `strict`, where it has one of two reasons:
        rdsinit reads all tokens of a statement before it parses any, and parses it without its semicolon.
        """
        if not isinstance(found, Refusal):
            return 'rdsinit accepts %d statements; the server: %s' % (len(found), wanted)
        if (found.sqlstate, found.line, found.column) == (wanted.sqlstate, wanted.line, wanted.column):
            return None
        if not self.strict and found.sqlstate == wanted.sqlstate and found.line and wanted.line:
            lines = script.split(b'\n')
            places = sorted(_offset(lines, each.line, each.column) for each in (found, wanted))
            at_end = found.message.endswith('at end of input') and \
                not without_leading(script[places[0]:places[1] + 1]).strip(SPACE + b';')
            if (LEXICAL.match(found.message) or at_end) and self._in_one(script, *places):
                self.elsewhere += 1
                return None
        return 'rdsinit: %s; the server: %s' % (found, wanted)

    def _in_one(self, script, first, second):
        """Whether two places are in one statement, as psql's lexer sees it."""
        at = 0
        for text in self.lexer.split(script)[0]:
            at = script.find(text, at) + len(text)
            if first < at:
                return second <= at + len(script[at:]) - len(script[at:].lstrip(SPACE))
        return True

    def _not_proven(self, script, found):
        """The whole parses; if each piece is one statement, and only semicolons are between, they are its statements."""
        lines, at = script.split(b'\n'), 0
        for number, (line, column, text) in enumerate(found, 1):
            start = _offset(lines, line, column)
            if start < at or not script.startswith(text, start):
                return 'statement %d is not at %d:%d' % (number, line, column)
            semicolons = _semicolons(script[at:start])
            if semicolons is None or (number > 1 and semicolons == 0):
                return 'something else is before statement %d, or no semicolon' % number
            if not self.is_one(text):
                return 'statement %d is not one statement' % number
            at = start + len(text)
        return None if _semicolons(script[at:]) is not None else 'something else is behind the last statement'

    def _not_psql(self, script, found, wanted):
        if found == wanted or re.search(rb'\batomic\b', script, re.IGNORECASE):
            return None
        different = next((i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1]), min(len(found), len(wanted)))
        return 'statement %d of %d: psql sees %d, and there %r' % (
            different + 1, len(found), len(wanted), wanted[different][:200] if different < len(wanted) else None)


def shrunk(script, fails):
    """A smaller script that fails as well."""
    size = len(script) // 2
    while size > 0:
        at = 0
        while at < len(script):
            shorter = script[:at] + script[at + size:]
            if fails(shorter):
                script = shorter
            else:
                at += size
        size //= 2
    return script

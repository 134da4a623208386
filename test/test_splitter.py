"""rdsinit.statements() ends a statement where the server's parser and psql's lexer do: on real
scripts, and on ones that were damaged at random.

RDSINIT_FUZZ_COUNT says how many, RDSINIT_FUZZ_SEED makes another run; RDSINIT_FUZZ_STRICT=1 asks for the
server's own place of an error, not only for its statement.
"""

import os
import pathlib
import random
import re
import time

import pytest

from corpus.libpq import ConnectionLost
from corpus.splitter import DATA, PsqlLexer, Refusal, Splitters, shrunk, without_leading
from support import Database

pytestmark = pytest.mark.extension

ROOT = pathlib.Path(__file__).resolve().parent.parent
OWN = pathlib.Path(__file__).resolve().parent / 'corpus' / 'own'
ELSEWHERE = os.environ.get('RDSINIT_CORPUS')
COUNT = int(os.environ.get('RDSINIT_FUZZ_COUNT', '10000'))
SEED = int(os.environ.get('RDSINIT_FUZZ_SEED', '20261122'))
MOST_SECONDS = 30 if 'RDSINIT_FUZZ_COUNT' not in os.environ else 1e9

# Lines that begin with a backslash are no SQL.
COMMAND = re.compile(rb'^\\\w[^\n]*$', re.MULTILINE)

PIECES = [
    "'", '"', '$$', '$a$', '$é$', '/*', '*/', '--', '\n', '\r\n', '\f', ';', ';;', '(', ')', '[', ']', ',', ':', '::', ':a',
    ":'a'", "E'", "U&'", "B'", "X'", "N'", "''", '""', "\\'", ' UESCAPE ', ' begin ', ' BEGIN ATOMIC ', ' END', ' end;', ' case ',
    ' CREATE ', ' OR REPLACE ', ' FUNCTION f() ', ' PROCEDURE p() ', ' SCHEMA s ', ' RETURN 1 ', ' atomic ', 'é', '日本', '\U0001f600',
    '1', '1e', '0x', '1.', '..', '$1', '@', '<=', '->>', '?', '%', '\ufeff', ' ', '\t', 'SELECT 1', 'select begin.end', 't.end', ' AS end',
    'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);', '/* ; /* ; */ ; */', "'a'\n'b'", "'a' 'b'", '-- ;\n', '\x7f', '\x01']

MORE = [
    'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; SELECT 3; END; SELECT 4;',
    'CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END; CREATE TABLE t (n int);',
    'CREATE SCHEMA s CREATE TABLE t (n int) CREATE VIEW v AS SELECT 1; SELECT (SELECT 1);',
    "DO $$ BEGIN PERFORM 'x'; END $$; SELECT U&'d!0061t' UESCAPE '!'; SELECT E'\\'', '\\', $1;",
    'SELECT 1 AS "end", begin.end FROM begin; BEGIN; SELECT 2; END; START TRANSACTION; COMMIT;',
    'CREATE RULE r AS ON UPDATE TO t DO INSTEAD (DELETE FROM u; INSERT INTO u VALUES (new.n)); SELECT 1']


@pytest.fixture(scope='module')
def splitters(server, has_extension, tmp_path_factory):
    if not has_extension:
        pytest.skip('this server does not have the extension rdsinit')
    database = Database(server).create()
    lexer = PsqlLexer(tmp_path_factory.mktemp('psqlscan'), os.environ.get('PG_CONFIG', 'pg_config'))
    try:
        database.rows('CREATE EXTENSION rdsinit')
        made = Splitters(lexer, strict=os.environ.get('RDSINIT_FUZZ_STRICT') == '1', dbname=database.name)
        yield made
        made.close()
    finally:
        lexer.close()
        database.drop()


def sql_alone(script):
    """A script's SQL; data and meta-commands leave their lines empty, and a COPY reads a file."""
    script = DATA.sub(lambda match: from_file(match[1]) + b'\n' * (match[2] + match[3]).count(b'\n'), script)
    return COMMAND.sub(b'', script)


def from_file(copy):
    return re.sub(rb'\bstdin\b', b"'aaa'", copy, count=1, flags=re.IGNORECASE)


def paths():
    directories = [OWN] + ([pathlib.Path(ELSEWHERE)] if ELSEWHERE else [])
    return sorted(path for directory in directories for path in directory.rglob('*.sql'))


def text_of(path):
    """A script in UTF-8, or None."""
    body = path.read_bytes().removeprefix(b'\xef\xbb\xbf')
    try:
        body.decode('utf-8')
    except UnicodeDecodeError:
        return None
    return None if b'\0' in body else body


# --- scripts as they are ----------------------------------------------------------------------

def test_real_scripts(splitters):
    """The SQL of each: what is neither data nor for psql alone."""
    checked, failures = 0, []
    for path in paths():
        script = text_of(path)
        if script is None or b'standard_conforming_strings = off' in script.lower():
            continue                    # the parser sees all of it with the settings of the beginning
        reason = splitters.disagreement(sql_alone(script))
        checked += 1
        if reason:
            failures.append('%s: %s' % (path.name, reason))
    print('%d scripts' % checked)
    assert failures == []
    assert checked > 10


def test_data_and_meta_commands_are_no_statements(splitters):
    """With them, the statements are those of the SQL alone."""
    compared, failures = 0, []
    for path in paths():
        script = text_of(path)
        if script is None or not (DATA.search(script) or COMMAND.search(script)):
            continue
        found, alone = splitters.statements(script), splitters.statements(sql_alone(script))
        if isinstance(found, Refusal) or isinstance(alone, Refusal) or re.search(rb'^\s*\\(if|set|ir?)\b', script, re.MULTILINE):
            continue                    # test_corpus.py looks at what is refused
        compared += 1
        found, alone = ([(line, column, from_file(text) if re.match(rb'copy\b', text, re.IGNORECASE) else text)
                         for line, column, text in each] for each in (found, alone))
        if found != alone:
            different = next((pair for pair in zip(found, alone) if pair[0] != pair[1]), None)
            failures.append('%s: %d and %d statements; %r' % (path.name, len(found), len(alone), different))
    assert failures == []
    assert compared > 0


# --- damaged scripts --------------------------------------------------------------------------

def originals():
    texts = list(MORE) + [(ROOT / 'examples' / 'schema.sql').read_text(encoding='utf-8')]
    for path in paths():
        script = text_of(path)
        if script is not None and len(script) < 100_000:
            texts.append(sql_alone(script).decode('utf-8'))
    return [text for text in texts if text.strip()]


def damaged(rng, texts):
    """Some lines of a script, with a few things put in, taken out, doubled or moved."""
    lines = rng.choice(texts).splitlines(keepends=True)
    start = rng.randrange(len(lines))
    text = ''.join(lines[start:start + rng.choice((1, 3, 8, 20))])[:3000]
    if rng.random() < 0.3:
        text += rng.choice(MORE)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
        at, to = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        kind = rng.randrange(6)
        if kind <= 2:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 3:
            text = text[:at] + text[min(to, at + 5):]
        elif kind == 4:
            text = text[:at] + text[at:to][:40] + text[at:]
        else:
            tokens = re.findall(r'\w+|\s+|.', text, re.DOTALL)
            if len(tokens) > 1:
                one, two = rng.randrange(len(tokens)), rng.randrange(len(tokens))
                tokens[one], tokens[two] = tokens[two], tokens[one]
            text = ''.join(tokens)
    return text.replace('\0', '').lstrip('\ufeff').encode('utf-8')


def test_damaged_scripts(splitters):
    rng, texts = random.Random(SEED), originals()
    print('RDSINIT_FUZZ_SEED=%d, %d scripts to damage' % (SEED, len(texts)))
    deadline, count, parsed, failures = time.monotonic() + MOST_SECONDS, 0, 0, []
    while count < COUNT and time.monotonic() < deadline and len(failures) < 10:
        script = damaged(rng, texts)
        count += 1
        try:
            reason = splitters.disagreement(script)
            parsed += splitters.whole(script) is None
        except ConnectionLost as error:
            pytest.fail('RDSINIT_FUZZ_SEED=%d, script %d: %s\n%r' % (SEED, count, error, script))
        if reason:
            small = shrunk(script, lambda each: _valid(each) and _kind(splitters.disagreement(each)) == _kind(reason))
            failures.append('script %d: %s\n    %r' % (count, splitters.disagreement(small), small))
    print('%d scripts, %d of them right, %d refused at another place of the same statement' % (
        count, parsed, splitters.elsewhere))
    assert not failures, 'RDSINIT_FUZZ_SEED=%d\n%s' % (SEED, '\n'.join(failures))
    assert count >= min(COUNT, 1000) and parsed > count // 50


def _kind(reason):
    """A reason without what is of this script alone."""
    return re.sub(r"\d+|'.*|\".*", '', reason) if reason else None


def _valid(script):
    try:
        return not script.decode('utf-8').startswith('\ufeff')
    except UnicodeDecodeError:
        return False


# --- the test itself: it has to see what is wrong ------------------------------------------------

@pytest.mark.parametrize('script, texts, reason', [
    (b'SELECT 1; SELECT 2', [(1, 1, b'SELECT 1'), (1, 11, b'SELECT 2')], None),
    (b'SELECT 1; SELECT 2', [(1, 1, b'SELECT 1; SELECT 2')], 'is not one statement'),
    (b'SELECT 1; SELECT 2', [(1, 1, b'SELECT 1')], 'something else is behind'),
    (b'SELECT 1; SELECT 2', [(1, 11, b'SELECT 2')], 'something else is before'),
    (b'SELECT 1; SELECT 2', [(1, 1, b'SELECT 1'), (1, 10, b'SELECT 2')], 'is not at 1:10'),
    (b'SELECT 1; SELECT 2', Refusal('42601', 1, 1), 'refuses what the server parses'),
    (b'SELECT 1; SELEKT 2', [(1, 1, b'SELECT 1')], 'accepts 1 statements'),
    (b'SELECT 1; SELEKT 2', Refusal('42601', 1, 12), 'the server: 42601 at 1:11'),
    (b'SELECT 1; SELEKT 2', Refusal('42601', 1, 11), None),
], ids=str)
def test_a_wrong_split_is_seen(splitters, monkeypatch, script, texts, reason):
    monkeypatch.setattr(splitters, 'statements', lambda script: texts)
    found = splitters.disagreement(script)
    assert found is None if reason is None else reason in found


def test_nothing_is_run(splitters):
    for script in (b'CREATE TABLE t (n int)', b'COMMIT; CREATE TABLE t (n int)', b'ROLLBACK; CREATE TABLE t (n int)'):
        assert splitters.whole(script) is None
    assert splitters._rdsinit.execute(b"SELECT to_regclass('t') IS NULL") == [(b't',)]


def test_what_precedes_a_statement():
    assert without_leading(b" \n-- a\n/* b /* c */ */\t;x") == b';x'

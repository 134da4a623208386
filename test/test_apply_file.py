"""rdsinit.apply_file: a file or a directory on the server."""

import contextlib
import os
import pathlib
import shutil
import tempfile

import psycopg2
import pytest

from support.scripts import SHOP, checksum

pytestmark = pytest.mark.extension


@pytest.fixture
def extended(database):
    """A database with the extension."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    return database


@pytest.fixture
def files():
    """A directory that the server can read."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-files-'))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def apply(extended):
    """apply(path, options) gives (name, outcome, statements, rows) of each script."""
    def call(path, options='{}'):
        return extended.rows('SELECT name, outcome, statements, rows FROM rdsinit.apply_file(%s, %s)',
                             (str(path), options))
    return call


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o644)
    return path


def test_a_file_is_known_by_its_own_name(apply, extended, files):
    path = write(files / 'schema.sql', SHOP)
    assert apply(path) == [('schema.sql', 'applied', 3, 2)]
    assert apply(path) == [('schema.sql', 'unchanged', 0, 0)]
    assert extended.value('SELECT checksum FROM rdsinit.status') == checksum(SHOP)
    # It is the same script, however it comes.
    assert extended.value("SELECT outcome FROM rdsinit.apply('schema.sql', %s)", (SHOP,)) == 'unchanged'


def test_a_directory_is_a_bundle_in_the_order_of_names(apply, extended, files):
    write(files / 'b.sql', 'CREATE VIEW v AS TABLE t;')
    write(files / 'a' / 'table.sql', 'CREATE TABLE t (n int);')
    write(files / 'c' / 'd' / 'rows.sql', 'INSERT INTO t VALUES (1), (2)')
    write(files / 'readme.txt', 'THIS IS NO SQL')
    write(files / '.hidden.sql', 'THIS IS NO SQL')
    assert apply(files) == [('a/table.sql', 'applied', 1, 0), ('b.sql', 'applied', 1, 0), ('c/d/rows.sql', 'applied', 1, 2)]
    write(files / 'c' / 'd' / 'rows.sql', 'INSERT INTO t VALUES (3)')
    assert apply(str(files) + '/') == [
        ('a/table.sql', 'unchanged', 0, 0), ('b.sql', 'unchanged', 0, 0), ('c/d/rows.sql', 'applied', 1, 1)]


def test_all_of_a_directory_or_nothing(apply, extended, files):
    write(files / 'a.sql', 'CREATE TABLE t (n int);')
    write(files / 'b.sql', 'SELECT 1;\nSELECT nosuchcolumn;')
    with pytest.raises(psycopg2.errors.UndefinedColumn) as caught:
        apply(files)
    assert caught.value.diag.context == 'b.sql:2:8: statement 2'
    assert extended.relations() == [] and extended.history('rdsinit') == []


def test_what_a_script_includes_is_read_beside_it(apply, extended, files):
    main = write(files / 'main.sql', '\\ir parts/one.sql\n\\i parts/two.sql\n')
    write(files / 'parts' / 'one.sql', 'CREATE TABLE one (n int);\n\\ir two.sql')
    write(files / 'parts' / 'two.sql', 'CREATE TABLE IF NOT EXISTS two (n int);')
    assert apply(main) == [('main.sql', 'applied', 3, 0)]
    assert apply(main) == [('main.sql', 'unchanged', 0, 0)]
    write(files / 'parts' / 'two.sql', 'CREATE TABLE IF NOT EXISTS two (n bigint);')
    write(files / 'parts' / 'one.sql', 'CREATE TABLE three (n int);\n\\ir two.sql')
    assert apply(main) == [('main.sql', 'applied', 3, 0)]
    # In a directory its parts are no scripts of their own.
    assert [name for name, *_ in apply(files)] == ['main.sql']


def test_nothing_outside_of_the_bundle_is_read(apply, files):
    outside = write(files / 'outside.sql', 'SELECT 1')
    bundle = files / 'bundle'
    write(bundle / 'main.sql', '\\ir link.sql')
    (bundle / 'link.sql').symlink_to(outside)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege) as caught:
        apply(bundle / 'main.sql')
    assert '"link.sql" leads out of the bundle' in str(caught.value)
    assert caught.value.diag.context == 'main.sql:1:1'
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        apply(bundle)

    (bundle / 'link.sql').unlink()
    (bundle / 'link.sql').symlink_to('real.sql')
    write(bundle / 'real.sql', 'SELECT 1')
    assert apply(bundle / 'main.sql') == [('main.sql', 'applied', 1, 0)]

    write(bundle / 'main.sql', '\\ir ../outside.sql')
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        apply(bundle / 'main.sql')
    write(bundle / 'main.sql', '\\i /etc/passwd')
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        apply(bundle / 'main.sql')


def test_only_who_may_read_the_server_s_files_may_apply_them(extended, files, role):
    path = write(files / 'schema.sql', 'SELECT 1')
    name, password = role()
    extended.rows('GRANT EXECUTE ON FUNCTION rdsinit.apply_file TO "%s"' % name)
    with contextlib.closing(extended.connect(name, password)) as connection:
        cursor = connection.cursor()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege) as caught:
            cursor.execute('SELECT * FROM rdsinit.apply_file(%s)', (str(path),))
        assert 'pg_read_server_files' in caught.value.diag.message_detail
        extended.rows('GRANT pg_read_server_files TO "%s"' % name)
        cursor.execute('SELECT outcome FROM rdsinit.apply_file(%s)', (str(path),))
        assert cursor.fetchall() == [('applied',)]


@pytest.mark.parametrize('make, error', [
    (lambda files: files / 'nosuch.sql', psycopg2.errors.UndefinedFile),
    (lambda files: 'schema.sql', psycopg2.errors.InvalidName),
    (lambda files: files, psycopg2.errors.UndefinedFile),
    (lambda files: os.mkfifo(files / 'pipe.sql') or files / 'pipe.sql', psycopg2.errors.WrongObjectType),
    (lambda files: '/etc/shadow', psycopg2.errors.InsufficientPrivilege)])
def test_what_is_no_file_to_be_read_is_an_error(apply, files, make, error):
    with pytest.raises(error):
        apply(make(files))


def test_an_include_of_a_directory_is_an_error(apply, files):
    path = write(files / 'main.sql', 'SELECT 1;\n\\ir parts')
    (files / 'parts').mkdir()
    with pytest.raises(psycopg2.errors.WrongObjectType) as caught:
        apply(path)
    assert caught.value.diag.context == 'main.sql:2:1'


def test_a_file_that_changes_while_it_is_applied_is_an_error(apply, extended, files):
    path = files / 'schema.sql'
    # Longer than what is read of it at a time.
    write(path, "CREATE TABLE t (n int);\nCOPY (SELECT 'SELECT 2;') TO '%s';\n" % path + '-- and so on\n' * 10_000)
    path.chmod(0o666)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState) as caught:
        apply(path)
    assert 'changed while it was applied' in str(caught.value)
    assert extended.relations() == []


def test_a_file_is_in_the_encoding_that_it_says(apply, extended, files):
    latin = "SET client_encoding = 'LATIN1';\nCREATE TABLE \"Größe\" (n text);\nCOPY \"Größe\" FROM stdin;\nzwölf\n\\.\nINSERT INTO \"Größe\" VALUES ('ä');\n"
    assert apply(write(files / 'latin1.sql', latin.encode('latin-1'))) == [('latin1.sql', 'applied', 4, 2)]
    assert extended.rows('SELECT n FROM "Größe" ORDER BY n') == [('zwölf',), ('ä',)]
    assert apply(write(files / 'bom.sql', b'\xef\xbb\xbfSELECT 1;\r\nSELECT 2')) == [('bom.sql', 'applied', 2, 0)]


@pytest.mark.parametrize('content, context', [
    (b'SELECT 1;\nSELECT \'\xff\';\n', 'bad.sql:2'),
    (b'SELECT 1;\n\nSELECT 2;\0\n', 'bad.sql:3'),
    (bytes(range(256)) * 10, 'bad.sql:1'),
    (b'CREATE TABLE t (n text);\nCOPY t FROM stdin;\ngood\n\xff\n\\.\n', 'bad.sql:4')])
def test_what_is_not_in_that_encoding_is_named_with_its_line(apply, extended, files, content, context):
    with pytest.raises(psycopg2.errors.CharacterNotInRepertoire) as caught:
        apply(write(files / 'bad.sql', content))
    assert caught.value.diag.context.split('\n')[-1].startswith(context + ':')
    assert extended.relations() == []


def test_a_large_dump_needs_little_memory(extended, files):
    """However long the data, or the script, is: at most 64 MiB more than an idle session has."""
    path = files / 'dump.sql'
    row = 'some text that is about as long as usual\t%d\n'
    with open(path, 'w', encoding='ascii') as dump:
        dump.write('CREATE TABLE t (s text, n int);\nCOPY t FROM stdin;\n')
        for n in range(0, 2_000_000, 10_000):
            dump.write(''.join(row % i for i in range(n, n + 10_000)))
        dump.write('\\.\n')
        for n in range(30_000):
            dump.write('INSERT INTO t VALUES (\'%s\', %d);\n' % ('x' * 1000, n))
    path.chmod(0o644)
    assert path.stat().st_size > 120_000_000

    with contextlib.closing(extended.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute('SELECT 1')
        idle = _private_memory(connection.info.backend_pid)
        cursor.execute('SELECT statements, rows FROM rdsinit.apply_file(%s)', (str(path),))
        assert cursor.fetchall() == [(30_002, 2_030_000)]
        assert _private_memory(connection.info.backend_pid) - idle < 64 * 1024


def _private_memory(pid):
    """In KiB, at its peak."""
    with open('/proc/%d/status' % pid, encoding='ascii') as file:
        status = {words[0].rstrip(':'): words[1] for words in map(str.split, file) if len(words) > 1}
    return int(status['VmHWM']) - int(status['RssFile']) - int(status['RssShmem'])

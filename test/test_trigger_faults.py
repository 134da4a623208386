"""A full disk: the deployment fails with the server's message, nothing stays, and the next one succeeds."""

import os
import shutil
import subprocess

import pytest

from support import Database

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason='only root can mount a small disk')

BUNDLE = {'V1__first.sql': 'CREATE TABLE first (n int);',
          'V2__filled.sql': "CREATE TABLE filled TABLESPACE small AS SELECT repeat('x', 1000) AS text FROM generate_series(1, 8000);"}


@pytest.fixture
def small(cluster, tmp_path):
    """A server with a tablespace on a disk of 4 MB, and that disk."""
    here = cluster().start()
    disk = here.directory / 'small'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'none', disk], capture_output=True).returncode != 0:
        pytest.skip('no file system can be mounted here')
    try:
        shutil.chown(disk, 'postgres', 'postgres')
        here.server.rows("CREATE TABLESPACE small LOCATION '%s'" % disk)
        yield here.server, disk
    finally:
        here.stop()
        subprocess.run(['umount', disk], check=True)


def test_a_full_disk(trigger, small):
    server, disk = small
    database = Database(server)
    running = trigger(BUNDLE, at=database, RDSINIT_MODE='plain')
    payload = running.fail()
    assert (payload['errorType'], payload['sqlstate'], payload['file']) == ('Rdsinit.Script', '53100', 'V2__filled.sql')
    assert 'No space left on device' in payload['errorMessage']
    assert database.relations() == []

    subprocess.run(['mount', '-o', 'remount,size=64m', disk], check=True)
    assert [script['outcome'] for script in running.succeed()['scripts']] == ['applied', 'applied']
    assert database.value('SELECT count(*) FROM filled') == 8000
    assert [script['outcome'] for script in running.succeed()['scripts']] == ['unchanged', 'unchanged']

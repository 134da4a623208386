"""A full disk and a killed server: the deployment fails, nothing stays, and the next one succeeds."""

import os
import shutil
import subprocess

import pytest

from support import Database

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


@pytest.mark.skipif(os.getuid() != 0, reason='only root can mount a small disk')
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


def test_a_killed_server(trigger, cluster):
    """Every process of it at once, as with its machine; it stays away until the deployment has given up."""
    here = cluster().start()
    database = Database(here.server).create()
    database.rows('CREATE TABLE slow AS SELECT 60 AS seconds')
    running = trigger('CREATE TABLE made ();\nSELECT pg_sleep(seconds) FROM slow;', at=database, RDSINIT_MODE='plain')
    invocation = running.send(timeout_s=6)
    Database(here.server, 'postgres').wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    here.kill(all_at_once=True)
    outcome = running.outcome(invocation)
    assert (outcome.kind, outcome.error_type) == ('error', 'Rdsinit.Connection'), outcome.payload
    assert outcome.elapsed < 6

    (here.data / 'postmaster.pid').unlink()
    here.start()
    assert database.relations() == ['public.slow']
    database.rows('UPDATE slow SET seconds = 0')
    assert [running.succeed()['scripts'][0]['outcome'] for _ in range(2)] == ['applied', 'unchanged']
    assert database.relations() == ['public.made', 'public.slow']

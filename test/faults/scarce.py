"""What runs out: the disk that the data is on, the disk that the WAL is on, memory."""

import errno
import os
import pathlib
import shutil
import subprocess

import psycopg2

from support.cluster import children

from . import rounds
from .call import Call
from .server import Victim
from .state import Violation

SEGMENT = 1024 * 1024


class Disk:
    """A small file system in memory, of which others leave only so much."""

    def __init__(self, path, megabytes):
        self.path = path
        path.mkdir(mode=0o700)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%dm,mode=0700' % megabytes, 'none', path], check=True)
        shutil.chown(path, 'postgres', 'postgres')

    @property
    def free(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def leave(self, size):
        """Fills it but for so many bytes, while the server may be taking some of them."""
        with open(self.path / 'ballast', 'wb') as ballast:
            while self.free > size + 4096:
                try:
                    os.posix_fallocate(ballast.fileno(), 0, os.fstat(ballast.fileno()).st_size + self.free - size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def give(self):
        (self.path / 'ballast').unlink(missing_ok=True)

    def remove(self):
        subprocess.run(['umount', '--lazy', self.path], check=True)


class Scale:
    """How much a call needs: what was measured first, corrected by what is seen, so that most get too little."""

    def __init__(self, needed):
        self.needed = needed

    def part(self, part):
        return self.needed * part

    def learn(self, ended):
        self.needed *= 0.9 if ended.error is None else 1.02


class OnDisk(Victim):
    """A cluster whose data, or whose WAL alone, is on a disk of its own."""

    def __init__(self, what, **settings):
        # Small segments, so that the WAL fills the disk little by little, and none is kept for later.
        super().__init__(max_wal_size='4MB', min_wal_size='2MB', wal_recycle='off', wal_init_zero='on', **settings)
        self.what, self.disk = what, None

    def make_data(self):
        self.disk = Disk(self.directory / 'disk', 400 if self.what == 'data' else 60)
        wal = self.directory / 'wal' if self.what == 'data' else self.disk.path / 'wal'
        if self.what == 'data':
            place = self.disk.path / 'data'
            place.mkdir(mode=0o700)
            shutil.chown(place, 'postgres', 'postgres')
            self.data.symlink_to(place)
        self.initdb('--waldir=%s' % wal, '--wal-segsize=1')

    def leave(self, size):
        """For the WAL, the rest of a segment as well: it is written on until so much of it is left."""
        if self.what == 'WAL':
            self.server.rows('SELECT pg_switch_wal()')
            self.server.rows("SELECT pg_logical_emit_message(false, '', repeat('x', %s))", (SEGMENT - size % SEGMENT - 200,))
            size -= size % SEGMENT
        self.disk.leave(size)

    def answers(self):
        """A postmaster gives up when it cannot recover for want of room; until it has decided, it is asked again."""
        while (self.data / 'postmaster.pid').exists():
            try:
                os.kill(self.postmaster, 0)
                self.wait(0.2)
                return True
            except (psycopg2.OperationalError, FileNotFoundError):
                continue
            except ProcessLookupError:
                break
        return False

    def remove(self):
        try:
            self.stop()
        finally:
            if self.disk:
                self.disk.remove()
            shutil.rmtree(self.directory, ignore_errors=True)


def _full(what, how):
    """Rounds in which the disk gets full: of what an undisturbed call takes of it, there is only a part."""
    def kind(name, count, seed):
        if os.getuid() != 0:
            raise PermissionError('only root can mount a small disk')
        cluster = OnDisk(what).initialize()
        try:
            cluster.start().prepare()
            subject = rounds.Subject(cluster, how)
            scale = Scale(_needed(cluster, how))
            return rounds.run(name, subject, count, seed, _break_off(cluster, subject, scale))
        finally:
            cluster.remove()

    def _break_off(cluster, subject, scale):
        def break_off(_stack, database, moment, _generator, _at_statement):
            cluster.server.rows('CHECKPOINT')
            broken = Call(database, how)
            cluster.leave(int(scale.part(moment / subject.duration)))
            broken.start().end(120)
            cluster.disk.give()
            scale.learn(broken)
            if not cluster.answers():
                cluster.start_again()
            cluster.wait()
            return broken
        return break_off
    return kind


def _needed(cluster, how):
    """How much of the disk a call takes; of the WAL's, how much it writes."""
    database = cluster.database()
    cluster.server.rows('CHECKPOINT')
    before, position = cluster.disk.free, cluster.server.value('SELECT pg_current_wal_insert_lsn()')
    broken = Call(database, how).start().end()
    if broken.error is not None:
        raise broken.error
    needed = before - cluster.disk.free
    if cluster.what == 'WAL':
        needed = int(cluster.server.value('SELECT pg_current_wal_insert_lsn() - %s', (position,)))
    database.drop()
    return needed


def _starved(how):
    """Rounds in which the backend, and the worker, may take only a part of the memory that they need."""
    def kind(name, count, seed):
        with Victim() as cluster:
            subject = rounds.Subject(cluster, how)
            scales = {process: Scale(needed) for process, needed in _memory(cluster, how).items()}
            return rounds.run(name, subject, count, seed, _starve(cluster, subject, scales))

    def _starve(cluster, subject, scales):
        def break_off(_stack, database, moment, generator, _at_statement):
            part = moment / subject.duration
            broken = Call(database, how)
            log = len(cluster.log())
            # The one or the other, or both.
            starved = generator.choice([['backend'], ['worker'], ['backend', 'worker']]) if how == 'deploy' else ['backend']
            if 'backend' in starved:
                _limit(broken.pid, scales['backend'].part(part))
            if 'worker' in starved:
                _limit(cluster.postmaster, scales['worker'].part(part))
            try:
                broken.start().end(120)
            finally:
                _limit(cluster.postmaster, None)
            for process in starved:
                scales[process].learn(broken)
            said = [line for line in cluster.log()[log:].splitlines() if 'was terminated by signal' in line or 'PANIC' in line]
            if said:
                raise Violation('too little memory has ended a process: %s' % said)
            return broken
        return break_off
    return kind


def _limit(pid, more):
    """So many bytes more than the process has now; set by its own user, which root need not be allowed to for others."""
    limit = 'unlimited' if more is None else _memory_of(pid, 'VmSize') + int(more)
    as_postgres = dict(user='postgres', group='postgres', extra_groups=[]) if os.getuid() == 0 else {}
    subprocess.run(['prlimit', '--pid=%d' % pid, '--as=%s:' % limit], check=True, **as_postgres)


def _memory_of(pid, what):
    for line in pathlib.Path('/proc/%d/status' % pid).read_text().splitlines():
        if line.startswith(what + ':'):
            return int(line.split()[1]) * 1024
    return 0


def _memory(cluster, how):
    """How much more the backend, and the worker, come to have than at their beginning."""
    database = cluster.database()
    broken = Call(database, how)
    at_first, postmaster, worker = _memory_of(broken.pid, 'VmSize'), cluster.postmaster, 0
    broken.start()
    peak = at_first
    while broken.running:
        for pid in children(postmaster):
            try:
                command = pathlib.Path('/proc/%d/cmdline' % pid).read_text()
                if 'rdsinit:' in command:
                    worker = max(worker, _memory_of(pid, 'VmPeak'))
                elif pid == broken.pid:
                    peak = max(peak, _memory_of(pid, 'VmPeak'))
            except OSError:
                pass
    broken.end()
    database.drop()
    return {'backend': peak - at_first, 'worker': max(0, worker - _memory_of(postmaster, 'VmSize'))}


KINDS = {
    'deploy: the disk of the data is full': _full('data', 'deploy'),
    'deploy: the disk of the WAL is full': _full('WAL', 'deploy'),
    'apply: too little memory': _starved('apply'),
    'deploy: too little memory': _starved('deploy'),
}

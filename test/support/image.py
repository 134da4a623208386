"""A Dockerfile, carried out in a throw-away tree over this machine: no container engine is needed, and no base image.

COPY and RUN do what they say; apt-get is left out, since what the images take from Debian is here already.
Only root can do it.
"""

import fnmatch
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from .installation import ROOT, major

_TREE = r'''
set -eu
tree=$1/tree
mkdir -p "$tree"
mount -t tmpfs tmpfs "$tree"
mkdir "$tree/upper" "$tree/work" "$tree/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$tree/upper,workdir=$tree/work" "$tree/root"
mount --rbind /dev "$tree/root/dev"
mount -t proc proc "$tree/root/proc"
mount --bind "$1/share" "$tree/root/mnt"
# Not optimised, which would take three times as long.
export MAKEFLAGS=-j2 COPT=-O0
# Nobody else's server or socket.
rm -rf "$tree/root/run/postgresql"
install -d -o postgres -g postgres "$tree/root/run/postgresql"
exec chroot "$tree/root" sh -eu /mnt/build
'''


def why_no_tree():
    """Why no throw-away tree can be mounted over this machine here; None where it can."""
    if os.getuid() != 0:
        return 'only root can make a throw-away tree'
    mounts = '''
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
'''
    if subprocess.run(['unshare', '--mount', '--pid', '--net', '--fork', 'sh', '-ec', mounts], capture_output=True, check=False).returncode != 0:
        return 'no tree can be mounted over this machine here'
    return None


class Image:
    def __init__(self, dockerfile):
        self.dockerfile = ROOT / dockerfile
        self.arguments = {'PG_MAJOR': str(major())}
        self.stages = []
        for line in re.sub(r'\\\n', ' ', self.dockerfile.read_text()).splitlines():
            if line.strip() and not line.startswith('#'):
                self._read(*line.split(None, 1))

    def _read(self, instruction, rest):
        if instruction == 'ARG':
            name = rest.split('=')[0]
            assert name in self.arguments, 'ARG %s: the test has no value for it' % name
        elif instruction == 'FROM':
            words = rest.split()
            self.stages.append({'from': words[0], 'name': words[2] if words[1:2] == ['AS'] else None, 'steps': []})
        elif instruction in ('COPY', 'RUN', 'USER'):
            self.stages[-1]['steps'].append((instruction, self._filled(rest)))
        else:
            raise AssertionError('%s: the test does not know %s' % (self.dockerfile, instruction))

    def _filled(self, text):
        return re.sub(r'\$\{(\w+)\}', lambda match: self.arguments[match[1]], text)

    def context(self, directory):
        """The checkout without what is ignored, as docker build sends it."""
        ignored = self.dockerfile.with_name(self.dockerfile.name + '.dockerignore').read_text().split()
        everywhere = [pattern[3:] for pattern in ignored if pattern.startswith('**/')]

        def ignore(at, names):
            top = pathlib.Path(at) == ROOT
            return [name for name in names
                    if (top and name in ignored) or any(fnmatch.fnmatch(name, pattern) for pattern in everywhere)]
        shutil.copytree(ROOT, directory, ignore=ignore, symlinks=True)

    def commands(self):
        """The Dockerfile as commands of a shell; what a stage FROM scratch holds is left in /mnt/scratch."""
        for stage in self.stages:
            root = '/mnt/scratch' if stage['from'] == 'scratch' else ''
            for instruction, text in stage['steps']:
                if instruction == 'COPY':
                    yield self._copy(root, *shlex.split(text))
                elif instruction == 'RUN' and not text.startswith('apt-get'):
                    yield text

    def _copy(self, root, *words):
        base = '/mnt/context'
        if words[0].startswith('--from='):
            assert words[0][7:] in [stage['name'] for stage in self.stages]
            base, words = '', words[1:]
        source, target = words
        source = '%s/%s' % (base, source.lstrip('/'))
        return 'mkdir -p %s; if [ -d %s ]; then cp -rT %s %s; else cp %s %s; fi' % (
            *map(shlex.quote, (root + (target if target.endswith('/') else os.path.dirname(target) or '/'),
                               source, source, root + target, source, root + target)),)

    def run(self, directory, *more, timeout=300):
        """Builds it and runs more commands in it; what they leave in /mnt is in `directory`/share."""
        share = directory / 'share'
        share.mkdir()
        share.chmod(0o777)
        self.context(share / 'context')
        (share / 'build').write_text('\n'.join([*self.commands(), *more]) + '\n')
        return subprocess.run(
            ['unshare', '--mount', '--pid', '--net', '--fork', '--kill-child', 'bash', '-c', _TREE, 'bash', str(directory)],
            capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
            env={'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8'})

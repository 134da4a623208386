"""The package as ./dev package makes it, and a chroot that holds nothing else."""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ARCH = {'x86_64': 'x86_64', 'aarch64': 'arm64'}[platform.machine()]       # Lambda's name for this machine's
NOBODY = 65534


def make(out, *arguments, root=ROOT, environment=None):
    """./dev package, into the directory `out`; how it ended."""
    return subprocess.run([root / 'dev', 'package', '--out', out, *arguments], cwd=root, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600, env={**os.environ, **(environment or {})})


def made(out, *arguments, arch=ARCH, **how):
    """The zip file that it makes."""
    finished = make(out, '--arch', arch, *arguments, **how)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return out / ('rdsinit-trigger-%s.zip' % arch)


def unpack(package, directory):
    """As Lambda does it: the zip's own modes."""
    with zipfile.ZipFile(package) as archive:
        for entry in archive.infolist():
            path = pathlib.Path(archive.extract(entry, directory))
            path.chmod(entry.external_attr >> 16 & 0o777)
    return directory


class Chroot:
    """A directory that becomes the root of a process: read-only, with /proc, as it is in Lambda."""

    def __init__(self, directory):
        self.directory = directory
        self.trace = directory.with_name(directory.name + '.strace')
        self.put('proc/.keep', '')

    def put(self, name, content, mode=0o644):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(mode)

    def run(self, *command, environment):
        """Runs a command there as nobody, under strace."""
        for path in [self.directory, *(path for path in self.directory.rglob('*') if path.is_dir())]:
            path.chmod(0o755)
        enter = ('mount --bind "$0" "$0" && mount -t proc -o ro proc "$0/proc" && mount -o remount,bind,ro "$0" && '
                 'exec chroot --userspec=+%d:+%d --groups= "$0" "$@"' % (NOBODY, NOBODY))
        return subprocess.run(
            ['strace', '-f', '-qq', '-s', '200', '-o', self.trace, '-e', 'trace=execve,open,openat,openat2,connect',
             'unshare', '--mount', 'sh', '-c', enter, self.directory, *command],
            env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120)

    def opened(self, program):
        """The paths that the program opened or tried to open, in order."""
        lines = self.trace.read_text().splitlines()
        start = next(number for number, line in enumerate(lines) if re.search(r'execve\("%s".* = 0' % re.escape(program), line))
        return [match[1] for line in lines[start:] if (match := re.search(r'open(?:at2?)?\((?:AT_FDCWD, )?"([^"]*)"', line))]


def why_no_chroot():
    """Why a Chroot cannot be made here; None where it can."""
    if os.getuid() != 0:
        return 'only root can chroot'
    if not shutil.which('strace'):
        return 'no strace here'
    if subprocess.run(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True).returncode != 0:
        return 'nothing can be mounted here'
    return None
